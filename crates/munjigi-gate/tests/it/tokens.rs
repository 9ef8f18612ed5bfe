//! The strict form of a token: what opens, and where the bounds are. What must never open is in `attacks`.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use munjigi_gate::jws::{self, Algorithm, MAX_TOKEN_BYTES, Refused, SignError, SigningKey, VerifyingKey};
use serde_json::json;

use crate::support::*;

fn open(token: &str) -> Result<Vec<u8>, Refused> {
    let key = KEY.verifying_key();
    jws::open(token, "at+jwt", |kid| (kid == key.kid()).then_some(&key))
}

/// A token with this header, signed with a shared secret, so that only the header can be wrong.
fn with_header(header: &str) -> (String, VerifyingKey) {
    let secret = [7; 32];
    let key = SigningKey::from_bytes(Algorithm::Hs256, "hs", &secret).unwrap().verifying_key();
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(r#"{"a":1}"#));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
    (format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag)), key)
}

fn open_with_header(header: &str) -> Result<Vec<u8>, Refused> {
    let (token, key) = with_header(header);
    jws::open(&token, "at+jwt", |kid| (kid == key.kid()).then_some(&key))
}

#[test]
fn every_algorithm_signs_and_opens() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Hs256] {
        let key = SigningKey::generate(algorithm, "k").unwrap();
        let verifying = key.verifying_key();
        let token = jws::sign(&key, "at+jwt", &json!({"a": 1})).unwrap();
        let opened = jws::open(&token, "at+jwt", |_| Some(verifying.clone()));
        assert_eq!(opened.as_deref(), Ok(br#"{"a":1}"#.as_slice()), "{algorithm}");
        let other = SigningKey::generate(algorithm, "k").unwrap().verifying_key();
        assert_eq!(jws::open(&token, "at+jwt", |_| Some(&other)), Err(Refused::Signature), "{algorithm}");
    }
}

#[test]
fn a_header_of_exactly_three_members_opens_in_any_order() {
    assert!(open_with_header(r#"{"alg":"HS256","typ":"at+jwt","kid":"hs"}"#).is_ok());
    assert!(open_with_header(r#"{"kid":"hs","typ":"at+jwt","alg":"HS256"}"#).is_ok());
    assert!(
        open_with_header("{ \"kid\" : \"hs\",\n\t\"typ\":\"at+jwt\", \"alg\":\"HS256\" }").is_ok(),
        "JSON's own white space"
    );
}

#[test]
fn a_key_id_has_1_to_64_plain_characters() {
    for kid in ["", "a b", "../../dev/null", "k'--", "ключ", &"k".repeat(65), "a\0"] {
        assert!(SigningKey::generate(Algorithm::Hs256, kid).is_err(), "{kid}");
    }
    let longest = "k".repeat(64);
    let header = format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{longest}"}}"#);
    assert_eq!(open_with_header(&header), Err(Refused::UnknownKey));
    assert!(SigningKey::generate(Algorithm::Hs256, longest).is_ok());
}

#[test]
fn a_token_of_4096_bytes_is_read_and_one_of_4097_is_not() {
    let of = |bytes: usize| format!("{}.{}.AA", "A".repeat(8), "A".repeat(bytes - 12));
    assert_eq!(of(4096).len(), MAX_TOKEN_BYTES);
    assert_eq!(open(&of(4096)), Err(Refused::Header));
    assert_eq!(open(&of(4097)), Err(Refused::TooLong));
    assert_eq!(open(&"A".repeat(1 << 20)), Err(Refused::TooLong));
}

#[test]
fn a_token_that_would_be_too_long_is_not_made() {
    let claims = json!({ "name": "a".repeat(3100) });
    assert!(matches!(jws::sign(&KEY, "at+jwt", &claims), Err(SignError::TooLong)));
    assert!(open(&jws::sign(&KEY, "at+jwt", &json!({ "name": "a".repeat(2700) })).unwrap()).is_ok());
}
