//! The layer before log-in, log-out and registration: it says who asks and does nothing else.

use munjigi_gate::{CookieOrder, CookieSettings, Presented, Reason, SameSite, Via, WhenStale};

use crate::support::*;

#[tokio::test]
async fn a_peek_tells_who_it_is() {
    let world = World::new().await;
    world.peek(with_cookies(Some(&token()), Some("r"))).await.is_signed_in();
    world.peek(with_cookies(None, None)).await.is_anonymous(None);
    world.peek(with_cookies(Some(&forged(&claims())), None)).await.is_anonymous(None);
}

#[tokio::test]
async fn a_peek_never_renews_and_leaves_the_cookies_alone() {
    let world = World::new().await;
    for (access, reason) in [(None, None), (Some(expired_token()), Some(Reason::Expired))] {
        let answer = world.peek(with_cookies(access.as_deref(), Some("r"))).await;
        answer.is_anonymous(reason);
        answer.leaves_cookies_alone();
    }
    world.end_epochs_below(4);
    world.peek(with_cookies(Some(&token()), Some("r"))).await.is_anonymous(Some(Reason::Expired));
    world.end_session();
    let answer = world.peek(with_cookies(Some(&token()), Some("r"))).await;
    answer.is_anonymous(Some(Reason::Ended));
    answer.leaves_cookies_alone();
    assert!(world.renewals().is_empty());
}

#[tokio::test]
async fn a_peek_refuses_nobody_but_accepts_no_token_before_the_revocations_were_read() {
    let world = World::with(WhenStale::Serve, CookieSettings::new(false, None, SameSite::Lax)).await;
    let answer = world.peek(with_cookies(Some(&token()), Some("r"))).await;
    answer.is_anonymous(None);
    answer.leaves_cookies_alone();
}

#[tokio::test]
async fn a_handler_behind_a_peek_orders_the_cookies() {
    let world = World::new().await.ordering(CookieOrder::Set(Box::new(issued())));
    let answer = world.peek(with_cookies(None, None)).await;
    assert_eq!(answer.set_cookies().len(), 2);
    answer.is_kept_by_no_cache();
    let world = World::new().await.ordering(CookieOrder::Clear);
    world.peek(with_cookies(Some(&token()), None)).await.clears_cookies();
}

#[tokio::test]
async fn tokens_are_passed_on_only_where_they_are_asked_for() {
    let world = World::new().await;
    let expired = expired_token();
    let request = || with_cookies(Some(&expired), Some("r"));
    assert_eq!(world.peek(request()).await.seen().unwrap().presented, None);
    let answer = world.send_through(world.gate.peek_layer().keep_tokens(), request()).await;
    let shown = Presented {
        access: Some(expired.clone()),
        refresh: Some("r".to_owned()),
        unused: vec![],
        device: None,
        via: Via::Cookie,
    };
    assert_eq!(answer.seen().unwrap().presented, Some(shown));
    let bearer = with_authorization("Bearer some.thing.else");
    let answer = world.send_through(world.gate.peek_layer().keep_tokens(), bearer).await;
    let shown = answer.seen().unwrap().presented.clone().unwrap();
    assert_eq!(
        (shown.access.as_deref(), shown.refresh.as_deref(), shown.via),
        (Some("some.thing.else"), None, Via::Bearer)
    );
    assert_eq!(shown.unused.len(), 2, "the cookies beside it, for log-out");
}
