//! Cookies: what a request shows, what is taken off it, and what is set. Each line of the input is a `Cookie` line; the first one is
//! also tried as a token and as a domain.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use munjigi_gate::cookies::{Cookie, strip};
use munjigi_gate::{CookieSettings, SameSite};

use super::bytes::line;

const OURS: [&str; 9] = [
    "accessToken",
    "refreshToken",
    "deviceToken",
    "__Host-accessToken",
    "__Host-refreshToken",
    "__Host-deviceToken",
    "__Secure-accessToken",
    "__Secure-refreshToken",
    "__Secure-deviceToken",
];

fn settings() -> [CookieSettings; 3] {
    [
        CookieSettings::new(false, None, SameSite::Lax),
        CookieSettings::new(true, None, SameSite::Strict),
        CookieSettings::new(true, Some("example.com".to_owned()), SameSite::Lax),
    ]
}

fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

/// Names and values the plain way: at each semicolon, and at the first equals sign; nothing is unquoted or decoded.
fn parts(headers: &HeaderMap) -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let lines = headers.get_all(COOKIE).iter();
    let parts = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let read = parts.map(|part| {
        let mut halves = part.splitn(2, |byte| *byte == b'=');
        let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        (trim(name).to_vec(), trim(value).to_vec(), trim(part).to_vec())
    });
    read.collect()
}

fn is_token(value: &str) -> bool {
    !value.is_empty() && value.chars().all(|c| matches!(c, 'A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '_' | '.'))
}

/// The only value under a name, if it can be a token.
fn only(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = parts(headers).into_iter().filter(|(found, ..)| found == name.as_bytes());
    match (values.next(), values.next()) {
        (Some((_, value, _)), None) => String::from_utf8(value).ok().filter(|value| is_token(value)),
        _ => None,
    }
}

fn reading_holds(headers: &HeaderMap, settings: &CookieSettings) {
    let shown = settings.read(headers);
    assert_eq!(shown.access().map(str::to_owned), only(headers, &settings.access_name));
    assert_eq!(shown.refresh().map(str::to_owned), only(headers, &settings.refresh_name));
    assert_eq!(settings.device(headers).map(str::to_owned), only(headers, &settings.device_name));
    let every: Vec<_> = settings.every(headers).collect();
    assert!(every.iter().all(|value| is_token(value)));
    assert!(shown.access().into_iter().chain(shown.refresh()).all(|value| every.contains(&value)));
    assert_eq!(
        format!("{shown:?}").matches("..").count(),
        usize::from(shown.access().is_some()) + usize::from(shown.refresh().is_some())
    );
}

fn stripping_holds(headers: &HeaderMap) {
    let mut rest = headers.clone();
    strip(&mut rest);
    let ours = |name: &[u8]| OURS.iter().any(|own| own.as_bytes() == name);
    let others = |headers: &HeaderMap| {
        parts(headers).into_iter().map(|(_, _, whole)| whole).filter(|whole| !whole.is_empty()).collect::<Vec<_>>()
    };
    let expected: Vec<_> = parts(headers)
        .into_iter()
        .filter(|(name, _, whole)| !ours(name) && !whole.is_empty())
        .map(|(_, _, whole)| whole)
        .collect();
    assert_eq!(others(&rest), expected, "all of ours goes, and nothing else");
    assert!(!parts(&rest).iter().any(|(name, ..)| ours(name)));
    if !parts(headers).iter().any(|(name, ..)| ours(name)) {
        assert_eq!(&rest, headers, "where nothing is ours, nothing changes");
    }
    let mut twice = rest.clone();
    strip(&mut twice);
    assert_eq!(twice, rest);
}

/// A line of `Set-Cookie` says what it should and nothing more, whatever the token.
fn setting_holds(settings: &CookieSettings, token: &str) {
    let set = settings.set(Cookie::Access, token, Some(60));
    assert_eq!(set.is_ok(), is_token(token), "{token:?}");
    let Ok(line) = set else { return };
    let line = line.to_str().expect("text");
    let mut attributes: Vec<_> = line.split("; ").collect();
    let pair = attributes.remove(0);
    assert_eq!(pair, format!("{}={token}", settings.access_name));
    let same_site = if settings.same_site == SameSite::Strict { "SameSite=Strict" } else { "SameSite=Lax" };
    let mut expected = vec!["Path=/", "HttpOnly", same_site];
    expected.extend(settings.secure.then_some("Secure"));
    expected.extend(settings.domain.as_ref().map(|_| "Domain=example.com"));
    expected.push("Max-Age=60");
    assert_eq!(attributes, expected);
    let mut sent = HeaderMap::new();
    sent.insert(COOKIE, HeaderValue::from_str(&format!("theme=dark; {pair}")).unwrap());
    assert_eq!(settings.read(&sent).access(), Some(token), "what is set comes back");
}

pub(super) fn holds(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(8) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(COOKIE, value);
        }
    }
    let first = String::from_utf8_lossy(line(data).0);
    for settings in settings() {
        reading_holds(&headers, &settings);
        setting_holds(&settings, &first);
    }
    stripping_holds(&headers);
    // A domain never breaks out of its line into a second one.
    let settings = CookieSettings::new(true, Some(first.into_owned()), SameSite::Lax);
    if let Ok(line) = settings.clear(Cookie::Refresh) {
        assert!(!line.as_bytes().contains(&b'\n') && !line.as_bytes().contains(&b'\r'));
        assert!(line.as_bytes().ends_with(b"; Max-Age=0"));
    }
}
