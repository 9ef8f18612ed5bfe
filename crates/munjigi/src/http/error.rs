//! Failures, and the one place that picks a status for them (section 8; RFC 9457).
//!
//! | where | which error |
//! | --- | --- |
//! | rules | an enum for each question: what a person did wrong, an outcome |
//! | stores | `StoreError`: the store is at fault |
//! | flows | `FlowError`: the flow could not be gone through; outcomes are values |
//! | web | [`Problem`]: what the caller is told |
//!
//! A cause is logged here, once, when a [`FlowError`] becomes a [`Problem`].

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use munjigi_gate::{CookieOrder, Refusal};
use munjigi_store::StoreError;

use super::answer::{Page, unformed};
use crate::flows::{FlowError, TooMany};
use crate::pages;

/// Stable codes for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Some input is wrong; see `errors`.
    ValidationFailed,
    /// The body is not what its type says.
    Malformed,
    /// Somebody has that username.
    UsernameTaken,
    /// Unknown user or wrong password.
    InvalidCredentials,
    /// Nobody is signed in.
    LoginRequired,
    /// The session is over.
    SessionEnded,
    /// An unsafe request from another origin.
    CrossOrigin,
    /// Known, but not allowed.
    Forbidden,
    /// Nothing is there.
    NotFound,
    /// Something is there, but not for this method.
    MethodNotAllowed,
    /// The body is too large.
    TooLarge,
    /// The body is of a kind that is not understood.
    UnsupportedMediaType,
    /// Too many tries.
    RateLimited,
    /// A fault of ours.
    Internal,
    /// Not now.
    Unavailable,
}

impl Code {
    /// As programs read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ValidationFailed => "validation_failed",
            Self::Malformed => "malformed",
            Self::UsernameTaken => "username_taken",
            Self::InvalidCredentials => "invalid_credentials",
            Self::LoginRequired => "login_required",
            Self::SessionEnded => "session_ended",
            Self::CrossOrigin => "cross_origin",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
        }
    }

    /// The code of a status that a library picked.
    #[must_use]
    pub fn of(status: StatusCode) -> Self {
        let known =
            [Self::NotFound, Self::MethodNotAllowed, Self::TooLarge, Self::UnsupportedMediaType, Self::Unavailable];
        let fallback = if status.is_server_error() { Self::Internal } else { Self::Malformed };
        known.into_iter().find(|code| code.status() == status).unwrap_or(fallback)
    }

    /// Writes a refusal into the log. What has an event of its own is not written twice, and what a form got wrong is nobody's
    /// business.
    pub(super) fn note(self) {
        if matches!(
            self,
            Self::Malformed
                | Self::LoginRequired
                | Self::SessionEnded
                | Self::Forbidden
                | Self::TooLarge
                | Self::UnsupportedMediaType
        ) {
            ::tracing::info!(code = self.name(), "refused");
        }
    }

    /// Its status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::ValidationFailed => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::UsernameTaken => StatusCode::CONFLICT,
            Self::InvalidCredentials | Self::LoginRequired | Self::SessionEnded => StatusCode::UNAUTHORIZED,
            Self::CrossOrigin | Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// A message, in no language yet: its key and what stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Key in the message files.
    pub key: &'static str,
    /// Names and numbers in it.
    pub args: Vec<(&'static str, u64)>,
}

impl Text {
    /// A message with nothing in it.
    #[must_use]
    pub const fn new(key: &'static str) -> Self {
        Self { key, args: Vec::new() }
    }

    /// What stands in it, for the message files.
    #[must_use]
    pub fn values(&self) -> Vec<(&'static str, pages::Value<'static>)> {
        self.args.iter().map(|(name, number)| (*name, pages::Value::from(*number))).collect()
    }

    /// A message with a number in it.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl TryInto<u64>) -> Self {
        self.args.push((name, value.try_into().unwrap_or(u64::MAX)));
        self
    }
}

/// What the caller is told of a failure.
#[derive(Clone, Debug)]
pub struct Problem {
    pub(super) code: Code,
    pub(super) detail: Option<Text>,
    pub(super) errors: Vec<(&'static str, Text)>,
    pub(super) retry_after: Option<Duration>,
    pub(super) page: Option<Page>,
    pub(super) cookies: Option<CookieOrder>,
}

impl Problem {
    /// A failure, with the usual words for it.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self { code, detail: None, errors: Vec::new(), retry_after: None, page: None, cookies: None }
    }

    /// Some input is wrong.
    #[must_use]
    pub fn validation(errors: Vec<(&'static str, Text)>) -> Self {
        Self { errors, ..Self::new(Code::ValidationFailed) }
    }

    /// Something is wrong with one field.
    #[must_use]
    pub fn field(mut self, field: &'static str, key: &'static str) -> Self {
        self.errors.push((field, Text::new(key)));
        self
    }

    /// Other words than the usual ones.
    #[must_use]
    pub fn saying(self, detail: Text) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// For people: the form again, with what is wrong about it, instead of a page about the failure.
    #[must_use]
    pub fn on(self, template: &'static str, context: impl serde::Serialize) -> Self {
        Self { page: Some(Page::new(template, context)), ..self }
    }

    /// What shall become of the cookies.
    #[must_use]
    pub fn cookies(self, order: CookieOrder) -> Self {
        Self { cookies: Some(order), ..self }
    }
}

impl From<TooMany> for Problem {
    fn from(too_many: TooMany) -> Self {
        let seconds = too_many.retry_after.as_secs() + 1;
        Self { retry_after: Some(Duration::from_secs(seconds)), ..Self::new(Code::RateLimited) }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            // Our own routes demand nothing more; an app's that do answer for themselves.
            Refusal::Unauthorized | Refusal::LogInTooOld { .. } => Self::new(Code::LoginRequired),
            Refusal::Unavailable { retry_after } => {
                Self { retry_after: Some(retry_after), ..Self::new(Code::Unavailable) }
            }
            Refusal::RateLimited { retry_after } => {
                Self { retry_after: Some(retry_after), ..Self::new(Code::RateLimited) }
            }
        }
    }
}

impl From<FlowError> for Problem {
    fn from(error: FlowError) -> Self {
        let code = match &error {
            FlowError::Store(StoreError::Unavailable { .. }) | FlowError::Busy(_) | FlowError::ClockOff(_) => {
                Code::Unavailable
            }
            FlowError::Store(_) | FlowError::Broken(_) => Code::Internal,
        };
        // That the hashing threads are busy was said by themselves, once a second.
        if !matches!(error, FlowError::Busy(_)) {
            ::tracing::error!(code = code.name(), cause = crate::telemetry::chain(&error), "failure");
        }
        let retry_after = (code == Code::Unavailable).then_some(Duration::from_secs(1));
        Self { retry_after, ..Self::new(code) }
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        unformed(self.code.status(), self.cookies.take(), self)
    }
}
