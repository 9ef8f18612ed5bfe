//! What every answer carries, whatever the route and however it went: the rules of headers and cookies, held against each
//! route of the table and each outcome that can be brought about.

use http::header::ACCEPT;
use http::{Method, Request};
use serde_json::json;

use super::table::{Route, routes};
use super::tell;
use crate::harness::{Browser, PASSWORD, Reply, Site, application};

/// The most that a browser keeps of one cookie, name and attributes included (RFC 6265bis, section 5.6, is a little kinder).
const MOST_COOKIE: usize = 4096;

/// A site and what its rules are.
struct Ground {
    site: Site,
    https: bool,
    prefix: &'static str,
    domain: Option<&'static str>,
}

async fn grounds() -> Vec<Ground> {
    let mut grounds = Vec::new();
    let public = ("server.public_url", "https://auth.example.com");
    for (https, prefix, domain, settings) in [
        (false, "", None, vec![]),
        (true, "__Host-", None, vec![public]),
        (
            true,
            "__Secure-",
            Some("example.com"),
            vec![
                public,
                ("cookies.domain", "example.com"),
                ("cookies.same_site", "strict"),
                ("server.trusted_origins", "https://app.example.com"),
            ],
        ),
    ] {
        let settings: Vec<_> = settings.into_iter().chain([("limits.enabled", "false")]).collect();
        grounds.push(Ground { site: Site::with(&settings).await, https, prefix, domain });
    }
    grounds
}

/// Somebody with as long a username and name as there are: signed in, and to be renewed, and more.
async fn visitors(ground: &Ground, number: usize) -> Vec<(&'static str, Browser)> {
    let site = &ground.site;
    let mut form = application(&format!("mina.{number:027}"));
    form["name"] = json!("\u{10ffff}".repeat(64));
    form["remember"] = json!(true);
    let mut awake = site.browser();
    awake.post_json("/user/register", form).await.expect(201);
    let access = format!("{}accessToken", ground.prefix);
    let token = awake.jar[&access].clone();
    let ended = awake.clone();
    let body = json!({ "username": format!("mina.{number:027}"), "password": PASSWORD, "remember": true });
    let mut awake = site.browser();
    awake.post_json("/user/login", body).await.expect(200);
    ended.clone().log_out().await.expect(200);
    vec![
        ("stranger", site.browser()),
        ("signed in", awake.clone()),
        ("to be renewed", awake.clone().without(&access)),
        ("ended", ended),
        (
            "garbage",
            site.browser().holding(&access, "a.b.c").holding(&format!("{}refreshToken", ground.prefix), "a.b.c"),
        ),
        ("bearer", site.browser().with("authorization", &format!("Bearer {}", awake.jar[&access]))),
        ("ended bearer", site.browser().with("authorization", &format!("Bearer {token}"))),
        ("bad bearer", site.browser().with("authorization", "Bearer rubbish")),
        ("another site", awake.with("origin", "https://evil.example").with("sec-fetch-site", "cross-site")),
    ]
}

fn requests(route: &Route) -> Vec<Request<String>> {
    let mut requests = Vec::new();
    let path = &route.path;
    let mut add = |method: &Method, path: &str, kind: Option<&str>, accept: &str, body: &str| {
        let mut request = Request::builder().method(method).uri(path).header(ACCEPT, accept);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        requests.push(request.body(body.to_owned()).unwrap());
    };
    for accept in ["text/html", "application/json"] {
        add(&route.method, path, None, accept, "");
        add(&route.method, &format!("{path}?lang=ko&return_to=//evil.example&saved=name"), None, accept, "");
        add(&Method::PUT, path, None, accept, "");
        add(&Method::OPTIONS, path, None, accept, "");
        add(&Method::HEAD, path, None, accept, "");
        add(&Method::GET, &format!("{path}/nowhere"), None, accept, "");
        add(&Method::GET, &format!("{path}%ff"), None, accept, "");
        if route.method != Method::GET {
            for (kind, body) in [
                ("application/json", "{}"),
                ("application/json", r#"{"name":"Minah","username":"nobody","password":"wrong-one"}"#),
                ("application/json", "{"),
                ("application/x-www-form-urlencoded", "name=Minah&username=nobody&password=wrong-one&return_to=/app"),
                ("application/x-www-form-urlencoded", "name=%00&newPassword=x"),
                ("text/plain", "x"),
            ] {
                add(&route.method, path, Some(kind), accept, body);
            }
            add(&route.method, path, Some("application/json"), accept, &"x".repeat(70_000));
        }
    }
    requests
}

/// One header of an answer that may occur once.
fn one<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.header(name).unwrap_or_else(|| panic!("no {name}: {:?}", reply.headers))
}

fn holds_the_rules_of_headers(ground: &Ground, reply: &Reply) {
    let policy = one(reply, "content-security-policy");
    for directive in
        ["default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"]
    {
        assert!(policy.split(';').any(|part| part.trim().starts_with(directive)), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("evil"), "{policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(one(reply, name), value);
    }
    let transport = reply.header("strict-transport-security");
    let age = transport.and_then(|line| line.split(';').next()?.strip_prefix("max-age=")?.parse::<u64>().ok());
    assert!(if ground.https { age >= Some(31_536_000) } else { transport.is_none() }, "{transport:?}");
    let kind = reply.header("content-type");
    assert!(kind.is_some() || reply.body.is_empty(), "a body of no kind: {}", reply.body);
    if kind.is_some_and(|kind| kind.starts_with("text/html")) {
        assert_eq!(kind, Some("text/html; charset=utf-8"));
    }
    if reply.body.trim_start().starts_with('<') && !reply.body.starts_with("<svg") {
        assert_eq!(kind, Some("text/html; charset=utf-8"));
    }
    let kept = one(reply, "cache-control");
    assert!(kept == "no-store" || kept.starts_with("public, max-age="), "{kept}");
    let origins =
        reply.headers.get_all("access-control-allow-origin").iter().all(|line| line == "https://app.example.com");
    assert!(origins, "{:?}", reply.headers);
    for teller in
        ["server", "x-powered-by", "via", "x-aspnet-version", "x-runtime", "x-debug", "server-timing", "x-backend"]
    {
        assert!(reply.header(teller).is_none(), "{teller}");
    }
}

/// Whatever it sets, whoever added it.
fn holds_the_rules_of_cookies(ground: &Ground, reply: &Reply) -> usize {
    for line in reply.cookies() {
        let (pair, attributes) = line.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let attributes: Vec<&str> = attributes.split("; ").collect();
        let has = |wanted: &str| attributes.iter().filter(|attribute| **attribute == wanted).count() == 1;
        assert!(has("HttpOnly") && has("Path=/"), "{line}");
        assert!(has("SameSite=Lax") != has("SameSite=Strict"), "{line}");
        assert_eq!(has("Secure"), ground.https, "{line}");
        let domain = attributes.iter().find_map(|attribute| attribute.strip_prefix("Domain="));
        assert!(domain.is_none() || domain == ground.domain, "{line}");
        assert!(!name.starts_with("__Host-") || domain.is_none(), "{line}");
        if name.ends_with("Token") {
            assert!(
                name.starts_with(ground.prefix)
                    && ["__Host-", "__Secure-", ""].iter().any(|prefix| name
                        .strip_prefix(prefix)
                        .is_some_and(|bare| bare.chars().all(char::is_alphanumeric))),
                "{line}"
            );
            assert_eq!(one(reply, "cache-control"), "no-store", "{line}");
        }
        assert!(line.len() <= MOST_COOKIE, "{} bytes: {name}", line.len());
        assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{line}");
    }
    let mut names: Vec<_> = reply.cookies().iter().map(|line| line.split('=').next().unwrap().to_owned()).collect();
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "a cookie is set twice: {:?}", reply.cookies());
    count
}

/// No token, no version, nothing of what is behind.
fn tells_nothing(reply: &Reply) {
    let headers = reply.headers.iter().filter(|(name, _)| *name != "set-cookie");
    let headers: String =
        headers.map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))).collect();
    for text in [&reply.body, &headers] {
        for secret in [
            "eyJ",
            PASSWORD,
            "wrong-one",
            "$argon2",
            env!("CARGO_PKG_VERSION"),
            "axum",
            "hyper",
            "rustc",
            "sqlite",
            "SQLite",
            "src/",
            ".rs:",
            "panicked",
            "/tmp/",
            "munjigi.db",
        ] {
            assert!(!text.contains(secret), "{secret} in\n{text}");
        }
    }
}

#[tokio::test]
async fn every_answer_of_every_route_keeps_the_rules() {
    let (mut answers, mut cookies, mut statuses) = (0, 0, std::collections::BTreeMap::new());
    for ground in grounds().await {
        for (number, route) in routes().iter().enumerate() {
            ground.site.clock.catch_up();
            for (who, visitor) in visitors(&ground, number).await {
                for request in requests(route) {
                    let what = format!("{who}: {} {}", request.method(), request.uri());
                    let (told, _) = request.clone().into_parts();
                    // Each from the same beginning: what one of them ends is not to be the end of all.
                    let reply = visitor.clone().send(request).await;
                    assert!(!reply.status.is_server_error(), "{what}: {}", reply.body);
                    let judged = std::panic::AssertUnwindSafe(|| {
                        holds_the_rules_of_headers(&ground, &reply);
                        tells_nothing(&reply);
                        holds_the_rules_of_cookies(&ground, &reply)
                    });
                    let judged = std::panic::catch_unwind(judged);
                    cookies += judged
                        .unwrap_or_else(|_| panic!("{what} {:?}: {} {:?}", told.headers, reply.status, reply.headers));
                    *statuses.entry(reply.status.as_u16()).or_insert(0) += 1;
                    answers += 1;
                }
            }
        }
    }
    for status in [200, 303, 400, 401, 403, 404, 405, 413, 415, 422] {
        assert!(statuses.contains_key(&status), "no answer was a {status}: {statuses:?}");
    }
    assert!(answers >= 8_000 && cookies >= 500, "{answers} {cookies}");
    tell(&format!("answers: {answers} held against the rules, {cookies} cookies, 0 broke one; {statuses:?}"));
}
