//! Counters of tries, on every backend.

use std::time::Duration;

use munjigi_rules::throttle::Quota;
use munjigi_store::{LimitKey, Limits, Take};
use tokio::task::JoinSet;

use crate::support::*;

conformance! { sqlite redis => {
    a_burst_passes_and_then_one_each_interval
    all_tries_are_taken_or_none
    the_longest_wait_is_told
    a_try_given_back_can_be_made_again
    giving_back_what_nobody_took_makes_no_credit
    of_many_parallel_tries_exactly_the_burst_passes
    no_counters_are_always_allowed
} }

const MINUTE: Duration = Duration::from_secs(60);

/// A counter of its own.
fn counter(burst: u32, interval: Duration) -> (LimitKey, Quota) {
    (LimitKey(format!("login:{}", session_id())), Quota { burst, interval })
}

fn refused(retry_after: Duration) -> Take {
    Take::Refused { retry_after }
}

async fn a_burst_passes_and_then_one_each_interval<S: Limits, G>(two: Two<S, G>) {
    let one = [counter(3, MINUTE)];
    let take = async |after| two.first.take(&one, NOW.plus(after)).await.unwrap();
    for _ in 0..3 {
        assert_eq!(take(Duration::ZERO).await, Take::Allowed);
    }
    assert_eq!(take(Duration::ZERO).await, refused(MINUTE));
    assert_eq!(take(MINUTE - MS).await, refused(MS));
    assert_eq!(take(MINUTE).await, Take::Allowed);
    assert_eq!(take(MINUTE).await, refused(MINUTE));
    // Long empty again: the whole burst is back.
    for _ in 0..3 {
        assert_eq!(take(MINUTE * 100).await, Take::Allowed);
    }
    assert_eq!(take(MINUTE * 100).await, refused(MINUTE));
}

async fn all_tries_are_taken_or_none<S: Limits, G>(two: Two<S, G>) {
    let (narrow, wide) = (counter(1, MINUTE), counter(2, MINUTE));
    let both = [wide.clone(), narrow];
    assert_eq!(two.first.take(&both, NOW).await.unwrap(), Take::Allowed);
    assert_eq!(two.second.take(&both, NOW).await.unwrap(), refused(MINUTE));
    // The refused call took nothing from the wide one.
    let wide = [wide];
    assert_eq!(two.first.take(&wide, NOW).await.unwrap(), Take::Allowed);
    assert_eq!(two.first.take(&wide, NOW).await.unwrap(), refused(MINUTE));
}

async fn the_longest_wait_is_told<S: Limits, G>(two: Two<S, G>) {
    let all = [counter(1, MINUTE), counter(1, MINUTE * 7), counter(1, MINUTE * 2)];
    assert_eq!(two.first.take(&all, NOW).await.unwrap(), Take::Allowed);
    assert_eq!(two.first.take(&all, NOW).await.unwrap(), refused(MINUTE * 7));
}

async fn a_try_given_back_can_be_made_again<S: Limits, G>(two: Two<S, G>) {
    let one = [counter(2, MINUTE)];
    for _ in 0..2 {
        assert_eq!(two.first.take(&one, NOW).await.unwrap(), Take::Allowed);
    }
    two.second.give_back(&one).await.unwrap();
    assert_eq!(two.first.take(&one, NOW).await.unwrap(), Take::Allowed);
    assert_eq!(two.first.take(&one, NOW).await.unwrap(), refused(MINUTE));
}

async fn giving_back_what_nobody_took_makes_no_credit<S: Limits, G>(two: Two<S, G>) {
    let one = [counter(1, MINUTE)];
    two.first.give_back(&one).await.unwrap();
    assert_eq!(two.first.take(&one, NOW).await.unwrap(), Take::Allowed);
    assert_eq!(two.first.take(&one, NOW).await.unwrap(), refused(MINUTE));
    for _ in 0..5 {
        two.first.give_back(&one).await.unwrap();
    }
    assert_eq!(two.first.take(&one, NOW).await.unwrap(), Take::Allowed);
    assert_eq!(two.first.take(&one, NOW).await.unwrap(), refused(MINUTE));
}

async fn of_many_parallel_tries_exactly_the_burst_passes<S: Limits + Clone + 'static, G>(two: Two<S, G>) {
    let one = counter(5, MINUTE);
    let mut tries = JoinSet::new();
    for number in 0..64 {
        let store = if number % 2 == 0 { two.first.clone() } else { two.second.clone() };
        let one = [one.clone()];
        tries.spawn(async move { store.take(&one, NOW).await.unwrap() });
    }
    let allowed = tries.join_all().await.into_iter().filter(|t| *t == Take::Allowed).count();
    assert_eq!(allowed, 5);
}

async fn no_counters_are_always_allowed<S: Limits, G>(two: Two<S, G>) {
    assert_eq!(two.first.take(&[], NOW).await.unwrap(), Take::Allowed);
    two.first.give_back(&[]).await.unwrap();
    drop(two.place);
}
