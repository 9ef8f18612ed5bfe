//! A node that does not know what has ended accepts no token (sections 3 and 6).

use munjigi_gate::{CookieSettings, Reason, Refusal, Renewal, SameSite, WhenStale};

use crate::support::*;

async fn unready(when_stale: WhenStale) -> World {
    World::with(when_stale, CookieSettings::new(false, None, SameSite::Lax)).await
}

#[tokio::test]
async fn before_the_first_read_a_good_token_is_answered_with_503() {
    let world = unready(WhenStale::Serve).await;
    let good = token();
    let requests =
        [with_cookies(Some(&good), None), with_cookies(None, Some("r")), with_authorization(&format!("Bearer {good}"))];
    for request in requests {
        let answer = world.send(request).await;
        assert_eq!((answer.status(), answer.header("retry-after").as_deref()), (503, Some("1")));
        assert!(matches!(answer.0.extensions().get(), Some(Refusal::Unavailable { .. })));
        answer.leaves_cookies_alone();
    }
    assert!(world.renewals().is_empty());
    world.revoked.mark_read(at(START));
    world.send(with_cookies(Some(&good), None)).await.is_signed_in();
}

#[tokio::test]
async fn before_the_first_read_what_is_not_accepted_anyway_is_answered_as_ever() {
    let world = unready(WhenStale::Serve).await;
    world.send(with_cookies(None, None)).await.is_anonymous(None);
    world.send(with_cookies(Some(&expired_token()), None)).await.is_anonymous(Some(Reason::Expired));
    assert_eq!(world.send(with_authorization("Bearer nonsense")).await.status(), 401);
    world.end_session();
    world.send(with_cookies(Some(&token()), None)).await.is_anonymous(Some(Reason::Ended));
}

#[tokio::test]
async fn a_stale_node_refuses_only_if_it_is_told_to_and_only_past_the_bound() {
    for (when_stale, second, good) in [
        (WhenStale::Serve, 500, true),
        (WhenStale::Refuse, 4, true),
        (WhenStale::Refuse, 5, true),
        (WhenStale::Refuse, 6, false),
    ] {
        let world = unready(when_stale).await.script(Renewal::Renewed(Box::new(issued())));
        world.revoked.mark_read(at(START));
        world.clock.set(START + second);
        let expected = if good { 200 } else { 503 };
        assert_eq!(world.send(with_cookies(Some(&token()), None)).await.status(), expected, "{when_stale:?} {second}");
        assert_eq!(world.send(with_cookies(None, Some("r"))).await.status(), expected);
        assert_eq!(world.renewals().len(), usize::from(good));
    }
}

#[tokio::test]
async fn a_stale_node_serves_again_once_it_has_read() {
    let world = unready(WhenStale::Refuse).await;
    world.revoked.mark_read(at(START));
    world.clock.set(START + 60);
    assert_eq!(world.send(with_cookies(Some(&token()), None)).await.status(), 503);
    world.revoked.mark_read(at(START + 58));
    world.send(with_cookies(Some(&token()), None)).await.is_signed_in();
}
