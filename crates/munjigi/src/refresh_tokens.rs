//! Refresh tokens: signed with a key derived from `server.secret`, so that a forged one is refused before any store is
//! asked, and a stolen store holds nothing that could be shown as one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use munjigi_gate::jws::{self, Algorithm, Refused, SigningKey, VerifyingKey};
use munjigi_rules::refresh::{Presented, Successor};
use munjigi_rules::{Generation, Nonce, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use crate::secret::Secrets;

const TYP: &str = "rt+jwt";
const PURPOSE: &str = "munjigi refresh tokens v1";

/// What a refresh token says (the wire form of [`RefreshToken`]).
#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    sid: SessionId,
    #[serde(rename = "gen")]
    generation: Generation,
    nonce: Nonce,
    parent: Nonce,
    iat: i64,
    exp: i64,
}

/// A refresh token whose signature was verified.
#[derive(Clone, Copy, Debug)]
pub struct RefreshToken {
    /// Whose.
    pub user: UserId,
    /// Which session.
    pub session: SessionId,
    /// Its place in the chain.
    pub presented: Presented,
    /// Idle expiry of the session when it was issued.
    pub expires: Timestamp,
}

/// Signs and verifies refresh tokens.
pub struct RefreshTokens {
    secrets: Secrets,
    keys: ArcSwap<Keys>,
    /// When an unknown key last caused the secret to be read again.
    last_reread: AtomicI64,
}

/// The keys of a moment.
struct Keys {
    generation: u64,
    current: SigningKey,
    all: Vec<VerifyingKey>,
}

impl Keys {
    fn derive(secrets: &Secrets) -> anyhow::Result<Self> {
        let generation = secrets.generation();
        let keys = secrets.derive_all(PURPOSE).into_iter().map(|derived| {
            // The key's name says which secret it is from without saying anything about the secret.
            let name = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, derived.as_ref());
            let kid: String = name.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            SigningKey::from_bytes(Algorithm::Hs256, kid, derived.as_ref())
        });
        let mut keys = keys.collect::<Result<Vec<_>, _>>()?;
        let all = keys.iter().map(SigningKey::verifying_key).collect();
        Ok(Self { generation, current: keys.swap_remove(0), all })
    }
}

impl RefreshTokens {
    /// With the keys of all secrets; the present one signs.
    ///
    /// # Errors
    /// Never with derived keys, which are long enough.
    pub fn new(secrets: Secrets) -> anyhow::Result<Self> {
        let keys = ArcSwap::from_pointee(Keys::derive(&secrets)?);
        Ok(Self { secrets, keys, last_reread: AtomicI64::new(i64::MIN) })
    }

    /// The keys of the secrets that are held now.
    fn keys(&self) -> Arc<Keys> {
        let keys = self.keys.load_full();
        if keys.generation == self.secrets.generation() {
            return keys;
        }
        match Keys::derive(&self.secrets) {
            Ok(new) => {
                let new = Arc::new(new);
                self.keys.store(Arc::clone(&new));
                new
            }
            Err(_) => keys,
        }
    }

    /// Signs the refresh token at `place`.
    ///
    /// # Errors
    /// If signing fails, which it has no reason to.
    pub fn sign(&self, user: UserId, session: SessionId, place: &Successor, now: Timestamp) -> anyhow::Result<String> {
        let claims = Claims {
            sub: user,
            sid: session,
            generation: place.generation,
            nonce: place.nonce,
            parent: place.parent,
            iat: now.as_secs(),
            exp: place.expires.as_secs(),
        };
        Ok(jws::sign(&self.keys().current, TYP, &claims)?)
    }

    /// Verifies that we signed `token`. Whether it has expired is for the caller to ask. A key that is not known may be of a
    /// secret that another process has just put in the place of ours: the file is read again, at most once a second.
    ///
    /// # Errors
    /// [`Refused`]: it is not one of ours.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<RefreshToken, Refused> {
        let mut opened = open(&self.keys(), token);
        if matches!(opened, Err(Refused::UnknownKey)) && self.may_reread(now) {
            match self.secrets.reread() {
                Ok(()) => opened = open(&self.keys(), token),
                Err(error) => tracing::warn!(error = format!("{error:#}"), "secret_unreadable"),
            }
        }
        opened
    }

    fn may_reread(&self, now: Timestamp) -> bool {
        let last = self.last_reread.load(Ordering::Relaxed);
        let due = now.millis_since(Timestamp::from_millis(last)).unsigned_abs() >= 1_000;
        due && self.last_reread.compare_exchange(last, now.as_millis(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

fn open(keys: &Keys, token: &str) -> Result<RefreshToken, Refused> {
    let payload = jws::open(token, TYP, |kid| keys.all.iter().find(|key| key.kid() == kid).cloned())?;
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| Refused::Claims)?;
    Ok(RefreshToken {
        user: claims.sub,
        session: claims.sid,
        presented: Presented {
            generation: claims.generation,
            nonce: claims.nonce,
            parent: claims.parent,
            issued_at: Timestamp::from_secs(claims.iat),
        },
        expires: Timestamp::from_secs(claims.exp),
    })
}
