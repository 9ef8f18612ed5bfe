//! Refusals of the gate itself, as problem details (RFC 9457; section 8).

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode, Uri};
use serde_json::Value;

use crate::layer::Refusal;

/// What a body says of a failure. All texts are plain words, so that they need no escaping in JSON.
struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
    /// What more there is to say to programs.
    more: Vec<(&'static str, Value)>,
}

impl Problem {
    const fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self { status, code, detail, more: Vec::new() }
    }

    fn response<R: From<String>>(&self) -> Response<R> {
        let mut body = serde_json::json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "success": false,
            "code": self.code,
            "msg": self.detail,
        });
        if let Value::Object(members) = &mut body {
            members.extend(self.more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
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
    #[must_use]
    pub fn response<R: From<String>>(self) -> Response<R> {
        let problem = match self {
            Self::Unauthorized => Problem::new(StatusCode::UNAUTHORIZED, "login_required", "Please log in."),
            Self::LogInTooOld { max_age } => {
                let detail = "Please log in again: this needs a log-in that is not long ago.";
                let more = vec![("reason", "log_in_too_old".into()), ("maxAge", max_age.as_secs().into())];
                Problem { more, ..Problem::new(StatusCode::UNAUTHORIZED, "login_required", detail) }
            }
            Self::Unavailable { .. } => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "The service is not available at the moment. Please try again.",
            ),
            Self::RateLimited { .. } => {
                let detail = "Too many requests. Please wait a moment.";
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail)
            }
        };
        let mut response = problem.response();
        if let Self::Unavailable { retry_after } | Self::RateLimited { retry_after } = self {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(whole_seconds(retry_after)));
        }
        if let Self::LogInTooOld { max_age } = self {
            // RFC 9470 section 3.
            let challenge =
                format!("Bearer error=\"insufficient_user_authentication\", max_age=\"{}\"", max_age.as_secs());
            response.headers_mut().extend(HeaderValue::try_from(challenge).ok().map(|value| (WWW_AUTHENTICATE, value)));
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

/// The answer where somebody asks for the visitor but no gate stands before it: a fault of the program.
pub(crate) fn no_gate<R: From<String>>(uri: &Uri) -> Response<R> {
    note_no_gate(uri);
    fault()
}

/// Its line in the log.
pub(crate) fn note_no_gate(uri: &Uri) {
    tracing::error!(path = uri.path(), note = "no gate stands before this route; add `Gate::layer`", "no_gate");
}

/// Its answer.
pub(crate) fn fault<R: From<String>>() -> Response<R> {
    let detail = "Something went wrong on our side.";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).response()
}

/// Rounded up, and never 0: `Retry-After: 0` invites a storm.
fn whole_seconds(span: Duration) -> u64 {
    span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0)).max(1)
}
