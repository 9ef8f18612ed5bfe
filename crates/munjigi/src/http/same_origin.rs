//! Unsafe requests come from our own pages, or from no browser at all (section 8); and what shows a user is asked for by a
//! person or a script of ours, never by another page as one of its parts.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::COOKIE;
use http::{HeaderMap, HeaderName, Method};

use super::error::{Code, Problem};
use super::tracing::shown_path;
use crate::app::App;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What a browser wants it for.
pub const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Refuses unsafe requests that a page of another origin made.
pub async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // Whoever calls the API without cookies shows what no other page can make a browser show.
    let no_cookies = request.uri().path().starts_with("/api/") && !request.headers().contains_key(COOKIE);
    if safe || no_cookies || passes(request.headers(), &app.site.allowed_origins) {
        return next.run(request).await;
    }
    ::tracing::warn!(path = shown_path(request.uri()), "cross_origin");
    Problem::new(Code::CrossOrigin).into_response()
}

/// Refuses what a browser wants as a picture, script, style, frame or other part of a page. No page of ours has such parts.
pub async fn not_as_a_part(request: Request, next: Next) -> Response {
    // Browsers without the header are protected by `nosniff`, `frame-ancestors` and the resource policy.
    let part = match only(request.headers(), SEC_FETCH_DEST) {
        Ok(dest) => dest.is_some_and(|dest| !matches!(dest, "document" | "empty")),
        Err(()) => true,
    };
    if part { Problem::new(Code::Forbidden).into_response() } else { next.run(request).await }
}

/// `Sec-Fetch-Site` is the browser's own word and no page can set it; `Origin` is the next best.
fn passes(headers: &HeaderMap, allowed: &[String]) -> bool {
    let (Ok(site), Ok(origin)) = (only(headers, SEC_FETCH_SITE), only(headers, http::header::ORIGIN)) else {
        return false;
    };
    match (site, origin) {
        (Some("same-origin" | "none"), _) | (None, None) => true,
        (_, Some(origin)) => allowed.iter().any(|own| own == origin),
        (Some(_), None) => false,
    }
}

/// The value of a header that may occur once; `Err` if it occurs more often or is not text.
fn only(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, ()> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_and_callers_that_are_no_browsers_pass() {
        let allowed = vec!["https://auth.example.com".to_owned(), "https://app.example.com".to_owned()];
        for (site, origin, expected) in [
            (None, None, true),
            (Some("same-origin"), None, true),
            (Some("none"), None, true),
            (Some("same-origin"), Some("https://auth.example.com"), true),
            (None, Some("https://auth.example.com"), true),
            (Some("same-site"), Some("https://app.example.com"), true),
            (Some("same-site"), None, false),
            (Some("cross-site"), None, false),
            (Some("cross-site"), Some("https://evil.example"), false),
            (None, Some("https://evil.example"), false),
            (None, Some("null"), false),
            (None, Some("https://auth.example.com.evil.example"), false),
            (None, Some("http://auth.example.com"), false),
            (None, Some("https://auth.example.com:444"), false),
            (Some("rubbish"), None, false),
        ] {
            let mut headers = HeaderMap::new();
            site.map(|site| headers.insert(SEC_FETCH_SITE, site.parse().unwrap()));
            origin.map(|origin| headers.insert(http::header::ORIGIN, origin.parse().unwrap()));
            assert_eq!(passes(&headers, &allowed), expected, "{site:?} {origin:?}");
        }
        let mut twice = HeaderMap::new();
        twice.append(SEC_FETCH_SITE, "cross-site".parse().unwrap());
        twice.append(SEC_FETCH_SITE, "same-origin".parse().unwrap());
        assert!(!passes(&twice, &allowed));
    }
}
