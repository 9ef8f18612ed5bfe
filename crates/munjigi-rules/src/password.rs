//! Which passwords may be set. Nothing here is asked at log-in: a policy that was tightened locks nobody out.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Passwords that everybody tries first. Length is another rule, so nothing under eight characters stands here.
const COMMON: &str = include_str!("password_common.txt");

/// The policy of the configuration (`passwords.min_length`, `passwords.max_length`), after NIST SP 800-63B-4 section 3.1.1.2:
/// length counts, composition does not, nothing expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Fewest code points after NFC.
    pub min: usize,
    /// Most code points after NFC.
    pub max: usize,
}

/// A password that may be set: normalised to NFC, erased from memory when dropped, invisible in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword(Zeroizing<String>);

/// Why a password may not be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Nothing was typed.
    #[error("a password is missing")]
    Missing,
    /// Fewer code points than the policy wants.
    #[error("a password has at least {min} characters")]
    TooShort {
        /// The fewest.
        min: usize,
    },
    /// More code points than the policy allows.
    #[error("a password has at most {max} characters")]
    TooLong {
        /// The most.
        max: usize,
    },
    /// Among the first that anybody would try.
    #[error("this password is among the first that anybody would try")]
    Common,
    /// It has the username in it.
    #[error("a password does not contain the username")]
    ContainsUsername,
}

impl Policy {
    /// Reads a password that is to be set for `username`.
    ///
    /// # Errors
    /// [`WeakPassword`] says what is wrong.
    pub fn check(&self, typed: &str, username: &str) -> Result<NewPassword, WeakPassword> {
        if typed.is_empty() {
            return Err(WeakPassword::Missing);
        }
        let password = normalise(typed);
        let length = password.chars().count();
        if length < self.min {
            return Err(WeakPassword::TooShort { min: self.min });
        }
        if length > self.max {
            return Err(WeakPassword::TooLong { max: self.max });
        }
        let folded = Zeroizing::new(password.to_lowercase());
        if !username.is_empty() && folded.contains(&username.to_lowercase()) {
            return Err(WeakPassword::ContainsUsername);
        }
        if is_common(&folded) {
            return Err(WeakPassword::Common);
        }
        Ok(NewPassword(password))
    }
}

impl NewPassword {
    /// The password, for the hash function and nothing else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(..)")
    }
}

/// The form in which passwords are hashed and compared: Unicode NFC, so that two keyboards type the same password.
#[must_use]
pub fn normalise(typed: &str) -> Zeroizing<String> {
    Zeroizing::new(typed.nfc().collect())
}

/// A password that was just verified, to be hashed anew. The policy is not asked: it does not lock anybody out.
#[must_use]
pub fn known(typed: &str) -> NewPassword {
    NewPassword(normalise(typed))
}

/// In the list, one or two characters over and over, or a run like `abcdefgh` or `87654321`.
fn is_common(folded: &str) -> bool {
    let mut distinct: Vec<char> = folded.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.len() <= 2 || is_run(folded, 1) || is_run(folded, -1) || COMMON.lines().any(|line| line == folded)
}

/// Every character is the one before it plus `step`; a `0` follows a `9`, as on a keyboard.
fn is_run(folded: &str, step: i64) -> bool {
    let follows = |a: char, b: char| {
        i64::from(u32::from(b)) - i64::from(u32::from(a)) == step
            || (step == 1 && (a, b) == ('9', '0'))
            || (step == -1 && (a, b) == ('0', '9'))
    };
    folded.chars().zip(folded.chars().skip(1)).all(|(a, b)| follows(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy { min: 8, max: 256 };

    #[test]
    fn length_counts_code_points_after_normalisation() {
        assert_eq!(POLICY.check("", "mina"), Err(WeakPassword::Missing));
        assert_eq!(POLICY.check("7 chars", "mina"), Err(WeakPassword::TooShort { min: 8 }));
        assert!(POLICY.check("8 chars!", "mina").is_ok());
        assert!(POLICY.check("가나다라마바사차", "mina").is_ok());
        // Eight jamo that compose to four syllables.
        assert_eq!(
            POLICY.check("\u{1100}\u{1161}\u{1102}\u{1161}\u{1103}\u{1161}\u{1105}\u{1161}", "mina"),
            Err(WeakPassword::TooShort { min: 8 })
        );
        assert!(POLICY.check(&"ab1".repeat(85), "mina").is_ok());
        assert_eq!(POLICY.check(&"ab1".repeat(86), "mina"), Err(WeakPassword::TooLong { max: 256 }));
    }

    #[test]
    fn what_everybody_tries_first_is_refused_and_spaces_are_kept() {
        for common in [
            "password",
            "PASSWORD1",
            "qwertyuiop",
            "12345678",
            "1234567890",
            "87654321",
            "abcdefgh",
            "aaaaaaaa",
            "abababab",
            "dkssudgktpdy",
        ] {
            assert_eq!(POLICY.check(common, "mina"), Err(WeakPassword::Common), "{common}");
        }
        assert_eq!(POLICY.check("correct horse", "mina").unwrap().reveal(), "correct horse");
        assert_eq!(POLICY.check(" spaces stay ", "mina").unwrap().reveal(), " spaces stay ");
    }

    #[test]
    fn a_password_does_not_contain_the_username() {
        assert_eq!(POLICY.check("xxMiNa-2026", "mina"), Err(WeakPassword::ContainsUsername));
    }

    #[test]
    fn a_password_never_shows_in_debug_output() {
        assert_eq!(format!("{:?}", POLICY.check("tremendous secret", "mina").unwrap()), "NewPassword(..)");
    }
}
