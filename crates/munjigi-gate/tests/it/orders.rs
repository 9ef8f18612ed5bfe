//! What becomes of the cookies on the way back.

use munjigi_gate::{CookieOrder, Issued, Persistence, Presented, Renewal, Via};

use crate::support::*;

async fn renewing() -> World {
    World::new().await.script(Renewal::Renewed(Box::new(issued())))
}

#[tokio::test]
async fn a_handlers_word_wins_over_the_gates() {
    let world = renewing().await.ordering(CookieOrder::Clear);
    world.send(with_cookies(None, Some("r"))).await.clears_cookies();

    let world = renewing().await.ordering(CookieOrder::Keep);
    let answer = world.send(with_cookies(None, Some("r"))).await;
    answer.is_signed_in();
    answer.leaves_cookies_alone();
    assert_eq!(answer.header("cache-control"), None);

    let other = Issued { refresh_token: "another".to_owned(), ..issued() };
    let world = World::new().await.ordering(CookieOrder::Set(Box::new(other)));
    world.end_session();
    let answer = world.send(with_cookies(Some(&token()), None)).await;
    assert!(answer.set_cookies()[1].starts_with("refreshToken=another; "));
}

#[tokio::test]
async fn the_order_does_not_leave_the_gate() {
    let world = renewing().await.ordering(CookieOrder::Clear);
    let answer = world.send(with_cookies(None, None)).await;
    assert!(answer.0.extensions().get::<CookieOrder>().is_none());
}

#[tokio::test]
async fn the_access_token_alone_can_be_set() {
    let (token, expires) = ("a.b.c".to_owned(), at(START + 90));
    let order = CookieOrder::SetAccess { token, persistence: Persistence::Remembered, expires };
    let world = World::new().await.ordering(order);
    let answer = world.send(with_cookies(None, None)).await;
    assert_eq!(answer.set_cookies(), ["accessToken=a.b.c; Path=/; HttpOnly; SameSite=Lax; Max-Age=90"]);
    answer.is_kept_by_no_cache();
}

#[tokio::test]
async fn a_newer_access_token_does_not_lose_the_refresh_token_that_was_just_earned() {
    let (persistence, expires) = (Persistence::Browser, issued().refresh_expires);
    let order = CookieOrder::SetAccess { token: "a.b.c".to_owned(), persistence, expires };
    let answer = renewing().await.ordering(order).send(with_cookies(None, Some("r"))).await;
    let lines = answer.set_cookies();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("accessToken=a.b.c;"), "{lines:?}");
    assert!(lines[1].starts_with(&format!("refreshToken={};", issued().refresh_token)), "{lines:?}");
}

#[tokio::test]
async fn remembered_cookies_live_as_long_as_the_refresh_token() {
    let remembered = Issued { persistence: Persistence::Remembered, ..issued() };
    let world = World::new().await.script(Renewal::Renewed(Box::new(remembered)));
    world.clock.set(START + 1);
    let answer = world.send(with_cookies(None, Some("r"))).await;
    for line in answer.set_cookies() {
        assert!(line.ends_with("; Max-Age=999"), "{line}");
    }
}

#[tokio::test]
async fn what_the_app_says_about_caches_gives_way_and_what_else_varies_stays() {
    let mut world = renewing().await;
    world.headers = vec![("cache-control", "public, max-age=3600"), ("vary", "accept-encoding"), ("vary", "Accept")];
    let answer = world.send(with_cookies(None, Some("r"))).await;
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(answer.header("vary").as_deref(), Some("accept-encoding, Accept, Cookie"));

    for already in ["*", "Accept, COOKIE"] {
        let mut world = renewing().await;
        world.headers = vec![("vary", already)];
        assert_eq!(world.send(with_cookies(None, Some("r"))).await.header("vary").as_deref(), Some(already));
    }

    let mut world = World::new().await;
    world.headers = vec![("cache-control", "public")];
    let answer = world.send(with_cookies(Some(&token()), None)).await;
    assert_eq!(answer.header("cache-control").as_deref(), Some("public"));
    assert_eq!(answer.header("vary"), None);
}

#[tokio::test]
async fn after_a_renewal_the_new_tokens_are_passed_on() {
    let world = renewing().await;
    let answer = world.send_through(world.gate.layer().keep_tokens(), with_cookies(None, Some("r"))).await;
    let new = Presented {
        access: Some(issued().access_token),
        refresh: Some(issued().refresh_token),
        unused: vec![],
        device: None,
        via: Via::Cookie,
    };
    assert_eq!(answer.seen().unwrap().presented, Some(new));
}

#[tokio::test]
async fn nothing_that_holds_a_token_shows_it() {
    let shown = Presented {
        access: Some("s3cret".to_owned()),
        refresh: Some("s3cret".to_owned()),
        unused: vec![],
        device: Some("s3cret".to_owned()),
        via: Via::Cookie,
    };
    let new = Issued { access_token: "s3cret".to_owned(), refresh_token: "s3cret".to_owned(), ..issued() };
    let expires = at(START);
    let persistence = Persistence::Browser;
    let orders = [
        CookieOrder::Set(Box::new(new.clone())),
        CookieOrder::SetAccess { token: "s3cret".to_owned(), persistence, expires },
    ];
    for text in [
        format!("{shown:?}"),
        format!("{new:?}"),
        format!("{orders:?}"),
        format!("{:?}", Renewal::Renewed(Box::new(new))),
        format!("{:?}", *KEY),
    ] {
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn a_token_that_cannot_stand_in_a_cookie_is_not_written() {
    let forged = Issued { access_token: "a; Domain=evil.example".to_owned(), ..issued() };
    let world = World::new().await.ordering(CookieOrder::Set(Box::new(forged)));
    world.send(with_cookies(None, None)).await.leaves_cookies_alone();
}
