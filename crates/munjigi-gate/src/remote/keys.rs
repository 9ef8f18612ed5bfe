//! The server's keys, from its JSON Web Key Set (RFC 7517).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use munjigi_rules::Timestamp;
use munjigi_rules::time::millis;
use serde_json::Value;

use super::wire::Wire;
use crate::clock::Clock;
use crate::jws::VerifyingKey;
use crate::verify::{BoxError, KeySource, Verifier};

/// How long a set is kept that does not say.
const USUAL: Duration = Duration::from_secs(300);
/// And how long at least and at most, whatever it says.
const KEPT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3600));
/// When it is tried again after it could not be read; a token of an unknown key makes it sooner.
const AGAIN: Duration = Duration::from_secs(30);
/// A server that has just failed is not asked again within this time: of a thousand requests that wait for a key, one waits for it.
const PAUSE: Duration = Duration::from_secs(1);

/// The key set, read whenever the verifier asks.
pub(super) struct Jwks {
    wire: Arc<Wire>,
    clock: Arc<dyn Clock>,
    last: Mutex<Last>,
}

#[derive(Clone, Copy)]
enum Last {
    /// Not read yet.
    None,
    /// Read, and good for so long.
    Read(Duration),
    /// It could not be read.
    Failed(Timestamp),
}

#[derive(Debug, thiserror::Error)]
enum KeySetError {
    #[error("the key set could not be read a moment ago")]
    JustFailed,
    #[error("what the server answers is no key set")]
    NoKeySet,
}

impl Jwks {
    pub(super) fn new(wire: Arc<Wire>, clock: Arc<dyn Clock>) -> Self {
        Self { wire, clock, last: Mutex::new(Last::None) }
    }

    /// When to read it again.
    fn due(&self) -> Duration {
        match *self.last() {
            Last::Read(max_age) => max_age,
            Last::None | Last::Failed(_) => AGAIN,
        }
    }

    async fn read(&self) -> Result<(Vec<VerifyingKey>, Duration), BoxError> {
        let (body, max_age) = self.wire.keys().await?;
        let set: Value = serde_json::from_slice(&body).map_err(|_| KeySetError::NoKeySet)?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(KeySetError::NoKeySet)?;
        // Keys that we do not understand are for others (RFC 7517 section 5).
        let keys = keys.iter().filter_map(|jwk| VerifyingKey::from_jwk(jwk).ok()).collect();
        Ok((keys, max_age.unwrap_or(USUAL).clamp(KEPT.0, KEPT.1)))
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KeySource for Jwks {
    async fn load(&self) -> Result<Vec<VerifyingKey>, BoxError> {
        if let Last::Failed(at) = *self.last()
            && self.clock.now().millis_since(at) < millis(PAUSE)
        {
            return Err(KeySetError::JustFailed.into());
        }
        let outcome = self.read().await;
        *self.last() = match &outcome {
            Ok((_, max_age)) => Last::Read(*max_age),
            Err(_) => Last::Failed(self.clock.now()),
        };
        Ok(outcome?.0)
    }
}

/// Reads the keys again when they are due, for as long as somebody verifies with them.
pub(super) async fn keep(verifier: Weak<Verifier>, jwks: Arc<Jwks>) {
    loop {
        tokio::time::sleep(jwks.due()).await;
        let Some(verifier) = verifier.upgrade() else { return };
        verifier.reload().await;
    }
}
