//! Keys that come and go.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use munjigi_gate::jws::{self, Algorithm};
use munjigi_gate::{Refused, SigningKey, Verifier};
use munjigi_rules::Timestamp;

use crate::support::*;

fn verifier(keys: &Arc<ListedKeys>) -> Verifier {
    Verifier::new(ISSUER, AUDIENCE, Arc::<ListedKeys>::clone(keys))
}

fn loads(keys: &ListedKeys) -> i64 {
    keys.loads.load(Ordering::SeqCst)
}

fn of_unknown_key(n: usize) -> String {
    let key = SigningKey::generate(Algorithm::Hs256, format!("unknown-{n}")).unwrap();
    jws::sign(&key, "at+jwt", &claims()).unwrap()
}

#[tokio::test]
async fn the_generation_rises_only_when_the_keys_change() {
    let keys = ListedKeys::of(&[&KEY]);
    let verifier = verifier(&keys);
    assert_eq!(verifier.generation(), 0);
    verifier.reload().await;
    verifier.reload().await;
    assert_eq!(verifier.generation(), 1);
    keys.put(&[&OTHER_KEY, &KEY]);
    verifier.reload().await;
    keys.put(&[&KEY, &OTHER_KEY]);
    verifier.reload().await;
    assert_eq!(verifier.generation(), 2);
    keys.put(&[&KEY]);
    verifier.reload().await;
    assert_eq!(verifier.generation(), 3);
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_once() {
    let keys = ListedKeys::of(&[&OTHER_KEY]);
    let verifier = verifier(&keys);
    verifier.reload().await;
    keys.put(&[&OTHER_KEY, &KEY]);
    assert_eq!(verifier.verify(&token(), at(START)).err(), Some(Refused::UnknownKey));
    assert!(verifier.verify_or_reload(&token(), at(START)).await.is_ok());
    assert_eq!(loads(&keys), 2);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_reads_them_once_a_second() {
    let keys = ListedKeys::of(&[&KEY]);
    let verifier = verifier(&keys);
    verifier.reload().await;
    for (millis, expected) in [(0, 2), (1, 2), (999, 2), (1000, 3), (1500, 3), (2000, 4)] {
        for n in 0..20 {
            let now = Timestamp::from_millis(START * 1000 + millis);
            let refused = verifier.verify_or_reload(&of_unknown_key(n), now).await;
            assert_eq!(refused.err(), Some(Refused::UnknownKey));
        }
        assert_eq!(loads(&keys), expected, "{millis}");
    }
}

#[tokio::test]
async fn callers_that_wait_at_the_same_time_share_one_read() {
    let keys = ListedKeys::of(&[]);
    let verifier = Arc::new(verifier(&keys));
    keys.put(&[&KEY]);
    let token = token();
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let (verifier, token) = (Arc::clone(&verifier), token.clone());
            tokio::spawn(async move { verifier.verify_or_reload(&token, at(START)).await.is_ok() })
        })
        .collect();
    for caller in waiting {
        assert!(caller.await.unwrap());
    }
    assert_eq!(loads(&keys), 1);
}

#[tokio::test]
async fn a_caller_that_gives_up_neither_blocks_the_next_nor_buys_another_read() {
    let keys = ListedKeys::of(&[&KEY]);
    let verifier = verifier(&keys);
    let token = token();
    {
        let mut given_up = std::pin::pin!(verifier.verify_or_reload(&token, at(START)));
        let pending = std::future::poll_fn(|cx| std::task::Poll::Ready(given_up.as_mut().poll(cx).is_pending())).await;
        assert!(pending);
    }
    assert_eq!(verifier.verify_or_reload(&token, at(START)).await.err(), Some(Refused::UnknownKey));
    assert_eq!(loads(&keys), 1);
    assert!(verifier.verify_or_reload(&token, at(START + 1)).await.is_ok());
}

#[tokio::test]
async fn a_read_that_fails_keeps_the_keys() {
    let keys = ListedKeys::of(&[&KEY]);
    let verifier = verifier(&keys);
    verifier.reload().await;
    *keys.broken.lock().unwrap() = true;
    verifier.reload().await;
    assert!(verifier.try_reload().await.is_err());
    assert!(verifier.verify_or_reload(&of_unknown_key(1), at(START)).await.is_err());
    assert!(verifier.verify(&token(), at(START)).is_ok());
    assert_eq!(verifier.generation(), 1);
}

#[tokio::test]
async fn of_two_keys_of_one_name_neither_is_believed() {
    let twin = SigningKey::generate(Algorithm::Es256, KEY.kid()).unwrap();
    let keys = ListedKeys::of(&[&KEY, &twin, &OTHER_KEY]);
    let verifier = verifier(&keys);
    verifier.reload().await;
    assert_eq!(verifier.verify(&token(), at(START)).err(), Some(Refused::UnknownKey));
    keys.put(&[&KEY, &KEY, &OTHER_KEY]);
    verifier.reload().await;
    assert!(verifier.verify(&token(), at(START)).is_ok());
}

#[tokio::test]
async fn a_request_with_a_token_of_a_new_key_is_let_in_without_a_renewal() {
    let world = World::new().await;
    world.keys.put(&[&KEY, &OTHER_KEY]);
    let new = jws::sign(&OTHER_KEY, "at+jwt", &claims()).unwrap();
    world.send(with_cookies(Some(&new), Some("r"))).await.is_signed_in();
    world.clock.set(START + 2);
    world.keys.put(&[&KEY]);
    world.gate.parts().verifier.reload().await;
    assert_eq!(world.send(with_authorization(&format!("Bearer {new}"))).await.status(), 401);
    world.keys.put(&[&KEY, &OTHER_KEY]);
    world.clock.set(START + 4);
    world.peek(with_authorization(&format!("Bearer {new}"))).await.is_signed_in();
    assert!(world.renewals().is_empty());
}
