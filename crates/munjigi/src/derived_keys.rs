//! Signs tokens with keys that are derived from `server.secret`: one key a secret and purpose.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use munjigi_gate::jws::{self, Algorithm, Refused, SigningKey, VerifyingKey};
use munjigi_rules::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::secret::Secrets;

/// An unknown key causes the secret to be read again at most once in this time, in milliseconds.
const REREAD_EVERY: u64 = 1_000;

/// The keys of one purpose.
pub struct DerivedKeys {
    secrets: Secrets,
    purpose: &'static str,
    /// What the header of these tokens says they are.
    typ: &'static str,
    keys: ArcSwap<Keys>,
    last_reread: AtomicI64,
}

/// The keys of a moment.
struct Keys {
    generation: u64,
    /// The present secret's first.
    signing: Vec<SigningKey>,
    verifying: Vec<VerifyingKey>,
}

impl Keys {
    fn derive(secrets: &Secrets, purpose: &str) -> anyhow::Result<Self> {
        let generation = secrets.generation();
        let keys = secrets.derive_verifying(purpose).into_iter().map(|derived| {
            // The key's name says which secret it is from without saying anything about the secret.
            let name = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, derived.as_ref());
            let kid: String = name.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            SigningKey::from_bytes(Algorithm::Hs256, kid, derived.as_ref())
        });
        let signing = keys.collect::<Result<Vec<_>, _>>()?;
        let verifying = signing.iter().map(SigningKey::verifying_key).collect();
        Ok(Self { generation, signing, verifying })
    }
}

impl DerivedKeys {
    /// The keys of all secrets that verify, for tokens of this type.
    ///
    /// # Errors
    /// Never with derived keys, which are long enough.
    pub fn new(secrets: Secrets, purpose: &'static str, typ: &'static str) -> anyhow::Result<Self> {
        let keys = ArcSwap::from_pointee(Keys::derive(&secrets, purpose)?);
        Ok(Self { secrets, purpose, typ, keys, last_reread: AtomicI64::new(i64::MIN) })
    }

    /// Signs with the key of the present secret.
    ///
    /// # Errors
    /// If signing fails, which it has no reason to.
    pub fn sign(&self, claims: &impl Serialize) -> anyhow::Result<String> {
        let keys = self.keys();
        let present = keys.signing.first().ok_or_else(|| anyhow::anyhow!("there is no secret"))?;
        Ok(jws::sign(present, self.typ, claims)?)
    }

    /// What a token says that one of the keys signed. A key that is not known may be of a secret that another process has just
    /// put in the place of ours: it is read again, at most once a second.
    ///
    /// # Errors
    /// [`Refused`]: it is not one of ours.
    pub fn open<C: DeserializeOwned>(&self, token: &str, now: Timestamp) -> Result<C, Refused> {
        let mut payload = self.payload(token);
        if matches!(payload, Err(Refused::UnknownKey)) && self.may_reread(now) {
            match self.secrets.reread() {
                Ok(()) => payload = self.payload(token),
                Err(error) => tracing::warn!(error = format!("{error:#}"), "secret_unreadable"),
            }
        }
        jws::object(&payload?).ok_or(Refused::Claims)
    }

    fn payload(&self, token: &str) -> Result<Vec<u8>, Refused> {
        let keys = self.keys();
        jws::open(token, self.typ, |kid| keys.verifying.iter().find(|key| key.kid() == kid).cloned())
    }

    /// The keys of the secrets that are held now.
    fn keys(&self) -> Arc<Keys> {
        let keys = self.keys.load_full();
        if keys.generation == self.secrets.generation() {
            return keys;
        }
        match Keys::derive(&self.secrets, self.purpose) {
            Ok(new) => {
                let new = Arc::new(new);
                self.keys.store(Arc::clone(&new));
                new
            }
            Err(_) => keys,
        }
    }

    fn may_reread(&self, now: Timestamp) -> bool {
        let last = self.last_reread.load(Ordering::Relaxed);
        let due = now.millis_since(Timestamp::from_millis(last)).unsigned_abs() >= REREAD_EVERY;
        due && self.last_reread.compare_exchange(last, now.as_millis(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}
