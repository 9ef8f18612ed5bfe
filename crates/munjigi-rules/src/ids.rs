//! Ids are types, so that a user can never be passed where a session is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::time::Timestamp;

/// A text was not the id it should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct InvalidId;

/// An account: a UUIDv7 (RFC 9562), so that users sort by the time they registered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UserId(Uuid);

impl UserId {
    /// A new id, from the time and ten random bytes.
    #[must_use]
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// The sixteen bytes that stores keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// From the sixteen bytes that stores keep.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for UserId {
    type Err = InvalidId;

    /// Accepts only the form that [`fmt::Display`] writes: hyphenated, lower case.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let id = Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)?;
        if id.to_string() == text { Ok(id) } else { Err(InvalidId) }
    }
}

impl<'de> Deserialize<'de> for UserId {
    /// From the one form that it is written in, like every other id: a library's other spellings of a UUID are none of ours.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// 128 random bits, written as 32 lower-case hexadecimal digits.
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $debug:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// From sixteen bytes: random ones for a new value, stored ones for a known value.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The sixteen bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", u128::from_be_bytes(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let write: fn(&Self, &mut fmt::Formatter<'_>) -> fmt::Result = $debug;
                write(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let canonical = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                if !canonical {
                    return Err(InvalidId);
                }
                u128::from_str_radix(text, 16).map(|n| Self(n.to_be_bytes())).map_err(|_| InvalidId)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

random_id!(
    /// One log-in of one user on one device: the `sid` of its tokens. 128 random bits, 32 lower-case hexadecimal digits.
    /// Knowing it gives nobody access.
    SessionId,
    |id, f| fmt::Display::fmt(id, f)
);

random_id!(
    /// What makes two refresh tokens of one generation differ: 128 random bits. Its `Debug` shows nothing, because a live
    /// nonce is part of a live token.
    Nonce,
    |_, f| f.write_str("Nonce(..)")
);

/// A counter on the user (`sep` in a token). Raising it ends every session that was opened under a lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u32);

/// How often a session's refresh token was traded in (`gen` in a token).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u32);

impl Generation {
    /// The generation after this one. Stays at the last: at one rotation a second that is 136 years away.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_only_in_the_form_they_are_written_in() {
        let sid = SessionId::from_bytes([0xab; 16]);
        assert_eq!(sid.to_string().parse(), Ok(sid));
        let user = UserId::new(Timestamp::from_millis(1_700_000_000_000), [7; 10]);
        assert_eq!(user.to_string().parse(), Ok(user));
        for odd in ["", "AB", "+b", &"AB".repeat(16), &"0".repeat(33), "../../etc/passwd"] {
            assert_eq!(odd.parse::<SessionId>(), Err(InvalidId), "{odd}");
            assert_eq!(odd.parse::<UserId>(), Err(InvalidId), "{odd}");
        }
        assert_eq!(user.to_string().to_uppercase().parse::<UserId>(), Err(InvalidId));
    }

    #[test]
    fn users_sort_by_the_time_they_registered() {
        let at = |ms| UserId::new(Timestamp::from_millis(ms), [0xff; 10]);
        assert!(at(1_000) < at(1_001));
    }

    #[test]
    fn a_nonce_never_shows_in_debug_output() {
        assert_eq!(format!("{:?}", Nonce::from_bytes([9; 16])), "Nonce(..)");
    }
}
