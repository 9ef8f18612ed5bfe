//! Tokens that are signed as they should be, over whatever one likes.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// A compact JWS over any two parts, with a signature that is right.
pub(super) fn hs256(secret: &[u8], header: &[u8], payload: &[u8]) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Whether a header says exactly `alg` HS256, and this `typ` and `kid`, once each and nothing else: read the long way round.
pub(super) fn is_plain_header(header: &[u8], typ: &str, kid: &str) -> bool {
    let Ok(Value::Object(members)) = serde_json::from_slice(header) else { return false };
    let right = [("alg", "HS256"), ("typ", typ), ("kid", kid)];
    let said = right.iter().all(|(name, value)| members.get(*name).and_then(Value::as_str) == Some(*value));
    // Three members and their values; none of them has a quotation mark in it. A doubled member would show here.
    let tight = header.first() == Some(&b'{');
    tight && said && members.len() == right.len() && header.iter().filter(|byte| **byte == b'"').count() == 12
}
