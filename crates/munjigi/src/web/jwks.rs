//! `GET /.well-known/jwks.json`: the public keys (RFC 7517).

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use utoipa::ToSchema;

use crate::app::App;
use crate::keys::JWKS_CACHE_CONTROL;

/// The keys, in the words of RFC 7517: for the description, the gate writes them.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is written elsewhere")]
pub(super) struct KeySet {
    keys: Vec<Key>,
}

/// A public key; which coordinates it has depends on `kty`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is written elsewhere")]
pub(super) struct Key {
    kty: String,
    kid: String,
    r#use: String,
    alg: String,
    #[schema(value_type = String, required = false)]
    crv: String,
    #[schema(value_type = String, required = false)]
    x: String,
    #[schema(value_type = String, required = false)]
    y: String,
    #[schema(value_type = String, required = false)]
    n: String,
    #[schema(value_type = String, required = false)]
    e: String,
}

/// The keys.
pub async fn keys(State(app): State<Arc<App>>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json")),
        (CACHE_CONTROL, HeaderValue::from_static(JWKS_CACHE_CONTROL)),
    ];
    (headers, app.core.keys.jwks().to_string()).into_response()
}
