//! Headers and cookies that every answer carries, by http and https.

use crate::harness::{Site, application};

#[tokio::test]
async fn a_page_carries_the_security_headers() {
    let site = Site::embedded().await;
    let page = site.browser().get("/user/info").await.expect(200);
    let mut lines: Vec<_> = page
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "content-length"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"), @r"
    cache-control: no-store
    content-security-policy: default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'
    content-type: text/html; charset=utf-8
    cross-origin-opener-policy: same-origin
    cross-origin-resource-policy: same-origin
    permissions-policy: camera=(), geolocation=(), microphone=()
    referrer-policy: same-origin
    vary: Accept, Accept-Language
    x-content-type-options: nosniff
    x-frame-options: DENY
    ");
}

#[tokio::test]
async fn every_kind_of_answer_carries_them() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    for path in ["/", "/user/info", "/user/account", "/nowhere", "/healthz", "/.well-known/jwks.json", "/user/refresh"]
    {
        for reply in [browser.get(path).await, browser.get_json(path).await] {
            assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
            let policy = reply.header("content-security-policy").unwrap();
            assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}");
            assert!(reply.header("referrer-policy").is_some() && reply.header("x-request-id").is_some(), "{path}");
            assert!(reply.header("strict-transport-security").is_none(), "not without https");
            assert_eq!(reply.header("server"), None);
        }
    }
    let mut refused = site.browser().with("authorization", "Bearer rubbish");
    assert!(refused.get_json("/user/info").await.expect(401).header("content-security-policy").is_some());
}

#[tokio::test]
async fn nothing_that_a_user_shows_in_is_kept_by_a_cache() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    for path in ["/user/info", "/user/account", "/user/account/sessions", "/user/login", "/user/logout"] {
        for reply in [browser.get(path).await, browser.get_json(path).await] {
            assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
        }
    }
    site.let_access_expire();
    let renewed = browser.get_json("/user/info").await;
    let vary: Vec<_> = renewed.headers.get_all("vary").iter().map(|line| line.to_str().unwrap()).collect();
    assert!(vary.join(",").contains("Cookie"), "{vary:?}");
}

#[tokio::test]
async fn styles_are_kept_for_good_and_bring_no_cookie() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let page = browser.get("/user/info").await.body;
    let from = page.find("/user/static/").expect("a page has a style sheet");
    let path = page[from..].split('"').next().unwrap();
    site.let_access_expire();
    let style = browser.get(path).await.expect(200);
    assert!(style.keeps_cookies());
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    assert!(style.header("cache-control").unwrap().contains("max-age"), "{:?}", style.headers);
    browser.get("/user/static/nothing.css").await.expect(404);
    browser.get("/user/static/%2e%2e%2fsecret").await.expect(404);
}

/// The lines that set and clear cookies at this site.
async fn cookies_at(settings: &[(&str, &str)]) -> Vec<Vec<String>> {
    let site = Site::with(settings).await;
    let mut browser = site.browser();
    let set = browser.post_json("/user/register", application("mina")).await.expect(201);
    let cleared = browser.log_out().await.expect(200);
    vec![set.cookie_attributes(), cleared.cookie_attributes()]
}

#[tokio::test]
async fn cookies_are_plain_by_http() {
    assert_eq!(
        cookies_at(&[]).await,
        [
            ["accessToken=…; Path=/; HttpOnly; SameSite=Lax", "refreshToken=…; Path=/; HttpOnly; SameSite=Lax"],
            [
                "accessToken=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0",
                "refreshToken=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
            ],
        ]
    );
}

#[tokio::test]
async fn by_https_they_belong_to_the_host_alone() {
    assert_eq!(
        cookies_at(&[("server.public_url", "https://auth.example.com")]).await,
        [
            [
                "__Host-accessToken=…; Path=/; HttpOnly; SameSite=Lax; Secure",
                "__Host-refreshToken=…; Path=/; HttpOnly; SameSite=Lax; Secure"
            ],
            [
                "__Host-accessToken=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0",
                "__Host-refreshToken=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0"
            ],
        ]
    );
}

#[tokio::test]
async fn or_to_a_domain_that_is_configured() {
    let settings = [
        ("server.public_url", "https://auth.example.com"),
        ("cookies.domain", "example.com"),
        ("cookies.same_site", "strict"),
    ];
    assert_eq!(
        cookies_at(&settings).await[0],
        [
            "__Secure-accessToken=…; Path=/; HttpOnly; SameSite=Strict; Secure; Domain=example.com",
            "__Secure-refreshToken=…; Path=/; HttpOnly; SameSite=Strict; Secure; Domain=example.com"
        ]
    );
}

#[tokio::test]
async fn a_browser_is_known_by_a_cookie_that_is_guarded_like_the_others_and_stays_at_log_out() {
    let https = ("server.public_url", "https://auth.example.com");
    for (settings, line) in [
        (vec![], "deviceToken=…; Path=/; HttpOnly; SameSite=Lax; Max-Age=15552000"),
        (vec![https], "__Host-deviceToken=…; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=15552000"),
        (
            vec![https, ("cookies.domain", "example.com")],
            "__Secure-deviceToken=…; Path=/; HttpOnly; SameSite=Lax; Secure; Domain=example.com; Max-Age=15552000",
        ),
    ] {
        let site = Site::with(&settings).await;
        let mut browser = site.browser();
        let registered = browser.post_json("/user/register", application("mina")).await.expect(201);
        assert_eq!(registered.device_attributes(), [line]);
        assert!(browser.log_out().await.expect(200).device_attributes().is_empty());
        assert_eq!(browser.log_in("mina").await.expect(200).device_attributes(), [line]);
        site.let_access_expire();
        assert!(browser.get("/user/info").await.expect(200).device_attributes().is_empty(), "renewals leave it alone");
    }
}

#[tokio::test]
async fn with_a_prefix_names_without_it_are_ignored() {
    let site = Site::with(&[("server.public_url", "https://auth.example.com")]).await;
    let mut browser = site.browser();
    browser.register("mina").await.expect(201);
    assert!(browser.is_signed_in().await);
    for (from, to) in [("__Host-", ""), ("__Host-", "__Secure-")] {
        let mut planted = site.browser();
        planted.jar = browser.jar.iter().map(|(name, value)| (name.replace(from, to), value.clone())).collect();
        assert!(!planted.is_signed_in().await, "{to}");
    }
    let mut secure = browser.get("/user/info").await;
    secure.headers.remove("x-request-id");
    assert!(secure.header("strict-transport-security").unwrap().starts_with("max-age=63072000"));
}
