//! Bodies: a form or JSON, read into one type, at most 64 KiB and within eight seconds.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::error::{Code, Problem};

/// Most bytes of a body.
pub const MOST: usize = 64 * 1024;
/// A body has to be here after so long.
const SLOWEST: Duration = Duration::from_secs(8);

/// Most bytes of a request's head: names and values of its headers, and its target.
pub const MOST_HEAD: usize = 32 * 1024;

/// Refuses a head that is too large. The server's own buffer is a little larger than what it reads at once, so that its limit
/// alone would let some through.
pub async fn limit_head(request: Request, next: Next) -> Response {
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if headers.sum::<usize>() + target > MOST_HEAD {
        return Problem::new(Code::TooLarge).into_response();
    }
    next.run(request).await
}

/// What was typed, from a form or from JSON. Unknown members are ignored and have no effect; a member that occurs twice, or
/// is of the wrong type, is refused.
pub struct Input<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = Kind::of(&request)?;
        let body = tokio::time::timeout(SLOWEST, Bytes::from_request(request, state))
            .await
            .map_err(|_| Problem::new(Code::Malformed))?
            .map_err(|rejection| {
                let too_large = rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE;
                Problem::new(if too_large { Code::TooLarge } else { Code::Malformed })
            })?;
        let read = match kind {
            // The brace is asked for because serde would also take a list with the members in their order.
            // All of it is UTF-8, also what is ignored (RFC 8259 section 8.1).
            Kind::Json if body.trim_ascii_start().first() == Some(&b'{') => {
                std::str::from_utf8(&body).ok().and_then(|text| serde_json::from_str(text).ok())
            }
            Kind::Json => None,
            Kind::Urlencoded => serde_urlencoded::from_bytes(&body).ok(),
            Kind::None if body.is_empty() => serde_urlencoded::from_bytes(b"").ok(),
            Kind::None => return Err(Problem::new(Code::UnsupportedMediaType)),
        };
        // What the parser says may repeat what was sent, and is not passed on.
        read.map(Self).ok_or_else(|| Problem::new(Code::Malformed))
    }
}

enum Kind {
    Json,
    Urlencoded,
    None,
}

impl Kind {
    fn of(request: &Request) -> Result<Self, Problem> {
        let mut lines = request.headers().get_all(CONTENT_TYPE).into_iter();
        let (Some(line), None) = (lines.next(), lines.next()) else {
            let none = request.headers().get(CONTENT_TYPE).is_none();
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

/// A box that may be ticked: `true` in JSON, any value but an empty one, `0`, `off` and `false` in a form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
