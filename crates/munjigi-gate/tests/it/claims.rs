//! What an access token may say, once its signature has been checked. What it must not say is in `attacks`.

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
async fn a_claim_that_we_do_not_know_is_passed_over_without_going_down_into_it() {
    assert_eq!(verify(&with("roles", json!(["admin"]))).await, Ok(false));
    let text = serde_json::to_string(&claims()).unwrap();
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    for more in [deep.as_str(), "1e400", "\"\\ud800\"", "{\"sub\":1,\"sub\":2}"] {
        let text = format!("{},\"more\":{more}}}", text.strip_suffix('}').unwrap());
        assert_eq!(verify_text(&text).await, Ok(false), "{more}");
    }
}

#[tokio::test]
async fn a_token_that_says_not_before_is_good_from_then_on() {
    for (nbf, outcome) in [
        (i64::MIN, Ok(false)),
        (START, Ok(false)),
        (START + 60, Ok(false)),
        (START + 61, Err(Refused::NotYet)),
        (i64::MAX, Err(Refused::NotYet)),
    ] {
        assert_eq!(verify(&with("nbf", json!(nbf))).await, outcome, "{nbf}");
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
