//! `POST /user/refresh`: for scripts.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Site, claims_of};

fn expiry_of(token: &str) -> Value {
    let exp = claims_of(token)["exp"].as_i64().unwrap();
    jiff::Timestamp::from_second(exp).unwrap().to_string().into()
}

on_both_stores! {
    async fn a_good_access_token_is_only_told_how_long_it_is_good(site: Site) {
        let mut browser = site.registered("mina").await;
        let told = browser.post_json("/user/refresh", json!({})).await.expect(200);
        assert_eq!(told.json(), json!({ "success": true, "accessExpiresAt": expiry_of(&browser.access()) }));
        assert!(told.keeps_cookies());
    }

    async fn an_expired_one_is_renewed(site: Site) {
        let mut browser = site.registered("mina").await;
        let before = (browser.access(), browser.refresh());
        site.let_access_expire();
        let told = browser.post_json("/user/refresh", json!({})).await.expect(200);
        assert!(told.sets_cookies());
        assert!(browser.access() != before.0 && browser.refresh() != before.1);
        assert_eq!(told.json()["accessExpiresAt"], expiry_of(&browser.access()));
        assert_eq!(told.header("cache-control"), Some("no-store"));
    }

    async fn a_missing_access_token_is_made_up_for(site: Site) {
        let mut browser = site.registered("mina").await;
        let refresh = browser.refresh();
        browser = browser.without("accessToken");
        browser.post_json("/user/refresh", json!({})).await.expect(200);
        assert_eq!(browser.refresh(), refresh, "a young refresh token stays");
        assert!(browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn no_body_is_needed() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    browser.send(browser.request(Method::POST, "/user/refresh").body(String::new()).unwrap()).await.expect(200);
}

#[tokio::test]
async fn nobody_is_told_that_the_session_has_ended() {
    let site = Site::embedded().await;
    site.browser().post_json("/user/refresh", json!({})).await.problem(401, "session_ended");
    let browser = site.registered("mina").await;
    browser.clone().log_out().await;
    let told = browser.clone().without("accessToken").post_json("/user/refresh", json!({})).await;
    told.problem(401, "session_ended");
    assert!(told.clears_cookies());
}

#[tokio::test]
async fn an_idle_session_ends_where_its_refresh_token_says() {
    let site = Site::with(&[("tokens.refresh_ttl", "12s"), ("tokens.session_ttl", "20s")]).await;
    let mut browser = site.registered("mina").await;
    site.clock.advance(std::time::Duration::from_millis(11_999));
    assert!(browser.clone().is_signed_in().await, "a millisecond before");
    site.clock.advance(std::time::Duration::from_millis(1));
    let told = browser.get_json("/user/info").await;
    assert_eq!(told.json()["reason"], "expired", "at that moment");
    assert!(told.clears_cookies());
}

#[tokio::test]
async fn no_use_extends_a_session_beyond_its_absolute_end() {
    let site = Site::with(&[("tokens.refresh_ttl", "8s"), ("tokens.session_ttl", "16s")]).await;
    let mut browser = site.registered("mina").await;
    for _ in 0..3 {
        site.let_access_expire();
        assert!(browser.is_signed_in().await);
    }
    site.let_access_expire();
    browser.is_signed_out_because("expired").await;
}
