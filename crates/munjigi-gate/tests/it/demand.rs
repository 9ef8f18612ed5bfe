//! What a route demands beyond a good token.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use http_body_util::BodyExt as _;
use munjigi_gate::{AccessClaims, Refusal};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::support::*;

const MAX_AGE: Duration = Duration::from_secs(300);

/// A route that wants a log-in of the last five minutes, inside the gate or without one.
fn app(world: &World, gated: bool) -> Router {
    let app = Router::new().route("/transfer", get(|| async { "done" }));
    let app = app.route_layer(world.gate.demand().max_age(MAX_AGE));
    if gated { app.route_layer(world.gate.layer()) } else { app }
}

async fn ask(app: Router, request: Request<Body>) -> (http::response::Parts, Value) {
    let (mut parts, body) = request.into_parts();
    parts.uri = "/transfer".parse().unwrap();
    let (parts, body) = app.oneshot(Request::from_parts(parts, body)).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_log_in_that_is_too_old_has_to_be_repeated() {
    let world = World::new().await;
    let max = i64::try_from(MAX_AGE.as_secs()).unwrap();
    for (age, good) in [(0, true), (max - 1, true), (max, true), (max + 1, false), (max * 1000, false), (-30, true)] {
        let token = token_of(&AccessClaims { auth_time: START - age, ..claims() });
        let (answer, body) = ask(app(&world, true), with_cookies(Some(&token), None)).await;
        assert_eq!(answer.status, if good { 200 } else { 401 }, "{age}");
        if !good {
            assert_eq!((&body["code"], &body["reason"]), (&"login_required".into(), &"log_in_too_old".into()));
            assert_eq!(body["maxAge"], 300);
            let challenge = "Bearer error=\"insufficient_user_authentication\", max_age=\"300\"";
            assert_eq!(answer.headers["www-authenticate"], challenge);
            assert_eq!(answer.extensions.get(), Some(&Refusal::LogInTooOld { max_age: MAX_AGE }));
            assert!(!answer.headers.contains_key("set-cookie"), "the session is as good as before");
        }
    }
}

#[tokio::test]
async fn strangers_are_asked_to_log_in_and_without_a_gate_nobody_passes() {
    let world = World::new().await;
    let (answer, body) = ask(app(&world, true), with_cookies(None, None)).await;
    assert_eq!((answer.status.as_u16(), &body["code"], &body["reason"]), (401, &"login_required".into(), &Value::Null));
    let (answer, body) = ask(app(&world, false), with_cookies(Some(&token()), None)).await;
    assert_eq!((answer.status.as_u16(), &body["code"]), (500, &"internal".into()));
}
