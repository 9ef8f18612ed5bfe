//! Signed tokens: JWS in its compact form (RFC 7515), as strict as RFC 8725 asks for (section 4).
//!
//! One algorithm a key; the key is picked by `kid` from our own ring, and the header is never believed about the
//! algorithm. A header holds exactly `alg`, `typ` and `kid`, so that there is no member by which a token could bring its
//! own key (`jwk`, `jku`, `x5u`) or change how it is read (`crit`, `b64`).

mod algorithm;
mod compact;
mod es256;
mod jwk;
mod key;
mod signing;
#[cfg(test)]
mod wycheproof;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use compact::{MAX_TOKEN_BYTES, Refused, SignError, object, open, sign};
pub use key::{KeyError, MIN_SECRET_BYTES, VerifyingKey};
pub use signing::SigningKey;

/// Whether `kid` can name a key: 1 to 64 of `A-Z a-z 0-9 - _`.
#[must_use]
pub fn is_kid(kid: &str) -> bool {
    (1..=64).contains(&kid.len()) && kid.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}
