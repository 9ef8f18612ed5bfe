//! The strict form of a token: what must never open.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
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
}

#[test]
fn any_other_header_is_refused_although_it_is_signed() {
    let more = [
        r#""crit":["exp"]"#,
        r#""crit":[]"#,
        r#""b64":false"#,
        r#""jku":"https://evil.example/jwks.json""#,
        r#""x5u":"https://evil.example/x""#,
        r#""x5c":[]"#,
        r#""jwk":{"kty":"oct","k":"AA"}"#,
        r#""zip":"DEF""#,
        r#""cty":"JWT""#,
        r#""alg":"HS256""#,
        r#""kid":"hs""#,
        r#""\u0061lg":"none""#,
        r#""":"""#,
    ];
    for member in more {
        let header = format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"hs",{member}}}"#);
        assert_eq!(open_with_header(&header), Err(Refused::Header), "{header}");
    }
    let odd = [
        r#"{"alg":"HS256","typ":"at+jwt"}"#,
        r#"{"alg":"HS256","kid":"hs"}"#,
        r#"{"typ":"at+jwt","kid":"hs"}"#,
        r#"{"alg":null,"typ":"at+jwt","kid":"hs"}"#,
        r#"{"alg":["HS256"],"typ":"at+jwt","kid":"hs"}"#,
        r#"["HS256","at+jwt","hs"]"#,
        r#""HS256""#,
        "null",
        r#"{"alg":"HS256","typ":"at+jwt","kid":"hs"} x"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"hs",}"#,
        r#" {"alg":"HS256","typ":"at+jwt","kid":"hs"}"#,
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"hs\"}\0",
    ];
    for header in odd {
        assert_eq!(open_with_header(header), Err(Refused::Header), "{header}");
    }
}

#[test]
fn a_key_id_has_1_to_64_plain_characters() {
    for kid in ["", "a b", "../../dev/null", "k'--", "ключ", &"k".repeat(65), "a\\u0000"] {
        let header = format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{kid}"}}"#);
        assert_eq!(open_with_header(&header), Err(Refused::Header), "{kid}");
        assert!(SigningKey::generate(Algorithm::Hs256, kid).is_err());
    }
    let longest = "k".repeat(64);
    let header = format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{longest}"}}"#);
    assert_eq!(open_with_header(&header), Err(Refused::UnknownKey));
    assert!(SigningKey::generate(Algorithm::Hs256, longest).is_ok());
}

#[test]
fn no_algorithm_is_no_token_however_it_is_spelt() {
    for alg in ["none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "HS512", "ES256K"] {
        let header = format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"hs"}}"#);
        assert_eq!(open_with_header(&header), Err(Refused::Header), "{alg}");
        let header = URL_SAFE_NO_PAD.encode(header);
        let payload = URL_SAFE_NO_PAD.encode("{}");
        for signature in ["", "AA"] {
            assert!(open(&format!("{header}.{payload}.{signature}")).is_err());
        }
    }
}

#[test]
fn a_public_key_is_no_shared_secret() {
    // The classic: sign with HS256 and the bytes of the public key, and let a library believe the header.
    let jwk = KEY.verifying_key().jwk().unwrap();
    let part = |member: &str| URL_SAFE_NO_PAD.decode(jwk[member].as_str().unwrap()).unwrap();
    let point = [vec![4], part("x"), part("y")].concat();
    for secret in [point, jwk.to_string().into_bytes(), part("x")] {
        let key = SigningKey::from_bytes(Algorithm::Hs256, KEY.kid(), &secret).unwrap();
        let token = jws::sign(&key, "at+jwt", &claims()).unwrap();
        assert_eq!(open(&token), Err(Refused::Algorithm));
    }
}

#[test]
fn a_token_of_another_type_is_refused() {
    for typ in ["rt+jwt", "JWT", "AT+JWT", "application/at+jwt", ""] {
        let token = jws::sign(&KEY, typ, &claims()).unwrap();
        assert_eq!(open(&token), Err(Refused::Type), "{typ}");
    }
}

#[test]
fn an_unknown_key_is_told_from_a_wrong_signature() {
    assert_eq!(open(&jws::sign(&OTHER_KEY, "at+jwt", &claims()).unwrap()), Err(Refused::UnknownKey));
    assert_eq!(open(&forged(&claims())), Err(Refused::Signature));
}

#[test]
fn a_token_has_exactly_three_parts_with_something_in_each() {
    let token = token();
    let parts: Vec<_> = token.split('.').collect();
    let (h, p, s) = (parts[0], parts[1], parts[2]);
    let odd = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        h.to_owned(),
        format!("{h}.{p}"),
        format!("{h}.{p}."),
        format!(".{p}.{s}"),
        format!("{h}..{s}"),
        format!("{h}.{p}.{s}."),
        format!(".{h}.{p}.{s}"),
        format!("{h}.{p}.{s}.{s}"),
        format!("{h}.{p}..{s}"),
        format!("{h}.{p}.{s}.{s}.{s}"),
    ];
    for token in odd {
        assert_eq!(open(&token), Err(Refused::Shape), "{token}");
    }
    assert!(open(&token).is_ok());
}

#[test]
fn base64url_has_one_spelling() {
    let token = token();
    let parts: Vec<_> = token.split('.').collect();
    for at in 0..3 {
        for spoil in [
            |part: &str| format!("{part}="),
            |part: &str| format!("{part}=="),
            |part: &str| format!("{part}\n"),
            |part: &str| format!(" {part}"),
            |part: &str| format!("{part}+"),
            |part: &str| format!("{part}/"),
            |part: &str| format!("{part}%3D"),
            |part: &str| format!("{part}ü"),
        ] {
            let mut spoilt: Vec<String> = parts.iter().map(ToString::to_string).collect();
            spoilt[at] = spoil(&spoilt[at]);
            assert!(open(&spoilt.join(".")).is_err());
        }
    }
    // The last character of a signature carries four bits that mean nothing, and must be zero.
    let (rest, last) = token.split_at(token.len() - 1);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = alphabet.iter().position(|c| *c == last.as_bytes()[0]).unwrap();
    assert_eq!(value % 16, 0);
    for stray in 1..16 {
        assert_eq!(open(&format!("{rest}{}", char::from(alphabet[value + stray]))), Err(Refused::Shape));
    }
    let padded: Vec<_> = parts.iter().map(|part| URL_SAFE.encode(URL_SAFE_NO_PAD.decode(part).unwrap())).collect();
    assert_eq!(open(&padded.join(".")), Err(Refused::Shape));
}

#[test]
fn the_other_spelling_of_an_ecdsa_signature_is_refused() {
    let order: [u8; 32] = [
        255, 255, 255, 255, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 188, 230, 250, 173, 167, 23, 158, 132,
        243, 185, 202, 194, 252, 99, 37, 81,
    ];
    for _ in 0..16 {
        let token = token();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(signature[32] <= 0x7f);
        let mut borrow = 0i16;
        for at in (0..32).rev() {
            let digit = i16::from(order[at]) - i16::from(signature[32 + at]) - borrow;
            borrow = i16::from(digit < 0);
            signature[32 + at] = u8::try_from(digit.rem_euclid(256)).unwrap();
        }
        let respelt = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&signature));
        assert_eq!(open(&respelt), Err(Refused::Signature));
        assert!(open(&token).is_ok());
    }
}

#[test]
fn a_signature_of_zeros_or_of_another_length_is_refused() {
    let token = token();
    let signed = token.rsplit_once('.').unwrap().0;
    for signature in [vec![0; 64], vec![0; 63], vec![0; 65], vec![0; 1], vec![255; 64]] {
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(open(&token), Err(Refused::Signature));
    }
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

#[test]
fn the_payload_is_not_decoded_before_the_signature_was_checked() {
    let token = token();
    let mut parts: Vec<_> = token.split('.').collect();
    parts[1] = "!!!";
    assert_eq!(open(&parts.join(".")), Err(Refused::Signature));
}
