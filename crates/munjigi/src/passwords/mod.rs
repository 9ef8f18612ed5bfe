//! Passwords: hashed and verified on threads of their own, at the same cost whoever asks.

mod pool;
mod scheme;

use argon2::Params;
use munjigi_rules::log_in::Password;
use munjigi_rules::password::NewPassword;
use munjigi_store::StoredHash;
use zeroize::Zeroizing;

pub use pool::Busy;
use pool::Pool;
pub use scheme::{Memory, Scheme};

use crate::config;

/// Hashes and verifies passwords.
pub struct Passwords {
    pool: Pool,
    params: Params,
}

/// Why a password could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many wait.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The hash function refused.
    #[error("a password could not be hashed")]
    Broken(#[source] anyhow::Error),
}

impl Passwords {
    /// Starts the hashing threads.
    ///
    /// # Errors
    /// The system gives no threads, or the Argon2 parameters do not go together.
    pub fn start(config: &config::Passwords) -> anyhow::Result<Self> {
        let params = Params::new(config.argon2_memory, config.argon2_passes, config.argon2_lanes, None)
            .map_err(|error| anyhow::anyhow!("passwords.argon2_*: {error}"))?;
        Ok(Self { pool: Pool::start(config.workers, config.queue)?, params })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`HashError::Busy`] if too many wait.
    pub async fn hash(&self, password: NewPassword) -> Result<StoredHash, HashError> {
        let params = self.params.clone();
        let hashed = self.pool.run(move |memory| Scheme::hash(&params, password.reveal(), memory)).await?;
        hashed.map_err(HashError::Broken)
    }

    /// Whether `typed` is the password of `kept`, or of nobody.
    ///
    /// Success costs one verification. Every failure costs the same whoever it was: one verification of each scheme in
    /// `present` (and of the present one), the user's own among them, so that neither time nor load tells an unknown user
    /// from a known one or from one that was brought along.
    ///
    /// # Errors
    /// [`Busy`] if too many wait.
    pub async fn verify(&self, kept: Option<StoredHash>, typed: &str, present: Vec<String>) -> Result<Password, Busy> {
        let typed = Zeroizing::new(typed.to_owned());
        let current = Scheme::of(&self.params);
        self.pool
            .run(move |memory| {
                let own = kept.as_ref().and_then(|hash| Scheme::detect(&hash.text).map(|scheme| (scheme, hash)));
                if own.is_some_and(|(scheme, hash)| scheme.verify(hash, &typed, memory)) {
                    return Password::Right;
                }
                let done = own.map(|(scheme, _)| scheme.to_string());
                let mut others = present;
                others.push(current.to_string());
                others.sort_unstable();
                others.dedup();
                for name in others.iter().filter(|name| Some(*name) != done.as_ref()) {
                    if let Some(scheme) = Scheme::named(name) {
                        scheme.burn(&typed, memory);
                    }
                }
                Password::Wrong
            })
            .await
    }

    /// Whether `hash` should be replaced at the next log-in: it is of another scheme than new ones are.
    #[must_use]
    pub fn is_outdated(&self, hash: &StoredHash) -> bool {
        hash.scheme != Scheme::of(&self.params).to_string()
    }
}
