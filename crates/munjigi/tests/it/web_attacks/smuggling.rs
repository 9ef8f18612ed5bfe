//! Request smuggling (CWE-444), against the real server: whatever can be read in two ways is refused and the connection closed,
//! or read as exactly one request. `SMUGGLED` stands for a request that nobody shall answer.

use super::tell;
use super::wire::{Heard, exchange};
use crate::harness::Place;

/// Its answer is told from all others by its type.
const SMUGGLED: &str = "GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
const CANARY: &str = "application/jwk-set+json";

/// A POST with these headers and this body.
fn post(headers: &str, body: &str) -> String {
    format!("POST /user/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\r\n\r\n{body}")
}

/// A GET with this line in its head.
fn get(line: &str) -> String {
    format!("GET /user/info HTTP/1.1\r\nHost: localhost\r\n{line}\r\n\r\n")
}

/// What hides the coding from one reader and not from the other.
const CODINGS: &[&str] = &[
    ":\tchunked",
    ": \u{b}chunked",
    ": \u{c}chunked",
    " : chunked",
    "\t: chunked",
    ": chunked\u{b}",
    ": \"chunked\"",
    ": 'chunked'",
    ": xchunked",
    ": chunkedx",
    ": chunk",
    ": ,chunked",
    ": chunked,",
    ": chunked, identity",
    ": identity",
    ": gzip",
    ": gzip, chunked",
    ": chunked;q=1",
    ":\r\n chunked",
    ":\n chunked",
    ": chunked\r\nTransfer-Encoding: identity",
    ": identity\r\nTransfer-Encoding: chunked",
    ": x\r\nTransfer-Encoding: chunked",
    ": chunked, chunked",
    ": chunked\r\nTransfer-Encoding: chunked",
    ": identity, chunked",
    ": \u{0}chunked",
    ": chunked\u{0}",
    ":",
    ": chunked\u{a0}",
    ": \u{212a}chunked",
    ": c\u{68}unked x",
];

/// Two ways to read where the body ends.
fn two_lengths() -> Vec<(String, String)> {
    let all = SMUGGLED.len();
    let chunk = format!("{all:x}\r\n{SMUGGLED}\r\n0\r\n\r\n");
    let zero = format!("0\r\n\r\n{SMUGGLED}");
    let both = zero.len();
    let mut shapes = vec![
        post("Content-Length: 6\r\nTransfer-Encoding: chunked", &zero),
        post("Transfer-Encoding: chunked\r\nContent-Length: 4", &chunk),
        post("Content-Length: 0\r\nTransfer-Encoding: chunked", &chunk),
        post(&format!("Content-Length: 2\r\nContent-Length: {}", 2 + all), &format!("{{}}{SMUGGLED}")),
        post(&format!("Content-Length: {}\r\nContent-Length: 2", 2 + all), &format!("{{}}{SMUGGLED}")),
        post(&format!("Content-Length: 2\r\nX: y\r\ncontent-length: {}", 2 + all), &format!("{{}}{SMUGGLED}")),
    ];
    for length in [
        "2, 2".to_owned(),
        format!("2, {}", 2 + all),
        "2,".to_owned(),
        "+2".to_owned(),
        "-2".to_owned(),
        "0x2".to_owned(),
        "2a".to_owned(),
        "2.0".to_owned(),
        "2e0".to_owned(),
        "\"2\"".to_owned(),
        "2;".to_owned(),
        "2 2".to_owned(),
        String::new(),
        "two".to_owned(),
        "\u{ff12}".to_owned(),
        "18446744073709551618".to_owned(),
        "99999999999999999999999999".to_owned(),
        "1_0".to_owned(),
        "2\u{b}".to_owned(),
        "0b10".to_owned(),
    ] {
        shapes.push(post(&format!("Content-Length: {length}"), &format!("{{}}{SMUGGLED}")));
    }
    for coding in CODINGS {
        shapes.push(post(&format!("Transfer-Encoding{coding}\r\nContent-Length: {both}"), &zero));
        shapes.push(post(&format!("Content-Length: {both}\r\nTransfer-Encoding{coding}"), &zero));
        if *coding != ":\tchunked" {
            shapes.push(post(&format!("Transfer-Encoding{coding}"), &zero));
        }
    }
    let old = post("Transfer-Encoding: chunked", &zero).replace("HTTP/1.1", "HTTP/1.0");
    shapes.push(old);
    shapes.into_iter().map(|shape| ("two lengths".to_owned(), shape)).collect()
}

/// Chunks that are none.
fn chunks() -> Vec<(String, String)> {
    let rest = format!("\r\n{{}}\r\n0\r\n\r\n{SMUGGLED}");
    let mut shapes: Vec<String> = [
        "ffffffffffffffff2",
        "10000000000000002",
        "-2",
        "+2",
        "0x2",
        "2h",
        "\"2\"",
        "2,2",
        "2 2",
        "\u{b}2",
        "",
        " ",
        ";2",
        "2\n",
        "\n2",
        "2\r",
        "g",
        "2;a\n",
        "0002\u{0}",
        "0;\n",
    ]
    .iter()
    .map(|size| post("Transfer-Encoding: chunked", &format!("{size}{rest}")))
    .collect();
    for body in [
        format!("2\n{{}}\n0\n\n{SMUGGLED}"),
        format!("1\r\n{{}}\r\n0\r\n\r\n{SMUGGLED}"),
        format!("3\r\n{{}}\r\n0\r\n\r\n{SMUGGLED}"),
        format!("2\r\n{{}}XX0\r\n\r\n{SMUGGLED}"),
        format!("2\r\n{{}}\n\n0\r\n\r\n{SMUGGLED}"),
        format!("2\r\n{{}}\r\n0\n\n{SMUGGLED}"),
        format!("2\r\n{{}}\r\n0\r\n{SMUGGLED}"),
        format!("2;{}\r\n{{}}\r\n0\r\n\r\n{SMUGGLED}", "x".repeat(20_000)),
    ] {
        shapes.push(post("Transfer-Encoding: chunked", &body));
    }
    shapes.into_iter().map(|shape| ("chunks".to_owned(), shape)).collect()
}

/// Lines that are none.
fn lines() -> Vec<(String, String)> {
    let length = format!("Content-Length: {}", SMUGGLED.len());
    let mut shapes = vec![
        get("X: y").replace("\r\n", "\r") + SMUGGLED,
        get(&format!("X: y\r{length}")) + SMUGGLED,
        get(&format!("X: y\r\r{length}")) + SMUGGLED,
        get(&format!("X: y\r\n {length}")) + SMUGGLED,
        get(&format!("X: y\r\n\t{length}")) + SMUGGLED,
        get(&format!(" {length}")) + SMUGGLED,
        get("X y: z") + SMUGGLED,
        get(&format!("{} : {}", "Content-Length", SMUGGLED.len())) + SMUGGLED,
        get("no colon") + SMUGGLED,
        get(": no name") + SMUGGLED,
        get("X: a\u{0}b") + SMUGGLED,
        get("X\u{0}: a") + SMUGGLED,
        get("X\u{b}: a") + SMUGGLED,
        get("X(: a") + SMUGGLED,
        get("X: \u{7f}") + SMUGGLED,
        get("X: \u{1}") + SMUGGLED,
        "GET /user/info\r\n\r\n".to_owned() + SMUGGLED,
        "GET\t/user/info\tHTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned() + SMUGGLED,
        "GET  /user/info HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned() + SMUGGLED,
        "GET /user/info  HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned() + SMUGGLED,
        "GET /user/info x HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned() + SMUGGLED,
        " GET /user/info HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned() + SMUGGLED,
        "GET /user/info\u{0} HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned() + SMUGGLED,
        "G\u{0}T /user/info HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned() + SMUGGLED,
        "GET user/info HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned() + "\u{0}",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned() + SMUGGLED,
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}".to_owned() + SMUGGLED,
    ];
    for version in [
        "HTTP/0.9",
        "HTTP/1.2",
        "HTTP/1.10",
        "HTTP/2.0",
        "HTTP/3.0",
        "HTTP/1",
        "http/1.1",
        "HTTP/1.1x",
        "HTTP/11",
        "HTTP",
        "HTTP/1.1,",
        "ICY/1.0",
        "HTTP/-1.1",
    ] {
        shapes.push(format!("GET /user/info {version}\r\nHost: localhost\r\n\r\n{SMUGGLED}"));
    }
    for host in ["localhost\r\nHost: evil.example", "evil.example\r\nHost: localhost", "localhost\r\nHost: localhost"] {
        shapes.push(format!("GET /user/info HTTP/1.1\r\nHost: {host}\r\n\r\n{SMUGGLED}"));
    }
    shapes.into_iter().map(|shape| ("lines".to_owned(), shape)).collect()
}

/// What is odd and yet has one reading: the smuggled request, where there is one, is part of a body.
fn one_request() -> Vec<String> {
    let inside = |headers: &str| format!("{headers}\r\nContent-Length: {}\r\n\r\n{SMUGGLED}", SMUGGLED.len());
    vec![
        inside("GET /user/info HTTP/1.1\r\nHost: localhost"),
        inside("POST /nowhere HTTP/1.1\r\nHost: localhost"),
        inside("POST /user/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain"),
        inside("POST /user/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"),
        inside("POST /user/login HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site"),
        inside("DELETE /user/login HTTP/1.1\r\nHost: localhost"),
        inside("OPTIONS * HTTP/1.1\r\nHost: localhost"),
        inside("GET /user/info HTTP/1.1\r\nHost: localhost\r\nTransfer_Encoding: chunked"),
        inside("GET /user/info HTTP/1.1\r\nHost: localhost\r\nX-Transfer-Encoding: chunked"),
        inside("GET /user/info HTTP/1.1\r\nHost: localhost\r\nContent_Length: 0"),
        inside(
            "GET /user/info HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
        ),
        inside("GET /user/info HTTP/1.1\r\nHost: localhost\r\nConnection: Content-Length"),
        post("Transfer-Encoding: chunked", &format!("{:x};a=\"b\"\r\n{SMUGGLED}\r\n0\r\n\r\n", SMUGGLED.len())),
        post(
            "Transfer-Encoding: CHUNKED",
            &format!("{:X}\r\n{SMUGGLED}\r\n0\r\nContent-Length: 9\r\nHost: evil.example\r\n\r\n", SMUGGLED.len()),
        ),
        post("Transfer-Encoding:\tchunked", &format!("{:x}\r\n{SMUGGLED}\r\n0\r\n\r\n", SMUGGLED.len())),
        post("Transfer-Encoding: chunked", &format!("2\r\n{{}}\r\n0\r\nX: y\n\n{SMUGGLED}")),
        post("Content-Length: 2\r\nContent-Length: 2", "{}"),
        post("Content-Length: 0002", "{}"),
        post("Content-Length: 2\r\nExpect: 100-continue\r\nX: y", "{}").replace("Expect: 100-continue\r\n", ""),
        get("X: y").replace("\r\n", "\n"),
        "GET http://evil.example/user/info HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "GET http://u:p@evil.example/user/account HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n".to_owned(),
        "GET evil.example:80 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "GET * HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "GET //evil.example/user/info HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n".to_owned(),
    ]
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused() {
    let server = Place::new().serve().await;
    let mut tried = 0;
    for (kind, shape) in [two_lengths(), chunks(), lines()].concat() {
        let Heard { text, answers, hung_up } = exchange(&server.url, shape.as_bytes());
        assert!(!text.contains(CANARY), "{kind}: smuggled: {shape:.300?}\n{text}");
        assert!(hung_up, "{kind}: it goes on: {shape:.300?}\n{text}");
        assert!(
            answers.len() <= 1 && answers.iter().all(|status| (400..500).contains(status)),
            "{kind}: {answers:?} {shape:.300?}"
        );
        assert!(!text.contains("evil"), "{text}");
        tried += 1;
    }
    assert!(tried >= 150, "{tried}");
    tell(&format!("smuggling: {tried} shapes tried, 0 smuggled"));
    server.browser().get("/user/info").await.expect(200);
}

#[tokio::test]
async fn what_is_only_odd_is_one_request() {
    let server = Place::new().serve().await;
    for shape in one_request() {
        let Heard { text, answers, .. } = exchange(&server.url, shape.as_bytes());
        assert!(!text.contains(CANARY) && !text.contains("evil.example/user/account"), "{shape:?}\n{text}");
        assert_eq!(answers.len(), 1, "{shape:?}\n{text}");
        assert!(answers[0] < 500, "{shape:?}: {answers:?}");
    }
}

/// The canary: where a second request is one, it is answered and seen. One that follows a line that ends with a line feed alone
/// is one too: RFC 9112, section 2.2, lets a reader take that for the end of a line, and this server does, everywhere.
#[tokio::test]
async fn a_second_request_that_is_one_is_answered() {
    let server = Place::new().serve().await;
    for first in [
        get("X: y"),
        post("Content-Length: 2", "{}"),
        post("Transfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"),
        get("X: y\n").replace("\n\r\n\r\n", "\n\n"),
    ] {
        let heard = exchange(&server.url, format!("{first}{SMUGGLED}").as_bytes());
        assert!(heard.text.contains(CANARY) && heard.answers.len() == 2, "{first:?}: {heard:?}");
    }
}

/// A forged `Host` shows nowhere, whatever it is.
#[tokio::test]
async fn no_answer_says_the_host_that_was_asked_for() {
    let server = Place::new().serve().await;
    let mut tried = 0;
    for host in [
        "Host: evil.example",
        "Host: evil.example:1234",
        "Host: localhost@evil.example",
        "Host: evil.example@localhost",
        "Host: evil.example/x",
        "Host: ",
        "X: evil",
        "Host: evil.example#",
        "Host: [evil::1]",
        "Host: http://evil.example",
        "Host: \"evil\"",
        "Host: evil.example\r\nX-Forwarded-Host: evil.example",
        "Host: localhost\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: evil\r\nForwarded: host=evil.example",
        "Host: localhost\r\nX-Forwarded-Prefix: /evil",
        "Host: <evil>",
        "Host: evil.example, localhost",
        "Host: EVIL.example.",
    ] {
        for target in [
            "/",
            "/user/info",
            "/user/login",
            "/user/account",
            "/nowhere",
            "/.well-known/change-password",
            "/user/static/nothing",
            "http://evil.example/user/account",
        ] {
            for method in ["GET", "POST", "HEAD", "OPTIONS"] {
                let request =
                    format!("{method} {target} HTTP/1.1\r\n{host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
                let heard = exchange(&server.url, request.as_bytes());
                assert!(!heard.text.to_ascii_lowercase().contains("evil"), "{request:?}\n{}", heard.text);
                assert!(heard.answers.iter().all(|status| *status < 500), "{request:?}");
                tried += 1;
            }
        }
    }
    tell(&format!("forged hosts: {tried} tried, 0 shown"));
}
