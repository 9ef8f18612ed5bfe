//! Log-in and log-out by somebody else's hand, and sessions that somebody else has begun.

use serde_json::json;

use super::{state, tell};
use crate::harness::{Browser, PASSWORD, Reply, Site, claims_of};

const FROM_EVIL: [(&str, &str); 2] = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];

async fn site() -> Site {
    Site::with(&[("limits.enabled", "false")]).await
}

fn lured(browser: &Browser) -> Browser {
    FROM_EVIL.iter().fold(browser.clone(), |browser, (name, value)| browser.with(name, value))
}

/// Log-in CSRF: the victim would go on in the attacker's account, and leave there what is theirs.
#[tokio::test]
async fn nobody_is_logged_in_as_somebody_else_by_a_strange_page() {
    let site = site().await;
    site.registered("mallory").await;
    let victim = site.registered("mina").await;
    let before = state(&site);
    for browser in [lured(&victim), lured(&site.browser())] {
        let form = [("username", "mallory"), ("password", PASSWORD)];
        let mut tab = browser.clone();
        assert!(tab.post_form("/user/login", &form).await.expect(403).keeps_cookies());
        let mut tab = browser.clone();
        tab.log_in("mallory").await.problem(403, "cross_origin");
        assert_eq!(tab.jar, browser.jar);
        tab.register("mallory.two").await.problem(403, "cross_origin");
        assert_eq!(tab.jar, browser.jar);
    }
    assert_eq!(state(&site), before);
    assert_eq!(victim.clone().info().await["user"]["username"], "mina");
}

/// Log-out CSRF: by a form, a picture, a link or a prefetch.
#[tokio::test]
async fn nobody_is_logged_out_by_a_strange_page() {
    let site = site().await;
    let victim = site.registered("mina").await;
    let before = state(&site);
    let mut lure = lured(&victim);
    lure.post_form("/user/logout", &[]).await.expect(403);
    lure.post_form("/user/account/sessions/current/end", &[]).await.expect(403);
    lure.post_form("/user/account/sessions/end-others", &[]).await.expect(403);
    for path in ["/user/logout", "/user/logout?confirm=1&_method=POST", "/user/account/sessions/current/end"] {
        let reply = lure.clone().with("sec-purpose", "prefetch").get(path).await;
        assert!(reply.keeps_cookies(), "{path}");
    }
    assert_eq!(state(&site), before);
    assert!(victim.clone().is_signed_in().await);
}

type Way = (&'static str, fn(&'static str) -> serde_json::Value);

const WAYS_IN: [Way; 2] = [
    ("/user/login", |username| json!({ "username": username, "password": PASSWORD })),
    (
        "/user/register",
        |username| json!({ "username": username, "password": PASSWORD, "confirmPassword": PASSWORD, "name": "Mina" }),
    ),
];

fn way_in(reply: &Reply) -> bool {
    reply.status.is_success() && reply.sets_cookies()
}

/// Session fixation: what was planted before the log-in is worth nothing after it.
#[tokio::test]
async fn a_planted_session_is_never_taken_over() {
    let mut tried = 0;
    let planted_names = ["both", "access only", "refresh only", "expired access", "garbage", "a signed-out session"];
    for (number, (path, body)) in WAYS_IN.iter().enumerate() {
        for (turn, what) in planted_names.iter().enumerate() {
            // A site of its own: its clock may not go far from the database's.
            let site = site().await;
            let attacker_name: String = format!("mallory.{number}{turn}");
            let mut attacker = site.registered(&attacker_name).await;
            let victim_name: &'static str = Box::leak(format!("mina.{number}{turn}").into_boxed_str());
            if *path == "/user/login" {
                site.registered(victim_name).await;
            }
            let mut victim = site.browser();
            victim.jar = match *what {
                "access only" => attacker.clone().without("refreshToken").jar,
                "refresh only" => attacker.clone().without("accessToken").jar,
                "garbage" => site.browser().holding("accessToken", "known").holding("refreshToken", "known").jar,
                _ => attacker.jar.clone(),
            };
            if *what == "expired access" {
                site.let_access_expire();
            }
            if *what == "a signed-out session" {
                attacker.clone().log_out().await.expect(200);
            }
            let planted = victim.jar.clone();
            let reply = victim.post_json(path, body(victim_name)).await;
            assert!(way_in(&reply), "{path} {what}: {}", reply.body);
            for name in ["accessToken", "refreshToken"] {
                assert_ne!(victim.jar.get(name), planted.get(name), "{path} {what}: {name} was taken over");
            }
            let (theirs, planted_sid) = (claims_of(&victim.access()), claims_of(&attacker.access())["sid"].clone());
            assert_ne!(theirs["sid"], planted_sid, "{path} {what}");
            assert_eq!(theirs["username"], victim_name);
            // Whoever planted it is neither the victim nor, where their cookies named a session, in at all.
            let holder = attacker.info().await;
            assert_ne!(holder["user"]["username"], victim_name, "{path} {what}");
            if *what != "garbage" {
                assert_eq!(holder["loggedIn"], false, "{path} {what}: the planted session lives on: {holder}");
                site.let_access_expire();
                assert!(!attacker.is_signed_in().await, "{path} {what}: the planted session renews");
            }
            assert_eq!(victim.info().await["user"]["username"], victim_name);
            tried += 1;
        }
    }
    tell(&format!("session fixation: {tried} tried, 0 taken over"));
}

/// No other place than the cookies names a session.
#[tokio::test]
async fn a_session_is_named_by_nothing_but_its_cookies() {
    let site = site().await;
    let mut mina = site.registered("mina").await;
    let (sid, access, refresh) = (mina.session_id().await, mina.access(), mina.refresh());
    let mut tried = 0;
    for name in [
        "sid",
        "session",
        "sessionid",
        "JSESSIONID",
        "PHPSESSID",
        "accessToken",
        "refreshToken",
        "access_token",
        "token",
        "jwt",
    ] {
        for value in [&sid, &access, &refresh] {
            let mut stranger = site.browser();
            for path in [format!("/user/info?{name}={value}"), format!("/user/info;{name}={value}")] {
                let reply = stranger.get_json(&path).await;
                assert!(reply.status == 404 || reply.json()["loggedIn"] == false, "{path}");
                tried += 1;
            }
            let headers = [name.replace('_', "-"), format!("x-{}", name.replace('_', "-"))];
            for header in headers {
                let mut stranger = site.browser().with(&header, value);
                assert!(!stranger.is_signed_in().await, "{header}");
                tried += 1;
            }
            if !["accessToken", "refreshToken"].contains(&name) {
                assert!(!site.browser().holding(name, value.clone()).is_signed_in().await, "{name}");
            }
            let mut poster = site.browser();
            poster.post_json("/user/refresh", json!({ name: value })).await.problem(401, "session_ended");
            let log_in = json!({ "username": "mina", "password": PASSWORD, name: value });
            poster.post_json("/user/login", log_in).await.expect(200);
            assert_ne!(poster.session_id().await, sid, "{name}");
            tried += 2;
        }
    }
    tell(&format!("sessions named elsewhere: {tried} tried, 0 believed"));
}
