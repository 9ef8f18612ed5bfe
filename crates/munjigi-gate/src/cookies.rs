//! The cookies: their names, how they are read, taken off a request, and written (section 8).
//!
//! | public URL | domain | names | attributes |
//! | --- | --- | --- | --- |
//! | http | any | `accessToken`, `refreshToken`, `deviceToken` | (`Domain` where set) |
//! | https | none | `__Host-accessToken`, … | `Secure` |
//! | https | set | `__Secure-accessToken`, … | `Secure`, `Domain` |
//!
//! Where a prefix is in force, names without it are ignored: only the prefix keeps a neighbouring host, or somebody on a
//! plain connection, from planting a cookie (RFC 6265bis, section 4.1.3).

use std::fmt::Write as _;

use http::header::{COOKIE, Entry, InvalidHeaderValue};
use http::{HeaderMap, HeaderValue};

/// Without a prefix.
const ACCESS: &str = "accessToken";
const REFRESH: &str = "refreshToken";
const DEVICE: &str = "deviceToken";
const PREFIXES: [&str; 3] = ["", "__Host-", "__Secure-"];

/// When a browser sends a cookie along with requests that other sites started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// When somebody follows a link to us.
    Lax,
    /// Never.
    Strict,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// Carries the access token.
    Access,
    /// Carries the refresh token.
    Refresh,
    /// Carries the device token: somebody has logged in from this browser before. Signs nobody in.
    Device,
}

/// A token, or the domain, cannot stand in a cookie.
#[derive(Debug, thiserror::Error)]
pub enum UnfitToken {
    /// Something other than letters, digits, `-`, `_` and `.`.
    #[error("a token that cannot stand in a cookie")]
    Token,
    /// The domain of the settings.
    #[error("a domain that cannot stand in a cookie")]
    Domain(#[source] InvalidHeaderValue),
}

/// How our cookies are called and what they say beside the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieSettings {
    /// The name of the access token's cookie, with the prefix.
    pub access_name: String,
    /// The name of the refresh token's cookie, with the prefix.
    pub refresh_name: String,
    /// The name of the device token's cookie, with the prefix.
    pub device_name: String,
    /// Whether they travel over TLS only.
    pub secure: bool,
    /// Which hosts below this domain get them too; none: only the host that set them.
    pub domain: Option<String>,
    /// Whether requests that other sites start carry them.
    pub same_site: SameSite,
}

impl CookieSettings {
    /// For a public URL that is `https` or not, and a domain if the cookies are to be shared below one.
    #[must_use]
    pub fn new(https: bool, domain: Option<String>, same_site: SameSite) -> Self {
        let prefix = match (https, &domain) {
            (false, _) => "",
            (true, None) => "__Host-",
            (true, Some(_)) => "__Secure-",
        };
        Self {
            access_name: format!("{prefix}{ACCESS}"),
            refresh_name: format!("{prefix}{REFRESH}"),
            device_name: format!("{prefix}{DEVICE}"),
            secure: https,
            domain,
            same_site,
        }
    }

    /// Our tokens on a request. One that is there twice, in one header or in several, counts as absent: which of the two
    /// is ours cannot be said. So does a value that no token can have.
    #[must_use]
    pub fn read<'h>(&self, headers: &'h HeaderMap) -> Shown<'h> {
        let (mut access, mut refresh) = (Seen::Absent, Seen::Absent);
        for (name, value) in headers.get_all(COOKIE).iter().flat_map(|line| pairs(line.as_bytes())) {
            if name == self.access_name.as_bytes() {
                access = access.and(value);
            } else if name == self.refresh_name.as_bytes() {
                refresh = refresh.and(value);
            }
        }
        Shown { access, refresh }
    }

    /// The device token on a request, in the same way.
    #[must_use]
    pub fn device<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let pairs = headers.get_all(COOKIE).iter().flat_map(|line| pairs(line.as_bytes()));
        let own = pairs.filter(|(name, _)| *name == self.device_name.as_bytes());
        own.fold(Seen::Absent, |seen, (_, value)| seen.and(value)).token()
    }

    /// Every value under the names of the access and the refresh token, however often it is there: log-out ends whatever it can.
    pub fn every<'h>(&self, headers: &'h HeaderMap) -> impl Iterator<Item = &'h str> {
        let ours = [self.access_name.clone(), self.refresh_name.clone()];
        let pairs = headers.get_all(COOKIE).iter().flat_map(|line| pairs(line.as_bytes()));
        pairs
            .filter(move |(name, value)| {
                ours.iter().any(|own| own.as_bytes() == *name) && !value.is_empty() && is_plain(value)
            })
            .filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The `Set-Cookie` line for a token. `max_age` in seconds; none for a cookie that dies with the browser.
    ///
    /// # Errors
    /// [`UnfitToken`]: nothing that we issue.
    pub fn set(&self, cookie: Cookie, token: &str, max_age: Option<u64>) -> Result<HeaderValue, UnfitToken> {
        if token.is_empty() || !is_plain(token.as_bytes()) {
            return Err(UnfitToken::Token);
        }
        self.line(cookie, token, max_age)
    }

    /// The `Set-Cookie` line that takes a cookie away. Its attributes are the same, or browsers would not find it.
    ///
    /// # Errors
    /// [`UnfitToken::Domain`].
    pub fn clear(&self, cookie: Cookie) -> Result<HeaderValue, UnfitToken> {
        self.line(cookie, "", Some(0))
    }

    /// The name of a cookie, with the prefix.
    #[must_use]
    pub fn name(&self, cookie: Cookie) -> &str {
        match cookie {
            Cookie::Access => &self.access_name,
            Cookie::Refresh => &self.refresh_name,
            Cookie::Device => &self.device_name,
        }
    }

    fn line(&self, cookie: Cookie, value: &str, max_age: Option<u64>) -> Result<HeaderValue, UnfitToken> {
        let same_site = match self.same_site {
            SameSite::Lax => "Lax",
            SameSite::Strict => "Strict",
        };
        let mut line = format!("{}={value}; Path=/; HttpOnly; SameSite={same_site}", self.name(cookie));
        if self.secure {
            line.push_str("; Secure");
        }
        if let Some(domain) = &self.domain {
            line.push_str("; Domain=");
            line.push_str(domain);
        }
        if let Some(seconds) = max_age {
            // Writing to a string cannot fail.
            let _ = write!(line, "; Max-Age={seconds}");
        }
        let mut line = HeaderValue::try_from(line).map_err(UnfitToken::Domain)?;
        line.set_sensitive(true);
        Ok(line)
    }
}

/// The tokens that a request's cookies show, unverified. Each is looked at only when it is asked for: while an access token is
/// good, nobody asks for the refresh token.
#[derive(Clone, Copy)]
pub struct Shown<'h> {
    access: Seen<'h>,
    refresh: Seen<'h>,
}

impl<'h> Shown<'h> {
    /// The access token.
    #[must_use]
    pub fn access(&self) -> Option<&'h str> {
        self.access.token()
    }

    /// The refresh token.
    #[must_use]
    pub fn refresh(&self) -> Option<&'h str> {
        self.refresh.token()
    }
}

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown")
            .field("access", &self.access().map(|_| ".."))
            .field("refresh", &self.refresh().map(|_| ".."))
            .finish()
    }
}

#[derive(Clone, Copy)]
enum Seen<'h> {
    Absent,
    Once(&'h [u8]),
    Twice,
}

impl<'h> Seen<'h> {
    fn and(self, value: &'h [u8]) -> Self {
        match self {
            Self::Absent => Self::Once(value),
            Self::Once(_) | Self::Twice => Self::Twice,
        }
    }

    fn token(self) -> Option<&'h str> {
        match self {
            Self::Once(value) if !value.is_empty() && is_plain(value) => std::str::from_utf8(value).ok(),
            Self::Absent | Self::Once(_) | Self::Twice => None,
        }
    }
}

/// Takes our cookies off a request, under any prefix and however often they are there. Other cookies stay as they are,
/// to the byte; a header of which nothing is left goes.
pub fn strip(headers: &mut HeaderMap) {
    let Entry::Occupied(mut lines) = headers.entry(COOKIE) else { return };
    if lines.iter().nth(1).is_none() {
        // The usual case, without a list.
        match without_ours(lines.get()) {
            Rest::All => {}
            Rest::Some(rest) => *lines.get_mut() = rest,
            Rest::Nothing => drop(lines.remove()),
        }
        return;
    }
    let kept = |line: &HeaderValue| match without_ours(line) {
        Rest::All => Some(line.clone()),
        Rest::Some(rest) => Some(rest),
        Rest::Nothing => None,
    };
    let rest: Vec<HeaderValue> = lines.iter().filter_map(kept).collect();
    lines.remove();
    for line in rest {
        headers.append(COOKIE, line);
    }
}

/// What is left of a line without our cookies.
enum Rest {
    /// None of ours was there.
    All,
    Some(HeaderValue),
    Nothing,
}

fn without_ours(line: &HeaderValue) -> Rest {
    let mut kept: Vec<u8> = Vec::new();
    let mut found = false;
    let line = line.as_bytes();
    let mut at = 0;
    for part in parts(line) {
        if is_our_name(pair(part).0) {
            // Until the first of ours nothing is copied: mostly it comes first, or there is none.
            if !found && let Some(before) = line.get(..at).and_then(|before| before.strip_suffix(b";")) {
                kept.extend_from_slice(before);
            }
            found = true;
        } else if found {
            if !kept.is_empty() {
                kept.push(b';');
            }
            // What followed one of ours now comes first, and starts without the space between two cookies.
            kept.extend_from_slice(if kept.is_empty() { part.trim_ascii_start() } else { part });
        }
        at += part.len() + 1;
    }
    match (found, kept.trim_ascii().is_empty()) {
        (false, _) => Rest::All,
        (true, true) => Rest::Nothing,
        (true, false) => HeaderValue::try_from(kept).map_or(Rest::Nothing, Rest::Some),
    }
}

fn is_our_name(name: &[u8]) -> bool {
    let bare = PREFIXES.iter().rev().find_map(|prefix| name.strip_prefix(prefix.as_bytes())).unwrap_or(name);
    [ACCESS, REFRESH, DEVICE].iter().any(|own| own.as_bytes() == bare)
}

fn pairs(line: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    parts(line).map(pair)
}

/// The line at its semicolons. Tokens are long, and this is done on every request: hence not byte by byte.
fn parts(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let end = memchr::memchr(b';', line).unwrap_or(line.len());
        rest = line.get(end + 1..);
        line.get(..end)
    })
}

/// Name and value, without the white space around them. A part without `=` is a name without a value.
fn pair(part: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'=', part).and_then(|at| part.split_at_checked(at)) {
        Some((name, value)) => (name.trim_ascii(), value.strip_prefix(b"=").unwrap_or(value).trim_ascii()),
        None => (part.trim_ascii(), b""),
    }
}

/// Whether these are bytes of a token in its compact form. Looks at all of them without a branch, which compilers turn
/// into a few instructions for many bytes.
fn is_plain(value: &[u8]) -> bool {
    value.iter().fold(true, |plain, byte| {
        plain & (byte.is_ascii_alphanumeric() | (*byte == b'-') | (*byte == b'_') | (*byte == b'.'))
    })
}
