//! A clock that stands still until somebody moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use munjigi::AnchoredClock;
use munjigi::gate::Clock;
use munjigi_rules::Timestamp;

/// Begins at the wall clock, so that the database's own clock agrees with it, on a whole second, so that no test depends on
/// where in a second it began.
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn start() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(AnchoredClock::start().now().as_secs() * 1000)))
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.0.fetch_add(i64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// For tests that take long: a clock that stands still for half a minute is off the database's.
    pub(crate) fn catch_up(&self) {
        self.0.fetch_max(AnchoredClock::start().now().as_secs() * 1000, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
