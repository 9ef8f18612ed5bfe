//! Signing keys, on every database.

use std::time::Duration;

use munjigi_rules::Timestamp;
use munjigi_store::{KeyStatus, Keys, Revoked, StoredKey};
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
    a_next_key_waits_until_it_was_published_long_enough
    one_next_key_waits_at_a_time
    of_many_nodes_one_promotes
    a_published_key_is_what_another_algorithm_begins_with
    a_key_that_becomes_active_takes_over_the_noted_life
    a_revoked_key_never_comes_back_and_its_bytes_are_gone
    the_active_key_is_revoked_only_with_another_in_its_place
    what_is_sealed_gives_way_only_to_who_knows_it
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
        assert!(two.first.activate(given.clone()).await.unwrap());
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
    let new = StoredKey { longest_ttl: Duration::from_secs(600), ..new };
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
}

/// The names of keys of this status.
async fn of_status<S: Keys>(store: &S, status: KeyStatus) -> Vec<String> {
    let keys = store.keys().await.unwrap().into_iter();
    keys.filter(|key| key.status == status).map(|key| key.kid).collect()
}

/// The name of the only key of this status.
async fn the<S: Keys>(store: &S, status: KeyStatus) -> String {
    let mut found = of_status(store, status).await;
    assert_eq!(found.len(), 1, "{status:?}: {found:?}");
    found.remove(0)
}

async fn a_next_key_waits_until_it_was_published_long_enough<S: Keys, G>(two: Two<S, G>) {
    let (old, next) = (key("ES256"), key("ES256"));
    two.first.ensure_active(old.clone()).await.unwrap();
    assert!(!two.first.promote(NOW, NOW).await.unwrap(), "there is none");
    assert_eq!(two.first.publish(next.clone()).await.unwrap().kid, next.kid);
    assert_eq!(the(&two.second, KeyStatus::Next).await, next.kid);
    assert!(!two.second.promote(NOW.minus(MS), NOW).await.unwrap());
    assert_eq!(the(&two.first, KeyStatus::Active).await, old.kid);
    assert!(two.second.promote(NOW, NOW.plus(MS)).await.unwrap());
    assert_eq!(the(&two.first, KeyStatus::Active).await, next.kid);
    assert_eq!(the(&two.first, KeyStatus::Retired).await, old.kid);
    assert!(two.first.keys().await.unwrap().iter().all(|key| key.changed_at == NOW.plus(MS)));
}

async fn one_next_key_waits_at_a_time<S: Keys, G>(two: Two<S, G>) {
    let (one, other) = (key("ES256"), key("ES256"));
    two.first.publish(one.clone()).await.unwrap();
    assert_eq!(two.second.publish(other).await.unwrap().kid, one.kid);
    assert_eq!(two.first.keys().await.unwrap().len(), 1);
}

async fn of_many_nodes_one_promotes<S: Keys + Clone + 'static, G>(two: Two<S, G>) {
    two.first.ensure_active(key("ES256")).await.unwrap();
    two.first.publish(key("ES256")).await.unwrap();
    let mut nodes = JoinSet::new();
    for store in [&two.first, &two.second].repeat(8) {
        let store = store.clone();
        nodes.spawn(async move { store.promote(NOW, NOW).await.unwrap() });
    }
    assert_eq!(nodes.join_all().await.into_iter().filter(|did| *did).count(), 1);
    assert_eq!(of_status(&two.first, KeyStatus::Active).await.len(), 1);
}

async fn a_published_key_is_what_another_algorithm_begins_with<S: Keys, G>(two: Two<S, G>) {
    let next = key("EdDSA");
    two.first.ensure_active(key("ES256")).await.unwrap();
    two.first.publish(next.clone()).await.unwrap();
    two.second.ensure_active(key("ES256")).await.unwrap();
    assert_eq!(the(&two.first, KeyStatus::Next).await, next.kid);
    two.second.ensure_active(key("EdDSA")).await.unwrap();
    assert_eq!(the(&two.first, KeyStatus::Active).await, next.kid);
    assert_eq!(two.first.keys().await.unwrap().len(), 2);
}

async fn a_key_that_becomes_active_takes_over_the_noted_life<S: Keys, G>(two: Two<S, G>) {
    let hour = Duration::from_secs(3_600);
    two.first.ensure_active(key("ES256")).await.unwrap();
    two.first.note_ttl(hour).await.unwrap();
    for how in ["promote", "activate", "revoke"] {
        match how {
            "promote" => {
                two.first.publish(key("ES256")).await.unwrap();
                assert!(two.first.promote(NOW, NOW).await.unwrap());
            }
            "activate" => assert!(two.first.activate(key("ES256")).await.unwrap()),
            _ => {
                let active = the(&two.first, KeyStatus::Active).await;
                two.first.revoke(&active, Some(key("ES256")), NOW).await.unwrap();
            }
        }
        let keys = two.first.keys().await.unwrap();
        let active = keys.iter().find(|key| key.status == KeyStatus::Active).unwrap();
        assert_eq!(active.longest_ttl, hour, "{how}");
    }
}

async fn a_revoked_key_never_comes_back_and_its_bytes_are_gone<S: Keys, G>(two: Two<S, G>) {
    let (bad, good) = (key("HS256"), key("HS256"));
    for given in [&bad, &good] {
        two.first.activate(given.clone()).await.unwrap();
    }
    assert_eq!(two.first.revoke(&bad.kid, None, NOW.plus(MS)).await.unwrap(), Revoked::Done);
    assert_eq!(two.first.revoke("another", None, NOW).await.unwrap(), Revoked::Unknown);
    assert!(!two.second.activate(bad.clone()).await.unwrap());
    assert_eq!(the(&two.first, KeyStatus::Active).await, good.kid);
    let keys = two.second.keys().await.unwrap();
    let revoked = keys.into_iter().find(|key| key.kid == bad.kid).unwrap();
    assert_eq!((revoked.status, revoked.sealed, revoked.changed_at), (KeyStatus::Revoked, vec![], NOW.plus(MS)));
    assert_eq!(two.first.prune(NOW.plus(LIFETIMES.absolute)).await.unwrap(), 0, "its name is kept");
}

async fn the_active_key_is_revoked_only_with_another_in_its_place<S: Keys, G>(two: Two<S, G>) {
    let (first, second, third) = (key("ES256"), key("ES256"), key("ES256"));
    two.first.ensure_active(first.clone()).await.unwrap();
    assert_eq!(two.first.revoke(&first.kid, None, NOW).await.unwrap(), Revoked::Needed);
    assert_eq!(the(&two.first, KeyStatus::Active).await, first.kid);
    assert_eq!(two.first.revoke(&first.kid, Some(second.clone()), NOW).await.unwrap(), Revoked::Done);
    assert_eq!(the(&two.first, KeyStatus::Active).await, second.kid);
    two.first.publish(third.clone()).await.unwrap();
    assert_eq!(two.first.revoke(&second.kid, Some(key("ES256")), NOW).await.unwrap(), Revoked::Done);
    assert_eq!(the(&two.first, KeyStatus::Active).await, third.kid, "the published one goes first");
    assert_eq!(of_status(&two.first, KeyStatus::Revoked).await.len(), 2);
}

async fn what_is_sealed_gives_way_only_to_who_knows_it<S: Keys, G>(two: Two<S, G>) {
    let one = key("ES256");
    two.first.ensure_active(one.clone()).await.unwrap();
    assert!(!two.first.reseal(&one.kid, b"guess", b"new").await.unwrap());
    assert!(two.first.reseal(&one.kid, &one.sealed, b"new").await.unwrap());
    assert_eq!(two.second.keys().await.unwrap()[0].sealed, b"new");
    drop(two.place);
}
