//! `throttle::Quota` against counting.

use std::time::Duration;

use munjigi_rules::throttle::{Quota, Verdict};
use munjigi_rules::time::Timestamp;
use proptest::prelude::*;

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn quotas() -> impl Strategy<Value = Quota> {
    (1_u32..12, 1_u64..5_000).prop_map(|(burst, millis)| Quota { burst, interval: Duration::from_millis(millis) })
}

/// Mostly at once, sometimes after a while.
fn gaps() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(prop_oneof![3 => Just(0), 3 => 0_i64..300, 2 => 0_i64..6_000, 1 => 0_i64..100_000], 1..120)
}

/// When tries were allowed.
fn allowed(quota: Quota, gaps: &[i64]) -> Vec<i64> {
    let (mut now, mut counter, mut allowed) = (0, None, vec![]);
    for gap in gaps {
        now += gap;
        if let Verdict::Allowed { counter: moved } = quota.take(counter, at(now)) {
            counter = Some(moved);
            allowed.push(now);
        }
    }
    allowed
}

fn interval(quota: Quota) -> i64 {
    i64::try_from(quota.interval.as_millis()).unwrap()
}

proptest! {
    #[test]
    fn in_no_window_are_there_more_tries_than_a_burst_and_one_each_interval(quota in quotas(), gaps in gaps()) {
        let allowed = allowed(quota, &gaps);
        for (from, start) in allowed.iter().enumerate() {
            for (to, end) in allowed.iter().enumerate().skip(from) {
                let most = i64::from(quota.burst) + (end - start) / interval(quota);
                prop_assert!(i64::try_from(to - from + 1).unwrap() <= most);
            }
        }
    }

    /// Nobody is refused who has not used up his burst within the time in which it comes back.
    #[test]
    fn a_try_is_allowed_when_fewer_than_a_burst_were_within_the_time_that_a_burst_takes(quota in quotas(), gaps in gaps()) {
        let allowed = allowed(quota, &gaps);
        let span = interval(quota) * i64::from(quota.burst);
        let mut now = 0;
        for gap in gaps {
            now += gap;
            let lately = allowed.iter().filter(|then| (now - span..=now).contains(*then)).count();
            if lately < usize::try_from(quota.burst).unwrap() {
                prop_assert!(allowed.contains(&now));
            }
        }
    }

    #[test]
    fn whoever_waits_as_told_may_try_and_a_millisecond_sooner_may_not(quota in quotas(), ahead in 0_i64..100_000) {
        let counter = Some(at(ahead));
        if let Verdict::Refused { retry_after } = quota.take(counter, at(0)) {
            let then = at(0).plus(retry_after);
            let sooner = then.minus(Duration::from_millis(1));
            let may = |now| matches!(quota.take(counter, now), Verdict::Allowed { .. });
            prop_assert!(may(then));
            prop_assert!(!may(sooner));
        }
    }

    /// So many more may come as were given back, and not one more.
    #[test]
    fn what_is_given_back_can_be_taken_once(quota in quotas(), back in prop::collection::vec(any::<bool>(), 1..60)) {
        let (mut counter, mut taken, mut given) = (at(0), 0, 0);
        for back in back {
            if back && taken > given {
                counter = quota.give_back(counter);
                given += 1;
            } else if let Verdict::Allowed { counter: moved } = quota.take(Some(counter), at(0)) {
                counter = moved;
                taken += 1;
            } else {
                prop_assert_eq!(taken - given, quota.burst);
            }
            prop_assert!(taken - given <= quota.burst);
        }
    }

    /// A counter from a clock that is ahead cannot lock out for longer than it is ahead.
    #[test]
    fn a_refusal_never_lasts_longer_than_the_counter_is_ahead(quota in quotas(), ahead in 0_i64..100_000) {
        if let Verdict::Refused { retry_after } = quota.take(Some(at(ahead)), at(0)) {
            prop_assert!(retry_after <= Duration::from_millis(ahead.unsigned_abs()));
        }
    }

    #[test]
    fn a_quota_per_span_allows_a_burst_at_once_and_as_many_again_over_the_span(burst in 1_u32..50, secs in 1_u64..4_000) {
        let quota = Quota::per(burst, Duration::from_secs(secs));
        let all_at_once = allowed(quota, &vec![0; 60]);
        prop_assert_eq!(all_at_once.len(), usize::try_from(burst).unwrap());
        let slow = interval(quota);
        prop_assert_eq!(allowed(quota, &vec![slow; 200]).len(), 200);
    }
}
