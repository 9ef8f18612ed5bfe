//! What an access token must say to count, once its signature has been checked.

use munjigi_gate::jws;
use munjigi_gate::{AccessClaims, Refused, Verifier};
use serde_json::{Value, json};

use crate::support::*;

async fn verifier() -> Verifier {
    let verifier = Verifier::new(ISSUER, AUDIENCE, ListedKeys::of(&[&KEY]));
    verifier.reload().await;
    verifier
}

async fn verify(claims: &Value) -> Result<bool, Refused> {
    let token = jws::sign(&KEY, "at+jwt", claims).unwrap();
    verifier().await.verify(&token, at(START)).map(|verified| verified.expired)
}

/// A token whose payload is this very text.
async fn verify_text(text: &str) -> Result<bool, Refused> {
    let raw = serde_json::value::RawValue::from_string(text.to_owned()).unwrap();
    let token = jws::sign(&KEY, "at+jwt", &raw).unwrap();
    verifier().await.verify(&token, at(START)).map(|verified| verified.expired)
}

fn with(member: &str, value: Value) -> Value {
    let mut claims = serde_json::to_value(claims()).unwrap();
    claims[member] = value;
    claims
}

#[tokio::test]
async fn a_token_says_what_it_was_told_to() {
    let verified = verifier().await.verify(&token(), at(START)).unwrap();
    assert_eq!(*verified.claims, claims());
}

#[tokio::test]
async fn every_claim_is_required() {
    let all = serde_json::to_value(claims()).unwrap();
    assert_eq!(verify(&all).await, Ok(false));
    for name in all.as_object().unwrap().keys() {
        let mut claims = all.clone();
        claims.as_object_mut().unwrap().remove(name);
        assert_eq!(verify(&claims).await, Err(Refused::Claims), "{name}");
        assert_eq!(verify(&with(name, Value::Null)).await, Err(Refused::Claims), "{name}");
    }
}

#[tokio::test]
async fn a_doubled_claim_is_refused() {
    let text = serde_json::to_string(&claims()).unwrap();
    assert_eq!(verify_text(&text).await, Ok(false));
    for (name, value) in serde_json::to_value(claims()).unwrap().as_object().unwrap() {
        let doubled = format!("{},\"{name}\":{value}}}", text.strip_suffix('}').unwrap());
        assert_eq!(verify_text(&doubled).await, Err(Refused::Claims), "{name}");
    }
}

#[tokio::test]
async fn a_claim_of_the_wrong_type_is_refused() {
    for (name, value) in [
        ("exp", json!(START as f64 + 600.0)),
        ("exp", json!((START + 600).to_string())),
        ("iat", json!(true)),
        ("iat", json!(1e300)),
        ("sep", json!(-1)),
        ("sep", json!(1u64 << 32)),
        ("sep", json!("3")),
        ("sub", json!("admin")),
        ("sid", json!("AB".repeat(16))),
        ("sid", json!(1)),
        ("aud", json!([AUDIENCE])),
        ("iss", json!({"a": 1})),
        ("amr", json!("pwd")),
        ("amr", json!([1])),
        ("name", json!(["a"])),
    ] {
        assert_eq!(verify(&with(name, value.clone())).await, Err(Refused::Claims), "{name} {value}");
    }
}

#[tokio::test]
async fn a_payload_that_is_no_object_is_refused() {
    let array: Vec<Value> = serde_json::to_value(claims()).unwrap().as_object().unwrap().values().cloned().collect();
    for payload in [json!(array), json!(null), json!("x"), json!(1), json!([]), json!({})] {
        assert_eq!(verify(&payload).await, Err(Refused::Claims), "{payload}");
    }
}

#[tokio::test]
async fn deeply_nested_json_breaks_nothing() {
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    let text = serde_json::to_string(&claims()).unwrap();
    let (start, end) = (text.strip_prefix('{').unwrap(), text.strip_suffix('}').unwrap());
    for nested in [format!("{{\"sid\":{deep},{start}"), format!("{end},\"amr\":{deep}}}")] {
        assert_eq!(verify_text(&nested).await, Err(Refused::Claims));
    }
    // In a claim that we do not know it is passed over, without going down into it.
    assert_eq!(verify_text(&format!("{end},\"more\":{deep}}}")).await, Ok(false));
}

#[tokio::test]
async fn a_claim_that_we_do_not_know_is_ignored() {
    assert_eq!(verify(&with("roles", json!(["admin"]))).await, Ok(false));
}

#[tokio::test]
async fn another_issuer_or_audience_is_refused() {
    for other in ["https://evil.example", "", "https://auth.example.com/", "HTTPS://AUTH.EXAMPLE.COM"] {
        assert_eq!(verify(&with("iss", json!(other))).await, Err(Refused::Issuer), "{other}");
        assert_eq!(verify(&with("aud", json!(other))).await, Err(Refused::Audience), "{other}");
    }
}

#[tokio::test]
async fn a_token_lives_between_its_issue_and_its_expiry() {
    let verify = |iat, exp| async move {
        let token = token_of(&AccessClaims { iat, exp, ..claims() });
        verifier().await.verify(&token, at(START)).map(|verified| verified.expired)
    };
    assert_eq!(verify(START, START + 1).await, Ok(false));
    assert_eq!(verify(START - 1, START).await, Ok(true));
    assert_eq!(verify(START - 2, START - 1).await, Ok(true));
    assert_eq!(verify(START, START).await, Err(Refused::Claims));
    assert_eq!(verify(START + 1, START).await, Err(Refused::Claims));
    assert_eq!(verify(START + 59, START + 600).await, Ok(false));
    assert_eq!(verify(START + 60, START + 600).await, Ok(false));
    assert_eq!(verify(START + 61, START + 600).await, Err(Refused::NotYet));
    assert_eq!(verify(i64::MAX - 1, i64::MAX).await, Err(Refused::NotYet));
    assert_eq!(verify(i64::MIN, i64::MAX).await, Ok(false));
    assert_eq!(verify(i64::MIN, i64::MIN + 1).await, Ok(true));
}
