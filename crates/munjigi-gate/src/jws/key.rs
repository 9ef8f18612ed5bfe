//! Keys that signatures are checked with.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use aws_lc_rs::{constant_time, hmac};

use super::{Algorithm, es256, is_kid};

/// A shared secret is at least so long: as long as the hash (RFC 7518 section 3.2).
pub const MIN_SECRET_BYTES: usize = 32;

/// The modulus of an RSA key, in bytes: 2048 to 8192 bits.
const RSA_MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;

/// Why something is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name is not 1 to 64 of `A-Z a-z 0-9 - _`.
    #[error("a key id is 1 to 64 letters, digits, - or _")]
    Kid,
    /// A shared secret of fewer than [`MIN_SECRET_BYTES`].
    #[error("a shared secret has at least {MIN_SECRET_BYTES} bytes")]
    TooShort,
    /// Not the form of a key of that algorithm.
    #[error("not a key of that algorithm")]
    Malformed,
    /// A private key where a public one is meant.
    #[error("a private key where a public one is meant")]
    Private,
    /// The cryptographic library failed, for want of randomness or memory.
    #[error("the key could not be made")]
    Failed,
}

/// Checks signatures: one key, one name, one algorithm. A clone is a reference.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Inner>);

struct Inner {
    kid: Box<str>,
    algorithm: Algorithm,
    material: Material,
}

pub(super) enum Material {
    /// The point, uncompressed (SEC 1).
    Es256(ParsedPublicKey, Box<[u8]>),
    EdDsa(ParsedPublicKey, Box<[u8]>),
    Rs256(ParsedPublicKey, RsaPublicKeyComponents<Box<[u8]>>),
    Hs256(Box<hmac::Key>),
}

impl VerifyingKey {
    pub(super) fn new(kid: &str, material: Material) -> Result<Self, KeyError> {
        if !is_kid(kid) {
            return Err(KeyError::Kid);
        }
        let algorithm = match material {
            Material::Es256(..) => Algorithm::Es256,
            Material::EdDsa(..) => Algorithm::EdDsa,
            Material::Rs256(..) => Algorithm::Rs256,
            Material::Hs256(..) => Algorithm::Hs256,
        };
        Ok(Self(Arc::new(Inner { kid: kid.into(), algorithm, material })))
    }

    /// The name by which a token asks for this key.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.0.kid
    }

    /// The one algorithm that this key is used with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    pub(super) fn material(&self) -> &Material {
        &self.0.material
    }

    /// Whether `signature` is this key's over `message`, in its only spelling.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self.material() {
            Material::Es256(key, _) => es256::is_low(signature) && key.verify_sig(message, signature).is_ok(),
            Material::EdDsa(key, _) | Material::Rs256(key, _) => key.verify_sig(message, signature).is_ok(),
            Material::Hs256(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }
}

impl Material {
    pub(super) fn es256(point: &[u8]) -> Result<Self, KeyError> {
        // Only the uncompressed form: 0x04, x, y.
        if point.len() != 65 || point.first() != Some(&4) {
            return Err(KeyError::Malformed);
        }
        let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| KeyError::Malformed)?;
        Ok(Self::Es256(parsed, point.into()))
    }

    pub(super) fn eddsa(point: &[u8]) -> Result<Self, KeyError> {
        if point.len() != 32 {
            return Err(KeyError::Malformed);
        }
        let parsed = ParsedPublicKey::new(&ED25519, point).map_err(|_| KeyError::Malformed)?;
        Ok(Self::EdDsa(parsed, point.into()))
    }

    pub(super) fn rs256(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        if !RSA_MODULUS.contains(&modulus.len()) {
            return Err(KeyError::Malformed);
        }
        let components = RsaPublicKeyComponents { n: modulus.into(), e: exponent.into() };
        let parsed = components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).map_err(|_| KeyError::Malformed)?;
        Ok(Self::Rs256(parsed, components))
    }

    pub(super) fn hs256(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(KeyError::TooShort);
        }
        Ok(Self::Hs256(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret))))
    }

    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Es256(_, a), Self::Es256(_, b)) | (Self::EdDsa(_, a), Self::EdDsa(_, b)) => a == b,
            (Self::Rs256(_, a), Self::Rs256(_, b)) => a.n == b.n && a.e == b.e,
            // Secrets cannot be read back; keys that sign alike are alike.
            (Self::Hs256(a), Self::Hs256(b)) => {
                let sample = b"munjigi: are these the same key?";
                constant_time::verify_slices_are_equal(hmac::sign(a, sample).as_ref(), hmac::sign(b, sample).as_ref())
                    .is_ok()
            }
            _ => false,
        }
    }
}

/// Same name, same algorithm, same key.
impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.kid() == other.kid() && self.material().same(other.material())
    }
}

impl Eq for VerifyingKey {}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid())
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}
