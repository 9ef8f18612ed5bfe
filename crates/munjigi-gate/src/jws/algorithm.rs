//! The algorithms that tokens may be signed with.

use std::fmt;
use std::str::FromStr;

/// A signature algorithm (section 4, RFC 7518 section 3, RFC 8037). There is no `none` and there will be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256: the default.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA PKCS#1 v1.5 with SHA-256, 2048 to 8192 bits.
    Rs256,
    /// HMAC with SHA-256: a secret that is shared, so whoever checks can also issue.
    Hs256,
}

impl Algorithm {
    /// As it is written in a header's or a key's `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Hs256 => "HS256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text was not the name of an algorithm that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of ES256, EdDSA, RS256, HS256")]
pub struct UnknownAlgorithm;

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Exactly as [`Algorithm::name`] writes it: names are case-sensitive (RFC 7515 section 4.1.1).
    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        match name {
            "ES256" => Ok(Self::Es256),
            "EdDSA" => Ok(Self::EdDsa),
            "RS256" => Ok(Self::Rs256),
            "HS256" => Ok(Self::Hs256),
            _ => Err(UnknownAlgorithm),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_only_in_its_own_spelling() {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Hs256] {
            assert_eq!(algorithm.name().parse(), Ok(algorithm));
            assert_ne!(algorithm.name().to_lowercase().parse(), Ok(algorithm));
        }
        for other in ["", "none", "None", "NONE", "ES256K", "PS256", "HS384", " ES256"] {
            assert_eq!(other.parse::<Algorithm>(), Err(UnknownAlgorithm), "{other:?}");
        }
    }
}
