//! The feed of revocations into this node's memory.
//!
//! ```text
//!   log-out, password change, …          every 500 ms
//!            |                                 |
//!     row in the database  --- the bell --->  read the rows that are lacking  -->  RevokedSet  <-- the gate asks
//! ```
//!
//! The row is what counts; the bell only makes the read happen now. There is one way into memory, whoever ended what.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use munjigi_gate::{Clock, RevokedSet};
use munjigi_rules::Timestamp;
use munjigi_rules::time::millis;
use munjigi_store::{Cursor, Revocations, StoreError};
use tokio::sync::Mutex;

/// Without a bell, the table is read this often.
pub const PERIOD: Duration = Duration::from_millis(500);
/// Further off the database's clock, a node neither mints nor rotates.
pub const MOST_SKEW: Duration = Duration::from_secs(30);
/// How often rows whose time is over are forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// Reads the revocations into memory.
pub struct Feed {
    store: Arc<dyn Revocations>,
    clock: Arc<dyn Clock>,
    set: Arc<RevokedSet>,
    cursor: Mutex<Cursor>,
    skew_millis: AtomicI64,
}

impl Feed {
    /// A feed that has read nothing yet.
    #[must_use]
    pub fn new(store: Arc<dyn Revocations>, clock: Arc<dyn Clock>) -> Self {
        let set = Arc::new(RevokedSet::new());
        Self { store, clock, set, cursor: Mutex::new(Cursor::default()), skew_millis: AtomicI64::new(0) }
    }

    /// What the gate asks.
    #[must_use]
    pub fn set(&self) -> Arc<RevokedSet> {
        Arc::clone(&self.set)
    }

    /// The bell: reads what this node lacks. Once it returns, everything that was committed before it was called is in
    /// memory.
    ///
    /// # Errors
    /// The database cannot be reached; the periodic read goes on trying.
    pub async fn ring(&self) -> Result<(), StoreError> {
        let mut cursor = self.cursor.lock().await;
        let now = self.clock.now();
        let page = self.store.read(*cursor, now).await?;
        self.set.apply(page.entries);
        *cursor = page.next;
        self.set.mark_read(now);
        self.skew_millis.store(self.clock.now().millis_since(page.database_now), Ordering::Relaxed);
        Ok(())
    }

    /// How far this node's clock is ahead of the database's (negative: behind), where that is too far to issue tokens.
    #[must_use]
    pub fn clock_off_by(&self) -> Option<i64> {
        let skew = self.skew_millis.load(Ordering::Relaxed);
        (skew.abs() > millis(MOST_SKEW)).then_some(skew)
    }

    /// How long ago the last complete read was; `None`: there was none.
    #[must_use]
    pub fn staleness(&self) -> Option<Duration> {
        self.set.is_ready().then(|| self.set.staleness(self.clock.now()))
    }

    /// Reads for as long as the process runs.
    pub async fn run(self: Arc<Self>, max_staleness: Duration) {
        let mut tick = tokio::time::interval(PERIOD);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut health = Health::default();
        let mut pruned = self.clock.now();
        loop {
            tick.tick().await;
            let read = self.ring().await;
            health.note(&read, self.staleness(), max_staleness);
            health.note_clock(self.clock_off_by());
            let now = self.clock.now();
            self.set.sweep(now);
            if now.millis_since(pruned) >= millis(PRUNE_EVERY) {
                pruned = now;
                self.prune(now).await;
            }
        }
    }

    async fn prune(&self, now: Timestamp) {
        if let Err(error) = self.store.prune(now).await {
            tracing::warn!(error = crate::telemetry::chain(&error), "prune_failed");
        }
    }
}

/// What was last said in the log, so that a change is said once and not twice a second.
#[derive(Default)]
struct Health {
    stale: bool,
    clock_off: bool,
}

impl Health {
    fn note(&mut self, read: &Result<(), StoreError>, staleness: Option<Duration>, most: Duration) {
        let stale = staleness.is_none_or(|age| age > most);
        if let (Err(error), true, false) = (read, stale, self.stale) {
            let error = crate::telemetry::chain(error);
            tracing::error!(
                error,
                note = "the revocations cannot be read; see revocation.when_stale",
                "revocations_stale"
            );
        } else if self.stale && !stale {
            tracing::info!(note = "the revocations can be read again", "revocations_fresh");
        }
        self.stale = stale;
    }

    fn note_clock(&mut self, off_by: Option<i64>) {
        if let (Some(millis), false) = (off_by, self.clock_off) {
            tracing::error!(
                millis,
                note = "this node's clock is off the database's: no tokens are issued; set the clock and restart",
                "clock_off"
            );
        }
        self.clock_off = off_by.is_some();
    }
}
