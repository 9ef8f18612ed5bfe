//! `/api/v1`: programs without cookies log in, renew, and look after their sessions.

use std::time::Duration;

use http::Method;
use http::header::{CONTENT_TYPE, USER_AGENT};
use serde_json::{Value, json};

use crate::harness::{Browser, PASSWORD, Reply, Site, claims_of};

/// What the API handed out.
#[derive(Clone)]
struct Tokens {
    access: String,
    refresh: String,
}

impl Tokens {
    #[track_caller]
    fn of(reply: &Reply) -> Self {
        let body = reply.clone().expect(200).json();
        let members: Vec<_> = body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["accessToken", "refreshToken", "tokenType", "expiresIn"]);
        assert_eq!((&body["tokenType"], &body["expiresIn"]), (&json!("Bearer"), &json!(4)));
        assert_eq!((reply.header("cache-control"), reply.keeps_cookies()), (Some("no-store"), true));
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Self { access: text("accessToken"), refresh: text("refreshToken") }
    }

    /// A program that shows them.
    fn bearer(&self, site: &Site) -> Browser {
        site.browser().with("authorization", &format!("Bearer {}", self.access))
    }

    fn session(&self) -> String {
        claims_of(&self.access)["sid"].as_str().unwrap().to_owned()
    }
}

async fn log_in(site: &Site, username: &str) -> Tokens {
    let body = json!({ "username": username, "password": PASSWORD });
    Tokens::of(&site.browser().post_json("/api/v1/sessions", body).await)
}

async fn refresh(site: &Site, token: &str) -> Reply {
    site.browser().post_json("/api/v1/sessions/refresh", json!({ "refreshToken": token })).await
}

async fn delete(browser: &mut Browser, path: &str) -> Reply {
    browser.send(browser.request(Method::DELETE, path).body(String::new()).unwrap()).await
}

async fn me(browser: &mut Browser) -> Reply {
    browser.get_json("/api/v1/me").await
}

on_both_stores! {
    async fn a_program_logs_in_and_is_somebody(site: Site) {
        let mut browser = site.registered("mina").await;
        let mut program = log_in(&site, "mina").await.bearer(&site);
        let user = me(&mut program).await.expect(200).json();
        assert_eq!(user, browser.info().await["user"]);
        assert_eq!(me(&mut browser).await.expect(200).json(), user, "by a cookie, too");
        assert_eq!(program.info().await["user"], user, "it is an access token like any other");
    }

    async fn a_program_trades_its_refresh_token_for_the_next_ones(site: Site) {
        site.registered("mina").await;
        let mut tokens = log_in(&site, "mina").await;
        let session = tokens.session();
        for _ in 0..3 {
            site.let_access_expire();
            me(&mut tokens.bearer(&site)).await.problem(401, "login_required");
            let next = Tokens::of(&refresh(&site, &tokens.refresh).await);
            assert!(next.access != tokens.access && next.refresh != tokens.refresh && next.session() == session);
            tokens = next;
            me(&mut tokens.bearer(&site)).await.expect(200);
        }
    }

    async fn a_young_refresh_token_is_good_once_more_with_a_new_access_token(site: Site) {
        site.registered("mina").await;
        let tokens = log_in(&site, "mina").await;
        let next = Tokens::of(&refresh(&site, &tokens.refresh).await);
        assert!(next.refresh == tokens.refresh && next.access != tokens.access);
    }

    async fn two_who_hold_one_refresh_token_and_go_on_are_both_out(site: Site) {
        site.registered("mina").await;
        let copied = log_in(&site, "mina").await.refresh;
        site.let_access_expire();
        let [thief, owner] = [refresh(&site, &copied).await, refresh(&site, &copied).await].map(|reply| Tokens::of(&reply));
        site.let_access_expire();
        let thief = Tokens::of(&refresh(&site, &thief.refresh).await);
        refresh(&site, &owner.refresh).await.problem(401, "session_ended");
        refresh(&site, &thief.refresh).await.problem(401, "session_ended");
        me(&mut thief.bearer(&site)).await.problem(401, "login_required");
        let reused = refresh(&site, &copied).await;
        reused.problem(401, "session_ended");
        assert!(reused.keeps_cookies());
    }

    async fn what_a_program_ends_is_over_at_once(site: Site) {
        let mut browser = site.registered("mina").await;
        let (one, other) = (log_in(&site, "mina").await, log_in(&site, "mina").await);
        let mut program = one.bearer(&site);
        let list = program.get_json("/api/v1/sessions").await.expect(200).json();
        assert_eq!(list["sessions"].as_array().unwrap().len(), 3);
        let current: Vec<&Value> = list["sessions"].as_array().unwrap().iter().filter(|one| one["current"] == true).collect();
        assert!(current.len() == 1 && current[0]["id"] == one.session());

        let ended = delete(&mut program, &format!("/api/v1/sessions/{}", other.session())).await.expect(200);
        assert_eq!(ended.json(), json!({ "success": true }));
        me(&mut other.bearer(&site)).await.problem(401, "login_required");
        refresh(&site, &other.refresh).await.problem(401, "session_ended");

        assert_eq!(delete(&mut program, "/api/v1/sessions").await.expect(200).json(), json!({ "success": true }));
        browser.is_signed_out_because("ended").await;
        // As with a new password, what was signed before is refused, also here; the session goes on.
        me(&mut program).await.problem(401, "login_required");
        let one = Tokens::of(&refresh(&site, &one.refresh).await);
        let mut program = one.bearer(&site);
        me(&mut program).await.expect(200);

        let out = delete(&mut program, "/api/v1/sessions/current").await.expect(200);
        assert!(out.keeps_cookies(), "it has none");
        me(&mut program).await.problem(401, "login_required");
        refresh(&site, &one.refresh).await.problem(401, "session_ended");
    }
}

#[tokio::test]
async fn a_session_of_a_program_stands_in_the_list_of_people() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let body = json!({ "username": "mina", "password": PASSWORD }).to_string();
    let request = site.browser().request(Method::POST, "/api/v1/sessions").header(USER_AGENT, "okhttp/4.12");
    let request = request.header(CONTENT_TYPE, "application/json").body(body).unwrap();
    let tokens = Tokens::of(&site.browser().send(request).await);
    let list = browser.get_json("/user/account/sessions").await.json();
    let own = list["sessions"].as_array().unwrap().iter().find(|one| one["id"] == tokens.session()).unwrap();
    assert_eq!(own["device"], "okhttp");
    browser.post_json(&format!("/user/account/sessions/{}/end", tokens.session()), json!({})).await.expect(200);
    refresh(&site, &tokens.refresh).await.problem(401, "session_ended");
}

#[tokio::test]
async fn a_browser_that_ends_its_own_session_loses_its_cookies() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    assert!(delete(&mut browser, "/api/v1/sessions/current").await.expect(200).clears_cookies());
    me(&mut browser).await.problem(401, "login_required");
}

#[tokio::test]
async fn a_log_in_that_fails_says_why_as_the_page_does() {
    let site = Site::with(&[("passwords.max_length", "64")]).await;
    site.registered("mina").await;
    let attempt = async |username: &str, password: &str| {
        let body = json!({ "username": username, "password": password });
        let [page, api] = [
            site.browser().post_json("/user/login", body.clone()).await,
            site.browser().post_json("/api/v1/sessions", body).await,
        ];
        assert_eq!((page.status, page.body), (api.status, api.body.clone()));
        api
    };
    attempt("mina", "wrong-one").await.problem(401, "invalid_credentials");
    attempt("nobody", PASSWORD).await.problem(401, "invalid_credentials");
    let missing = attempt("", "").await.problem(422, "validation_failed");
    assert_eq!(missing["errors"].as_object().unwrap().len(), 2);
    let database = site.database();
    database.execute("UPDATE users SET enabled = 0", []).unwrap();
    attempt("mina", PASSWORD).await.problem(403, "forbidden");
    let no_token = site.browser().post_json("/api/v1/sessions/refresh", json!({})).await;
    assert!(no_token.problem(422, "validation_failed")["errors"]["refreshToken"].is_string());
}

#[tokio::test]
async fn everything_under_api_is_json_whatever_is_asked_for() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    for path in ["/api/v1/me", "/api/v1/sessions"] {
        let reply = browser.get(path).await.expect(200);
        assert_eq!(reply.header("content-type"), Some("application/json"), "{path}");
    }
    for path in ["/api/v1/me", "/api/v1/sessions", "/api/v1/nothing", "/api/", "/api/v1/sessions/refresh"] {
        let reply = site.browser().get(path).await;
        assert!([401, 404, 405].contains(&reply.status.as_u16()), "{path}: {}", reply.status);
        reply.code();
    }
    for path in ["/api/v1/sessions", "/api/v1/sessions/refresh"] {
        let form = [("username", "mina"), ("password", PASSWORD), ("refreshToken", &browser.refresh())];
        site.browser().post_form(path, &form).await.problem(415, "unsupported_media_type");
        for kind in ["text/plain", "application/x-www-form-urlencoded; a=b", "multipart/form-data; boundary=x", "x"] {
            site.browser().post(path, kind, "{}".to_owned()).await.problem(415, "unsupported_media_type");
        }
        site.browser()
            .post(path, "application/json; charset=utf-8", "{}".to_owned())
            .await
            .problem(422, "validation_failed");
        site.browser().post(path, "application/json", "{".to_owned()).await.problem(400, "malformed");
        let large = format!("{{\"username\":\"{}\"}}", "x".repeat(70_000));
        site.browser().post(path, "application/json", large).await.problem(413, "too_large");
    }
}

#[tokio::test]
async fn a_refresh_token_is_over_when_its_session_is() {
    let site = Site::with(&[("tokens.refresh_ttl", "8s"), ("tokens.session_ttl", "1h")]).await;
    site.registered("mina").await;
    let tokens = log_in(&site, "mina").await;
    site.clock.advance(Duration::from_secs(8));
    refresh(&site, &tokens.refresh).await.problem(401, "session_ended");
    let mut browser = site.logged_in("mina").await;
    let tokens = log_in(&site, "mina").await;
    browser.change_password(PASSWORD, crate::harness::OTHER_PASSWORD).await.expect(200);
    refresh(&site, &tokens.refresh).await.problem(401, "session_ended");
}

#[tokio::test]
async fn a_store_that_is_down_signs_no_program_out() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    let tokens = log_in(&site, "mina").await;
    site.let_access_expire();
    let database = site.database();
    database.execute_batch("ALTER TABLE users RENAME TO gone_users").unwrap();
    let down = refresh(&site, &tokens.refresh).await;
    assert!(down.status.is_server_error() && down.keeps_cookies(), "{} {}", down.status, down.body);
    database.execute_batch("ALTER TABLE gone_users RENAME TO users").unwrap();
    Tokens::of(&refresh(&site, &tokens.refresh).await);
}

#[tokio::test]
async fn a_node_that_does_not_know_what_has_ended_trades_nothing_in() {
    let settings = [("revocation.when_stale", "refuse"), ("revocation.max_staleness", "5s")];
    let site = Site::with(&settings).await;
    site.registered("mina").await;
    let tokens = log_in(&site, "mina").await;
    site.clock.advance(Duration::from_secs(6));
    let refused = refresh(&site, &tokens.refresh).await;
    refused.problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), Some("1"));
    site.ring().await;
    Tokens::of(&refresh(&site, &tokens.refresh).await);
}
