//! Bodies: a form or JSON, read into one type, at most 64 KiB and within `server.client_timeout`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Bytes, HttpBody as _};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroize as _;

use super::error::{Code, Problem};
use super::negotiate::{Form, Reader};
use crate::app::App;

/// Most bytes of a body.
pub const MOST: usize = 64 * 1024;
/// A body has to be here after so long in any case, so that its refusal is said before the request as a whole is given up.
const SLOWEST: Duration = Duration::from_secs(8);

/// Most bytes of a request's head: names and values of its headers, and its target.
pub const MOST_HEAD: usize = 32 * 1024;

/// Refuses a head that is too large, or that the proxy before us may have read in another way than we do. The server's own
/// buffer is a little larger than what it reads at once, so that its limit alone would let some through.
pub async fn check_head(request: Request, next: Next) -> Response {
    if is_ambiguous(request.headers()) {
        // What follows on this connection may be somebody else's: nothing of it is read.
        return ([(CONNECTION, "close")], Problem::new(Code::Malformed)).into_response();
    }
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if headers.sum::<usize>() + target > MOST_HEAD {
        return Problem::new(Code::TooLarge).into_response();
    }
    next.run(request).await
}

/// Whether it is open where the body ends or whom it is for (RFC 9112, sections 3.2 and 6.1): `Transfer-Encoding` is nothing but
/// `chunked`, once, and `Host` is there at most once. (Lengths that differ, and a length beside a coding, end in the parser.)
fn is_ambiguous(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).into_iter();
    let coding = codings.next();
    let chunked = coding.is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    !chunked || codings.next().is_some() || headers.get_all(HOST).into_iter().nth(1).is_some()
}

/// What was typed, from a form or from JSON. Unknown members are ignored and have no effect; a member that occurs twice, or
/// is of the wrong type, is refused.
pub struct Input<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let kind = Kind::of(request.headers())?;
        // Nobody is asked to send what would not be read.
        if request.body().size_hint().lower() > MOST as u64 {
            return Err(Problem::new(Code::TooLarge));
        }
        let slowest = app.site.client_timeout.min(SLOWEST);
        let body = tokio::time::timeout(slowest, Bytes::from_request(request, app))
            .await
            .map_err(|_| Problem::new(Code::Malformed))?
            .map_err(|rejection| {
                let too_large = rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE;
                Problem::new(if too_large { Code::TooLarge } else { Code::Malformed })
            })?;
        let read = kind.read(&body);
        // There may be a password in it, and nobody else holds it unless it shares the connection's buffer.
        if let Ok(mut body) = body.try_into_mut() {
            body.as_mut().zeroize();
        }
        read.map(Self)
    }
}

/// The same from JSON alone, for routes that only programs use. A page of another site cannot send it unasked.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        if matches!(Kind::of(request.headers())?, Kind::Urlencoded) {
            return Err(Problem::new(Code::UnsupportedMediaType));
        }
        Input::from_request(request, app).await.map(|Input(read)| Self(read))
    }
}

/// Reads a body of the kind that its headers name: [`Input`] without the waiting.
///
/// # Errors
/// [`Code::UnsupportedMediaType`], or [`Code::Malformed`].
pub fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    Kind::of(headers)?.read(body)
}

enum Kind {
    Json,
    Urlencoded,
    None,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        // Nothing is unpacked here: a few bytes could become very many.
        let coded = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
        if headers.get_all(CONTENT_ENCODING).iter().any(coded) {
            return Err(Problem::new(Code::UnsupportedMediaType));
        }
        let mut lines = headers.get_all(CONTENT_TYPE).into_iter();
        let (Some(line), None) = (lines.next(), lines.next()) else {
            let none = headers.get(CONTENT_TYPE).is_none();
            return if none { Ok(Self::None) } else { Err(Problem::new(Code::UnsupportedMediaType)) };
        };
        let essence =
            line.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/json" => Ok(Self::Json),
            "application/x-www-form-urlencoded" => Ok(Self::Urlencoded),
            _ => Err(Problem::new(Code::UnsupportedMediaType)),
        }
    }

    fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Problem> {
        let read = match self {
            // The brace is asked for because serde would also take a list with the members in their order, and UTF-8
            // throughout because it does not look into members that it passes over (RFC 8259 section 8.1).
            Self::Json if body.trim_ascii_start().first() == Some(&b'{') => {
                std::str::from_utf8(body).ok().and_then(|text| serde_json::from_str(text).ok())
            }
            Self::Json => None,
            Self::Urlencoded => serde_urlencoded::from_bytes(body).ok(),
            Self::None if body.is_empty() => serde_urlencoded::from_bytes(b"").ok(),
            Self::None => return Err(Problem::new(Code::UnsupportedMediaType)),
        };
        // What the parser says may repeat what was sent, and is not passed on.
        read.ok_or_else(|| Problem::new(Code::Malformed))
    }
}

/// What may follow the address of a page. What cannot be read is not there: a link with a typing error still leads.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(serde_urlencoded::from_str(query).unwrap_or_default()))
    }
}

/// What the language switch sends along with a form: the tag of a language, in which the page is wanted with what was typed. Nothing
/// else is to be done then.
#[derive(Debug, Default)]
pub struct Keep(Option<String>);

impl Keep {
    /// Whether it is there. A program, and a form that has a field of that name for something else, does not mean it.
    #[must_use]
    pub fn is_asked(&self, app: &App, reader: &Reader) -> bool {
        let names_a_language = |tag: &String| app.pages.languages().find(tag).is_some();
        reader.form == Form::Page && self.0.as_ref().is_some_and(names_a_language)
    }
}

impl<'de> Deserialize<'de> for Keep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(String),
            Other(IgnoredAny),
        }
        Ok(Self(match Either::deserialize(deserializer)? {
            Either::Text(text) => Some(text),
            Either::Other(_) => None,
        }))
    }
}

/// A box that may be ticked: `true` in JSON, any value but an empty one, `0`, `off` and `false` in a form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ticked(pub bool);

impl<'de> Deserialize<'de> for Ticked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Truth(bool),
            Text(String),
            Nothing(()),
        }
        Ok(Self(match Either::deserialize(deserializer)? {
            Either::Truth(truth) => truth,
            Either::Nothing(()) => false,
            Either::Text(text) => !matches!(text.as_str(), "" | "0" | "off" | "false"),
        }))
    }
}
