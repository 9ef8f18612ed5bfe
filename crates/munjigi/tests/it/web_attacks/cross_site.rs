//! Cross-site request forgery: no page of another origin changes anything, whatever body and headers it can cause a browser
//! to send. Every unsafe route of the table, with a body that would do something there.
//!
//! What a browser can send, and what it cannot: a page sets neither `Sec-Fetch-Site` nor `Origin` (both are forbidden header
//! names). `Sec-Fetch-Site: none` means that the user did it, by typing an address or opening a bookmark; no page is behind
//! it. Beside a foreign `Origin` it comes from a browser's extension that the user has given the site to. Section 8 lets it
//! pass, and so do we: see `a_user_who_acts_without_a_page_passes`. Over plain http browsers send no `Sec-Fetch-Site`, and
//! `Origin` decides.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use serde_json::json;

use super::table::{Route, unsafe_routes};
use super::{state, tell};
use crate::harness::{Browser, OTHER_PASSWORD, PASSWORD, Reply, Site};

const OWN: &str = "https://auth.example.com";
const TRUSTED: &str = "https://app.example.com";

/// Headers, in the order in which they are sent.
type Mix = Vec<(&'static str, &'static str)>;

async fn site() -> Site {
    let settings = [("server.public_url", OWN), ("server.trusted_origins", TRUSTED), ("limits.enabled", "false")];
    Site::with(&settings).await
}

/// What would do something at any of the routes.
fn members(path: &str, user: &str) -> Vec<(&'static str, String)> {
    let registering = path.ends_with("/register");
    let username = if registering { format!("{user}.new") } else { user.to_owned() };
    let new = if registering { PASSWORD } else { OTHER_PASSWORD };
    vec![
        ("username", username),
        ("password", PASSWORD.to_owned()),
        ("name", "Mallory".to_owned()),
        ("currentPassword", PASSWORD.to_owned()),
        ("newPassword", OTHER_PASSWORD.to_owned()),
        ("confirmPassword", new.to_owned()),
    ]
}

fn form(members: &[(&'static str, String)]) -> String {
    serde_urlencoded::to_string(members).unwrap()
}

fn object(members: &[(&'static str, String)]) -> String {
    json!(members.iter().cloned().collect::<std::collections::BTreeMap<_, _>>()).to_string()
}

fn multipart(members: &[(&'static str, String)]) -> String {
    let part = |(name, value): &(&str, String)| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    members.iter().map(part).collect::<String>() + "--x--\r\n"
}

/// Kinds of body that a form, a beacon or a script can cause: types and content.
fn bodies(members: &[(&'static str, String)]) -> Vec<(Vec<&'static str>, String)> {
    vec![
        (vec!["application/x-www-form-urlencoded"], form(members)),
        (vec!["application/x-www-form-urlencoded; charset=utf-7"], form(members)),
        (vec!["multipart/form-data; boundary=x"], multipart(members)),
        (vec!["text/plain"], object(members)),
        (vec!["text/plain;charset=UTF-8"], form(members)),
        (vec!["text/plain; application/json"], object(members)),
        (vec!["application/json"], object(members)),
        (vec!["application/json; charset=utf-8"], object(members)),
        (vec!["application/json;text/plain"], object(members)),
        (vec!["Application/JSON"], object(members)),
        (vec!["application/csp-report"], object(members)),
        (vec!["text/plain", "application/json"], object(members)),
        (vec!["application/x-www-form-urlencoded", "application/json"], form(members)),
        (vec![""], object(members)),
        (vec![], form(members)),
        (vec![], object(members)),
        (vec![], String::new()),
    ]
}

const ORIGINS: [&str; 34] = [
    "https://evil.example",
    "http://evil.example",
    "null",
    "Null",
    "",
    "https://auth.example.com.evil.example",
    "https://auth.example.comevil.example",
    "https://evilauth.example.com",
    "https://evil-auth.example.com",
    "https://x.auth.example.com",
    "https://example.com",
    "https://other.example.com",
    "https://auth.example.com@evil.example",
    "https://evil.example@auth.example.com",
    "https://auth.example.com:8443",
    "https://auth.example.com:443",
    "https://auth.example.com:80",
    "https://auth.example.com:",
    "http://auth.example.com",
    "http://auth.example.com:443",
    "HTTPS://AUTH.EXAMPLE.COM",
    "https://Auth.example.com",
    "https://auth.example.com.",
    "https://auth.example.com/",
    "https://auth.example.com/x",
    "https://auth.example.com https://evil.example",
    "https://evil.example, https://auth.example.com",
    "auth.example.com",
    "//auth.example.com",
    "file://",
    "https://app.example.com.evil.example",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://b\u{fc}cher.example",
];

/// What `Sec-Fetch-Site` may say when another site is behind the request, and what is no value of it.
const SITES: [&str; 9] = [
    "cross-site",
    "same-site",
    "",
    "Same-Origin",
    "same-origin;",
    "cross-site, same-origin",
    "same-origin, cross-site",
    "null",
    "same-origin-ish",
];

fn mixes() -> Vec<Mix> {
    let mut mixes: Vec<Mix> = Vec::new();
    for origin in ORIGINS {
        mixes.push(vec![("origin", origin)]);
        mixes.extend(SITES.map(|site| vec![("sec-fetch-site", site), ("origin", origin)]));
    }
    mixes.extend(SITES.map(|site| vec![("sec-fetch-site", site)]));
    let (site, evil) = ("sec-fetch-site", "https://evil.example");
    mixes.extend([
        vec![("origin", OWN), ("origin", evil)],
        vec![("origin", evil), ("origin", OWN)],
        vec![("origin", OWN), ("origin", OWN)],
        vec![(site, "same-origin"), (site, "cross-site")],
        vec![(site, "cross-site"), (site, "same-origin")],
        vec![(site, "none"), (site, "none"), ("origin", evil)],
        vec![(site, "same-origin"), ("origin", OWN), ("origin", evil)],
        // Names that resemble: none of them says anything.
        vec![("x-sec-fetch-site", "same-origin"), ("origin", evil)],
        vec![("sec_fetch_site", "same-origin"), ("origin", evil)],
        vec![(site, "cross-site"), ("sec-fetch-mode", "same-origin"), ("sec-fetch-user", "?1")],
        vec![(site, "cross-site"), ("referer", "https://auth.example.com/user/account")],
        vec![("origin", evil), ("x-requested-with", "XMLHttpRequest"), ("x-csrf-token", "1")],
        vec![("origin", evil), ("host", "evil.example"), ("x-forwarded-host", "evil.example")],
        vec![(site, "cross-site"), ("authorization", "Bearer rubbish")],
    ]);
    mixes
}

async fn send(browser: &Browser, route: (&Method, &str), kinds: &[&str], mix: &Mix, body: &str) -> Reply {
    let mut request = Request::builder().method(route.0).uri(route.1);
    for kind in kinds {
        request = request.header(CONTENT_TYPE, *kind);
    }
    for (name, value) in mix {
        request = request.header(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    browser.clone().send(request.body(body.to_owned()).unwrap()).await
}

/// Fails unless it was refused as what it is, and touches no cookie.
fn refused(what: &str, reply: &Reply) {
    assert_eq!(reply.status, 403, "{what}: {}", reply.body);
    if reply.header("content-type") == Some("application/problem+json") {
        reply.problem(403, "cross_origin");
    } else {
        assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{what}");
    }
    assert!(reply.keeps_cookies(), "{what}: {:?}", reply.headers);
    assert!(reply.header("access-control-allow-origin").is_none_or(|origin| origin == TRUSTED), "{what}");
}

#[tokio::test]
async fn nothing_that_another_site_sends_changes_anything() {
    let site = site().await;
    // One whose access token is good, and one who would be renewed.
    let awake = site.registered("mina").await;
    let asleep = awake.clone().without("__Host-accessToken");
    let routes = unsafe_routes();
    let before = state(&site);
    let mut tried = 0;
    for Route { method, path, .. } in &routes {
        let route = (method, path.as_str());
        let members = members(path, "mina");
        for mix in mixes() {
            for browser in [&awake, &asleep] {
                refused(
                    &format!("{path} {mix:?}"),
                    &send(browser, route, &["application/json"], &mix, &object(&members)).await,
                );
                tried += 1;
            }
        }
        for (kinds, body) in bodies(&members) {
            for mix in [
                vec![("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
                vec![("sec-fetch-site", "cross-site")],
                vec![("sec-fetch-site", "same-site"), ("origin", "https://x.auth.example.com")],
                vec![("origin", "https://evil.example")],
                vec![("origin", "null")],
            ] {
                refused(&format!("{path} {kinds:?} {mix:?}"), &send(&awake, route, &kinds, &mix, &body).await);
                tried += 1;
            }
        }
        assert_eq!(state(&site), before, "{path} has done something");
    }
    assert!(tried >= 5_000, "{tried}");
    tell(&format!("cross-site posts: {tried} tried on {} routes, 0 did anything", routes.len()));
}

/// The same bodies do something at each route when they come from our own page, a trusted one or a program.
#[tokio::test]
async fn the_same_posts_from_our_own_pages_do_something_at_every_route() {
    for mix in [
        vec![],
        vec![("origin", OWN)],
        vec![("sec-fetch-site", "same-origin"), ("origin", OWN)],
        // A page of ours whose referrer policy hides it.
        vec![("sec-fetch-site", "same-origin"), ("origin", "null")],
        vec![("sec-fetch-site", "same-site"), ("origin", TRUSTED)],
    ] {
        let site = site().await;
        for (number, Route { method, path, .. }) in unsafe_routes().iter().enumerate() {
            let user = format!("mina{number}");
            let browser = site.registered(&user).await;
            let browser = if path.ends_with("/user/refresh") { browser.without("__Host-accessToken") } else { browser };
            let before = state(&site);
            let mut members = members(path, &user);
            members.push(("refreshToken", browser.jar["__Host-refreshToken"].clone()));
            let reply = send(&browser, (method, path), &["application/json"], &mix, &object(&members)).await;
            assert!(reply.status.is_success(), "{path} {mix:?}: {} {}", reply.status, reply.body);
            // Where there is nobody else to sign out, that is all. What is typed is judged, and the judgement is what was done.
            let told = reply.body.contains("accessToken") || reply.body.contains("strength");
            let did = state(&site) != before || !reply.keeps_cookies() || told;
            assert!(did || path.ends_with("/end-others"), "{path} {mix:?} is no measure: it does nothing");
        }
    }
}

#[tokio::test]
async fn a_user_who_acts_without_a_page_passes() {
    let site = site().await;
    let mina = site.registered("mina").await;
    for origin in [None, Some("chrome-extension://abcdefghijklmnop"), Some("https://evil.example")] {
        let mut mix: Mix = vec![("sec-fetch-site", "none")];
        mix.extend(origin.map(|origin| ("origin", origin)));
        let reply =
            send(&mina, (&Method::POST, "/user/account/name"), &["application/json"], &mix, r#"{"name":"Minah"}"#)
                .await;
        assert_eq!(reply.status, 200, "{mix:?}");
    }
}

/// A link from elsewhere may lead here, and shows what is there; it is a GET, and changes nothing.
#[tokio::test]
async fn a_page_of_another_site_can_neither_read_nor_ask_first() {
    let site = site().await;
    let mina = site.registered("mina").await;
    let mut tried = 0;
    for Route { path, .. } in super::table::routes() {
        for origin in ORIGINS {
            for method in [Method::GET, Method::OPTIONS] {
                let request = Request::builder()
                    .method(method)
                    .uri(&path)
                    .header("origin", HeaderValue::from_bytes(origin.as_bytes()).unwrap())
                    .header("access-control-request-method", "POST")
                    .header("access-control-request-headers", "content-type,x-any")
                    .header("access-control-request-private-network", "true");
                let reply = mina.clone().send(request.body(String::new()).unwrap()).await;
                for name in ["access-control-allow-origin", "access-control-allow-private-network"] {
                    let told = reply.header(name);
                    assert!(told.is_none_or(|origin| origin == TRUSTED), "{path} {origin}: {name}: {told:?}");
                    assert!(told.is_none() || origin == TRUSTED, "{path}: {origin} is told {told:?}");
                }
                tried += 1;
            }
        }
    }
    let request = Request::get("/user/info").header("origin", TRUSTED).body(String::new()).unwrap();
    assert_eq!(mina.clone().send(request).await.header("access-control-allow-origin"), Some(TRUSTED));
    tell(&format!("cross-origin reads: {tried} tried, 0 allowed"));
}
