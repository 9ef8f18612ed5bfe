//! Keys: how they are kept and how they are published.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use munjigi_gate::jws::{self, Algorithm, KeyError, SigningKey, VerifyingKey};
use serde_json::{Value, json};

use crate::support::*;

const ALL: [Algorithm; 4] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Hs256];

#[test]
fn a_key_that_was_kept_is_the_same_key() {
    for algorithm in ALL {
        let key = SigningKey::generate(algorithm, "k").unwrap();
        let again = SigningKey::from_bytes(algorithm, "k", &key.to_bytes()).unwrap();
        assert_eq!(again.verifying_key(), key.verifying_key());
        assert_eq!((again.kid(), again.algorithm()), ("k", algorithm));
        assert_ne!(
            SigningKey::from_bytes(algorithm, "l", &key.to_bytes()).unwrap().verifying_key(),
            key.verifying_key()
        );
        assert_ne!(SigningKey::generate(algorithm, "k").unwrap().verifying_key(), key.verifying_key());
    }
}

#[test]
fn a_shared_secret_has_at_least_32_bytes() {
    let with = |bytes: usize| SigningKey::from_bytes(Algorithm::Hs256, "k", &vec![1; bytes]).err();
    assert_eq!((with(0), with(31)), (Some(KeyError::TooShort), Some(KeyError::TooShort)));
    assert_eq!((with(32), with(100)), (None, None));
}

#[test]
fn a_key_of_one_algorithm_is_not_read_as_one_of_another() {
    let es256 = KEY.to_bytes();
    for algorithm in [Algorithm::EdDsa, Algorithm::Rs256] {
        assert_eq!(SigningKey::from_bytes(algorithm, "k", &es256).err(), Some(KeyError::Malformed));
    }
    assert_eq!(SigningKey::from_bytes(Algorithm::Es256, "k", b"").err(), Some(KeyError::Malformed));
}

#[test]
fn a_public_key_is_published_with_exactly_these_members() {
    let members = |algorithm| {
        let jwk = SigningKey::generate(algorithm, "k").unwrap().verifying_key().jwk()?;
        let fixed: Vec<_> =
            ["kty", "crv", "alg", "use", "kid"].map(|m| jwk[m].as_str().unwrap_or("-").to_owned()).into();
        let mut names: Vec<_> = jwk.as_object().unwrap().keys().cloned().collect();
        names.sort();
        Some((names.join(" "), fixed.join(" ")))
    };
    let expect = |names: &str, fixed: &str| Some((names.to_owned(), fixed.to_owned()));
    assert_eq!(members(Algorithm::Es256), expect("alg crv kid kty use x y", "EC P-256 ES256 sig k"));
    assert_eq!(members(Algorithm::EdDsa), expect("alg crv kid kty use x", "OKP Ed25519 EdDSA sig k"));
    assert_eq!(members(Algorithm::Rs256), expect("alg e kid kty n use", "RSA - RS256 sig k"));
    assert_eq!(members(Algorithm::Hs256), None);
}

#[test]
fn a_published_key_reads_back() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let key = SigningKey::generate(algorithm, "k").unwrap().verifying_key();
        assert_eq!(VerifyingKey::from_jwk(&key.jwk().unwrap()), Ok(key));
    }
}

#[test]
fn a_published_key_is_all_that_others_need_to_verify_a_token() {
    let jwk = KEY.verifying_key().jwk().unwrap();
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let point = [vec![4], bytes(jwk["x"].as_str().unwrap()), bytes(jwk["y"].as_str().unwrap())].concat();
    let token = token();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    assert!(key.verify(signed.as_bytes(), &bytes(signature)).is_ok());
}

#[test]
fn what_is_no_public_key_of_ours_is_refused() {
    let good = KEY.verifying_key().jwk().unwrap();
    let with = |member: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[member] = value;
        VerifyingKey::from_jwk(&jwk)
    };
    assert_eq!(with("d", json!("AA")), Err(KeyError::Private));
    assert_eq!(with("k", json!("AA")), Err(KeyError::Private));
    assert_eq!(with("kid", json!("a b")), Err(KeyError::Kid));
    assert_eq!(with("ext", json!(true)), Ok(KEY.verifying_key()));
    assert_eq!(with("key_ops", json!(["verify"])), Ok(KEY.verifying_key()));
    for (member, value) in [
        ("alg", json!("RS256")),
        ("alg", json!("HS256")),
        ("alg", json!(null)),
        ("kty", json!("OKP")),
        ("crv", json!("P-384")),
        ("use", json!("enc")),
        ("key_ops", json!(["encrypt"])),
        ("key_ops", json!([])),
        ("key_ops", json!("verify")),
        ("kid", json!(7)),
        ("x", json!("AA")),
        ("y", json!("AA")),
        ("y", good["x"].clone()),
        ("x", json!(format!("{}=", good["x"].as_str().unwrap()))),
    ] {
        assert_eq!(with(member, value.clone()), Err(KeyError::Malformed), "{member} {value}");
    }
    for odd in [json!(null), json!([]), json!({}), json!("x")] {
        assert!(VerifyingKey::from_jwk(&odd).is_err());
    }
}

#[test]
fn an_rsa_key_under_2048_bits_is_refused() {
    let of = |bytes: usize| {
        let n = URL_SAFE_NO_PAD.encode(vec![0xff; bytes]);
        VerifyingKey::from_jwk(&json!({"kty": "RSA", "alg": "RS256", "kid": "k", "n": n, "e": "AQAB"})).err()
    };
    assert_eq!(
        (of(128), of(255), of(1025)),
        (Some(KeyError::Malformed), Some(KeyError::Malformed), Some(KeyError::Malformed))
    );
    assert_eq!((of(256), of(1024)), (None, None));
}

#[test]
fn a_new_rsa_key_has_3072_bits() {
    let key = SigningKey::generate(Algorithm::Rs256, "k").unwrap().verifying_key();
    let n = URL_SAFE_NO_PAD.decode(key.jwk().unwrap()["n"].as_str().unwrap()).unwrap();
    assert_eq!((n.len(), n[0] >> 7), (384, 1));
}

/// With an exponent of 1 a signature would be the padded digest itself, which anybody can write down.
#[test]
fn an_rsa_key_with_an_exponent_of_1_verifies_nothing() {
    let n = URL_SAFE_NO_PAD.encode(vec![0xff; 256]);
    let weak = VerifyingKey::from_jwk(&json!({"kty": "RSA", "alg": "RS256", "kid": "k", "n": n, "e": "AQ"}));
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"at+jwt","kid":"k"}"#), "e30");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, signed.as_bytes());
    let info = [48, 49, 48, 13, 6, 9, 96, 134, 72, 1, 101, 3, 4, 2, 1, 5, 0, 4, 32];
    let padded = [&[0, 1][..], &[255; 202], &[0], &info, digest.as_ref()].concat();
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(padded));
    assert!(jws::open(&token, "at+jwt", |_| weak.clone().ok()).is_err());
}
