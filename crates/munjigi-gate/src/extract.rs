//! Extractors for axum handlers (feature `axum`).

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request::Parts;

use crate::layer::Refusal;
use crate::problem;
use crate::visitor::{Identity, Visitor};

/// Somebody who is signed in. A handler that takes it answers anybody else with 401 `login_required`; one that takes an
/// `Option` of it serves both.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Identity);

/// Why an extractor refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Nobody is signed in: 401 `login_required`.
    LoginRequired,
    /// There is no gate before this handler, a fault of the program: 500 `internal`, and a line in the log.
    NoGate,
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self {
            Self::LoginRequired => Refusal::Unauthorized.response(),
            Self::NoGate => problem::fault(),
        }
    }
}

/// Every request that passed a gate has a visitor.
fn visitor(parts: &Parts) -> Result<&Visitor, Rejection> {
    parts.extensions.get().ok_or_else(|| {
        problem::note_no_gate(&parts.uri);
        Rejection::NoGate
    })
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        visitor(parts).cloned()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        match visitor(parts)? {
            Visitor::SignedIn(identity) => Ok(Self(identity.clone())),
            Visitor::Anonymous { .. } => Err(Rejection::LoginRequired),
        }
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        Ok(visitor(parts)?.identity().cloned().map(Self))
    }
}
