//! What programs and password managers find: keys, health, readiness.

use serde_json::json;

use crate::harness::{Site, header_of};

#[tokio::test]
async fn the_start_leads_to_who_am_i() {
    let site = Site::embedded().await;
    assert_eq!(site.browser().get("/").await.expect(303).location(), "/user/info");
    assert_eq!(site.browser().get_json("/").await.expect(303).location(), "/user/info");
}

#[tokio::test]
async fn a_password_manager_is_led_to_the_account() {
    let site = Site::embedded().await;
    let led = site.browser().get("/.well-known/change-password").await.expect(303);
    assert_eq!(led.location(), "/user/account");
}

#[tokio::test]
async fn the_public_keys_are_published_and_nothing_else_of_them() {
    let site = Site::embedded().await;
    let browser = site.registered("mina").await;
    let jwks = site.browser().get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(jwks.header("content-type"), Some("application/jwk-set+json"));
    assert!(jwks.header("cache-control").unwrap().contains("max-age=300"));
    let keys = jwks.json()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 1);
    let mut members: Vec<_> = keys[0].as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert_eq!(keys[0]["alg"], "ES256");
    assert_eq!(keys[0]["kid"], header_of(&browser.access())["kid"]);
}

#[tokio::test]
async fn a_shared_secret_is_not_published() {
    let site = Site::with(&[("tokens.algorithm", "HS256")]).await;
    let mut browser = site.registered("mina").await;
    assert_eq!(header_of(&browser.access())["alg"], "HS256");
    assert!(browser.is_signed_in().await);
    assert_eq!(browser.get("/.well-known/jwks.json").await.expect(200).json(), json!({ "keys": [] }));
    site.let_access_expire();
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn access_tokens_say_what_section_4_says() {
    let site = Site::embedded().await;
    let browser = site.registered("mina").await;
    let header = header_of(&browser.access());
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
    let claims = crate::harness::claims_of(&browser.access());
    let mut names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let all = ["amr", "aud", "auth_time", "exp", "iat", "iss", "jti", "name", "sep", "sid", "sub", "username"];
    assert_eq!(names, all);
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("http://localhost:3000"), &json!("http://localhost:3000")));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 4);
    let refresh = crate::harness::claims_of(&browser.refresh());
    let mut names: Vec<_> = refresh.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["exp", "gen", "iat", "nonce", "parent", "sid", "sub"]);
    assert_eq!(header_of(&browser.refresh())["typ"], "rt+jwt");
}

on_both_stores! {
    async fn a_node_that_can_serve_says_so(site: Site) {
        let alive = site.browser().get("/healthz").await.expect(200);
        assert_eq!(alive.json(), json!({ "status": "ok" }));
        let ready = site.browser().get("/readyz").await.expect(200);
        let all_well = json!({ "users": "ok", "sessions": "ok", "revocations": "ok", "clock": "ok" });
        assert_eq!(ready.json(), json!({ "status": "ready", "checks": all_well }));
    }
}

/// The tutorial's way: an app that shares the secret checks tokens by itself.
#[tokio::test]
async fn an_app_that_shares_the_secret_can_check_tokens() {
    let secret = "thirty-two bytes shared with an app";
    let site = Site::with(&[("tokens.algorithm", "HS256"), ("tokens.shared_secret", secret)]).await;
    let browser = site.registered("mina").await;
    let (token, header) = (browser.access(), header_of(&browser.access()));
    let kid = header["kid"].as_str().unwrap();
    let key = munjigi::gate::SigningKey::from_bytes(munjigi::gate::Algorithm::Hs256, kid, secret.as_bytes()).unwrap();
    let key = key.verifying_key();
    let payload = munjigi::gate::jws::open(&token, "at+jwt", |named| (named == kid).then_some(&key)).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(claims["username"], "mina");
}
