//! What a handler answers: one value that becomes a page, JSON or a redirect, as the caller prefers.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use munjigi_gate::CookieOrder;
use serde::Serialize;
use serde_json::Value;

/// Said to a browser that is signed out here: nothing that it kept of pages is shown again. Not `"storage"`, which is the app's
/// own where we are embedded, and not `"cookies"`, which would take those of every host of the domain.
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// An answer, not yet in any form; [`super::render`] gives it one.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) json: Value,
    pub(super) page: Option<Page>,
    pub(super) location: Option<String>,
    pub(super) cookies: Option<CookieOrder>,
}

/// A template and what it shows.
#[derive(Clone, Debug)]
pub struct Page {
    /// Name of the template, which is also the last part of the path of its GET.
    pub template: &'static str,
    /// What it shows.
    pub context: Value,
}

impl Page {
    /// A page. What cannot be shown is a fault of the program, and shows as an empty context in tests.
    #[must_use]
    pub fn new(template: &'static str, context: impl Serialize) -> Self {
        Self { template, context: serde_json::to_value(context).unwrap_or_default() }
    }
}

impl Answer {
    /// This for programs; people get it too unless a page or a place to go is added.
    #[must_use]
    pub fn json(value: impl Serialize) -> Self {
        let json = serde_json::to_value(value).unwrap_or_default();
        Self { status: StatusCode::OK, json, page: None, location: None, cookies: None }
    }

    /// Sends everybody elsewhere.
    #[must_use]
    pub fn see_other(location: impl Into<String>) -> Self {
        Self { status: StatusCode::SEE_OTHER, ..Self::json(Value::Null).or_go(location) }
    }

    /// A page for people.
    #[must_use]
    pub fn or_page(self, template: &'static str, context: impl Serialize) -> Self {
        Self { page: Some(Page::new(template, context)), ..self }
    }

    /// A place to go for people.
    #[must_use]
    pub fn or_go(self, location: impl Into<String>) -> Self {
        Self { location: Some(location.into()), ..self }
    }

    /// Another status than 200, for programs.
    #[must_use]
    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// What shall become of the cookies.
    #[must_use]
    pub fn cookies(self, order: CookieOrder) -> Self {
        Self { cookies: Some(order), ..self }
    }
}

/// An extension of an answer that goes on for as long as somebody listens: the server is at work for them until its end.
#[derive(Clone, Copy, Debug)]
pub struct Lasting;

impl IntoResponse for Answer {
    fn into_response(mut self) -> Response {
        unformed(self.status, self.cookies.take(), self)
    }
}

/// An answer on its way to where it gets its form: it travels as an extension, and what it says of the cookies beside it, where
/// the gate looks.
pub(super) fn unformed<T: Clone + Send + Sync + 'static>(
    status: StatusCode,
    cookies: Option<CookieOrder>,
    answer: T,
) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    if let Some(order) = cookies {
        if matches!(order, CookieOrder::Clear) {
            response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
        }
        response.extensions_mut().insert(order);
    }
    response.extensions_mut().insert(answer);
    response
}
