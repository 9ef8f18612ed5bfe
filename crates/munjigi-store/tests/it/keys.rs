//! Signing keys, on every database.

use std::time::Duration;

use munjigi_rules::Timestamp;
use munjigi_store::{KeyStatus, Keys, StoredKey};
use tokio::task::JoinSet;

use crate::support::*;

conformance! { sqlite => {
    the_first_check_value_stays
    a_check_value_gives_way_only_to_who_knows_it
    a_given_key_becomes_the_active_one_and_can_come_back
    two_nodes_that_start_at_once_agree_on_one_key
    an_active_key_of_the_same_algorithm_stays
    another_algorithm_retires_the_active_key
    the_noted_life_of_tokens_never_sinks
    a_retired_key_stays_until_its_last_token_is_over
} }

fn key(algorithm: &str) -> StoredKey {
    StoredKey {
        kid: session_id().to_string(),
        algorithm: algorithm.to_owned(),
        status: KeyStatus::Active,
        sealed: vec![1, 2, 3],
        longest_ttl: Duration::from_secs(600),
        created_at: NOW,
        changed_at: NOW,
    }
}

async fn the_first_check_value_stays<S: Keys, G>(two: Two<S, G>) {
    assert_eq!(two.first.check_value(b"first").await.unwrap(), b"first");
    assert_eq!(two.second.check_value(b"second").await.unwrap(), b"first");
}

async fn a_check_value_gives_way_only_to_who_knows_it<S: Keys, G>(two: Two<S, G>) {
    two.first.check_value(b"first").await.unwrap();
    assert!(!two.second.replace_check_value(b"guess", b"second").await.unwrap());
    assert_eq!(two.first.check_value(b"any").await.unwrap(), b"first");
    assert!(two.second.replace_check_value(b"first", b"second").await.unwrap());
    assert_eq!(two.first.check_value(b"any").await.unwrap(), b"second");
}

async fn a_given_key_becomes_the_active_one_and_can_come_back<S: Keys, G>(two: Two<S, G>) {
    let (one, other) = (key("HS256"), key("HS256"));
    let active = async || {
        let keys = two.second.keys().await.unwrap().into_iter();
        keys.filter(|key| key.status == KeyStatus::Active).map(|key| key.kid).collect::<Vec<_>>()
    };
    for given in [&one, &one, &other, &one] {
        two.first.activate(given.clone()).await.unwrap();
        assert_eq!(active().await, std::slice::from_ref(&given.kid));
    }
    assert_eq!(two.second.keys().await.unwrap().len(), 2);
}

async fn two_nodes_that_start_at_once_agree_on_one_key<S: Keys + Clone + 'static, G>(two: Two<S, G>) {
    let mut nodes = JoinSet::new();
    for store in [two.first.clone(), two.second.clone()] {
        nodes.spawn(async move { store.ensure_active(key("ES256")).await.unwrap() });
    }
    let rings = nodes.join_all().await;
    assert_eq!(rings[0], rings[1]);
    assert_eq!(rings[0].len(), 1);
}

async fn an_active_key_of_the_same_algorithm_stays<S: Keys, G>(two: Two<S, G>) {
    let first = key("ES256");
    let ring = two.first.ensure_active(first.clone()).await.unwrap();
    assert_eq!(ring, [first]);
    assert_eq!(two.second.ensure_active(key("ES256")).await.unwrap(), ring);
    assert_eq!(two.second.keys().await.unwrap(), ring);
}

async fn another_algorithm_retires_the_active_key<S: Keys, G>(two: Two<S, G>) {
    let later = NOW.plus(MS);
    let (old, new) = (key("ES256"), StoredKey { created_at: later, changed_at: later, ..key("EdDSA") });
    two.first.ensure_active(old.clone()).await.unwrap();
    let retired = StoredKey { status: KeyStatus::Retired, changed_at: later, ..old };
    assert_eq!(two.first.ensure_active(new.clone()).await.unwrap(), [retired, new]);
}

async fn the_noted_life_of_tokens_never_sinks<S: Keys, G>(two: Two<S, G>) {
    let first = key("ES256");
    two.first.ensure_active(first.clone()).await.unwrap();
    for (noted, kept) in [(900, 900), (60, 900), (901, 901)] {
        two.first.note_ttl(Duration::from_secs(noted)).await.unwrap();
        assert_eq!(two.first.keys().await.unwrap()[0].longest_ttl, Duration::from_secs(kept));
    }
}

async fn a_retired_key_stays_until_its_last_token_is_over<S: Keys, G>(two: Two<S, G>) {
    two.first.ensure_active(key("ES256")).await.unwrap();
    two.first.ensure_active(key("EdDSA")).await.unwrap();
    let over = NOW.plus(Duration::from_secs(600 + 60));
    let prune = async |now: Timestamp| two.first.prune(now).await.unwrap();
    assert_eq!(prune(over.minus(MS)).await, 0);
    assert_eq!(prune(over).await, 1);
    assert_eq!(prune(over.plus(LIFETIMES.absolute)).await, 0);
    assert_eq!(two.first.keys().await.unwrap()[0].algorithm, "EdDSA");
    drop(two.place);
}
