//! Keys that tokens are signed with.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256};
use zeroize::Zeroizing;

use super::key::{KeyError, MIN_SECRET_BYTES, Material, VerifyingKey};
use super::{Algorithm, es256};

/// Signs tokens: one key, one name, one algorithm. A clone is a reference.
#[derive(Clone)]
pub struct SigningKey {
    inner: Arc<Inner>,
    verifying: VerifyingKey,
}

struct Inner {
    pair: Pair,
    /// As they are kept: PKCS#8, or the bare secret.
    bytes: Zeroizing<Vec<u8>>,
}

enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
    Hs256(Box<hmac::Key>),
}

impl SigningKey {
    /// A new random key. RS256 gets 3072 bits, for 128 bits of security (NIST SP 800-57), and takes a moment.
    ///
    /// # Errors
    /// [`KeyError::Kid`], or [`KeyError::Failed`] without randomness.
    pub fn generate(algorithm: Algorithm, kid: impl AsRef<str>) -> Result<Self, KeyError> {
        let bytes = random_key(algorithm).map_err(|_| KeyError::Failed)?;
        Self::from_bytes(algorithm, kid, &bytes)
    }

    /// The key that [`SigningKey::to_bytes`] wrote: PKCS#8, or the bare secret for HS256.
    ///
    /// # Errors
    /// Says what is wrong with it; [`KeyError::TooShort`] for a secret under 32 bytes.
    pub fn from_bytes(algorithm: Algorithm, kid: impl AsRef<str>, bytes: &[u8]) -> Result<Self, KeyError> {
        let malformed = |_| KeyError::Malformed;
        let (pair, material) = match algorithm {
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes).map_err(malformed)?;
                let material = Material::es256(pair.public_key().as_ref())?;
                (Pair::Es256(pair), material)
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(bytes).map_err(malformed)?;
                let material = Material::eddsa(pair.public_key().as_ref())?;
                (Pair::EdDsa(pair), material)
            }
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(bytes).map_err(malformed)?;
                let key = pair.public_key();
                let (n, e) = (key.modulus(), key.exponent());
                let material =
                    Material::rs256(n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero())?;
                (Pair::Rs256(pair), material)
            }
            Algorithm::Hs256 => {
                let material = Material::hs256(bytes)?;
                (Pair::Hs256(Box::new(hmac::Key::new(hmac::HMAC_SHA256, bytes))), material)
            }
        };
        let bytes = Zeroizing::new(bytes.to_vec());
        let verifying = VerifyingKey::new(kid.as_ref(), material)?;
        Ok(Self { inner: Arc::new(Inner { pair, bytes }), verifying })
    }

    /// The private key, for whoever keeps it: PKCS#8, or the bare secret for HS256. Encrypt it before it is written down.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.inner.bytes.clone()
    }

    /// The key that checks what this one signs.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        self.verifying.clone()
    }

    /// The name that tokens of this key carry.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.verifying.kid()
    }

    /// The one algorithm that this key is used with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.verifying.algorithm()
    }

    /// A signature over `message`, or nothing if the library fails.
    pub(super) fn signature(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.inner.pair {
            Pair::Es256(pair) => Some(es256::lower(pair.sign(&random, message).ok()?.as_ref())),
            Pair::EdDsa(pair) => Some(pair.try_sign(message).ok()?.as_ref().to_vec()),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
                Some(signature)
            }
            Pair::Hs256(key) => Some(hmac::sign(key, message).as_ref().to_vec()),
        }
    }
}

/// A new private key, as it is kept.
fn random_key(algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let bytes = match algorithm {
        Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?.to_pkcs8v1()?.as_ref().to_vec(),
        Algorithm::EdDsa => Ed25519KeyPair::generate()?.to_pkcs8()?.as_ref().to_vec(),
        Algorithm::Rs256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa3072)?;
            AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)?.as_ref().to_vec()
        }
        Algorithm::Hs256 => {
            let mut secret = vec![0; MIN_SECRET_BYTES];
            rand::fill(&mut secret)?;
            secret
        }
    };
    Ok(Zeroizing::new(bytes))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid())
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}
