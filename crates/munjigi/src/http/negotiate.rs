//! In what form and in what language somebody wants to be answered (RFC 9110 section 12).

use http::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE};
use http::{HeaderMap, Method};

use crate::pages::{Lang, Languages};

/// Name of the cookie that remembers a chosen language. With https nobody but this host can have set it.
#[must_use]
pub const fn language_cookie(https: bool) -> &'static str {
    if https { "__Host-munjigi-language" } else { "munjigi-language" }
}

/// Whether a cookie, `name=value`, is that one, of this host or of the same host before it had https.
#[must_use]
pub fn is_language_cookie(pair: &[u8]) -> bool {
    [true, false].iter().any(|https| {
        pair.strip_prefix(language_cookie(*https).as_bytes())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"="))
    })
}

/// For people or for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// HTML, and redirects.
    Page,
    /// JSON.
    Json,
}

/// Who reads the answer; a request extension.
#[derive(Clone, Debug)]
pub struct Reader {
    /// In what form.
    pub form: Form,
    /// In what language.
    pub lang: Lang,
    /// The language was chosen in this very request, and shall stick.
    pub chosen: Option<Lang>,
}

/// Paths that only programs use: always JSON.
const FOR_PROGRAMS: [&str; 6] = ["/api/", "/auth/", "/.well-known/", "/healthz", "/readyz", "/openapi.json"];

impl Reader {
    /// Reads it off a request.
    #[must_use]
    pub fn of<B>(languages: &Languages, https: bool, request: &http::Request<B>) -> Self {
        let (uri, headers) = (request.uri(), request.headers());
        let asked = uri.query().and_then(|query| {
            serde_urlencoded::from_str::<Vec<(String, String)>>(query)
                .ok()?
                .into_iter()
                .find(|(name, _)| name == "lang")
        });
        let asked = asked.map(|(_, value)| value);
        let chosen = asked.as_deref().and_then(|tag| languages.find(tag));
        let lang = chosen.unwrap_or_else(|| {
            languages.negotiate(cookie(headers, language_cookie(https)), text(headers, ACCEPT_LANGUAGE))
        });
        Self { form: form(request.method(), uri.path(), headers), lang, chosen }
    }
}

/// GET: JSON only if it is preferred to HTML, so that `*/*` gets the page. Others: the kind of their body, unless `Accept`
/// names the other.
fn form(method: &Method, path: &str, headers: &HeaderMap) -> Form {
    if FOR_PROGRAMS.iter().any(|prefix| path.starts_with(prefix)) {
        return Form::Json;
    }
    let accept = Preference::of(text(headers, ACCEPT).unwrap_or_default());
    if method == Method::GET || method == Method::HEAD {
        return accept.named().unwrap_or(Form::Page);
    }
    let body = text(headers, CONTENT_TYPE).unwrap_or_default();
    let of_body = if body.starts_with("application/x-www-form-urlencoded") { Form::Page } else { Form::Json };
    accept.named().unwrap_or(of_body)
}

/// How much HTML and JSON are wanted, where they are named; from 0 to 1.
struct Preference {
    html: Option<f32>,
    json: Option<f32>,
}

impl Preference {
    fn of(accept: &str) -> Self {
        let mut found = Self { html: None, json: None };
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, weight);
            match kind.as_str() {
                "text/html" | "application/xhtml+xml" => found.html = more(found.html, weight),
                "application/json" | "application/problem+json" => found.json = more(found.json, weight),
                _ => {}
            }
        }
        found
    }

    /// Which of the two is named and preferred; HTML if both are alike.
    fn named(&self) -> Option<Form> {
        match (self.html.filter(|q| *q > 0.0), self.json.filter(|q| *q > 0.0)) {
            (None, None) => None,
            (html, json) if json > html => Some(Form::Json),
            _ => Some(Form::Page),
        }
    }
}

fn more(one: Option<f32>, other: f32) -> Option<f32> {
    Some(one.map_or(other, |one| one.max(other)))
}

/// What is no weight wants nothing.
fn weight(q: &str) -> f32 {
    q.parse().ok().filter(|q| (0.0..=1.0).contains(q)).unwrap_or(0.0)
}

fn text(headers: &HeaderMap, name: http::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form_of(method: &Method, accept: &str, content_type: &str) -> Form {
        let mut headers = HeaderMap::new();
        for (name, value) in [(ACCEPT, accept), (CONTENT_TYPE, content_type)] {
            if !value.is_empty() {
                headers.insert(name, value.parse().unwrap());
            }
        }
        form(method, "/user/info", &headers)
    }

    #[test]
    fn get_is_a_page_unless_json_is_preferred() {
        use Form::{Json, Page};
        for (accept, expected) in [
            ("", Page),
            ("*/*", Page),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Page),
            ("application/json", Json),
            ("application/json, text/plain, */*", Json),
            ("application/json;q=0.5, text/html", Page),
            ("application/json, text/html;q=0.5", Json),
            ("application/json, text/html", Page),
            ("application/json;q=0, */*", Page),
            ("application/json;q=rubbish", Page),
        ] {
            assert_eq!(form_of(&Method::GET, accept, ""), expected, "{accept}");
        }
    }

    #[test]
    fn post_is_the_kind_of_its_body_unless_accept_names_the_other() {
        use Form::{Json, Page};
        let (urlencoded, json) = ("application/x-www-form-urlencoded", "application/json");
        for (accept, body, expected) in [
            ("", urlencoded, Page),
            ("*/*", urlencoded, Page),
            ("application/json", urlencoded, Json),
            ("", json, Json),
            ("*/*", json, Json),
            ("text/html", json, Page),
            ("", "", Json),
        ] {
            assert_eq!(form_of(&Method::POST, accept, body), expected, "{accept} {body}");
        }
    }
}
