//! The log as an investigator needs it: every event is documented, says when, where and who, and nobody can write into it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Browser, OTHER_PASSWORD, PASSWORD, Place, Process, RedisServer};

/// The log of a server, as programs read it.
struct Logged {
    place: Place,
    server: Process,
}

impl Logged {
    async fn with(settings: &[(&str, &str)]) -> Self {
        let place = Place::new().set("log.format", "json").set("log.level", "debug");
        let place = settings.iter().fold(place, |place, (key, value)| place.set(key, value));
        Self { server: place.serve().await, place }
    }

    fn browser(&self) -> Browser {
        self.server.browser()
    }

    fn lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.place.log().lines().map(parse).collect()
    }

    fn count(&self, event: &str) -> usize {
        self.lines().iter().filter(|line| line["message"] == event).count()
    }

    /// The last line of this event.
    fn last(&self, event: &str) -> Value {
        self.lines().into_iter().rfind(|line| line["message"] == event).unwrap_or_else(|| panic!("no {event}"))
    }
}

#[tokio::test]
async fn every_line_says_when_where_and_from_whom() {
    let logged = Logged::with(&[]).await;
    let mut browser = logged.browser();
    browser.register("mina").await.expect(201);
    browser.clone().log_in_with("mina", "wrong-one").await.expect(401);
    browser.post_json("/user/account/name", json!({ "name": "Minah" })).await.expect(200);
    browser.get("/user/info?lang=ko").await.expect(200);
    browser.log_out().await.expect(200);
    let lines = logged.lines();
    let mut of_requests = 0;
    for line in &lines {
        let moment = line["timestamp"].as_str().unwrap();
        assert!(moment.len() == 27 && moment.ends_with('Z') && moment.starts_with("20"), "UTC: {moment}");
        assert!(line["message"].is_string() && line["level"].is_string(), "{line}");
        if line["span"]["name"] == "request" {
            of_requests += 1;
            let span = &line["span"];
            assert_eq!(span["from"], "127.0.0.1", "{line}");
            assert!(span["id"].as_str().is_some_and(|id| id.len() == 16), "{line}");
            assert!(span["method"].is_string(), "{line}");
            let path = span["path"].as_str().unwrap();
            assert!(path.starts_with('/') && !path.contains('?'), "{line}");
        }
    }
    assert!(of_requests >= 8, "{lines:#?}");
    let user = &logged.last("registered")["user"];
    for event in ["log_in_failed", "renamed", "logged_out"] {
        assert_eq!(&logged.last(event)["user"], user, "{event}");
    }
}

#[tokio::test]
async fn there_is_a_line_for_each_log_in_right_or_wrong() {
    let logged = Logged::with(&[("limits.log_in_account", "4/1h")]).await;
    let mut browser = logged.browser();
    browser.register("mina").await.expect(201);
    for _ in 0..3 {
        browser.log_in("mina").await.expect(200);
    }
    for _ in 0..4 {
        logged.browser().log_in_with("mina", "wrong-one").await.expect(401);
    }
    for _ in 0..2 {
        logged.browser().log_in_with("mina", "wrong-one").await.expect(429);
    }
    logged.browser().log_in_with("nobody", "wrong-one").await.expect(401);
    for (event, times) in
        [("registered", 1), ("logged_in", 3), ("log_in_failed", 5), ("log_in_limited", 2), ("session_ended", 0)]
    {
        assert_eq!(logged.count(event), times, "{event}");
    }
    assert_eq!(logged.last("logged_in")["from"], "127.0.0.1");
}

#[tokio::test]
async fn what_was_refused_and_what_was_tried_against_us_is_in_it() {
    let logged = Logged::with(&[]).await;
    let mut browser = logged.browser();
    browser.register("mina").await.expect(201);
    let mut other = logged.browser();
    other.register("zoe.").await.expect(201);
    let theirs = other.session_id().await;
    let mut seen = 0;
    let mut is_new = |event: &str, code: Option<&str>| {
        let line = logged.last(event);
        assert!(code.is_none_or(|code| line["code"] == code), "{line}");
        assert!(line["span"]["path"].is_string(), "{line}");
        seen += 1;
    };
    logged.browser().get_json("/user/account").await.expect(401);
    is_new("refused", Some("login_required"));
    logged.browser().get("/user/account").await.expect(303);
    assert_eq!(logged.count("refused"), 2, "a visitor who is led to log-in was refused, too");
    browser.clone().post("/user/login", "text/plain", "x".to_owned()).await.expect(415);
    is_new("refused", Some("unsupported_media_type"));
    browser.clone().post("/user/login", "application/json", "{".to_owned()).await.expect(400);
    is_new("refused", Some("malformed"));
    logged.browser().post_json("/user/refresh", json!({})).await.expect(401);
    is_new("refused", Some("session_ended"));
    browser.clone().with("sec-fetch-dest", "iframe").get("/user/account").await.expect(403);
    is_new("refused", Some("forbidden"));
    logged.browser().with("authorization", "Bearer rubbish").get_json("/user/info").await.expect(401);
    is_new("refused", Some("login_required"));
    is_new("access_token_refused", None);
    let (access, refresh) = (browser.access(), browser.refresh());
    let forged = |token: &str| token.rsplit_once('.').unwrap().0.to_owned() + ".AAAA" + &"A".repeat(82);
    logged.browser().holding("accessToken", forged(&access)).get("/user/info").await.expect(200);
    assert_eq!(logged.last("access_token_refused")["reason"], "a wrong signature");
    logged.browser().holding("refreshToken", &refresh[..refresh.len() - 4]).get("/user/info").await.expect(200);
    is_new("refresh_token_refused", None);
    browser.post_json(&format!("/user/account/sessions/{theirs}/end"), json!({})).await.expect(404);
    assert_eq!(logged.last("foreign_session_refused")["session"], theirs);
    browser.clone().with("origin", "https://evil.example").log_out().await.expect(403);
    is_new("cross_origin", None);
    browser.change_password("wrong-one", OTHER_PASSWORD).await.expect(422);
    is_new("password_change_failed", None);
    browser.change_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
    is_new("password_changed", None);
    assert_eq!(seen, 11);
}

/// What a stranger would write to look like lines of ours, or to hide some.
const FORGED_LINES: [&str; 5] = [
    "mina\n2026-11-23T00:00:00.000000Z  INFO logged_in user=mallory",
    "mina\r\n{\"level\":\"INFO\",\"message\":\"logged_in\",\"user\":\"mallory\"}",
    "mina\u{1b}[2K\u{1b}[1A",
    "mina\u{2028}logged_in\u{85}user=mallory",
    "mina\",\"message\":\"logged_in\",\"user\":\"mallory",
];

#[tokio::test]
async fn nobody_writes_lines_of_their_own() {
    for format in ["json", "text"] {
        let place = Place::new().set("log.format", format).set("log.level", "trace");
        let server = place.serve().await;
        let mut browser = server.browser();
        browser.register("mina").await.expect(201);
        let mut tried = 0;
        for line in FORGED_LINES {
            let escaped = percent_encoding::utf8_percent_encode(line, percent_encoding::NON_ALPHANUMERIC).to_string();
            browser.clone().log_in_with(line, line).await.expect(401);
            browser.clone().post_json("/user/account/name", json!({ "name": line })).await;
            server.browser().get_json(&format!("/user/{escaped}?{escaped}")).await.expect(404);
            browser.post_json(&format!("/user/account/sessions/{escaped}/end"), json!({})).await.expect(404);
            server.browser().with("origin", "https://evil.example").post_json(&format!("/{escaped}"), json!({})).await;
            let plain: String = line.chars().filter(|c| !c.is_control() && c.is_ascii()).collect();
            for header in ["user-agent", "x-forwarded-for", "x-request-id", "referer", "origin"] {
                server.browser().with(header, &plain).log_in_with("mina", "wrong-one").await;
            }
            tried += 10;
        }
        drop(server);
        let log = place.log();
        assert!(log.lines().count() >= tried);
        for line in log.lines() {
            if format == "json" {
                let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
                assert!(line["timestamp"].is_string() && line["user"] != "mallory", "{line}");
            } else {
                assert!(line.starts_with("20") && !line.contains("Z  INFO logged_in user=mallory"), "{line}");
            }
            assert!(!line.contains(['\u{1b}', '\u{85}', '\u{2028}', '\r']), "{line:?}");
        }
    }
}

/// The names of all events, read off the source: the last text in each call of a macro.
fn events(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            events(&entry, found);
        } else if entry.extension().is_some_and(|kind| kind == "rs") {
            let source = fs::read_to_string(&entry).unwrap();
            for level in ["error", "warn", "info", "debug", "trace"] {
                for (at, call) in source.match_indices(&format!("tracing::{level}!(")) {
                    let rest = &source[at + call.len()..];
                    let mut open = 1;
                    let closes = |c| {
                        open += i32::from(c == '(') - i32::from(c == ')');
                        open == 0
                    };
                    let end = rest.find(closes).unwrap();
                    let name = rest[..end].rsplit('"').nth(1).unwrap_or_default();
                    found.push((entry.display().to_string(), name.to_owned()));
                }
            }
        }
    }
}

#[test]
fn every_event_is_documented() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(here.join("../../docs/log.md")).unwrap();
    let mut found = Vec::new();
    for package in ["munjigi", "munjigi-gate", "munjigi-store"] {
        events(&here.join(format!("../{package}/src")), &mut found);
    }
    assert!(found.len() > 50, "{}", found.len());
    for (file, name) in found {
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && !name.is_empty(), "{file}: {name:?}");
        assert!(page.contains(&format!("`{name}`")), "docs/log.md does not know `{name}` of {file}");
    }
}

/// Nothing is written but what is said at start, what is logged, and what is in the data directory.
#[tokio::test]
async fn it_writes_nowhere_else() {
    let place = Place::new();
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    browser.log_out().await.expect(200);
    let mut open: Vec<String> = fs::read_dir(server.proc_file("fd"))
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .map(|target| target.display().to_string())
        .filter(|target| target.starts_with('/') && !target.starts_with("/dev/"))
        .collect();
    open.sort();
    open.dedup();
    let own = place.path().display().to_string();
    for file in &open {
        let known = ["/log", "/data/munjigi.db", "/data/munjigi.db-wal", "/data/munjigi.db-shm"];
        assert!(known.iter().any(|name| *file == format!("{own}{name}")), "{file}");
    }
    let mut files: Vec<_> =
        fs::read_dir(place.path().join("data")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["munjigi.db", "munjigi.db-shm", "munjigi.db-wal", "secret"]);
}

#[tokio::test]
async fn a_failure_of_a_store_is_in_it_with_its_cause() {
    let mut redis = RedisServer::private();
    let secret = ("server.secret", "a secret that is only for these tests");
    let logged = Logged::with(&[("store.redis_url", &redis.url), secret]).await;
    let mut browser = logged.browser();
    browser.register("mina").await.expect(201);
    redis.kill();
    let id = browser.log_in("mina").await.expect(503).header("x-request-id").unwrap().to_owned();
    let failure = logged.last("failure");
    assert_eq!((&failure["level"], &failure["code"]), (&json!("ERROR"), &json!("unavailable")), "{failure}");
    assert_eq!(failure["span"]["id"], id, "the line is found by what the caller was told");
    assert!(failure["cause"].as_str().unwrap().contains("Redis"), "{failure}");
    browser.without("accessToken").get_json("/user/info").await.expect(503);
    let renewal = logged.last("renewal_unavailable");
    assert!(renewal["user"].is_string() && renewal["error"].as_str().unwrap().contains("Redis"), "{renewal}");
}
