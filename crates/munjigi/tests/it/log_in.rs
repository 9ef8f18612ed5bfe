//! `GET, POST /user/login`

use serde_json::json;

use crate::harness::{OTHER_PASSWORD, PASSWORD, Site};

#[tokio::test]
async fn the_right_password_signs_in() {
    let site = Site::embedded().await;
    let id = site.registered("mina").await.info().await["user"]["id"].clone();
    let mut browser = site.browser();
    let welcome = browser.log_in("mina").await.expect(200);
    assert_eq!(
        welcome.json(),
        json!({
            "success": true,
            "user": { "id": id, "username": "mina", "name": "Mina" },
            "returnTo": "/user/info",
        })
    );
    assert!(welcome.sets_cookies() && browser.is_signed_in().await);
    assert_eq!(welcome.header("cache-control"), Some("no-store"));
    assert!(welcome.headers.get_all("vary").iter().any(|line| line.to_str().unwrap().contains("Cookie")));
}

#[tokio::test]
async fn the_front_end_of_the_tutorial_can_log_in() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    let mut browser = site.browser();
    let welcome = browser.post_json("/user/login", json!({ "id": "mina", "password": PASSWORD })).await.expect(200);
    assert_eq!(welcome.json()["success"], true);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_form_leads_on_with_a_fresh_get() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    let mut browser = site.browser();
    let form = [("username", "mina"), ("password", PASSWORD)];
    assert_eq!(browser.post_form("/user/login", &form).await.expect(303).location(), "/user/info");
    assert!(browser.is_signed_in().await);
    let form = [("username", "mina"), ("password", PASSWORD), ("return_to", "/app?a=1#b")];
    assert_eq!(site.browser().post_form("/user/login", &form).await.expect(303).location(), "/app?a=1#b");
}

#[tokio::test]
async fn the_site_chooses_where_a_log_in_leads() {
    let site = Site::with(&[("pages.after_login", "/board")]).await;
    site.registered("mina").await;
    assert_eq!(site.browser().log_in("mina").await.expect(200).json()["returnTo"], "/board");
}

#[tokio::test]
async fn cookies_last_as_long_as_the_refresh_token_only_where_one_is_to_be_remembered() {
    let site = Site::with(&[("tokens.refresh_ttl", "14d")]).await;
    site.registered("mina").await;
    let log_in = |remember: serde_json::Value| {
        let mut browser = site.browser();
        async move {
            let body = json!({ "username": "mina", "password": PASSWORD, "remember": remember });
            let welcome = browser.post_json("/user/login", body).await.expect(200);
            (browser, welcome.cookie_attributes())
        }
    };
    for ticked in [json!(true), json!("on")] {
        let (mut browser, cookies) = log_in(ticked).await;
        let lasting = [
            "accessToken=…; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600",
            "refreshToken=…; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600",
        ];
        assert_eq!(cookies, lasting);
        site.let_access_expire();
        let renewed = browser.get_json("/user/info").await.expect(200);
        assert_eq!(renewed.cookie_attributes(), lasting, "and so after a renewal");
    }
    for not in [json!(false), json!("off"), json!("")] {
        let (mut browser, cookies) = log_in(not).await;
        let passing =
            ["accessToken=…; Path=/; HttpOnly; SameSite=Lax", "refreshToken=…; Path=/; HttpOnly; SameSite=Lax"];
        assert_eq!(cookies, passing);
        site.let_access_expire();
        assert_eq!(browser.get_json("/user/info").await.cookie_attributes(), passing);
    }
}

#[tokio::test]
async fn a_missing_field_is_named() {
    let site = Site::embedded().await;
    for (body, fields) in [
        (json!({}), vec!["username", "password"]),
        (json!({ "username": "mina" }), vec!["password"]),
        (json!({ "password": "x" }), vec!["username"]),
        (json!({ "username": "", "password": null }), vec!["username", "password"]),
    ] {
        let problem = site.browser().post_json("/user/login", body).await.problem(422, "validation_failed");
        let named: Vec<_> = problem["errors"].as_object().unwrap().keys().collect();
        assert_eq!(named, fields);
    }
}

#[tokio::test]
async fn a_form_with_a_wrong_password_comes_back_without_it() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    let form = [("username", "mina"), ("password", "wrong-one"), ("return_to", "/app")];
    let mut browser = site.browser();
    let page = browser.post_form("/user/login", &form).await.expect(401);
    assert!(page.body.contains(r#"value="mina""#) && page.body.contains(r#"value="/app""#), "{}", page.body);
    assert!(!page.body.contains("wrong-one") && page.keeps_cookies());
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn only_the_right_password_learns_that_an_account_is_disabled() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let user = browser.info().await["user"]["id"].as_str().unwrap().parse().unwrap();
    munjigi::flows::admin::disable(&site.app.core, user).await.unwrap();
    let right = site.browser().log_in("mina").await;
    right.problem(403, "forbidden");
    assert!(right.keeps_cookies());
    site.browser().log_in_with("mina", OTHER_PASSWORD).await.problem(401, "invalid_credentials");
    let copied = browser.clone();
    browser.is_signed_out_because("ended").await;
    munjigi::flows::admin::enable(&site.app.core, user).await.unwrap();
    site.browser().log_in("mina").await.expect(200);
    assert!(!copied.clone().is_signed_in().await, "what has ended stays ended");
}

/// Session fixation: whoever plants cookies of theirs in a browser does not share what its owner does after log-in.
#[tokio::test]
async fn a_log_in_ends_the_session_that_the_cookies_name() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    let mut attacker = site.registered("mallory").await;
    let mut victim = attacker.clone();
    victim.log_in("mina").await.expect(200);
    assert_eq!(victim.info().await["user"]["username"], "mina");
    attacker.is_signed_out_because("ended").await;
    assert!(!attacker.is_signed_in().await);
}

#[tokio::test]
async fn a_failed_log_in_ends_nothing() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    browser.log_in_with("mina", "wrong-one").await.problem(401, "invalid_credentials");
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn somebody_signed_in_is_led_on() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    assert_eq!(browser.get("/user/login").await.expect(303).location(), "/user/info");
    assert_eq!(browser.get("/user/login?return_to=/app").await.expect(303).location(), "/app");
    assert_eq!(browser.get("/user/login?return_to=//evil.example").await.expect(303).location(), "/user/info");
    site.let_access_expire();
    let renewed = browser.get("/user/login").await.expect(303);
    assert!(renewed.sets_cookies(), "also by a renewal");
}

#[tokio::test]
async fn the_page_says_why_one_has_to_log_in() {
    let site = Site::embedded().await;
    let page = |reason: &str| {
        let mut browser = site.browser();
        let path = format!("/user/login?reason={reason}");
        async move { browser.get(&path).await.expect(200).body }
    };
    assert!(page("expired").await.contains("Your session has expired."));
    assert!(page("ended").await.contains("You were logged out on this device."));
    assert!(page("reused").await.contains("we logged you out"));
    assert!(!page("%3Cscript%3E").await.contains("&lt;script"), "what nobody knows is not shown");
}

#[tokio::test]
async fn hostile_bytes_in_username_and_password_are_only_wrong() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    for username in ["mina' OR '1'='1", "mina\u{0}", "ｍｉｎａ", "mina ", "../mina", "{\"$ne\":null}", "*"] {
        site.browser().log_in(username).await.problem(401, "invalid_credentials");
    }
    for password in ["' OR ''='", "\u{0}", " ", &"x".repeat(60_000)] {
        site.browser().log_in_with("mina", password).await.problem(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn a_password_is_the_same_however_its_letters_are_composed() {
    let site = Site::embedded().await;
    let (composed, decomposed) = ("caf\u{e9} au lait 7", "cafe\u{301} au lait 7");
    let mut form = crate::harness::application("mina");
    form["password"] = json!(composed);
    form["confirmPassword"] = json!(composed);
    site.browser().post_json("/user/register", form).await.expect(201);
    for password in [composed, decomposed] {
        site.browser().log_in_with("mina", password).await.expect(200);
    }
}

on_both_stores! {
    async fn one_more_than_a_hundred_sessions_ends_the_one_used_longest_ago(site: Site) {
        let first = site.registered("mina").await;
        site.clock.advance(std::time::Duration::from_secs(1));
        let mut second = site.logged_in("mina").await;
        for _ in 0..99 {
            site.logged_in("mina").await;
        }
        assert!(!first.without("accessToken").is_signed_in().await);
        let list = second.get_json("/user/account/sessions").await.expect(200).json();
        assert_eq!(list["sessions"].as_array().unwrap().len(), 100);
        assert!(second.without("accessToken").is_signed_in().await);
    }
}
