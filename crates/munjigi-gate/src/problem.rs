//! Refusals of the gate itself, as problem details (RFC 9457; section 8).

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

use crate::layer::Refusal;

/// What a body says of a failure. All texts are plain words, so that they need no escaping in JSON.
struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
}

impl Problem {
    fn response<R: From<String>>(&self) -> Response<R> {
        let body = serde_json::json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "success": false,
            "code": self.code,
            "msg": self.detail,
        });
        let mut response = Response::new(R::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl Refusal {
    /// The answer to a request that is refused, with the refusal as an extension, so that a server can render its own.
    pub(crate) fn response<R: From<String>>(self) -> Response<R> {
        let problem = match self {
            Self::Unauthorized => {
                Problem { status: StatusCode::UNAUTHORIZED, code: "login_required", detail: "Please log in." }
            }
            Self::Unavailable { .. } => Problem {
                status: StatusCode::SERVICE_UNAVAILABLE,
                code: "unavailable",
                detail: "The service is not available at the moment. Please try again.",
            },
            Self::RateLimited { .. } => Problem {
                status: StatusCode::TOO_MANY_REQUESTS,
                code: "rate_limited",
                detail: "Too many requests. Please wait a moment.",
            },
        };
        let mut response = problem.response();
        if let Self::Unavailable { retry_after } | Self::RateLimited { retry_after } = self {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(whole_seconds(retry_after)));
        }
        response.extensions_mut().insert(self);
        response
    }

    /// The answer to a bearer token that is refused (RFC 6750 section 3.1).
    pub(crate) fn bearer_response<R: From<String>>() -> Response<R> {
        let mut response = Self::Unauthorized.response();
        let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        response
    }
}

/// The answer where a handler asks for the visitor but no gate stands before it: a fault of the program.
#[cfg(feature = "axum")]
pub(crate) fn no_gate<R: From<String>>() -> Response<R> {
    let detail = "Something went wrong on our side.";
    Problem { status: StatusCode::INTERNAL_SERVER_ERROR, code: "internal", detail }.response()
}

/// Rounded up, and never 0: `Retry-After: 0` invites a storm.
fn whole_seconds(span: Duration) -> u64 {
    span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0)).max(1)
}
