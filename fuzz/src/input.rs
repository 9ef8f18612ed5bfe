//! Bodies: a form or JSON. The first line is the content type, the rest is the body.

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use munjigi::http::input::{self, Ticked};
use serde::{Deserialize, Serialize};

use super::bytes::line;
use super::json::{is_doubled, read_otherwise};

/// What the forms for people look like.
#[derive(Deserialize, Serialize, Debug, Default, PartialEq)]
#[serde(default)]
struct Typed {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(serialize_with = "as_truth")]
    remember: Ticked,
    #[serde(alias = "returnTo", skip_serializing_if = "Option::is_none")]
    return_to: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn as_truth<S: serde::Serializer>(ticked: &Ticked, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(ticked.0)
}

fn read(kind: Option<HeaderValue>, body: &[u8]) -> Option<Typed> {
    let headers = kind.into_iter().map(|kind| (CONTENT_TYPE, kind)).collect();
    input::read(&headers, body).ok()
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// What was read from JSON is what another reader reads, and nothing stood there twice.
fn json_holds(body: &[u8], typed: &Typed) {
    assert!(std::str::from_utf8(body).is_ok(), "JSON is UTF-8 (RFC 8259 section 8.1)");
    let Some(said) = read_otherwise(body) else { return };
    assert!(said.is_object());
    for (member, value) in [("username", &typed.username), ("password", &typed.password)] {
        assert_eq!(said[member].as_str(), value.as_deref(), "{member}");
        assert!(!is_doubled(body, member), "{member} twice");
    }
    let either = [&said["return_to"], &said["returnTo"]].map(|value| value.as_str().is_some());
    assert!(either != [true, true], "two names for one member");
}

/// What was read from a form is what another reader reads, and nothing stood there twice.
fn form_holds(body: &[u8], typed: &Typed) {
    let pairs: Vec<_> = url::form_urlencoded::parse(body).collect();
    let every = |names: &[&str]| {
        pairs.iter().filter(|(name, _)| names.contains(&&**name)).map(|(_, value)| &**value).collect::<Vec<_>>()
    };
    for (names, value) in [
        (&["username"][..], &typed.username),
        (&["password"], &typed.password),
        (&["return_to", "returnTo"], &typed.return_to),
    ] {
        assert_eq!(every(names), value.as_deref().into_iter().collect::<Vec<_>>(), "{names:?}");
    }
    assert!(every(&["remember"]).len() <= 1);
}

pub(super) fn holds(data: &[u8]) {
    let (kind, body) = line(data);
    let Ok(kind) = HeaderValue::from_bytes(kind) else { return };
    let essence = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let read_as = (!kind.is_empty()).then_some(kind);
    let Some(typed) = read(read_as, body) else { return };
    match essence.as_str() {
        "application/json" => json_holds(body, &typed),
        "application/x-www-form-urlencoded" => form_holds(body, &typed),
        other => assert!(other.is_empty() && body.is_empty(), "a body of {other:?} was read"),
    }
    // Said again as a form and as JSON, it is the same.
    let json = serde_json::to_vec(&typed).unwrap();
    assert_eq!(read(Some(JSON), &json).as_ref(), Some(&typed));
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in [("username", &typed.username), ("password", &typed.password), ("returnTo", &typed.return_to)]
    {
        if let Some(value) = value {
            form.append_pair(name, value);
        }
    }
    form.append_pair("remember", if typed.remember.0 { "on" } else { "" });
    assert_eq!(read(Some(FORM), form.finish().as_bytes()).as_ref(), Some(&typed));
}
