//! Where a visitor was going whom a proxy asks about: what a trusted proxy says, and nobody else.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, Method};
use munjigi_rules::return_to;
use url::Url;

use super::client::is_from_trusted_proxy;
use crate::app::App;

/// Where they were going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where to send them back to; none if no trusted proxy said so, or it is neither our own origin nor a trusted one.
    pub url: Option<String>,
    /// With which method.
    pub method: Method,
}

impl FromRequestParts<Arc<App>> for Target {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        if !is_from_trusted_proxy(&parts.extensions, &app.site.trusted_proxies) {
            return Ok(Self { url: None, method: parts.method.clone() });
        }
        let site = &app.site;
        let url = said(&parts.headers);
        let url = url.and_then(|url| return_to::follow(url.as_str(), &site.log_in_page, &site.trusted_origins));
        let method = one(&parts.headers, "x-forwarded-method").and_then(|method| method.parse().ok());
        Ok(Self { url, method: method.unwrap_or_else(|| parts.method.clone()) })
    }
}

/// `X-Original-URL` (nginx), or what `X-Forwarded-Proto`, `-Host` and `-Uri` (Caddy, Traefik; or `X-Original-URI`) say together.
fn said(headers: &HeaderMap) -> Option<Url> {
    if let Some(url) = one(headers, "x-original-url") {
        return Url::parse(url).ok();
    }
    let (scheme, host) = (one(headers, "x-forwarded-proto")?, one(headers, "x-forwarded-host")?);
    let uri = one(headers, "x-forwarded-uri").or_else(|| one(headers, "x-original-uri"));
    let uri = uri.filter(|uri| uri.starts_with('/'))?;
    Url::parse(&format!("{scheme}://{host}{uri}")).ok()
}

/// A header that is there once: of two, one is not the proxy's.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (Some(value), None) => std::str::from_utf8(value.as_bytes()).ok(),
        _ => None,
    }
}
