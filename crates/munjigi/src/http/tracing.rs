//! A request id for each request, in its log lines and in its answer.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue};
use tracing::Instrument as _;

use super::client;
use crate::app::App;
use crate::random;

/// Where callers find the id.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request; a request extension.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Gives the request its id. A caller's own id is not taken over: it could be made to look like somebody else's.
///
/// Each line of the log that belongs to a request says which one it was, what was asked for and from where. The path stands
/// there as it came, percent-encoded, and without what follows a `?`.
pub async fn with_id(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let id = format!("{:016x}", u64::from_be_bytes(random::bytes()));
    request.extensions_mut().insert(RequestId(id.clone()));
    let from = client::of_request(&request, &app.site.trusted_proxies);
    let (method, path, begun) = (request.method().clone(), request.uri().path().to_owned(), Instant::now());
    let span = ::tracing::info_span!("request", id, %method, path, %from);
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| {
        let status = response.status().as_u16();
        ::tracing::debug!(status, micros = begun.elapsed().as_micros(), "answered");
    });
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}
