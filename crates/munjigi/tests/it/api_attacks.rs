//! Attacks on `/api/v1`: by other sites, by others' ids, with tokens of the wrong kind, by guessing, by members and methods that
//! nobody asked for.

use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::harness::{Browser, PASSWORD, Place, Reply, Site, claims_of};

const EVIL: [(&str, &str); 2] = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];

async fn call(browser: &Browser, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
    let request = browser.request(method.parse().unwrap(), path).header(CONTENT_TYPE, "application/json");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    browser.clone().send(request.body(body.to_string()).unwrap()).await
}

fn credentials() -> Value {
    json!({ "username": "mina", "password": PASSWORD })
}

async fn tokens(site: &Site) -> (String, String) {
    let body = call(&site.browser(), "POST", "/api/v1/sessions", &[], &credentials()).await.expect(200).json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("accessToken"), text("refreshToken"))
}

fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

#[tokio::test]
async fn no_other_site_calls_with_somebodys_cookies() {
    let site = Site::embedded().await;
    let mina = site.registered("mina").await;
    let calls = [
        ("POST", "/api/v1/sessions"),
        ("POST", "/api/v1/sessions/refresh"),
        ("DELETE", "/api/v1/sessions"),
        ("DELETE", "/api/v1/sessions/current"),
    ];
    // Somebody who is signed in, who would be renewed, and who only has a cookie of some other program on this host.
    for browser in [mina.clone(), mina.clone().without("accessToken"), site.browser().holding("theme", "dark")] {
        for (method, path) in calls {
            for headers in [&EVIL[..], &EVIL[..1], &EVIL[1..], &[("origin", "null")]] {
                let refused = call(&browser, method, path, headers, &credentials()).await;
                refused.problem(403, "cross_origin");
                assert!(refused.keeps_cookies(), "{method} {path}");
            }
        }
    }
    assert!(mina.clone().is_signed_in().await);
}

/// An app in a browser that keeps its tokens by itself: what it shows no other page can have a browser show.
#[tokio::test]
async fn a_page_elsewhere_that_shows_its_own_token_passes() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    let body = call(&site.browser(), "POST", "/api/v1/sessions", &EVIL, &credentials()).await.expect(200);
    assert!(body.header("access-control-allow-origin").is_none(), "though it could not read this");
    let (access, _) = tokens(&site).await;
    let program = site.browser().with(bearer(&access).0, &bearer(&access).1);
    call(&program, "DELETE", "/api/v1/sessions/current", &EVIL, &json!({})).await.expect(200);
    // The same-origin rule of the pages knows no such exception.
    let page = call(&site.browser(), "POST", "/user/login", &EVIL, &credentials()).await;
    page.problem(403, "cross_origin");
}

#[tokio::test]
async fn logging_in_by_the_api_reads_and_writes_no_cookie() {
    let site = Site::embedded().await;
    let mina = site.registered("mina").await;
    site.registered("jiho").await;
    // Neither ends the session of the cookies beside it, nor renews it, nor trades its refresh token in.
    let asleep = mina.clone().without("accessToken");
    for browser in [&mina, &asleep] {
        let jiho = json!({ "username": "jiho", "password": PASSWORD });
        let reply = call(browser, "POST", "/api/v1/sessions", &[], &jiho).await.expect(200);
        assert!(reply.keeps_cookies());
        assert_ne!(claims_of(reply.json()["accessToken"].as_str().unwrap())["sub"], claims_of(&mina.access())["sub"]);
        let reply = call(browser, "POST", "/api/v1/sessions/refresh", &[], &json!({})).await;
        reply.problem(422, "validation_failed");
        assert!(reply.keeps_cookies());
    }
    assert!(mina.clone().is_signed_in().await && asleep.clone().is_signed_in().await);
    // Nor does a bearer token beside it matter, good or bad.
    for token in [mina.access(), "rubbish".to_owned()] {
        let (_, line) = bearer(&token);
        call(&site.browser(), "POST", "/api/v1/sessions", &[("authorization", &line)], &credentials())
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn a_bearer_never_renews_and_is_never_given_a_cookie() {
    let site = Site::embedded().await;
    let mina = site.registered("mina").await;
    let (access, _) = tokens(&site).await;
    site.let_access_expire();
    for (method, path) in [
        ("GET", "/api/v1/me"),
        ("GET", "/api/v1/sessions"),
        ("DELETE", "/api/v1/sessions"),
        ("DELETE", "/api/v1/sessions/current"),
    ] {
        // Not even with good cookies beside it.
        for browser in [site.browser(), mina.clone()] {
            let (name, line) = bearer(&access);
            let reply = call(&browser, method, path, &[(name, &line)], &json!({})).await;
            reply.problem(401, "login_required");
            assert_eq!(reply.header("www-authenticate"), Some("Bearer error=\"invalid_token\""), "{method} {path}");
            assert!(reply.keeps_cookies(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn each_kind_of_token_is_good_for_its_own_purpose_alone() {
    let site = Site::embedded().await;
    let mina = site.registered("mina").await;
    let (access, refresh) = tokens(&site).await;
    for wrong in [access.as_str(), &mina.jar["deviceToken"], "rubbish", "a.b.c", &refresh[..refresh.len() - 2]] {
        let reply =
            call(&site.browser(), "POST", "/api/v1/sessions/refresh", &[], &json!({ "refreshToken": wrong })).await;
        reply.problem(401, "session_ended");
        assert!(!reply.body.contains(wrong));
    }
    for wrong in [refresh.as_str(), &mina.jar["deviceToken"]] {
        let (name, line) = bearer(wrong);
        call(&site.browser(), "GET", "/api/v1/me", &[(name, &line)], &json!({})).await.problem(401, "login_required");
    }
    // A refresh token in the address is not looked at.
    let way = format!("/api/v1/sessions/refresh?refreshToken={refresh}");
    call(&site.browser(), "POST", &way, &[], &json!({})).await.problem(422, "validation_failed");
}

#[tokio::test]
async fn somebody_elses_session_is_not_there() {
    let site = Site::embedded().await;
    let mut mina = site.registered("mina").await;
    let jiho = site.registered("jiho").await.as_bearer();
    let hers = format!("/api/v1/sessions/{}", mina.session_id().await);
    let refused = call(&jiho, "DELETE", &hers, &[], &json!({})).await;
    let nothing = call(&jiho, "DELETE", &format!("/api/v1/sessions/{}", "0".repeat(32)), &[], &json!({})).await;
    refused.problem(404, "not_found");
    assert_eq!(refused.body, nothing.body, "the same as for one that never was");
    for rubbish in ["x", "%2e%2e", "ffff", "current%00", "Current", "%63urrent%20"] {
        let path = format!("/api/v1/sessions/{rubbish}");
        call(&jiho, "DELETE", &path, &[], &json!({})).await.problem(404, "not_found");
    }
    let list = jiho.clone().get_json("/api/v1/sessions").await.expect(200).json();
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1);
    call(&jiho, "DELETE", "/api/v1/sessions", &[], &json!({ "user": "mina" })).await.expect(200);
    assert!(mina.is_signed_in().await);
}

#[tokio::test]
async fn members_that_nobody_asked_for_do_nothing() {
    let site = Site::embedded().await;
    let mina = site.registered("mina").await;
    let jiho = claims_of(&site.registered("jiho").await.access())["sub"].clone();
    let mut planted = credentials();
    for (name, value) in [
        ("sub", jiho.clone()),
        ("user", json!({ "id": jiho, "username": "jiho" })),
        ("userId", jiho.clone()),
        ("id", json!("jiho")),
        ("sid", json!("0".repeat(32))),
        ("expiresIn", json!(1_000_000)),
        ("accessToken", json!(mina.access())),
        ("amr", json!(["pwd", "otp"])),
        ("aud", json!("https://evil.example")),
        ("remember", json!(true)),
        ("address", json!("192.0.2.1")),
        ("__proto__", json!({ "admin": true })),
    ] {
        planted[name] = value;
    }
    let body = call(&site.browser(), "POST", "/api/v1/sessions", &[], &planted).await.expect(200).json();
    let said = claims_of(body["accessToken"].as_str().unwrap());
    let usual = claims_of(&tokens(&site).await.0);
    for same in ["iss", "aud", "sub", "sep", "name", "username", "amr", "iat", "exp", "auth_time"] {
        assert_eq!(said[same], usual[same], "{same}");
    }
    assert!(said["sid"] != json!("0".repeat(32)) && body["expiresIn"] == 4);
    let remembered: i64 =
        site.database().query_row("SELECT sum(remembered) FROM log_ins", [], |row| row.get(0)).unwrap();
    assert_eq!(remembered, 0);
    // The names that the tutorial's front end uses are for the pages' log-in alone.
    let old = json!({ "id": "mina", "password": PASSWORD });
    call(&site.browser(), "POST", "/api/v1/sessions", &[], &old).await.problem(422, "validation_failed");
}

#[tokio::test]
async fn guesses_count_together_wherever_they_are_made() {
    let settings = [("limits.log_in_account", "4/30s"), ("limits.log_in_anywhere", "50/1h")];
    let site = Site::with(&settings).await;
    site.registered("mina").await;
    let guesser = site.browser().from("203.0.113.9");
    let wrong = json!({ "username": "mina", "password": "wrong-one" });
    for path in ["/api/v1/sessions", "/user/login", "/api/v1/sessions", "/user/login"] {
        call(&guesser, "POST", path, &[], &wrong).await.problem(401, "invalid_credentials");
    }
    for path in ["/api/v1/sessions", "/user/login"] {
        let limited = call(&guesser, "POST", path, &[], &credentials()).await;
        limited.problem(429, "rate_limited");
        assert!(limited.header("retry-after").is_some(), "{path}");
    }
    let elsewhere = site.browser().from("203.0.113.10");
    call(&elsewhere, "POST", "/api/v1/sessions", &[], &credentials()).await.expect(200);
}

#[tokio::test]
async fn renewals_and_ends_are_limited_as_the_pages_are() {
    let site = Site::with(&[("limits.renewal_session", "2/30s"), ("limits.account_session", "2/30s")]).await;
    site.registered("mina").await;
    let (access, refresh) = tokens(&site).await;
    let (name, line) = bearer(&access);
    for _ in 0..3 {
        let unknown = format!("/api/v1/sessions/{}", "0".repeat(32));
        let reply = call(&site.browser(), "DELETE", &unknown, &[(name, &line)], &json!({})).await;
        assert!([404, 429].contains(&reply.status.as_u16()));
    }
    let limited = call(&site.browser(), "DELETE", "/api/v1/sessions", &[(name, &line)], &json!({})).await;
    limited.problem(429, "rate_limited");
    call(&site.browser(), "GET", "/api/v1/me", &[(name, &line)], &json!({})).await.expect(200);
    let shown = json!({ "refreshToken": refresh });
    for _ in 0..2 {
        call(&site.browser(), "POST", "/api/v1/sessions/refresh", &[], &shown).await.expect(200);
    }
    let limited = call(&site.browser(), "POST", "/api/v1/sessions/refresh", &[], &shown).await;
    limited.problem(429, "rate_limited");
    assert!(limited.header("retry-after").is_some());
    // To log out is always allowed.
    call(&site.browser(), "DELETE", "/api/v1/sessions/current", &[(name, &line)], &json!({})).await.expect(200);
}

#[tokio::test]
async fn no_method_that_the_api_does_not_name_does_anything() {
    let site = Site::embedded().await;
    let mina = site.registered("mina").await;
    let named: [(&str, &[&str]); 4] = [
        ("/api/v1/sessions", &["GET", "HEAD", "POST", "DELETE"]),
        ("/api/v1/sessions/refresh", &["POST", "DELETE"]),
        ("/api/v1/sessions/current", &["DELETE"]),
        ("/api/v1/me", &["GET", "HEAD"]),
    ];
    for (path, named) in named {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW", "delete"]
        {
            if named.contains(&method) {
                continue;
            }
            for override_ in ["x-http-method-override", "x-method-override"] {
                let reply = call(&mina, method, path, &[(override_, "DELETE")], &credentials()).await;
                assert_eq!(reply.status, 405, "{method} {path}");
                assert!(reply.keeps_cookies() && !reply.body.contains("mina"), "{method} {path}");
            }
        }
    }
    let head =
        mina.clone().send(mina.request(Method::HEAD, "/api/v1/me").body(String::new()).unwrap()).await.expect(200);
    assert_eq!((head.body.as_str(), head.header("content-type")), ("", Some("application/json")));
    // `refresh` is no session's id.
    let (name, line) = bearer(&mina.access());
    call(&site.browser(), "DELETE", "/api/v1/sessions/refresh", &[(name, &line)], &json!({}))
        .await
        .problem(405, "method_not_allowed");
    assert!(mina.clone().is_signed_in().await);
}

#[tokio::test]
async fn no_token_of_a_program_reaches_the_log() {
    let place = Place::new().set("log.level", "trace").set("log.format", "json");
    let server = place.serve().await;
    server.browser().register("mina").await.expect(201);
    let body = call(&server.browser(), "POST", "/api/v1/sessions", &[], &credentials()).await.expect(200).json();
    let (access, refresh) = (body["accessToken"].as_str().unwrap(), body["refreshToken"].as_str().unwrap());
    let again = json!({ "refreshToken": refresh });
    call(&server.browser(), "POST", "/api/v1/sessions/refresh", &[], &again).await.expect(200);
    let broken = json!({ "refreshToken": &refresh[..refresh.len() - 4] });
    call(&server.browser(), "POST", "/api/v1/sessions/refresh", &[], &broken).await.problem(401, "session_ended");
    let line = format!("Bearer {access}");
    for (method, path) in [("GET", "/api/v1/me"), ("DELETE", "/api/v1/sessions/current"), ("GET", "/api/v1/me")] {
        call(&server.browser(), method, path, &[(AUTHORIZATION.as_str(), &line)], &json!({})).await;
    }
    let log = place.log();
    assert!(log.contains("logged_in") && log.contains("refresh_token_refused"), "{log}");
    for token in [access, refresh] {
        for part in token.split('.').skip(1) {
            assert!(!log.contains(&part[..part.len() - 4]), "{part}");
        }
    }
    assert!(!log.contains(PASSWORD));
}
