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
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use munjigi_gate::{Clock, RevokedSet};
use munjigi_rules::revocation::Ended;
use munjigi_rules::time::millis;
use munjigi_store::{Cursor, FeedPage, Revocations, StoreError};
use tokio::sync::Mutex;

use crate::followers::Followers;
use crate::keys::{KeyRing, SLACK};
use crate::metrics::Timings;

/// Without a bell, the table is read this often.
pub const PERIOD: Duration = Duration::from_millis(500);
/// Further off the database's clock, a node neither mints nor rotates.
pub const MOST_SKEW: Duration = Duration::from_secs(30);
/// How often rows whose time is over are forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// Reads the revocations into memory.
pub struct Feed {
    store: Arc<dyn Revocations>,
    keys: Arc<KeyRing>,
    clock: Arc<dyn Clock>,
    set: Arc<RevokedSet>,
    followers: Arc<Followers>,
    reading: Mutex<Reading>,
    /// How many reads have begun.
    begun: AtomicU64,
    skew_millis: AtomicI64,
    /// From the moment that something ended, by the database's clock, until this node knew.
    pub delays: Timings,
}

/// Where the reading stands.
#[derive(Default)]
struct Reading {
    cursor: Cursor,
    /// The last read that was done: its number among those that have begun.
    done: u64,
}

impl Feed {
    /// A feed that has read nothing yet.
    #[must_use]
    pub fn new(store: Arc<dyn Revocations>, keys: Arc<KeyRing>, clock: Arc<dyn Clock>, followers: Followers) -> Self {
        let set = Arc::new(RevokedSet::new());
        Self {
            store,
            keys,
            clock,
            set,
            followers: Arc::new(followers),
            reading: Mutex::default(),
            begun: AtomicU64::new(0),
            skew_millis: AtomicI64::new(0),
            delays: Timings::default(),
        }
    }

    /// What the gate asks.
    #[must_use]
    pub fn set(&self) -> Arc<RevokedSet> {
        Arc::clone(&self.set)
    }

    /// Services elsewhere that are told of what this node reads.
    #[must_use]
    pub const fn followers(&self) -> &Arc<Followers> {
        &self.followers
    }

    /// The bell: reads what this node lacks. Once it returns, everything that was committed before it was called is in
    /// memory.
    ///
    /// # Errors
    /// The database cannot be reached; the periodic read goes on trying.
    pub async fn ring(&self) -> Result<(), StoreError> {
        let called = self.begun.load(Ordering::Acquire);
        let mut reading = self.reading.lock().await;
        if reading.done > called {
            // While this call waited, a read began and was done: it has seen all that was committed before the call.
            return Ok(());
        }
        let number = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let now = self.clock.now();
        let page = self.store.read(reading.cursor, now).await?;
        // What had ended before this node began to read has no delay.
        if self.set.is_ready() {
            self.note_delays(&page);
        }
        self.set.apply(page.entries.iter().copied());
        self.followers.publish(&page.entries);
        *reading = Reading { cursor: page.next, done: number };
        self.set.mark_read(now);
        self.followers.beat();
        self.skew_millis.store(self.clock.now().millis_since(page.database_now), Ordering::Relaxed);
        Ok(())
    }

    /// An entry says until when it is kept, and that is as long after the end of the session for all of them
    /// ([`Core::feed_until`](crate::core::Core::feed_until)).
    fn note_delays(&self, page: &FeedPage) {
        let kept_for = self.keys.longest_ttl_known() + SLACK;
        for entry in &page.entries {
            let (Ended::Session { feed_until, .. } | Ended::Epoch { feed_until, .. }) = entry;
            let delay = page.database_now.millis_since(feed_until.minus(kept_for));
            self.delays.note(Duration::from_millis(u64::try_from(delay).unwrap_or_default()));
        }
    }

    /// How far this node's clock is ahead of the database's, in milliseconds; negative: behind.
    #[must_use]
    pub fn skew_millis(&self) -> i64 {
        self.skew_millis.load(Ordering::Relaxed)
    }

    /// How far this node's clock is behind the database's, if it is.
    #[must_use]
    pub fn behind(&self) -> Duration {
        let behind = self.skew_millis().saturating_neg();
        Duration::from_millis(u64::try_from(behind).unwrap_or_default())
    }

    /// How far this node's clock is ahead of the database's (negative: behind), where that is too far to issue tokens.
    #[must_use]
    pub fn clock_off_by(&self) -> Option<i64> {
        let skew = self.skew_millis();
        (skew.abs() > millis(MOST_SKEW)).then_some(skew)
    }

    /// How long ago the last complete read was; `None`: there was none.
    #[must_use]
    pub fn staleness(&self) -> Option<Duration> {
        self.set.is_ready().then(|| self.set.staleness(self.clock.now()))
    }

    /// Reads for as long as the process runs.
    pub async fn keep_reading(&self, max_staleness: Duration) {
        let mut tick = tokio::time::interval(PERIOD);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut health = Health::default();
        loop {
            tick.tick().await;
            let read = self.ring().await;
            health.note(&read, self.staleness(), max_staleness);
            health.note_clock(self.clock_off_by());
        }
    }

    /// Forgets what is over, for as long as the process runs: apart from the reading, which must never wait for it. A clock
    /// that is off forgets nothing.
    pub async fn keep_pruning(&self, keys: &KeyRing) {
        let mut tick = tokio::time::interval(PRUNE_EVERY);
        loop {
            tick.tick().await;
            if self.clock_off_by().is_some() {
                continue;
            }
            let now = self.clock.now();
            self.set.sweep(now);
            let pruned = async { Ok::<_, StoreError>(self.store.prune(now).await? + keys.prune(now).await?) };
            if let Err(error) = pruned.await {
                tracing::warn!(error = crate::telemetry::chain(&error), "prune_failed");
            }
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
