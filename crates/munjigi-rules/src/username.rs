//! What one logs in with.

use std::fmt;

use serde::{Serialize, Serializer};

/// Fewest characters of a username.
pub const MIN: usize = 4;
/// Most characters of a username.
pub const MAX: usize = 32;

/// Names that only the operator may give away (with the command line): they speak for the service, or look as if.
const RESERVED: &[&str] = &[
    "abuse",
    "account",
    "accounts",
    "admin",
    "administrator",
    "anonymous",
    "api",
    "auth",
    "billing",
    "contact",
    "daemon",
    "everyone",
    "guest",
    "help",
    "helpdesk",
    "hostmaster",
    "info",
    "login",
    "logout",
    "mail",
    "mailer-daemon",
    "moderator",
    "munjigi",
    "no-reply",
    "nobody",
    "noreply",
    "null",
    "official",
    "operator",
    "owner",
    "password",
    "postmaster",
    "privacy",
    "register",
    "root",
    "sales",
    "secure",
    "security",
    "service",
    "settings",
    "signin",
    "signup",
    "staff",
    "superuser",
    "support",
    "sysadmin",
    "system",
    "team",
    "test",
    "undefined",
    "user",
    "users",
    "webmaster",
    "well-known",
    "www",
];

/// A username: 4 to 32 of `A-Z a-z 0-9 . _ -`, kept as typed, unique without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Username(String);

/// Why a text cannot be a username.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUsername {
    /// Nothing was typed.
    #[error("a username is missing")]
    Missing,
    /// Under [`MIN`] or over [`MAX`] characters.
    #[error("a username has {MIN} to {MAX} characters")]
    Length,
    /// Something else than `A-Z a-z 0-9 . _ -`.
    #[error("a username is made of the letters A to Z, digits, '.', '_' and '-'")]
    Characters,
}

impl Username {
    /// Reads a username. Nothing is trimmed or folded: what is not a username is refused, so that two spellings never meet.
    ///
    /// # Errors
    /// [`InvalidUsername`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidUsername> {
        if text.is_empty() {
            return Err(InvalidUsername::Missing);
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) {
            return Err(InvalidUsername::Characters);
        }
        if !(MIN..=MAX).contains(&text.len()) {
            return Err(InvalidUsername::Length);
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was typed at registration.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which usernames are unique: lower case.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Only the operator may give this name away.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        RESERVED.contains(&self.folded().as_str())
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Username {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_is_plain_ascii_of_a_sensible_length() {
        for good in ["mina", "Mina.Kim_90-x", "1234", &"a".repeat(32)] {
            assert!(Username::parse(good).is_ok(), "{good}");
        }
        use InvalidUsername::{Characters, Length, Missing};
        let cases = [
            ("", Missing),
            ("abc", Length),
            (&"a".repeat(33), Length),
            ("mina kim", Characters),
            (" mina", Characters),
            ("mіna", Characters), // a Cyrillic і
            ("미나입니다", Characters),
            ("mina\u{200b}", Characters),
            ("mina\u{202e}x", Characters),
            ("a@b.example", Characters),
        ];
        for (bad, why) in cases {
            assert_eq!(Username::parse(bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn usernames_fold_by_case_and_reserved_ones_are_known_in_any_case() {
        let name = |text: &str| Username::parse(text).unwrap();
        assert_eq!(name("MiNa").folded(), name("mina").folded());
        assert!(name("Admin").is_reserved() && name("ROOT").is_reserved());
        assert!(!name("adminas").is_reserved());
    }
}
