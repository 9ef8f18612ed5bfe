//! The extractors, in an axum app.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use munjigi_gate::{GateLayer, Refusal, SignedIn, Visitor};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::support::*;

fn app(layer: Option<GateLayer>) -> Router {
    let app = Router::new()
        .route("/visitor", get(|visitor: Visitor| async move { format!("{}", visitor.identity().is_some()) }))
        .route("/mine", get(|SignedIn(identity): SignedIn| async move { identity.username().to_owned() }))
        .route("/both", get(|maybe: Option<SignedIn>| async move { format!("{}", maybe.is_some()) }));
    match layer {
        Some(layer) => app.layer(layer),
        None => app,
    }
}

async fn ask(app: Router, path: &str, access: Option<&str>) -> (u16, String, Response<()>) {
    let (mut parts, _) = with_cookies(access, None).into_parts();
    parts.uri = path.parse().unwrap();
    let (parts, body) = app.oneshot(Request::from_parts(parts, Body::empty())).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status.as_u16(), String::from_utf8(body.to_vec()).unwrap(), Response::from_parts(parts, ()))
}

#[tokio::test]
async fn handlers_learn_who_asks() {
    let world = World::new().await;
    let token = token();
    for (path, anonymous, signed_in) in [("/visitor", "false", "true"), ("/both", "false", "true")] {
        let (status, body, _) = ask(app(Some(world.gate.layer())), path, None).await;
        assert_eq!((status, body.as_str()), (200, anonymous));
        let (status, body, _) = ask(app(Some(world.gate.layer())), path, Some(&token)).await;
        assert_eq!((status, body.as_str()), (200, signed_in));
    }
    let (status, body, _) = ask(app(Some(world.gate.layer())), "/mine", Some(&token)).await;
    assert_eq!((status, body.as_str()), (200, "keeper"));
}

#[tokio::test]
async fn a_handler_for_the_signed_in_asks_anybody_else_to_log_in() {
    let world = World::new().await;
    let (status, body, response) = ask(app(Some(world.gate.layer())), "/mine", None).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["code"], &body["success"]), (401, &Value::from("login_required"), &Value::Bool(false)));
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.extensions().get(), Some(&Refusal::Unauthorized));
}

#[tokio::test]
async fn a_missing_gate_is_a_fault_of_the_program_and_never_anonymous() {
    for path in ["/visitor", "/mine", "/both"] {
        let (status, body, _) = ask(app(None), path, None).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &body["code"]), (500, &Value::from("internal")), "{path}");
    }
}
