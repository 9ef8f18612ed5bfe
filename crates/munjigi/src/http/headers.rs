//! Headers that every answer carries (OWASP Secure Headers).

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::Hsts;

/// The headers, made once.
#[derive(Debug, Clone)]
pub struct SecurityHeaders(Vec<(HeaderName, HeaderValue)>);

impl SecurityHeaders {
    /// `form_targets`: origins that a form may lead to, because browsers hold redirects after a form to its policy too. `own_fonts`:
    /// pages load fonts from here.
    ///
    /// # Errors
    /// An origin that cannot stand in a header, which no parsed origin is.
    pub fn new(hsts: Hsts, form_targets: &[String], own_fonts: bool) -> Result<Self, http::header::InvalidHeaderValue> {
        let targets: String = form_targets.iter().map(|origin| format!(" {origin}")).collect();
        let fonts = if own_fonts { " font-src 'self';" } else { "" };
        let policy = format!(
            "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self';{fonts} form-action 'self'{targets}; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        let fixed = HeaderValue::from_static;
        let mut headers = vec![
            (CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy)?),
            (X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
            (X_FRAME_OPTIONS, fixed("DENY")),
            // With `no-referrer` browsers would send `Origin: null` with our own forms.
            (REFERRER_POLICY, fixed("same-origin")),
            (HeaderName::from_static("cross-origin-opener-policy"), fixed("same-origin")),
            (HeaderName::from_static("cross-origin-resource-policy"), fixed("same-origin")),
            (HeaderName::from_static("permissions-policy"), fixed("camera=(), geolocation=(), microphone=()")),
        ];
        headers.extend(line(hsts).map(|value| (STRICT_TRANSPORT_SECURITY, fixed(value))));
        Ok(Self(headers))
    }

    /// Adds them to an answer; nothing is kept by a cache unless the answer says that it may be.
    pub fn add(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            headers.insert(name, value.clone());
        }
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
}

/// Two years, as browsers' own lists want it (RFC 6797).
const fn line(hsts: Hsts) -> Option<&'static str> {
    match hsts {
        Hsts::Subdomains => Some("max-age=63072000; includeSubDomains"),
        Hsts::Host => Some("max-age=63072000"),
        Hsts::Off => None,
    }
}
