//! From a token to who it is (section 4).

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use munjigi_rules::Timestamp;
use munjigi_rules::time::millis;
use tokio::sync::Mutex;

use crate::cache::{DEFAULT_BYTES, TokenCache};
use crate::claims::{ACCESS_TYPE, AccessClaims};
use crate::jws::{Refused, VerifyingKey, open};
use crate::ring::Ring;

/// An unknown `kid` causes at most one reload in this time.
const RELOAD_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// Whatever goes wrong at a seam: only logged here.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Where the keys come from: the server's own store, or another service's JWKS.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// All keys that tokens may be signed with at the moment.
    ///
    /// # Errors
    /// Where they cannot be read now; the keys that were read before stay in use.
    async fn load(&self) -> Result<Vec<VerifyingKey>, BoxError>;
}

/// The keys could not be read; those that were read before stay in use.
#[derive(Debug, thiserror::Error)]
#[error("the keys could not be read")]
pub struct KeysUnavailable(#[source] BoxError);

/// A token that verifies.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What it says.
    pub claims: Arc<AccessClaims>,
    /// Whether it has expired. Its claims are still ours: log-out needs to know which session it was.
    pub expired: bool,
}

/// Checks access tokens of one issuer for one audience. Whether their session was revoked is not asked here.
pub struct Verifier {
    issuer: String,
    audience: String,
    source: Arc<dyn KeySource>,
    ring: ArcSwap<Ring>,
    cache: TokenCache,
    /// Held while keys are loaded, so that an older answer never replaces a newer one.
    reloading: Mutex<()>,
    /// When an unknown `kid` last caused a reload, in milliseconds.
    last_asked: AtomicI64,
}

impl Verifier {
    /// Knows no keys until the first [`Verifier::reload`].
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>, source: Arc<dyn KeySource>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            source,
            ring: ArcSwap::from_pointee(Ring::empty()),
            cache: TokenCache::new(DEFAULT_BYTES),
            reloading: Mutex::new(()),
            last_asked: AtomicI64::new(i64::MIN),
        }
    }

    /// The same with a cache of verified tokens of at most so many bytes; 0 for none.
    #[must_use]
    pub fn with_cache_bytes(mut self, bytes: u64) -> Self {
        self.cache = TokenCache::new(bytes);
        self
    }

    /// The cache of verified tokens, for metrics.
    #[must_use]
    pub const fn cache(&self) -> &TokenCache {
        &self.cache
    }

    /// Rises with each change of the keys. 0 until the first were loaded.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.ring.load().generation()
    }

    /// Reads the keys again. A failure is logged and the keys that were read before stay in use.
    pub async fn reload(&self) {
        if let Err(error) = self.try_reload().await {
            let source = error.source().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(source, note = "those that were read before stay in use", "keys_unreadable");
        }
    }

    /// Reads the keys again and says whether that worked; for the start, where nothing was read before.
    ///
    /// # Errors
    /// [`KeysUnavailable`] with its cause.
    pub async fn try_reload(&self) -> Result<(), KeysUnavailable> {
        let _alone = self.reloading.lock().await;
        self.load().await
    }

    async fn load(&self) -> Result<(), KeysUnavailable> {
        let keys = self.source.load().await.map_err(KeysUnavailable)?;
        if let Some(ring) = self.ring.load().replaced_by(keys) {
            self.ring.store(Arc::new(ring));
        }
        Ok(())
    }

    /// Checks a token. One that verifies but has expired is `Ok` and marked so.
    ///
    /// # Errors
    /// Says why the token was refused, for logs and tests.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, Refused> {
        let ring = self.ring.load();
        if let Some(claims) = self.cache.get(token, ring.generation(), now) {
            return Ok(Verified { claims, expired: false });
        }
        let payload = open(token, ACCESS_TYPE, |kid| ring.get(kid))?;
        let claims = AccessClaims::read(&payload, now)?;
        claims.check(&self.issuer, &self.audience, now)?;
        let claims = Arc::new(claims);
        let expired = claims.is_expired(now);
        if !expired {
            self.cache.insert(token, ring.generation(), &claims);
        }
        Ok(Verified { claims, expired })
    }

    /// Checks a token, and where its key is unknown reads the keys again first: at most once a second, by the clock that
    /// `now` comes from, and once for all callers that wait at the same time.
    ///
    /// # Errors
    /// As [`Verifier::verify`].
    pub async fn verify_or_reload(&self, token: &str, now: Timestamp) -> Result<Verified, Refused> {
        match self.verify(token, now) {
            Err(Refused::UnknownKey) => {}
            known => return known,
        }
        {
            let _alone = self.reloading.lock().await;
            // Marked before the load: a caller that gives up in the middle of it has used up its second all the same.
            let last = self.last_asked.load(Ordering::Relaxed);
            let due = now.millis_since(Timestamp::from_millis(last)).unsigned_abs();
            if i64::try_from(due).unwrap_or(i64::MAX) >= millis(RELOAD_EVERY) {
                self.last_asked.store(now.as_millis(), Ordering::Relaxed);
                if let Err(error) = self.load().await {
                    let source = error.source().map(ToString::to_string).unwrap_or_default();
                    tracing::warn!(source, note = "a token asked for an unknown key", "keys_unreadable");
                }
            }
        }
        self.verify(token, now)
    }
}
