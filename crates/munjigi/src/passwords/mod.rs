//! Passwords: hashed and verified on threads of their own, at the same cost whoever asks.

mod breached;
mod foreign;
mod pool;
mod scheme;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use argon2::Params;
use munjigi_rules::log_in::Password;
use munjigi_rules::password::NewPassword;
use munjigi_store::StoredHash;
use zeroize::Zeroizing;

use breached::Breached;
use pool::Pool;
pub use pool::{Busy, Load};
pub use scheme::{Memory, Scheme};

use crate::config;
use crate::metrics::Timings;

/// Hashes and verifies passwords.
pub struct Passwords {
    pool: Pool,
    params: Params,
    breached: Option<Arc<Breached>>,
    done: Arc<Mutex<BTreeMap<String, u64>>>,
    /// Time on a hashing thread for one password.
    pub took: Timings,
    /// Time in the queue before that.
    pub waited: Timings,
}

/// Whether `passwords.breached_file` can be searched, for whoever only looks.
///
/// # Errors
/// It cannot be read, or is not of the kind.
pub fn look_into_breached(path: &Path) -> anyhow::Result<()> {
    Breached::open(path).map(drop)
}

/// Whether a verification has begun, for a caller who may go away before it ends.
#[derive(Clone, Debug, Default)]
pub struct Begun(Arc<AtomicBool>);

impl Begun {
    /// Whether it has.
    #[must_use]
    pub fn has(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
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
    /// The system gives no threads, the Argon2 parameters do not go together, or the list of breached passwords is none.
    pub fn start(config: &config::Passwords) -> anyhow::Result<Self> {
        let params = Params::new(config.argon2_memory, config.argon2_passes, config.argon2_lanes, None)
            .map_err(|error| anyhow::anyhow!("passwords.argon2_*: {error}"))?;
        let breached = config.breached.as_deref().map(Breached::open).transpose()?.map(Arc::new);
        Ok(Self {
            pool: Pool::start(config.workers, config.queue)?,
            params,
            breached,
            done: Arc::default(),
            took: Timings::default(),
            waited: Timings::default(),
        })
    }

    /// How many hashes of each scheme, by its name, were computed since the start: what log-ins cost, whoever they were of.
    #[must_use]
    pub fn hashes_done(&self) -> BTreeMap<String, u64> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether one more password could be hashed now. Asked first, before anything else is done for whoever came, it makes a
    /// refusal cheap; the answer may be another one a moment later.
    ///
    /// # Errors
    /// [`Busy`] if too many wait.
    pub fn room(&self) -> Result<(), Busy> {
        self.pool.room()
    }

    /// How busy the hashing threads are.
    #[must_use]
    pub fn load(&self) -> Load {
        self.pool.load()
    }

    /// Runs `task` on a hashing thread, and counts what it did.
    async fn run<T: Send + 'static>(&self, task: impl FnOnce(&mut Memory) -> T + Send + 'static) -> Result<T, Busy> {
        let done = Arc::clone(&self.done);
        let (took, waited, queued) = (self.took.clone(), self.waited.clone(), Instant::now());
        let counted = move |memory: &mut Memory| {
            let begun = Instant::now();
            waited.note(begun.duration_since(queued));
            let outcome = task(memory);
            took.note(begun.elapsed());
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            for scheme in memory.take_done() {
                *done.entry(scheme.to_string()).or_default() += 1;
            }
            outcome
        };
        self.pool.run(counted).await
    }

    /// Whether a password that is to be set is known from a breach. It waits in the queue like a hash, because it reads a file.
    ///
    /// # Errors
    /// [`HashError::Busy`] if too many wait; [`HashError::Broken`] if the list cannot be read: nothing is set then.
    pub async fn is_breached(&self, password: &NewPassword) -> Result<bool, HashError> {
        let Some(list) = self.breached.clone() else { return Ok(false) };
        let password = password.clone();
        self.pool.run(move |_| list.contains(&password)).await?.map_err(HashError::Broken)
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`HashError::Busy`] if too many wait.
    pub async fn hash(&self, password: NewPassword) -> Result<StoredHash, HashError> {
        let params = self.params.clone();
        let hashed = self.run(move |memory| Scheme::hash(&params, password.reveal(), memory)).await?;
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
    pub async fn verify(
        &self,
        kept: Option<StoredHash>,
        typed: &str,
        present: Vec<String>,
        begun: &Begun,
    ) -> Result<Password, Busy> {
        let typed = Zeroizing::new(typed.to_owned());
        let current = Scheme::of(&self.params);
        let begun = begun.clone();
        self.run(move |memory| {
            begun.0.store(true, Ordering::Relaxed);
            let own = kept.as_ref().and_then(|hash| Scheme::detect(&hash.text).map(|scheme| (scheme, hash)));
            if own.is_some_and(|(scheme, hash)| scheme.verify(hash, &typed, memory)) {
                return Password::Right;
            }
            let done = own.map(|(scheme, _)| scheme);
            let mut others = present;
            others.push(current.to_string());
            others.sort_unstable();
            others.dedup();
            for scheme in Scheme::left(done, others.iter().filter_map(|name| Scheme::named(name))) {
                scheme.burn(&typed, memory);
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
