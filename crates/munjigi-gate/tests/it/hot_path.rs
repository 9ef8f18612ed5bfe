//! What the goal of a microsecond rests on: a hit asks nobody and is shared by all threads.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tower::{Layer as _, Service as _, service_fn};

use crate::support::*;

#[tokio::test]
async fn a_good_cookie_is_answered_on_the_first_poll_and_asks_nobody() {
    let world = World::new().await;
    let token = token();
    world.send(with_cookies(Some(&token), Some("r"))).await.is_signed_in();
    let loads = world.keys.loads.load(Ordering::SeqCst);
    let polled = {
        let mut answer = std::pin::pin!(world.send(with_cookies(Some(&token), Some("r"))));
        std::future::poll_fn(|cx| std::task::Poll::Ready(answer.as_mut().poll(cx).is_ready())).await
    };
    assert!(polled);
    assert_eq!(world.keys.loads.load(Ordering::SeqCst), loads);
    assert!(world.renewals().is_empty());
}

#[tokio::test]
async fn a_good_cookie_does_not_clone_the_inner_service() {
    struct Counted(Arc<()>);
    impl Clone for Counted {
        fn clone(&self) -> Self {
            panic!("the fast path cloned the service")
        }
    }
    let world = World::new().await;
    let counted = Counted(Arc::new(()));
    let inner = service_fn(move |_: http::Request<axum::body::Body>| {
        let _held = &counted.0;
        std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(axum::body::Body::empty())))
    });
    let mut service = world.gate.layer().layer(inner);
    let token = token();
    for _ in 0..2 {
        std::future::poll_fn(|cx| service.poll_ready(cx)).await.unwrap();
        let answer = service.call(with_cookies(Some(&token), Some("r"))).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test]
async fn two_hits_share_the_claims() {
    let world = World::new().await;
    let token = token();
    let verifier = &world.gate.parts().verifier;
    let (first, second) = (verifier.verify(&token, at(START)).unwrap(), verifier.verify(&token, at(START)).unwrap());
    assert!(Arc::ptr_eq(&first.claims, &second.claims));
}
