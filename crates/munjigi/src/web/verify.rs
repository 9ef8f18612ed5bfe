//! `/auth/verify`: a proxy asks before it lets a request through to an app ("forward-auth", section 8).
//!
//! The request is the visitor's own, with their headers and perhaps their method; nobody reads its body. 200 says who it is, in headers
//! that the proxy gives to the app; every other answer is for the visitor.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use munjigi_gate::{CookieSettings, Identity, Reason, Visitor};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::app::App;
use crate::http::error::{Code, Problem};
use crate::http::input::Asked;
use crate::http::target::Target;

/// What is left of the request's cookies without ours.
const X_UPSTREAM_COOKIE: HeaderName = HeaderName::from_static("x-upstream-cookie");
const X_SET_COOKIE_ACCESS: HeaderName = HeaderName::from_static("x-set-cookie-access");
const X_SET_COOKIE_REFRESH: HeaderName = HeaderName::from_static("x-set-cookie-refresh");

/// What the proxy wants where there is no plain yes; anything but `redirect` is nothing.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Wishes {
    /// To lead who is not signed in to log-in, instead of 401.
    login: String,
    /// To lead who was just renewed to where they were going, instead of 200: some proxies drop the cookies of a yes.
    renew: String,
}

/// Says who it is.
pub async fn verify(
    State(app): State<Arc<App>>,
    Asked(wishes): Asked<Wishes>,
    visitor: Visitor,
    target: Target,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    match (visitor, target.url) {
        (Visitor::SignedIn(who), Some(url)) if who.renewed && wishes.renew == "redirect" => {
            Ok(go_on(&url, &target.method))
        }
        (Visitor::SignedIn(who), _) => Ok(yes(&who, &headers)),
        (Visitor::Anonymous { reason }, url) if wishes.login == "redirect" => {
            Ok(go_on(&log_in_page(&app, url.as_deref(), reason), &Method::GET))
        }
        (Visitor::Anonymous { .. }, _) => Err(Problem::new(Code::LoginRequired)),
    }
}

/// Repeats each cookie that an answer sets in a header of its own, because nginx can forward only the first of two.
pub async fn repeat_cookies(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    repeat(&app.gate.parts().cookies, response.headers_mut());
    response
}

fn repeat(cookies: &CookieSettings, headers: &mut HeaderMap) {
    for (name, copy) in [(&cookies.access_name, X_SET_COOKIE_ACCESS), (&cookies.refresh_name, X_SET_COOKIE_REFRESH)] {
        let begins = format!("{name}=");
        let line = headers.get_all(SET_COOKIE).iter().find(|line| line.as_bytes().starts_with(begins.as_bytes()));
        if let Some(line) = line.cloned() {
            headers.insert(copy, line);
        }
    }
}

/// All of the headers, always: one that was left out would leave the visitor's own in its place.
fn yes(who: &Identity, headers: &HeaderMap) -> Response {
    let name = utf8_percent_encode(who.name(), NON_ALPHANUMERIC).to_string();
    let told = [
        ("remote-user", who.username().to_owned()),
        ("remote-id", who.user_id().to_string()),
        ("remote-name", name),
        // There are no verified addresses and no groups yet.
        ("remote-email", String::new()),
        ("remote-groups", String::new()),
    ];
    let mut response = StatusCode::OK.into_response();
    for (header, value) in told {
        let value = HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static(""));
        response.headers_mut().insert(header, value);
    }
    response.headers_mut().insert(X_UPSTREAM_COOKIE, rest(headers));
    response
}

/// The cookies that the gate has left on the request, in one line.
fn rest(headers: &HeaderMap) -> HeaderValue {
    let lines: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    let mut line = HeaderValue::try_from(lines.join(&b"; "[..])).unwrap_or(HeaderValue::from_static(""));
    line.set_sensitive(true);
    line
}

/// 302; 307 where something other than a page was asked for, so that a form arrives as it was sent.
fn go_on(location: &str, method: &Method) -> Response {
    let safe = matches!(*method, Method::GET | Method::HEAD);
    let status = if safe { StatusCode::FOUND } else { StatusCode::TEMPORARY_REDIRECT };
    match HeaderValue::try_from(location) {
        Ok(location) => (status, [(LOCATION, location)]).into_response(),
        // What was parsed as a URL is text that a header can hold.
        Err(_) => Problem::new(Code::Internal).into_response(),
    }
}

fn log_in_page(app: &App, return_to: Option<&str>, reason: Option<Reason>) -> String {
    let mut page = app.site.log_in_page.clone();
    {
        let mut query = page.query_pairs_mut();
        return_to.map(|url| query.append_pair("return_to", url));
        reason.map(|reason| query.append_pair("reason", reason.as_str()));
    }
    // Nothing to add leaves a `?` behind.
    page.as_str().trim_end_matches('?').to_owned()
}
