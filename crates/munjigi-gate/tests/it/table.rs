//! Section 3's table, row by row, through the renewing layer.

use std::time::Duration;

use munjigi_gate::{AccessClaims, Identity, Reason, Refusal, Renewal, Via, Visitor};

use crate::support::*;

/// What the table calls "absent, expired, or does not verify"; and the reason that an anonymous visitor then has.
fn no_good() -> [(Option<String>, Option<Reason>); 4] {
    let expired_forgery = forged(&AccessClaims { iat: START - TTL, exp: START, ..claims() });
    [
        (None, None),
        (Some(expired_token()), Some(Reason::Expired)),
        (Some(forged(&claims())), None),
        (Some(expired_forgery), None),
    ]
}

#[tokio::test]
async fn without_cookies_a_visitor_is_anonymous() {
    let world = World::new().await;
    let answer = world.send(with_cookies(None, None)).await;
    answer.is_anonymous(None);
    answer.leaves_cookies_alone();
    assert_eq!((answer.header("cache-control"), answer.header("vary")), (None, None));
}

#[tokio::test]
async fn a_good_access_token_signs_in_and_the_refresh_token_is_not_looked_at() {
    let world = World::new().await;
    for _ in 0..2 {
        let answer = world.send(with_cookies(Some(&token()), Some("r"))).await;
        let Visitor::SignedIn(Identity { claims: seen, via: Via::Cookie, renewed: false }) = answer.visitor() else {
            panic!("{:?}", answer.visitor());
        };
        assert_eq!(**seen, claims());
        answer.leaves_cookies_alone();
        assert_eq!((answer.header("cache-control"), answer.header("vary")), (None, None));
    }
    assert!(world.renewals().is_empty());
}

#[tokio::test]
async fn a_revoked_session_is_ended_at_once_whether_its_token_expired_or_not() {
    let world = World::new().await;
    let good = token();
    world.send(with_cookies(Some(&good), None)).await.is_signed_in();
    world.end_session();
    for access in [good, expired_token()] {
        let answer = world.send(with_cookies(Some(&access), Some("r"))).await;
        answer.is_anonymous(Some(Reason::Ended));
        answer.clears_cookies();
    }
    assert!(world.renewals().is_empty());
}

#[tokio::test]
async fn a_revoked_epoch_goes_to_renewal_which_may_have_kept_the_session() {
    let world = World::new().await.script(Renewal::Renewed(Box::new(issued())));
    world.end_epochs_below(4);
    let answer = world.send(with_cookies(Some(&token()), Some("r"))).await;
    answer.is_signed_in();
    assert_eq!(answer.set_cookies().len(), 2);
    assert_eq!(world.renewals(), ["r"]);
}

#[tokio::test]
async fn a_revoked_epoch_without_a_kept_session_is_ended_not_expired() {
    let world = World::new().await.script(Renewal::Ended);
    world.end_epochs_below(4);
    let answer = world.send(with_cookies(Some(&token()), Some("r"))).await;
    answer.is_anonymous(Some(Reason::Ended));
    answer.clears_cookies();
}

#[tokio::test]
async fn a_revoked_epoch_without_a_refresh_token_is_as_expired() {
    let world = World::new().await;
    world.end_epochs_below(4);
    let answer = world.send(with_cookies(Some(&token()), None)).await;
    answer.is_anonymous(Some(Reason::Expired));
    answer.leaves_cookies_alone();
}

#[tokio::test]
async fn an_epoch_that_is_still_good_signs_in() {
    let world = World::new().await;
    world.end_epochs_below(3);
    world.send(with_cookies(Some(&token()), None)).await.is_signed_in();
}

#[tokio::test]
async fn a_refresh_token_that_is_accepted_sets_both_cookies_on_this_very_response() {
    for (access, _) in no_good() {
        let world = World::new().await.script(Renewal::Renewed(Box::new(issued())));
        let answer = world.send(with_cookies(access.as_deref(), Some("r"))).await;
        let Visitor::SignedIn(identity) = answer.visitor() else { panic!("{:?}", answer.visitor()) };
        assert!(identity.renewed);
        assert_eq!((identity.user_id(), identity.session_id()), (user(1), session(1)));
        let set = answer.set_cookies();
        assert_eq!(set[0], format!("accessToken={}; Path=/; HttpOnly; SameSite=Lax", issued().access_token));
        assert_eq!(set[1], "refreshToken=new.refresh.token; Path=/; HttpOnly; SameSite=Lax");
        answer.is_kept_by_no_cache();
        assert_eq!(world.renewals(), ["r"]);
    }
}

#[tokio::test]
async fn a_refresh_token_whose_session_is_gone_is_expired_and_clears_the_cookies() {
    for (access, _) in no_good() {
        let world = World::new().await.script(Renewal::Ended);
        let answer = world.send(with_cookies(access.as_deref(), Some("r"))).await;
        answer.is_anonymous(Some(Reason::Expired));
        answer.clears_cookies();
    }
}

#[tokio::test]
async fn a_superseded_refresh_token_is_reused_and_clears_the_cookies() {
    for (access, _) in no_good() {
        let world = World::new().await.script(Renewal::Reused);
        let answer = world.send(with_cookies(access.as_deref(), Some("r"))).await;
        answer.is_anonymous(Some(Reason::Reused));
        answer.clears_cookies();
    }
}

#[tokio::test]
async fn without_a_refresh_token_of_ours_the_cookies_are_left_alone() {
    for (access, reason) in no_good() {
        let world = World::new().await.script(Renewal::NotOurs);
        for refresh in [None, Some("r")] {
            let answer = world.send(with_cookies(access.as_deref(), refresh)).await;
            answer.is_anonymous(reason);
            answer.leaves_cookies_alone();
        }
        assert_eq!(world.renewals(), ["r"]);
    }
}

#[tokio::test]
async fn an_outage_or_too_many_renewals_sign_nobody_out() {
    let retry_after = Duration::from_millis(1500);
    for (access, _) in no_good() {
        for (renewal, status, refusal) in [
            (Renewal::Unavailable { retry_after }, 503, Refusal::Unavailable { retry_after }),
            (Renewal::Limited { retry_after }, 429, Refusal::RateLimited { retry_after }),
        ] {
            let world = World::new().await.script(renewal);
            let answer = world.send(with_cookies(access.as_deref(), Some("r"))).await;
            assert_eq!((answer.status(), answer.header("retry-after").as_deref()), (status, Some("2")));
            assert!(answer.seen().is_none());
            assert_eq!(answer.0.extensions().get(), Some(&refusal));
            answer.leaves_cookies_alone();
        }
    }
}

#[tokio::test]
async fn an_access_token_expires_on_the_second_that_it_says() {
    let world = World::new().await.script(Renewal::NotOurs).script(Renewal::NotOurs);
    for (second, good) in [(START + TTL - 1, true), (START + TTL, false), (START + TTL + 1, false)] {
        world.clock.set(second);
        let answer = world.send(with_cookies(Some(&token()), Some("r"))).await;
        assert_eq!(answer.visitor().identity().is_some(), good, "{second}");
        if !good {
            answer.is_anonymous(Some(Reason::Expired));
        }
    }
}

#[tokio::test]
async fn a_forged_expired_token_earns_nothing_for_its_victim() {
    // The tutorial renewed for whoever the expired token named. Here the renewer sees the refresh token and nothing else.
    let victim = AccessClaims { sub: user(9), sid: session(9), iat: START - TTL, exp: START - 1, ..claims() };
    let world = World::new().await.script(Renewal::NotOurs);
    let answer = world.send(with_cookies(Some(&forged(&victim)), Some("also-forged"))).await;
    answer.is_anonymous(None);
    answer.leaves_cookies_alone();
    assert_eq!(world.renewals(), ["also-forged"]);
}

#[tokio::test]
async fn a_forged_token_of_a_revoked_session_says_nothing_about_it() {
    let world = World::new().await;
    world.end_session();
    let answer = world.send(with_cookies(Some(&forged(&claims())), None)).await;
    answer.is_anonymous(None);
    answer.leaves_cookies_alone();
}

#[tokio::test]
async fn a_session_that_ends_while_it_is_renewed_is_ended() {
    let world = World::new().await.script(Renewal::Renewed(Box::new(issued())));
    world.end_session();
    let answer = world.send(with_cookies(None, Some("r"))).await;
    answer.is_anonymous(Some(Reason::Ended));
    answer.clears_cookies();
}

#[tokio::test]
async fn a_request_that_is_given_up_in_the_middle_of_a_renewal_leaves_the_gate_as_it_was() {
    let world = World::new().await.script(Renewal::Renewed(Box::new(issued())));
    *world.renewer.hangs.lock().unwrap() = true;
    {
        let mut hanging = std::pin::pin!(world.send(with_cookies(None, Some("r"))));
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(hanging.as_mut().poll(cx).is_pending())).await;
        assert!(polled);
    }
    *world.renewer.hangs.lock().unwrap() = false;
    world.send(with_cookies(None, Some("r"))).await.is_signed_in();
    assert_eq!(world.renewals(), ["r", "r"]);
}
