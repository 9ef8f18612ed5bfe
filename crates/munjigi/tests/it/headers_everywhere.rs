//! What holds for every answer of every route, whatever it says: swept over all of them, by https.

use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE};
use serde_json::json;

use crate::harness::{Browser, PASSWORD, Reply, Site, application};

const HTTPS: (&str, &str) = ("server.public_url", "https://auth.example.com");

const PATHS: [&str; 28] = [
    "/",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/.well-known/jwks.json",
    "/.well-known/change-password",
    "/user/static/style.css",
    "/user/static/nothing.css",
    "/user/doctor",
    "/user/info",
    "/user/login",
    "/user/register",
    "/user/logout",
    "/user/refresh",
    "/user/account",
    "/user/account/name",
    "/user/account/password",
    "/user/account/sessions",
    "/user/account/sessions/end-others",
    "/user/account/sessions/nobody/end",
    "/user/account/x.css",
    "/user/account;.js",
    "/api/v1/sessions",
    "/api/v1/sessions/refresh",
    "/api/v1/sessions/nobody",
    "/api/v1/me",
    "/.git/config",
    "/nowhere",
];

const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE];

/// Every kind of answer: by everybody, with every method, to every path, in both forms, right and wrong.
async fn everything(site: &Site) -> Vec<(String, Reply)> {
    let mut signed_in = site.browser();
    signed_in.post_json("/user/register", application("mina")).await.expect(201);
    let visitors = [
        ("stranger", site.browser()),
        ("signed in", signed_in),
        ("bad bearer", site.browser().with("authorization", "Bearer rubbish")),
        ("other site", site.browser().with("sec-fetch-site", "cross-site")),
        ("picture", site.browser().with("sec-fetch-dest", "image")),
    ];
    let mut replies = Vec::new();
    for (who, visitor) in &visitors {
        for path in PATHS {
            for method in METHODS {
                for (accept, kind, body) in [
                    ("text/html", "application/x-www-form-urlencoded", "username=mina"),
                    ("application/json", "application/json", "{"),
                    ("*/*", "text/plain", "{}"),
                ] {
                    let request =
                        visitor.request(method.clone(), path).header(ACCEPT, accept).header(CONTENT_TYPE, kind);
                    let reply = visitor.clone().send(request.body(body.to_owned()).unwrap()).await;
                    replies.push((format!("{who}: {method} {path} {accept}"), reply));
                }
            }
        }
    }
    replies
}

fn is_style(reply: &Reply) -> bool {
    reply.header("content-type").is_some_and(|kind| kind.starts_with("text/css"))
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_it() {
    let site = Site::with(&[HTTPS]).await;
    let replies = everything(&site).await;
    assert!(replies.len() > 2000);
    let mut seen = std::collections::BTreeSet::new();
    for (what, reply) in &replies {
        seen.insert(reply.status.as_u16());
        for (name, value) in [
            ("strict-transport-security", "max-age=63072000; includeSubDomains"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{what}");
        }
        let policy = reply.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{what}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("object-src"), "{what}");
        if !is_style(reply) {
            let keep = reply.header("cache-control").unwrap();
            let public = what.contains("jwks.json") && reply.status == 200;
            assert!(keep == "no-store" || public, "{what}: {keep}");
        }
        let leads_on = reply.header("location");
        assert!(leads_on.is_none_or(|at| at.starts_with('/') && !at.starts_with("//")), "{what}: {leads_on:?}");
        for name in ["server", "x-powered-by", "via", "x-aspnet-version", "access-control-allow-origin"] {
            assert_eq!(reply.header(name), None, "{what}");
        }
    }
    let statuses = [200, 303, 400, 401, 403, 404, 405, 415, 422];
    assert!(statuses.iter().all(|status| seen.contains(status)), "{seen:?}");
}

#[tokio::test]
async fn every_body_is_of_the_type_that_it_says_and_tells_no_version() {
    let site = Site::with(&[HTTPS]).await;
    for (what, reply) in everything(&site).await {
        let kind = reply.header("content-type").unwrap_or_default();
        let right = match kind {
            "application/json" | "application/problem+json" | "application/jwk-set+json" => {
                reply.body.is_empty() || serde_json::from_str::<serde_json::Value>(&reply.body).is_ok()
            }
            "text/html; charset=utf-8" => reply.body.is_empty() || reply.body.starts_with("<!doctype html>"),
            "text/css; charset=utf-8" => true,
            _ => kind.is_empty() && reply.body.is_empty(),
        };
        assert!(right, "{what}: {kind} {}", reply.body);
        if !is_style(&reply) {
            for told in [env!("CARGO_PKG_VERSION"), "hyper", "axum", "panicked", "src/", "SQLITE", "redis"] {
                assert!(!reply.body.contains(told), "{what}: {told} in {}", reply.body);
            }
        }
    }
}

#[tokio::test]
async fn no_method_but_the_ones_of_the_table_does_anything() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    for path in PATHS {
        for method in ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "CONNECT", "BREW"] {
            // Where a DELETE does something, it ends a session: `api` has those.
            if method == "DELETE" && path.starts_with("/api/v1/sessions") && !path.ends_with("/refresh") {
                continue;
            }
            let request = browser.request(method.parse().unwrap(), path).body(String::new()).unwrap();
            let reply = browser.send(request).await;
            assert!([404, 405].contains(&reply.status.as_u16()), "{method} {path}: {}", reply.status);
            assert!(reply.keeps_cookies() && !reply.body.contains(&browser.access()), "{method} {path}");
        }
    }
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn every_cookie_belongs_to_the_host_alone_and_no_script_sees_it() {
    let site = Site::with(&[HTTPS]).await;
    let mut browser = site.browser();
    let mut replies = vec![
        browser.post_json("/user/register", application("mina")).await.expect(201),
        browser.get("/user/info?lang=ko").await.expect(200),
        browser.post_json("/user/account/name", json!({ "name": "Minah" })).await.expect(200),
    ];
    site.let_access_expire();
    replies.push(browser.get("/user/account?lang=en").await.expect(200));
    replies
        .push(browser.post_json("/user/login", json!({ "username": "mina", "password": PASSWORD })).await.expect(200));
    replies.push(browser.log_out().await.expect(200));
    let lines: Vec<&str> = replies.iter().flat_map(Reply::cookies).collect();
    assert!(lines.len() >= 11, "{lines:?}");
    for line in lines {
        assert!(line.starts_with("__Host-"), "{line}");
        for attribute in ["; Secure", "; HttpOnly", "; Path=/;", "; SameSite=Lax"] {
            assert!(line.contains(attribute), "{line}");
        }
        assert!(!line.contains("Domain="), "{line}");
    }
    let mut planted = site.browser().holding("munjigi-language", "ko");
    assert!(
        planted.get("/user/login").await.body.contains("<html lang=\"en\""),
        "a name without the prefix is ignored"
    );
}

#[tokio::test]
async fn no_body_and_no_address_ever_holds_a_token() {
    let site = Site::with(&[HTTPS]).await;
    let mut browser = site.browser();
    let mut tokens = Vec::new();
    let mut replies = vec![browser.post_json("/user/register", application("mina")).await];
    for round in 0..3 {
        tokens.extend(browser.jar.values().cloned());
        for path in PATHS {
            replies.push(browser.get(path).await);
            replies.push(browser.get_json(path).await);
        }
        if round == 1 {
            site.let_access_expire();
            replies.push(browser.post_json("/user/refresh", json!({})).await.expect(200));
        }
    }
    replies.push(browser.post_form("/user/login", &[("username", "mina"), ("password", PASSWORD)]).await.expect(303));
    assert!(tokens.len() >= 6);
    for reply in &replies {
        for token in tokens.iter().flat_map(|token| [token.as_str(), token.rsplit('.').next().unwrap()]) {
            assert!(!reply.body.contains(token), "{}", reply.body);
            assert!(!reply.header("location").unwrap_or_default().contains(token));
        }
        assert!(!reply.body.contains(PASSWORD));
    }
}

#[tokio::test]
async fn hsts_reaches_as_far_as_is_said() {
    for (setting, line) in
        [("subdomains", Some("max-age=63072000; includeSubDomains")), ("host", Some("max-age=63072000")), ("off", None)]
    {
        let site = Site::with(&[HTTPS, ("server.hsts", setting)]).await;
        assert_eq!(site.browser().get("/user/login").await.header("strict-transport-security"), line);
    }
    let plain = Site::with(&[("server.hsts", "subdomains")]).await;
    assert_eq!(plain.browser().get("/user/login").await.header("strict-transport-security"), None);
}

const PARTS: [&str; 12] = [
    "audio",
    "embed",
    "font",
    "frame",
    "iframe",
    "image",
    "manifest",
    "object",
    "script",
    "style",
    "serviceworker",
    "worker",
];

async fn status_for(mut browser: Browser, path: &str, dest: &str) -> u16 {
    browser = browser.with("sec-fetch-dest", dest).with("sec-fetch-site", "same-origin");
    browser.get(path).await.status.as_u16()
}

#[tokio::test]
async fn what_shows_a_user_is_no_part_of_another_page() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    for path in [
        "/user/info",
        "/user/login",
        "/user/register",
        "/user/logout",
        "/user/account",
        "/user/account/sessions",
        "/api/v1/sessions",
        "/api/v1/me",
    ] {
        for dest in PARTS {
            let embedded = browser.clone().with("sec-fetch-dest", dest).get(path).await;
            assert_eq!(embedded.status, 403, "{dest} {path}");
            assert!(embedded.keeps_cookies() && !embedded.body.contains("Mina"), "{dest} {path}");
        }
        for dest in ["document", "empty"] {
            assert!([200, 303].contains(&status_for(browser.clone(), path, dest).await), "{dest} {path}");
        }
        assert_ne!(browser.clone().get(path).await.status, 403, "browsers without the header: {path}");
    }
    let twice = browser.clone().with("sec-fetch-dest", "document").with("sec-fetch-dest", "image");
    assert_eq!(twice.clone().get("/user/account").await.status, 403);
    let page = browser.get("/user/info").await.body;
    let style = page.split('"').find(|part| part.starts_with("/user/static/")).unwrap();
    assert_eq!(status_for(browser.clone(), style, "style").await, 200, "our own style is one");
}

#[tokio::test]
async fn a_log_out_has_the_browser_forget_pages_and_nothing_of_the_apps() {
    let site = Site::embedded().await;
    let registered = site.registered("mina").await;
    let mut forms = registered.clone();
    for reply in [
        registered.clone().log_out().await.expect(200),
        forms.post_form("/user/logout", &[]).await.expect(303),
        site.logged_in("mina").await.post_json("/user/account/sessions/current/end", json!({})).await.expect(200),
    ] {
        assert_eq!(reply.header("clear-site-data"), Some("\"cache\""));
        assert!(reply.clears_cookies());
    }
    let mut browser = site.logged_in("mina").await;
    for reply in [browser.get("/user/account").await, browser.post_json("/user/refresh", json!({})).await] {
        assert_eq!(reply.header("clear-site-data"), None);
    }
}

#[tokio::test]
async fn a_page_is_at_its_own_address_alone_and_nothing_else_is_served() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    for path in [
        "/user/account/x.css",
        "/user/account;.js",
        "/user/account%2fx.css",
        "/user/account/",
        "/user//account",
        "/user/account.json",
        "/USER/account",
        "/user/static/",
        "/user/static/..%2f..%2fmunjigi.db",
        "/user/static/%2e%2e/%2e%2e/secret",
        "/user/static/%252e%252e%252fsecret",
        "/.git/config",
        "/.env",
        "/munjigi.toml",
        "/munjigi-data/secret",
        "/metrics",
        "/debug",
        "/openapi.yaml",
        "/server-status",
    ] {
        let reply = browser.get(path).await.expect(404);
        assert!(!reply.body.contains("Mina") && reply.keeps_cookies(), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
    }
}

/// Names of members, with what they hold in turn.
fn members(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(object) => {
            let each: Vec<_> = object.iter().map(|(name, value)| format!("{name}{}", members(value))).collect();
            format!("{{{}}}", each.join(" "))
        }
        serde_json::Value::Array(list) => list.first().map(|one| format!("[{}]", members(one))).unwrap_or_default(),
        _ => String::new(),
    }
}

#[tokio::test]
async fn answers_hold_these_members_and_no_others() {
    let site = Site::embedded().await;
    let mut browser = site.browser();
    let mut table = String::new();
    for (what, reply) in [
        ("register", browser.post_json("/user/register", application("mina")).await),
        ("log in", browser.log_in("mina").await),
        ("info", browser.get_json("/user/info").await),
        ("account", browser.get_json("/user/account").await),
        ("sessions", browser.get_json("/user/account/sessions").await),
        ("name", browser.post_json("/user/account/name", json!({ "name": "Minah" })).await),
        ("refresh", browser.post_json("/user/refresh", json!({})).await),
        ("refused", browser.post_json("/user/account/name", json!({ "name": "" })).await),
        ("jwks", browser.get_json("/.well-known/jwks.json").await),
        ("health", browser.get_json("/healthz").await),
        ("readiness", browser.get_json("/readyz").await),
        ("me", browser.get_json("/api/v1/me").await),
        ("list", browser.get_json("/api/v1/sessions").await),
        ("log out", browser.log_out().await),
        ("program", browser.post_json("/api/v1/sessions", json!({ "username": "mina", "password": PASSWORD })).await),
    ] {
        table += &format!("{what}: {}\n", members(&reply.json()));
    }
    insta::assert_snapshot!(table, @r"
    register: {success user{id username name}}
    log in: {success user{id username name} returnTo}
    info: {loggedIn user{id username name} session{id expiresAt accessExpiresAt} reason}
    account: {user{id username name} sessions[{id device address createdAt lastUsedAt current}]}
    sessions: {sessions[{id device address createdAt lastUsedAt current}]}
    name: {success user{id username name}}
    refresh: {success accessExpiresAt}
    refused: {type title status detail success code msg errors{name}}
    jwks: {keys[{kty crv x y kid use alg}]}
    health: {status}
    readiness: {status checks{users sessions revocations clock}}
    me: {id username name}
    list: {sessions[{id device address createdAt lastUsedAt current}]}
    log out: {success}
    program: {accessToken refreshToken tokenType expiresIn}
    ");
}

#[tokio::test]
async fn only_http_1_is_spoken() {
    use std::io::{Read as _, Write as _};
    let place = crate::harness::Place::new();
    let server = place.serve().await;
    for beginning in [
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0",
        "GET /user/info HTTP/2.0\r\nHost: localhost\r\n\r\n",
        "GET /user/info\r\n",
    ] {
        let mut connection = std::net::TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
        connection.write_all(beginning.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // It may hang up on the rest.
        let _ = connection.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{:?}", String::from_utf8_lossy(&answer));
    }
    let upgrade = server.browser().with("connection", "Upgrade, HTTP2-Settings").with("upgrade", "h2c");
    assert_eq!(upgrade.with("http2-settings", "AAMAAABkAAQAAP__").get("/user/info").await.status, 200);
}
