//! Good tokens that have ceased to be good, although this node has seen and cached them.

use munjigi_gate::Reason;

use super::*;

/// Shows a good token in every way, so that it is cached; then `end`s it; then shows it again in every way.
async fn is_over_once(end: impl AsyncFn(&Fort, &SigningKey), reason: Option<Reason>) {
    let (keys, refresh) = (keys(), refresh_key());
    for key in &keys {
        let fort = Fort::new(&keys, &refresh).await;
        let mint = access_mint(key, &keys);
        let token = mint.good();
        lets_in(&fort, &mint).await;
        fort.world.send(by_cookie("accessToken", &token).unwrap()).await.is_signed_in();
        end(&fort, key).await;
        for _ in 0..2 {
            for answer in [
                fort.world.send(by_cookie("accessToken", &token).unwrap()).await,
                fort.world.peek(by_cookie("accessToken", &token).unwrap()).await,
                fort.world.peek(by_bearer(&token).unwrap()).await,
            ] {
                assert!(answer.visitor().identity().is_none(), "{}", key.algorithm());
                // A peek and a bearer say "ended" also of an epoch.
                assert!(answer.visitor().reason() == reason || reason == Some(Reason::Expired), "{}", key.algorithm());
            }
            assert_eq!(fort.world.send(by_bearer(&token).unwrap()).await.status(), 401, "{}", key.algorithm());
        }
        assert_eq!(fort.asked(), (0, 0));
    }
}

#[tokio::test]
async fn a_cached_token_is_over_on_its_second() {
    is_over_once(async |fort, _| fort.world.clock.set(START + TTL), Some(Reason::Expired)).await;
    is_over_once(async |fort, _| fort.world.clock.set(START + TTL * 1_000_000), Some(Reason::Expired)).await;
}

#[tokio::test]
async fn a_cached_token_is_over_with_its_session_or_its_epoch() {
    is_over_once(async |fort, _| fort.world.end_session(), Some(Reason::Ended)).await;
    is_over_once(async |fort, _| fort.world.end_epochs_below(4), Some(Reason::Expired)).await;
}

#[tokio::test]
async fn a_cached_token_is_over_with_its_key() {
    let revoke = async |fort: &Fort, key: &SigningKey| {
        fort.world.keys.keys.lock().unwrap().retain(|known| known.kid() != key.kid());
        fort.world.gate.parts().verifier.reload().await;
    };
    is_over_once(revoke, None).await;
    let replace = async |fort: &Fort, key: &SigningKey| {
        let another = SigningKey::generate(key.algorithm(), key.kid()).unwrap();
        fort.world.keys.put(&[&another]);
        fort.world.gate.parts().verifier.reload().await;
    };
    is_over_once(replace, None).await;
    let collide = async |fort: &Fort, key: &SigningKey| {
        let another = SigningKey::generate(Algorithm::Hs256, key.kid()).unwrap();
        fort.world.keys.put(&[&another, key]);
        fort.world.gate.parts().verifier.reload().await;
    };
    is_over_once(collide, None).await;
}
