//! `Authorization: Bearer`: cookies are not looked at, and nothing is ever renewed.

use http::header::AUTHORIZATION;
use http_body_util::BodyExt as _;
use munjigi_gate::{AccessClaims, Reason, Refusal, Via};
use serde_json::Value;

use crate::support::*;

#[tokio::test]
async fn a_bearer_token_signs_in() {
    let world = World::new().await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = world.send(with_authorization(&format!("{scheme} {}", token()))).await;
        assert_eq!(answer.visitor().identity().unwrap().via, Via::Bearer);
        answer.leaves_cookies_alone();
    }
}

#[tokio::test]
async fn a_bearer_token_that_is_no_good_is_refused_whatever_the_cookies_say() {
    let world = World::new().await;
    world
        .revoked
        .apply([munjigi_rules::revocation::Ended::Session { session: session(2), feed_until: at(START + 9999) }]);
    let ended = token_of(&AccessClaims { sid: session(2), ..claims() });
    let lines = [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer nonsense".to_owned(),
        format!("Bearer {}", expired_token()),
        format!("Bearer {}", forged(&claims())),
        format!("Bearer {ended}"),
        format!("Bearer {} x", token()),
    ];
    for line in lines {
        let answer = world.send(with_authorization(&line)).await;
        assert_eq!(answer.status(), 401, "{line}");
        assert_eq!(answer.header("www-authenticate").as_deref(), Some("Bearer error=\"invalid_token\""));
        assert_eq!(answer.0.extensions().get(), Some(&Refusal::Unauthorized));
        answer.leaves_cookies_alone();
    }
    assert!(world.renewals().is_empty());
}

#[tokio::test]
async fn a_bearer_token_of_a_revoked_epoch_is_refused_and_not_renewed() {
    let world = World::new().await;
    world.end_epochs_below(4);
    assert_eq!(world.send(with_authorization(&format!("Bearer {}", token()))).await.status(), 401);
    assert!(world.renewals().is_empty());
}

#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let world = World::new().await;
    let mut request = with_authorization(&format!("Bearer {}", token()));
    request.headers_mut().append(AUTHORIZATION, "Basic abc".parse().unwrap());
    assert_eq!(world.send(request).await.status(), 401);
}

#[tokio::test]
async fn another_scheme_is_not_ours_and_the_cookies_count() {
    let world = World::new().await;
    for line in ["Basic abc", "Bearerish abc", "Digest x"] {
        let answer = world.send(with_authorization(line)).await;
        assert_eq!(answer.visitor().identity().unwrap().via, Via::Cookie, "{line}");
    }
}

#[tokio::test]
async fn a_refusal_is_a_problem_that_programs_and_people_can_read() {
    let world = World::new().await;
    let answer = world.send(with_authorization("Bearer nonsense")).await;
    assert_eq!(answer.header("content-type").as_deref(), Some("application/problem+json"));
    let body = answer.0.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["success"], &body["status"]), (&Value::Bool(false), &Value::from(401)));
    assert_eq!((&body["code"], &body["type"]), (&Value::from("login_required"), &Value::from("about:blank")));
    assert_eq!(body["title"], "Unauthorized");
    assert_eq!(body["msg"], body["detail"]);
}

#[tokio::test]
async fn a_peek_at_a_bearer_token_refuses_nobody() {
    let world = World::new().await;
    world.peek(with_authorization(&format!("Bearer {}", token()))).await.is_signed_in();
    world.peek(with_authorization("Bearer nonsense")).await.is_anonymous(None);
    let expired = format!("Bearer {}", expired_token());
    world.peek(with_authorization(&expired)).await.is_anonymous(Some(Reason::Expired));
    world.end_session();
    world.peek(with_authorization(&format!("Bearer {}", token()))).await.is_anonymous(Some(Reason::Ended));
}
