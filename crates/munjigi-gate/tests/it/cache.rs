//! The cache of verified tokens: what must never come out of it, and how much may be in it.

use std::sync::Arc;

use munjigi_gate::cache::{MOST_PER_SESSION, TokenCache};
use munjigi_gate::{AccessClaims, Refused, SigningKey, Verifier, jws};

use crate::support::*;

fn claims_of(sid: u8, n: usize) -> Arc<AccessClaims> {
    Arc::new(AccessClaims { sid: session(sid), jti: n.to_string(), ..claims() })
}

#[test]
fn a_hit_needs_the_whole_token_the_generation_and_the_time() {
    let cache = TokenCache::new(1 << 20);
    let entry = claims_of(1, 1);
    cache.insert("a.b.c", 1, &entry);
    assert_eq!(cache.get("a.b.c", 1, at(START)), Some(Arc::clone(&entry)));
    for other in ["a.b.d", "a.b.", "a.b.cc", "", "A.b.c"] {
        assert_eq!(cache.get(other, 1, at(START)), None, "{other}");
    }
    assert_eq!(cache.get("a.b.c", 1, at(START + TTL - 1)), Some(entry));
    assert_eq!(cache.get("a.b.c", 1, at(START + TTL)), None);
}

#[test]
fn a_token_that_is_found_stale_leaves() {
    let cache = TokenCache::new(1 << 20);
    cache.insert("expired", 1, &claims_of(1, 1));
    cache.insert("older ring", 1, &claims_of(1, 2));
    assert_eq!(cache.get("expired", 1, at(START + TTL)), None);
    assert_eq!(cache.get("older ring", 2, at(START)), None);
    assert!(cache.is_empty());
    assert_eq!(cache.get("older ring", 1, at(START)), None);
}

#[test]
fn the_oldest_token_of_a_session_leaves_when_there_are_too_many() {
    let cache = TokenCache::new(1 << 20);
    cache.insert("other session", 1, &claims_of(2, 0));
    for n in 0..20 {
        cache.insert(&format!("token {n}"), 1, &claims_of(1, n));
        // A second time changes nothing, not even the order.
        cache.insert(&format!("token {n}"), 1, &claims_of(1, n));
    }
    assert_eq!(cache.len(), MOST_PER_SESSION + 1);
    for n in 0..20 {
        assert_eq!(cache.get(&format!("token {n}"), 1, at(START)).is_some(), n >= 12, "{n}");
    }
    assert!(cache.get("other session", 1, at(START)).is_some());
}

#[test]
fn the_cache_keeps_to_its_bytes() {
    let bytes = 256 * 1024;
    let cache = TokenCache::new(bytes);
    let long = "x".repeat(400);
    for n in 0..5_000u32 {
        let sid = munjigi_rules::SessionId::from_bytes(u128::from(n).to_be_bytes());
        cache.insert(&format!("{long}{n}"), 1, &Arc::new(AccessClaims { sid, ..claims() }));
        assert!(cache.bytes() <= bytes);
    }
    assert!(cache.len() > 50, "{}", cache.len());
    let fits = usize::try_from(bytes).unwrap() / 400;
    assert!(cache.len() < fits);
}

#[test]
fn a_cache_of_no_bytes_holds_nothing() {
    let cache = TokenCache::new(0);
    cache.insert("a.b.c", 1, &claims_of(1, 1));
    assert!(cache.is_empty());
}

#[tokio::test]
async fn only_tokens_that_verify_and_have_not_expired_enter() {
    let verifier = Verifier::new(ISSUER, AUDIENCE, ListedKeys::of(&[&KEY]));
    verifier.reload().await;
    let foreign = token_of(&AccessClaims { iss: "https://other.example".to_owned(), ..claims() });
    for bad in [forged(&claims()), expired_token(), foreign, "a.b.c".to_owned()] {
        let _ = verifier.verify(&bad, at(START));
    }
    assert!(verifier.cache().is_empty());
    verifier.verify(&token(), at(START)).unwrap();
    assert_eq!(verifier.cache().len(), 1);
}

#[tokio::test]
async fn a_token_whose_key_was_taken_away_is_refused_although_it_was_cached() {
    let keys = ListedKeys::of(&[&KEY]);
    let verifier = Verifier::new(ISSUER, AUDIENCE, Arc::<ListedKeys>::clone(&keys));
    verifier.reload().await;
    let token = token();
    verifier.verify(&token, at(START)).unwrap();
    keys.put(&[&OTHER_KEY]);
    verifier.reload().await;
    assert_eq!(verifier.verify(&token, at(START)).err(), Some(Refused::UnknownKey));
    // Another key of the same name does not make it good either.
    keys.put(&[&SigningKey::generate(jws::Algorithm::Es256, KEY.kid()).unwrap()]);
    verifier.reload().await;
    assert_eq!(verifier.verify(&token, at(START)).err(), Some(Refused::Signature));
}

#[tokio::test]
async fn a_cached_token_expires_on_its_second() {
    let verifier = Verifier::new(ISSUER, AUDIENCE, ListedKeys::of(&[&KEY]));
    verifier.reload().await;
    let token = token();
    for (second, expired) in [(0, false), (TTL - 1, false), (TTL, true), (TTL + 1, true), (TTL - 1, false)] {
        assert_eq!(verifier.verify(&token, at(START + second)).unwrap().expired, expired, "{second}");
    }
}
