//! What shall become of the cookies: handlers and the gate say it, one place does it (section 3).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue};
use munjigi_rules::Timestamp;

use crate::claims::AccessClaims;
use crate::cookies::{Cookie, CookieSettings, UnfitToken};

/// What shall become of the cookies: a response extension. A handler's word wins over the gate's own.
#[derive(Clone, PartialEq, Eq)]
pub enum CookieOrder {
    /// Leave them as the browser has them, also where the gate would set or clear them.
    Keep,
    /// Set them: somebody logged in, or a session was renewed.
    Set(Box<Issued>),
    /// Set the access token only: the session goes on with the same refresh token.
    SetAccess {
        /// The new access token.
        token: String,
        /// Whether the cookies outlive the browser.
        persistence: Persistence,
        /// When the refresh token expires: the access cookie lives as long.
        expires: Timestamp,
    },
    /// Set only what the browser is to be known by at its next log-in.
    SetDevice(DeviceToken),
    /// Take access and refresh token away.
    Clear,
}

/// Tokens that were just issued.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// What the access token says.
    pub claims: Arc<AccessClaims>,
    /// When the refresh token expires.
    pub refresh_expires: Timestamp,
    /// Whether the cookies outlive the browser.
    pub persistence: Persistence,
    /// What the browser is to be known by at its next log-in, if anything.
    pub device: Option<DeviceToken>,
}

/// What a browser is known by from which somebody has logged in. It stays when they log out.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceToken {
    /// The token.
    pub token: String,
    /// How long the cookie stays, in whole seconds.
    pub max_age: Duration,
}

/// How long cookies stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Until the browser closes.
    Browser,
    /// As long as the refresh token: "remember me" was ticked.
    Remembered,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("sid", &self.claims.sid)
            .field("refresh_expires", &self.refresh_expires)
            .field("persistence", &self.persistence)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CookieOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep => f.write_str("Keep"),
            Self::Set(issued) => f.debug_tuple("Set").field(issued).finish(),
            Self::SetAccess { persistence, expires, .. } => f
                .debug_struct("SetAccess")
                .field("persistence", persistence)
                .field("expires", expires)
                .finish_non_exhaustive(),
            Self::SetDevice(_) => f.write_str("SetDevice(..)"),
            Self::Clear => f.write_str("Clear"),
        }
    }
}

impl CookieOrder {
    /// Carries the order out on a response. An answer that sets or clears a cookie is kept by no cache.
    pub(crate) fn carry_out(&self, cookies: &CookieSettings, now: Timestamp, headers: &mut HeaderMap) {
        match self.lines(cookies, now) {
            Ok(lines) if lines.is_empty() => {}
            Ok(lines) => {
                for line in lines {
                    headers.append(SET_COOKIE, line);
                }
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                vary_by_cookie(headers);
            }
            Err(error) => tracing::error!(%error, note = "they were left as they are", "cookies_not_written"),
        }
    }

    /// A handler's order in the place of the gate's own. Where somebody was renewed, what was just earned must reach the browser
    /// whatever else the handler has for it.
    pub(crate) fn instead_of(self, own: Self) -> Self {
        match (self, own) {
            (Self::SetAccess { token, .. }, Self::Set(mut issued)) => {
                issued.access_token = token;
                Self::Set(issued)
            }
            (Self::SetDevice(device), Self::Set(mut issued)) => {
                issued.device = Some(device);
                Self::Set(issued)
            }
            (order, _) => order,
        }
    }

    fn lines(&self, cookies: &CookieSettings, now: Timestamp) -> Result<Vec<HeaderValue>, UnfitToken> {
        match self {
            Self::Keep => Ok(vec![]),
            Self::Set(issued) => {
                let max_age = issued.persistence.max_age(issued.refresh_expires, now);
                let mut lines = vec![
                    cookies.set(Cookie::Access, &issued.access_token, max_age)?,
                    cookies.set(Cookie::Refresh, &issued.refresh_token, max_age)?,
                ];
                if let Some(device) = &issued.device {
                    lines.push(device.line(cookies)?);
                }
                Ok(lines)
            }
            Self::SetAccess { token, persistence, expires } => {
                Ok(vec![cookies.set(Cookie::Access, token, persistence.max_age(*expires, now))?])
            }
            Self::SetDevice(device) => Ok(vec![device.line(cookies)?]),
            Self::Clear => Ok(vec![cookies.clear(Cookie::Access)?, cookies.clear(Cookie::Refresh)?]),
        }
    }
}

impl DeviceToken {
    fn line(&self, cookies: &CookieSettings) -> Result<HeaderValue, UnfitToken> {
        cookies.set(Cookie::Device, &self.token, Some(self.max_age.as_secs()))
    }
}

impl Persistence {
    /// `Max-Age` in seconds of a cookie that lives until `expires`; none for one that dies with the browser.
    #[must_use]
    pub fn max_age(self, expires: Timestamp, now: Timestamp) -> Option<u64> {
        match self {
            Self::Browser => None,
            Self::Remembered => Some(u64::try_from(expires.millis_since(now) / 1000).unwrap_or_default()),
        }
    }
}

/// Adds `Cookie` to `Vary`, in one line, unless it is there already.
fn vary_by_cookie(headers: &mut HeaderMap) {
    let mut names: Vec<String> = Vec::new();
    for line in headers.get_all(VARY) {
        // A line that is no text cannot be merged; it stays, and ours is appended to it.
        let Ok(line) = line.to_str() else {
            headers.append(VARY, HeaderValue::from_static("Cookie"));
            return;
        };
        names.extend(line.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()));
    }
    if names.iter().any(|name| name == "*" || name.eq_ignore_ascii_case("cookie")) {
        return;
    }
    names.push("Cookie".to_owned());
    if let Ok(line) = HeaderValue::try_from(names.join(", ")) {
        headers.insert(VARY, line);
    }
}
