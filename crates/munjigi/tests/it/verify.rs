//! `/auth/verify`: what a proxy is told of a visitor, and what visitors try to be told for.

use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::harness::{Browser, RedisServer, Reply, Site, application};

/// The proxy, and an app on another host that may be gone back to.
const SETTINGS: [(&str, &str); 3] = [
    ("server.public_url", "http://auth.example.com"),
    ("server.trusted_proxies", "10.0.0.1"),
    ("server.trusted_origins", "http://app.example.com"),
];
const IDENTITY: [&str; 6] =
    ["remote-user", "remote-id", "remote-name", "remote-email", "remote-groups", "x-upstream-cookie"];

async fn ask(browser: &mut Browser, method: &str, query: &str) -> Reply {
    let request = browser.request(method.parse().unwrap(), &format!("/auth/verify{query}"));
    browser.send(request.body(String::new()).unwrap()).await
}

/// The same visitor, seen by the proxy on the way to `path` of the app.
fn going_to(browser: &Browser, path: &str) -> Browser {
    let browser = browser.clone().from("10.0.0.1").with("x-forwarded-proto", "http");
    browser.with("x-forwarded-host", "app.example.com").with("x-forwarded-uri", path)
}

#[tokio::test]
async fn a_visitor_is_told_of_in_headers_that_are_always_there() {
    let site = Site::embedded().await;
    let mut browser = site.browser();
    let mut typed = application("mina");
    typed["name"] = "김 민아".into();
    let user = browser.post_json("/user/register", typed).await.expect(201).json()["user"].clone();
    for mut browser in [browser.clone(), browser.as_bearer()] {
        let reply = ask(&mut browser, "GET", "").await.expect(200);
        let told = IDENTITY.map(|name| reply.header(name).unwrap_or_else(|| panic!("{name} is missing")));
        let id = user["id"].as_str().unwrap();
        assert_eq!(told, ["mina", id, "%EA%B9%80%20%EB%AF%BC%EC%95%84", "", "", ""]);
        assert!(reply.body.is_empty() && reply.keeps_cookies());
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn nobody_is_somebody_by_saying_so() {
    let site = Site::with(&SETTINGS).await;
    let mut liar = site.browser();
    for name in IDENTITY {
        liar = liar.with(name, "mina");
    }
    let reply = ask(&mut liar, "GET", "").await;
    reply.problem(401, "login_required");
    assert!(IDENTITY.iter().all(|name| reply.header(name).is_none()));
    // Nor somebody else: what they send is not what the proxy is told.
    let mut jiho = site.registered("jiho").await.with("remote-user", "mina").with("remote-groups", "admin");
    let reply = ask(&mut jiho, "GET", "").await.expect(200);
    assert_eq!((reply.header("remote-user"), reply.header("remote-groups")), (Some("jiho"), Some("")));
    ask(&mut site.browser().with("authorization", "Bearer rubbish"), "GET", "?login=redirect").await.expect(401);
}

#[tokio::test]
async fn the_method_and_the_headers_are_the_visitors_and_decide_nothing() {
    let site = Site::with(&SETTINGS).await;
    let mina = site.registered("mina").await;
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        for (name, value) in [
            ("origin", "http://app.example.com"),
            ("origin", "http://evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-dest", "image"),
            ("content-type", "text/xml"),
            ("accept", "text/html"),
            ("access-control-request-method", "POST"),
        ] {
            let with = |browser: Browser| browser.with("origin", "http://app.example.com").with(name, value);
            ask(&mut with(mina.clone()), method, "").await.expect(200);
            let refused = ask(&mut with(site.browser()), method, "").await.expect(401);
            assert_eq!(refused.header("content-type"), Some("application/problem+json"), "{method} {name}");
        }
    }
}

#[tokio::test]
async fn an_app_gets_its_own_cookies_and_none_of_ours() {
    let site = Site::embedded().await;
    let mina = site.registered("mina").await;
    let (access, refresh) = (mina.access(), mina.refresh());
    let line =
        format!("theme=dark; accessToken={access}; basket=\"a b\"; refreshToken={refresh}; __Host-accessToken=x");
    let mut browser =
        site.browser().with("cookie", &line).with("cookie", "deviceToken=y; munjigi-language=ko; second=2");
    let reply = ask(&mut browser, "GET", "").await.expect(200);
    assert_eq!(reply.header("x-upstream-cookie"), Some("theme=dark; basket=\"a b\"; second=2"));
    let language = format!("__Host-munjigi-language=ko; accessToken={access}; munjigi-languages=2");
    let reply = ask(&mut site.browser().with("cookie", &language), "GET", "").await.expect(200);
    assert_eq!(reply.header("x-upstream-cookie"), Some("munjigi-languages=2"));
}

#[tokio::test]
async fn a_renewal_is_handed_over_cookie_by_cookie() {
    let site = Site::with(&SETTINGS).await;
    let mut mina = site.registered("mina").await;
    let before = mina.access();
    site.let_access_expire();
    let reply = ask(&mut mina, "GET", "").await.expect(200);
    assert_eq!(reply.header("remote-user"), Some("mina"));
    let alone = ["x-set-cookie-access", "x-set-cookie-refresh"].map(|name| reply.header(name).unwrap());
    assert_eq!(reply.cookies(), alone, "the same lines");
    assert!(alone[0].starts_with("accessToken=") && alone[1].starts_with("refreshToken="));
    assert_ne!(mina.access(), before);
    let reply = ask(&mut mina, "GET", "").await.expect(200);
    assert!(reply.keeps_cookies() && reply.header("x-set-cookie-access").is_none());
}

#[tokio::test]
async fn who_is_not_signed_in_is_led_to_log_in_and_back() {
    let site = Site::with(&SETTINGS).await;
    site.registered("mina").await;
    let stranger = site.browser();
    let reply = ask(&mut going_to(&stranger, "/board?p=2&q=한글"), "GET", "?login=redirect").await.expect(302);
    let there = "http%3A%2F%2Fapp.example.com%2Fboard%3Fp%3D2%26q%3D%25ED%2595%259C%25EA%25B8%2580";
    assert_eq!(reply.location(), format!("http://auth.example.com/user/login?return_to={there}"));
    let mut visitor = stranger.clone();
    let page = reply.location().strip_prefix("http://auth.example.com").unwrap().to_owned();
    assert!(visitor.get(&page).await.expect(200).body.contains("app.example.com/board"));
    let typed = [("username", "mina"), ("password", crate::harness::PASSWORD)];
    let there = "http://app.example.com/board?p=2&q=%ED%95%9C%EA%B8%80";
    let reply = visitor.post_form("/user/login", &[typed[0], typed[1], ("return_to", there)]).await.expect(303);
    assert_eq!(reply.location(), there);
    // The other way in which proxies say it.
    let mut by_nginx = stranger.from("10.0.0.1").with("x-original-url", "http://app.example.com/x");
    let reply = ask(&mut by_nginx, "GET", "?login=redirect").await.expect(302);
    assert!(reply.location().ends_with("?return_to=http%3A%2F%2Fapp.example.com%2Fx"), "{}", reply.location());
    let by_path = site.browser().from("10.0.0.1").with("x-forwarded-proto", "http");
    let mut by_path = by_path.with("x-forwarded-host", "app.example.com").with("x-original-uri", "/y");
    let reply = ask(&mut by_path, "GET", "?login=redirect").await.expect(302);
    assert!(reply.location().ends_with("?return_to=http%3A%2F%2Fapp.example.com%2Fy"), "{}", reply.location());
}

#[tokio::test]
async fn whoever_could_do_nothing_with_a_page_is_told_so_instead() {
    let site = Site::with(&SETTINGS).await;
    for (dest, accept, status) in [
        ("document", "text/html", 302),
        ("iframe", "*/*", 302),
        ("empty", "text/html, application/xhtml+xml", 302),
        ("empty", "*/*", 401),
        ("empty", "application/json", 401),
        ("websocket", "", 401),
        ("image", "image/avif,*/*;q=0.8", 401),
    ] {
        let visitor = going_to(&site.browser(), "/board").with("sec-fetch-dest", dest).with("accept", accept);
        ask(&mut visitor.clone(), "GET", "?login=redirect").await.expect(status);
    }
    // A program that does not say what it wants it for is led, whatever it accepts.
    let mut program = going_to(&site.browser(), "/board").with("accept", "application/json");
    ask(&mut program, "GET", "?login=redirect").await.expect(302);
}

#[tokio::test]
async fn a_proxy_may_demand_that_the_log_in_is_not_long_ago() {
    let site = Site::with(&SETTINGS).await;
    let mut mina = site.registered("mina").await;
    ask(&mut mina, "GET", "?max_age=900").await.expect(200);
    site.clock.advance(Duration::from_secs(901));
    let refused = ask(&mut mina, "GET", "?max_age=900").await;
    refused.problem(401, "login_required");
    assert!(refused.header("www-authenticate").unwrap().contains("max_age=\"900\""));
    assert_eq!(refused.cookies().len(), 2, "a renewal makes no log-in younger, and is a renewal all the same");
    ask(&mut mina, "GET", "?max_age=902").await.expect(200);
    ask(&mut mina, "GET", "").await.expect(200);
    ask(&mut going_to(&mina.as_bearer(), "/"), "GET", "?max_age=900&login=redirect").await.expect(401);

    let led = ask(&mut going_to(&mina, "/pay"), "GET", "?max_age=900&login=redirect").await.expect(302);
    let way = "/user/login?return_to=http%3A%2F%2Fapp.example.com%2Fpay&max_age=900";
    assert_eq!(led.location(), format!("http://auth.example.com{way}"));
    // The page asks somebody who is signed in: leading them on would lead them in circles.
    let page = mina.get(way).await.expect(200).body;
    assert!(page.contains("value=\"mina\"") && page.contains("Please enter your password again"), "{page}");
    let typed = [("username", "mina"), ("password", crate::harness::PASSWORD)];
    let there = "http://app.example.com/pay";
    let reply = mina.post_form("/user/login", &[typed[0], typed[1], ("return_to", there)]).await.expect(303);
    assert_eq!(reply.location(), there);
    ask(&mut going_to(&mina, "/pay"), "GET", "?max_age=900&login=redirect").await.expect(200);
    assert_eq!(mina.get(way).await.expect(303).location(), there, "and who has just logged in is led on");
}

#[tokio::test]
async fn what_a_visitor_puts_behind_the_proxys_own_words_has_no_effect() {
    let site = Site::with(&SETTINGS).await;
    let mina = site.registered("mina").await;
    site.clock.advance(Duration::from_secs(100));
    let too_old = "?max_age=60&login=redirect";
    for behind in
        ["", "&max_age=9999", "&max_age=", "&login=no", "&login", "&%6dax_age=9999&login=x&renew=x", "&%ff=%ff&="]
    {
        let led = ask(&mut going_to(&mina, "/"), "GET", &format!("{too_old}{behind}")).await.expect(302);
        assert!(led.location().ends_with("&max_age=60"), "{behind}: {}", led.location());
    }
    // An app may have such words of its own.
    for path in ["/search?max_age=15m&login=x", "/search?a&max_age=15m&login=x&renew=x"] {
        let query = format!("?login=redirect&path={path}");
        ask(&mut going_to(&site.browser(), "/"), "GET", &query).await.expect(302);
        ask(&mut mina.clone(), "GET", &query).await.expect(200);
    }
    // And a demand that cannot be read is not one that is met.
    for demand in ["", "0", "-1", "15m", "900 ", "1e9", "99999999999999999999"] {
        ask(&mut mina.clone(), "GET", &format!("?max_age={}", demand.replace(' ', "%20")))
            .await
            .problem(400, "malformed");
    }
}

#[tokio::test]
async fn nobody_is_led_where_no_trusted_proxy_and_no_trusted_origin_is() {
    let site = Site::with(&SETTINGS).await;
    let (page, stranger) = ("http://auth.example.com/user/login", site.browser());
    let said = |browser: Browser, host: &str, uri: &str| {
        browser.with("x-forwarded-proto", "http").with("x-forwarded-host", host).with("x-forwarded-uri", uri)
    };
    let proxy = stranger.clone().from("10.0.0.1");
    let cases = [
        said(stranger.clone().from("10.0.0.2"), "app.example.com", "/board"),
        said(stranger.clone(), "app.example.com", "/board"),
        said(proxy.clone(), "evil.example", "/"),
        said(proxy.clone(), "app.example.com@evil.example", "/"),
        said(proxy.clone(), "app.example.com.evil.example", "/"),
        said(proxy.clone(), "app.example.com", ".evil.example/"),
        said(proxy.clone(), "app.example.com:81", "/"),
        said(proxy.clone(), "app.example.com", "/").with("x-forwarded-host", "evil.example"),
        proxy.clone().with("x-original-url", "javascript:alert(1)"),
        proxy.clone().with("x-original-url", "//evil.example/"),
        proxy.with("x-original-url", &format!("http://app.example.com/{}", "a".repeat(3_000))),
    ];
    let tried = cases.len();
    for (number, mut browser) in cases.into_iter().enumerate() {
        let reply = ask(&mut browser, "GET", "?login=redirect").await.expect(302);
        assert_eq!(reply.location(), page, "case {number} of {tried}");
    }
}

#[tokio::test]
async fn where_a_proxy_drops_the_cookies_of_a_yes_the_visitor_comes_again_with_them() {
    let site = Site::with(&SETTINGS).await;
    let mina = site.registered("mina").await;
    site.let_access_expire();
    for (method, forwarded, status) in [("GET", None, 302), ("GET", Some("POST"), 307), ("POST", None, 307)] {
        let mut visitor = going_to(&mina, "/board?p=2");
        if let Some(method) = forwarded {
            visitor = visitor.with("x-forwarded-method", method);
        }
        let reply = ask(&mut visitor, method, "?renew=redirect").await.expect(status);
        assert_eq!(reply.location(), "http://app.example.com/board?p=2");
        assert_eq!(reply.cookies().len(), 2);
        ask(&mut visitor, method, "?renew=redirect").await.expect(200);
    }
    // What opens a WebSocket follows no redirect.
    let mut socket = going_to(&mina, "/live").with("upgrade", "websocket").with("sec-websocket-version", "13");
    let reply = ask(&mut socket, "GET", "?renew=redirect").await.expect(200);
    assert_eq!((reply.header("remote-user"), reply.cookies().len()), (Some("mina"), 2));
    // Nobody knows where to: better a renewal that the proxy may drop than none.
    let reply = ask(&mut mina.clone(), "GET", "?renew=redirect").await.expect(200);
    assert_eq!(reply.cookies().len(), 2);
}

#[tokio::test]
async fn a_log_out_is_felt_at_once_and_takes_the_cookies_away() {
    let site = Site::with(&SETTINGS).await;
    let mut mina = site.registered("mina").await;
    let thief = mina.clone();
    mina.log_out().await.expect(200);
    let refused = ask(&mut thief.clone(), "GET", "").await;
    refused.problem(401, "login_required");
    assert!(refused.clears_cookies());
    let led = ask(&mut going_to(&thief, "/"), "GET", "?login=redirect").await.expect(302);
    assert!(led.clears_cookies() && led.location().ends_with("&reason=ended"), "{}", led.location());
    assert!(led.header("x-set-cookie-access").is_some_and(|line| line.contains("Max-Age=0")));
}

#[tokio::test]
async fn without_its_store_nobody_is_let_in_who_has_to_be_renewed() {
    let mut redis = RedisServer::private();
    let settings =
        [("store.redis_url", redis.url.as_str()), ("server.secret", "a secret that is only for these tests")];
    let site = Site::with(&settings).await;
    let mut mina = site.registered("mina").await;
    redis.kill();
    ask(&mut mina, "GET", "").await.expect(200);
    site.let_access_expire();
    let reply = ask(&mut mina, "GET", "?login=redirect").await;
    reply.problem(503, "unavailable");
    assert!(reply.keeps_cookies());
}

#[tokio::test]
async fn a_body_is_not_waited_for() {
    let site = Site::embedded().await;
    let mut mina = site.registered("mina").await;
    let big = mina.request(Method::POST, "/auth/verify").header("content-length", "10000000");
    mina.send(big.body(json!("not ten megabytes").to_string()).unwrap()).await.expect(200);
}
