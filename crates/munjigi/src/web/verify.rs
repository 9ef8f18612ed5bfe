//! `/auth/verify`: a proxy asks before it lets a request through to an app ("forward-auth", section 8).
//!
//! The request is the visitor's own, with their headers and perhaps their method; nobody reads its body. 200 says who it is, in headers
//! that the proxy gives to the app; every other answer is for the visitor.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT, COOKIE, LOCATION, SEC_WEBSOCKET_VERSION, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use munjigi_gate::{CookieSettings, Identity, Refusal, Via, Visitor};
use munjigi_rules::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

use crate::app::App;
use crate::http::error::{Code, Problem};
use crate::http::negotiate::is_language_cookie;
use crate::http::same_origin::SEC_FETCH_DEST;
use crate::http::target::Target;

/// What is left of the request's cookies without ours.
const X_UPSTREAM_COOKIE: HeaderName = HeaderName::from_static("x-upstream-cookie");
const X_SET_COOKIE_ACCESS: HeaderName = HeaderName::from_static("x-set-cookie-access");
const X_SET_COOKIE_REFRESH: HeaderName = HeaderName::from_static("x-set-cookie-refresh");

/// Says who it is.
pub async fn verify(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
    target: Target,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wishes = Wishes::read(query.as_deref().unwrap_or_default())?;
    let (refusal, why) = match visitor {
        Visitor::Anonymous { reason } => {
            (Refusal::Unauthorized, reason.map(|reason| ("reason", reason.as_str().to_owned())))
        }
        Visitor::SignedIn(who) => match wishes.broken_by(&who, app.gate.parts().clock.now()) {
            None => {
                let comes_again = who.renewed && wishes.renew_by_redirect && can_be_led(&headers);
                return Ok(match target.url {
                    Some(url) if comes_again => go_on(&url, &target.method),
                    _ => yes(&who, &headers),
                });
            }
            Some(max_age) if who.via == Via::Bearer => return Ok(Refusal::LogInTooOld { max_age }.response()),
            Some(max_age) => (Refusal::LogInTooOld { max_age }, Some(("max_age", max_age.as_secs().to_string()))),
        },
    };
    if wishes.log_in_by_redirect && is_for_a_page(&headers) {
        return Ok(go_on(&log_in_page(&app, target.url.as_deref(), why), &Method::GET));
    }
    Ok(refusal.response())
}

/// What the proxy wants, by the query of its question.
struct Wishes {
    /// `login=redirect`: to lead who is not signed in to log-in, instead of 401.
    log_in_by_redirect: bool,
    /// `renew=redirect`: to lead who was just renewed to where they were going, instead of 200: some proxies drop the cookies of a yes.
    renew_by_redirect: bool,
    /// `max_age=SECONDS`: that the log-in is no older.
    max_age: Option<Duration>,
}

impl Wishes {
    /// Envoy puts the visitor's own path and query behind the words: what follows `path` is theirs. Wherever else theirs got in, the
    /// proxy's come first, and so the first of two counts.
    fn read(query: &str) -> Result<Self, Problem> {
        let words = || form_urlencoded::parse(query.as_bytes()).take_while(|(key, _)| key != "path");
        let first = |name| words().find(|(key, _)| key == name).map(|(_, value)| value);
        let redirect = |name| first(name).is_some_and(|value| value == "redirect");
        // What cannot be read must not count as no demand. Nobody could meet a demand of nothing.
        let max_age = match first("max_age").map(|seconds| seconds.parse()) {
            None => None,
            Some(Ok(seconds @ 1..)) => Some(Duration::from_secs(seconds)),
            Some(_) => return Err(Problem::new(Code::Malformed)),
        };
        Ok(Self { log_in_by_redirect: redirect("login"), renew_by_redirect: redirect("renew"), max_age })
    }

    fn broken_by(&self, who: &Identity, now: Timestamp) -> Option<Duration> {
        self.max_age.filter(|max_age| who.since_log_in(now) > *max_age)
    }
}

/// Whether somebody looks at what is answered. A script, picture or socket is better told 401 than shown a page for people; a script
/// that asks for HTML puts it before people itself.
fn is_for_a_page(headers: &HeaderMap) -> bool {
    let is = |name, what: fn(&str) -> bool| headers.get(name).map(|value: &HeaderValue| value.to_str().is_ok_and(what));
    let page = is(SEC_FETCH_DEST, |dest| matches!(dest, "document" | "iframe" | "frame"));
    page.unwrap_or(true) || is(ACCEPT, |accept| accept.contains("text/html")).unwrap_or(false)
}

/// Whether a redirect would be followed: by all but a WebSocket's opening.
fn can_be_led(headers: &HeaderMap) -> bool {
    !headers.contains_key(SEC_WEBSOCKET_VERSION)
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

/// The cookies that the gate has left on the request, in one line, without the one for the language of our pages.
fn rest(headers: &HeaderMap) -> HeaderValue {
    let without = |line: &HeaderValue| {
        let pairs = line.as_bytes().split(|byte| *byte == b';').filter(|pair| !is_language_cookie(pair.trim_ascii()));
        pairs.collect::<Vec<_>>().join(&b";"[..]).trim_ascii().to_owned()
    };
    let lines = headers.get_all(COOKIE).iter().map(without).filter(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join(&b"; "[..]);
    let mut line = HeaderValue::try_from(line).unwrap_or(HeaderValue::from_static(""));
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

fn log_in_page(app: &App, return_to: Option<&str>, why: Option<(&str, String)>) -> String {
    let mut page = app.site.log_in_page.clone();
    {
        let mut query = page.query_pairs_mut();
        return_to.map(|url| query.append_pair("return_to", url));
        why.map(|(name, value)| query.append_pair(name, &value));
    }
    // Nothing to add leaves a `?` behind.
    page.as_str().trim_end_matches('?').to_owned()
}
