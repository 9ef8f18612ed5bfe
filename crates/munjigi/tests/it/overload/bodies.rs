//! Requests that are too large, never end, or are packed.

use super::{HEAD, Raw, Vitals, is_served, post_login};
use crate::harness::{Place, Site};

/// A request in two parts: what is sent at once, and what is sent again and again until the server has had enough.
struct Large {
    what: &'static str,
    first: String,
    again: Vec<u8>,
    /// Statuses that it may be answered, `""` for a connection that is closed without a word.
    answers: &'static [&'static str],
}

fn large() -> Vec<Large> {
    const TOO_MUCH: &[&str] = &["413", ""];
    const BAD: &[&str] = &["400", "413", "431", ""];
    let json = "Content-Type: application/json\r\n";
    let chunked = format!("{HEAD}{json}Transfer-Encoding: chunked\r\n\r\n");
    let head = "GET /user/info HTTP/1.1\r\nHost: localhost\r\n";
    let large = |what, first: String, again: &[u8], answers| Large { what, first, again: again.to_vec(), answers };
    let (blanks, chunk) = (vec![b' '; 16 * 1024], [b"4000\r\n".as_slice(), &[b' '; 0x4000], b"\r\n"].concat());
    vec![
        large("a body of ten gigabytes", format!("{HEAD}{json}Content-Length: 10000000000\r\n\r\n"), &blanks, TOO_MUCH),
        large("a body of one byte too many", post_login("application/json", &" ".repeat(65_537)), b"", TOO_MUCH),
        large("a body without an end", chunked.clone(), &chunk, TOO_MUCH),
        large("a body of tiny chunks", chunked.clone(), &b"1\r\n \r\n".repeat(1000), BAD),
        large("a chunk of 2^64 bytes", format!("{chunked}FFFFFFFFFFFFFFFF\r\n"), &blanks, BAD),
        large("a size without an end", chunked.clone(), &[b'0'; 4096], BAD),
        large("an extension without an end", format!("{chunked}1;"), &[b'x'; 4096], BAD),
        large("trailers without an end", format!("{chunked}2\r\n{{}}\r\n0\r\n"), &b"X-Trailer: x\r\n".repeat(300), BAD),
        large("ten thousand headers", head.to_owned() + &"X-Header: x\r\n".repeat(10_000) + "\r\n", b"", BAD),
        large("headers without an end", head.to_owned(), &b"X-Header: x\r\n".repeat(300), BAD),
        large("a header without an end", format!("{head}X-Header: "), &[b'x'; 4096], BAD),
        large("a target without an end", "GET /".to_owned(), &[b'x'; 4096], &["414", "400", "413", "431", ""]),
        large("a body where none is read", format!("{head}Content-Length: 10000000000\r\n\r\n"), &blanks, &["200", ""]),
    ]
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_read() {
    // What one connection may make the server read: the system's buffers on both sides are the most of it. But the noughts that a
    // chunk's size may begin with have no bound in hyper, so that only `server.client_timeout` ends them, whatever came by then.
    const ENOUGH: usize = 64 << 20;
    const WITHIN_TIME: usize = 2 << 30;
    let place = Place::new().set("limits.enabled", "false").set("server.client_timeout", "2s");
    let server = place.serve().await;
    let (before, visitor) = Vitals::at_rest(&server).await;
    let mut sending = tokio::task::JoinSet::new();
    let all = large();
    let count = all.len();
    for Large { what, first, again, answers } in all {
        let mut raw = Raw::open(&server).await;
        let most = if what == "a size without an end" { WITHIN_TIME } else { ENOUGH };
        sending.spawn(async move {
            let (mut sent, mut going) = (0, raw.send(first).await.is_ok());
            while going && !again.is_empty() {
                sent += again.len();
                assert!(sent < most, "{what}: it goes on to read");
                going = raw.send(&again).await.is_ok();
            }
            let said = raw.rest().await;
            let status = said.strip_prefix("HTTP/1.1 ").and_then(|said| said.get(..3)).unwrap_or_default();
            assert!(answers.contains(&status), "{what}: {said}");
        });
    }
    is_served(&visitor, &server).await;
    assert_eq!(sending.join_all().await.len(), count);
    before.are_back(&server).await;
    is_served(&visitor, &server).await;
}

#[tokio::test]
async fn nobody_is_asked_to_go_on_with_what_would_not_be_read() {
    let place = Place::new();
    let server = place.serve().await;
    for (length, kind, answer) in [
        (10_000_000_000_u64, "application/json", "HTTP/1.1 413"),
        (65_537, "application/json", "HTTP/1.1 413"),
        (10, "text/plain", "HTTP/1.1 415"),
        (10, "application/json\r\nContent-Encoding: gzip", "HTTP/1.1 415"),
        (10, "application/json", "HTTP/1.1 100"),
    ] {
        let mut raw = Raw::open(&server).await;
        let head = format!("{HEAD}Content-Type: {kind}\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n");
        raw.send(head).await.unwrap();
        let head = raw.head().await;
        assert!(head.starts_with(answer), "{kind}, {length} bytes: {head}");
    }
}

#[tokio::test]
async fn a_body_of_the_most_bytes_is_read() {
    let site = Site::embedded().await;
    let body = |bytes: usize| format!("{{\"username\":\"mina\",\"password\":\"x\"{}}}", " ".repeat(bytes - 34));
    assert_eq!(body(65_536).len(), 65_536);
    site.browser().post("/user/login", "application/json", body(65_536)).await.problem(401, "invalid_credentials");
    site.browser().post("/user/login", "application/json", body(65_537)).await.problem(413, "too_large");
}

#[tokio::test]
async fn packed_bodies_are_not_unpacked() {
    let site = Site::embedded().await;
    let body = r#"{"username":"mina","password":"x"}"#;
    for coding in ["gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip", ""] {
        let mut browser = site.browser().with("content-encoding", coding);
        browser.post("/user/login", "application/json", body.into()).await.problem(415, "unsupported_media_type");
    }
    let mut browser = site.browser().with("content-encoding", "identity");
    browser.post("/user/login", "application/json", body.into()).await.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn json_that_is_nested_without_end_is_only_malformed() {
    let site = Site::embedded().await;
    for body in ["{\"a\":".repeat(13_000), format!("{{\"a\":{}", "[".repeat(60_000))] {
        site.browser().post("/user/login", "application/json", body).await.problem(400, "malformed");
    }
}
