//! How often somebody may try: the generic cell rate algorithm (GCRA), one number a counter.
//!
//! The number is the *theoretical arrival time*: when the counter would be empty again. Each try moves it one interval
//! onward; a try is refused when it lies more than a burst in the future.

use std::time::Duration;

use crate::time::{Timestamp, millis};

/// So many tries at once, and then one each `interval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Tries that may come at once, from 1.
    pub burst: u32,
    /// Time after which one more is allowed, from 1 ms.
    pub interval: Duration,
}

/// Whether a try may go ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may; the counter now stands here.
    Allowed {
        /// The new theoretical arrival time, to be kept.
        counter: Timestamp,
    },
    /// It may not.
    Refused {
        /// How long to wait until it may.
        retry_after: Duration,
    },
}

impl Quota {
    /// `burst` tries at once and the same number spread over `span`.
    #[must_use]
    pub fn per(burst: u32, span: Duration) -> Self {
        let burst = burst.max(1);
        // Rounded up to what is counted in, so that a limit is never laxer than it says.
        let interval = u64::try_from(span.as_millis().div_ceil(u128::from(burst))).unwrap_or(u64::MAX);
        Self { burst, interval: Duration::from_millis(interval.max(1)) }
    }

    /// Takes one try. `counter` is what was kept of the last one, if it is still known.
    #[must_use]
    pub fn take(&self, counter: Option<Timestamp>, now: Timestamp) -> Verdict {
        let interval = millis(self.interval).max(1);
        let from = counter.map_or(now, |c| c.max(now));
        let ahead = from.millis_since(now);
        let most = interval.saturating_mul(i64::from(self.burst.max(1)) - 1);
        if ahead > most {
            return Verdict::Refused { retry_after: Duration::from_millis((ahead - most).unsigned_abs()) };
        }
        Verdict::Allowed { counter: from.plus(self.interval) }
    }

    /// Gives one try back: what was counted turned out to be no failure.
    #[must_use]
    pub fn give_back(&self, counter: Timestamp) -> Timestamp {
        counter.minus(self.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota { burst: 3, interval: Duration::from_secs(10) };

    fn take(counter: &mut Option<Timestamp>, at_ms: i64) -> Result<(), Duration> {
        match QUOTA.take(*counter, Timestamp::from_millis(at_ms)) {
            Verdict::Allowed { counter: c } => {
                *counter = Some(c);
                Ok(())
            }
            Verdict::Refused { retry_after } => Err(retry_after),
        }
    }

    #[test]
    fn a_burst_passes_and_then_one_each_interval() {
        let mut counter = None;
        for _ in 0..3 {
            assert_eq!(take(&mut counter, 0), Ok(()));
        }
        assert_eq!(take(&mut counter, 0), Err(Duration::from_secs(10)));
        assert_eq!(take(&mut counter, 9_999), Err(Duration::from_millis(1)));
        assert_eq!(take(&mut counter, 10_000), Ok(()));
        assert_eq!(take(&mut counter, 10_000), Err(Duration::from_secs(10)));
        assert_eq!(take(&mut counter, 1_000_000), Ok(()));
    }

    #[test]
    fn a_try_given_back_can_be_made_again() {
        let mut counter = None;
        for _ in 0..3 {
            take(&mut counter, 0).unwrap();
        }
        counter = counter.map(|c| QUOTA.give_back(c));
        assert_eq!(take(&mut counter, 0), Ok(()));
        assert!(take(&mut counter, 0).is_err());
    }
}
