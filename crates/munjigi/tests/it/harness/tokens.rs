//! Tokens as an attacker takes them apart and puts them together.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use munjigi::gate::SigningKey;
use munjigi::gate::jws;
use serde_json::Value;

pub(crate) fn header_of(token: &str) -> Value {
    part(token, 0)
}

pub(crate) fn claims_of(token: &str) -> Value {
    part(token, 1)
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A token of this kind and content, signed by an attacker's own key.
pub(crate) fn forged_by(key: &SigningKey, typ: &str, claims: &Value) -> String {
    jws::sign(key, typ, claims).unwrap()
}

/// Header and claims of one's own before the signature of `token`.
pub(crate) fn spliced(token: &str, header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", encode(header), encode(claims), token.rsplit('.').next().unwrap())
}
