//! The compact form: `header.payload.signature`, each base64url without padding (RFC 7515 section 3.1).

use std::borrow::{Borrow, Cow};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{Algorithm, SigningKey, VerifyingKey, is_kid};

/// A token is at most so long, in bytes; checked before anything is parsed.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// Why a token was refused. For logs and tests: nobody outside learns more than that it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// More than [`MAX_TOKEN_BYTES`].
    #[error("longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// Not three parts of strict base64url.
    #[error("not three parts of base64url")]
    Shape,
    /// The header is not an object of exactly `alg`, `typ` and `kid`.
    #[error("a header other than alg, typ and kid")]
    Header,
    /// A token of another kind, as `typ` says.
    #[error("a token of another type")]
    Type,
    /// No key of that `kid` in the ring.
    #[error("an unknown key")]
    UnknownKey,
    /// `alg` is not the key's own algorithm.
    #[error("not the algorithm of its key")]
    Algorithm,
    /// The signature is wrong.
    #[error("a wrong signature")]
    Signature,
    /// Signed, but a claim is missing, doubled, wrongly typed or absurd.
    #[error("claims that do not fit")]
    Claims,
    /// Signed, but by another issuer.
    #[error("another issuer")]
    Issuer,
    /// Signed, but for another audience.
    #[error("another audience")]
    Audience,
    /// Signed, but issued in the future, or not good before a time in the future.
    #[error("issued in the future, or not good yet")]
    NotYet,
}

/// Why a token could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The claims cannot be written as JSON.
    #[error("the claims cannot be written as JSON")]
    Claims(#[source] serde_json::Error),
    /// The token would have more than [`MAX_TOKEN_BYTES`], and be refused by whoever checks it.
    #[error("the token would be longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// The cryptographic library failed.
    #[error("the signature could not be made")]
    Failed,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    typ: Cow<'a, str>,
    #[serde(borrow)]
    kid: Cow<'a, str>,
}

/// Signs `claims` as a token of type `typ` (RFC 7515 section 5.1).
///
/// # Errors
/// Where the claims are no JSON, or too many, or the library fails.
pub fn sign(key: &SigningKey, typ: &str, claims: &impl Serialize) -> Result<String, SignError> {
    let header = Header { alg: key.algorithm().name().into(), typ: typ.into(), kid: key.kid().into() };
    let mut token = String::with_capacity(640);
    URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(&header).map_err(SignError::Claims)?, &mut token);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims).map_err(SignError::Claims)?, &mut token);
    let signature = key.signature(token.as_bytes()).ok_or(SignError::Failed)?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    if token.len() > MAX_TOKEN_BYTES { Err(SignError::TooLong) } else { Ok(token) }
}

/// The payload of a token of type `typ` whose signature verifies with the key that `key_for` finds for its `kid`. The
/// payload is not even decoded before that.
///
/// # Errors
/// Says why, for logs and tests.
pub fn open<K: Borrow<VerifyingKey>>(
    token: &str,
    typ: &str,
    key_for: impl Fn(&str) -> Option<K>,
) -> Result<Vec<u8>, Refused> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Refused::TooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Refused::Shape)?;
    let (header, payload) = signed.split_once('.').ok_or(Refused::Shape)?;
    if payload.contains('.') || [header, payload, signature].contains(&"") {
        return Err(Refused::Shape);
    }
    let header = decode(header)?;
    let header: Header<'_> = object(&header).ok_or(Refused::Header)?;
    if header.typ != typ {
        return Err(Refused::Type);
    }
    let algorithm = header.alg.parse::<Algorithm>().map_err(|_| Refused::Header)?;
    if !is_kid(&header.kid) {
        return Err(Refused::Header);
    }
    let signature = decode(signature)?;
    let key = key_for(&header.kid).ok_or(Refused::UnknownKey)?;
    let key: &VerifyingKey = key.borrow();
    if key.kid() != header.kid || key.algorithm() != algorithm {
        return Err(Refused::Algorithm);
    }
    if !key.verifies(signed.as_bytes(), &signature) {
        return Err(Refused::Signature);
    }
    decode(payload)
}

/// Strict base64url: no padding, no white space, no stray bits at the end, so that there is one spelling for each value.
fn decode(part: &str) -> Result<Vec<u8>, Refused> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Shape)
}

/// Reads a JSON object. The brace is asked for because serde would also take an array with the members in their order, and
/// UTF-8 throughout because serde does not look into members that it passes over (RFC 8259 section 8.1). Of a member that is
/// known and there twice neither is believed: nothing is read.
#[must_use]
pub fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    let text = str::from_utf8(json).ok().filter(|text| text.starts_with('{'))?;
    serde_json::from_str(text).ok()
}
