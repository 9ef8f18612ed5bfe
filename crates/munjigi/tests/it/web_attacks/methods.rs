//! Methods: none that a route does not name does anything, none reflects what it was sent, none can be dressed up as another,
//! and a GET changes nothing.

use std::collections::BTreeMap;

use http::{Method, Request};

use super::table::{pages, routes};
use super::{state, tell};
use crate::harness::{Browser, Reply, Site};

const METHODS: [&str; 44] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "SEARCH",
    "REPORT",
    "QUERY",
    "PURGE",
    "DEBUG",
    "TRACK",
    "LINK",
    "UNLINK",
    "ACL",
    "BIND",
    "MERGE",
    "NOTIFY",
    "SUBSCRIBE",
    "M-SEARCH",
    "get",
    "post",
    "Post",
    "pOST",
    "head",
    "delete",
    "GETX",
    "POSTX",
    "XGET",
    "FOO",
    "_POST",
    "POST_",
    "PRI",
    "INVOKE",
];

const BODY: &str = r#"{"name":"Mallory","username":"mallory","password":"x"}"#;

async fn stage() -> (Site, Browser) {
    let site = Site::with(&[("limits.enabled", "false")]).await;
    let mina = site.registered("mina").await;
    (site, mina)
}

async fn send(browser: &Browser, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    browser.clone().send(request.body(BODY.to_owned()).unwrap()).await
}

/// The methods of each path: those of the table, and HEAD where there is GET.
fn named() -> BTreeMap<String, Vec<String>> {
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for route in routes() {
        let methods = named.entry(route.path).or_default();
        methods.push(route.method.to_string());
        if route.method == Method::GET {
            methods.push("HEAD".to_owned());
        }
    }
    named
}

#[tokio::test]
async fn a_method_that_a_route_does_not_name_does_nothing() {
    let (site, mina) = stage().await;
    let before = state(&site);
    let mut tried = 0;
    for (path, named) in named() {
        for method in METHODS.iter().filter(|method| !named.iter().any(|name| name == *method)) {
            for browser in [&mina, &mina.as_bearer(), &site.browser()] {
                let headers = [
                    ("x-canary", "canary-zq7x"),
                    ("cookie", "secret=canary-zq7x"),
                    ("max-forwards", "0"),
                    ("destination", "/user/x"),
                ];
                let reply = send(browser, method, &path, &headers).await;
                assert!([405, 401, 303].contains(&reply.status.as_u16()), "{method} {path}: {}", reply.status);
                assert!(
                    reply.keeps_cookies() && !reply.body.contains("canary") && !reply.body.contains("Mina"),
                    "{method} {path}"
                );
                assert!(reply.header("access-control-allow-methods").is_none(), "{method} {path}");
                tried += 1;
            }
        }
        assert_eq!(state(&site), before, "{path}");
    }
    assert!(tried >= 2_000, "{tried}");
    tell(&format!("methods: {tried} tried, 0 did anything"));
}

/// HEAD is GET without a body, and nothing more.
#[tokio::test]
async fn head_says_what_get_says_and_does_as_little() {
    let (site, mina) = stage().await;
    let before = state(&site);
    for route in pages() {
        for browser in [&mina, &site.browser()] {
            for accept in ["text/html", "application/json"] {
                let [get, head] = [
                    send(browser, "GET", &route.path, &[("accept", accept)]).await,
                    send(browser, "HEAD", &route.path, &[("accept", accept)]).await,
                ];
                assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{}", route.path);
                for name in
                    ["content-type", "cache-control", "location", "content-security-policy", "x-content-type-options"]
                {
                    assert_eq!(head.header(name), get.header(name), "{} {accept}: {name}", route.path);
                }
            }
        }
    }
    assert_eq!(state(&site), before);
}

/// However it is dressed up, a GET is a GET.
#[tokio::test]
async fn a_get_changes_nothing() {
    let (site, mina) = stage().await;
    let before = state(&site);
    let mut tried = 0;
    let queries = [
        "",
        "?_method=POST",
        "?_method=DELETE",
        "?method=post",
        "?name=Mallory",
        "?username=mina&password=blue+kettle%2C+seven+spoons",
        "?newPassword=x&confirmPassword=x",
        "?action=logout",
        "?logout=1",
        "?sid=current",
        "?lang=ko",
        "?return_to=/user/logout",
        "?saved=name",
        "?confirm=true",
    ];
    let dresses: [&[(&str, &str)]; 10] = [
        &[],
        &[("x-http-method-override", "POST")],
        &[("x-http-method-override", "DELETE")],
        &[("x-http-method", "POST")],
        &[("x-method-override", "POST")],
        &[("x-original-method", "POST")],
        &[("x-forwarded-method", "POST")],
        &[("x-original-url", "/user/logout"), ("x-rewrite-url", "/user/logout")],
        &[("purpose", "prefetch"), ("sec-purpose", "prefetch;prerender")],
        &[("content-type", "application/x-www-form-urlencoded")],
    ];
    for route in routes() {
        let mut usual = BTreeMap::new();
        for method in ["GET", "HEAD", "OPTIONS"] {
            for query in queries {
                for dress in dresses {
                    let reply = send(&mina, method, &format!("{}{query}", route.path), dress).await;
                    let ours = reply.cookies().iter().any(|line| line.contains("Token"));
                    assert!(!ours, "{method} {}{query} {dress:?}: {:?}", route.path, reply.cookies());
                    let expected = usual.entry((method, query)).or_insert(reply.status);
                    assert_eq!(reply.status, *expected, "{method} {}{query} {dress:?} makes a difference", route.path);
                    tried += 1;
                }
            }
        }
        assert_eq!(state(&site), before, "{}", route.path);
    }
    assert!(mina.clone().is_signed_in().await);
    tell(&format!("safe methods: {tried} tried, 0 changed anything"));
}

/// A POST that says that it is another method is the POST that it is.
#[tokio::test]
async fn a_post_cannot_be_dressed_up() {
    let (site, mina) = stage().await;
    let before = state(&site);
    for dress in [
        ("x-http-method-override", "GET"),
        ("x-http-method", "HEAD"),
        ("x-method-override", "OPTIONS"),
        ("x-http-method-override", "get"),
    ] {
        for path in ["/user/account/name", "/user/logout", "/user/login"] {
            let evil = [dress, ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
            let reply = send(&mina, "POST", path, &evil).await;
            assert_eq!(reply.status, 403, "{path} {dress:?} gets past the same-origin check");
        }
        for path in ["/user/info", "/user/account", "/healthz"] {
            assert_eq!(send(&mina, "POST", path, &[dress]).await.status, 405, "{path} {dress:?}");
        }
    }
    assert!(mina.clone().is_signed_in().await && state(&site) == before);
}
