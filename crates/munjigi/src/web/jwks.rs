//! `GET /.well-known/jwks.json`: the public keys (RFC 7517).

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::app::App;
use crate::keys::JWKS_CACHE_CONTROL;

/// The keys.
pub async fn keys(State(app): State<Arc<App>>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json")),
        (CACHE_CONTROL, HeaderValue::from_static(JWKS_CACHE_CONTROL)),
    ];
    (headers, app.core.keys.jwks().to_string()).into_response()
}
