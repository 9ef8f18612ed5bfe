//! A gate that trusts a server elsewhere, and a server that says whatever a test wants.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use http::header::AUTHORIZATION;
use http::{Request, Response};
use munjigi_gate::remote::{RemoteError, RemoteSettings, connect};
use munjigi_gate::{AccessClaims, AnchoredClock, Clock as _, Gate, SigningKey, Visitor, WhenStale, jws};
use munjigi_rules::SessionId;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::support::*;

const TOKEN: &str = "munjigi-feed-x";

/// What the server is like at the moment.
struct Ways {
    keys: Vec<serde_json::Value>,
    cache_control: &'static str,
    jwks_status: &'static str,
    feed_status: &'static str,
}

/// A server with one route for keys, which it answers, and one for the feed, which it hands to the test.
struct Server {
    url: String,
    ways: Arc<Mutex<Ways>>,
    reads: Arc<AtomicUsize>,
    streams: mpsc::Receiver<Stream>,
    task: tokio::task::JoinHandle<()>,
}

/// Somebody who follows.
struct Stream {
    head: String,
    socket: TcpStream,
}

impl Server {
    async fn start() -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn at(listener: TcpListener) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let keys = vec![KEY.verifying_key().jwk().unwrap()];
        let ways = Ways { keys, cache_control: "max-age=300", jwks_status: "200 OK", feed_status: "200 OK" };
        let (ways, reads) = (Arc::new(Mutex::new(ways)), Arc::new(AtomicUsize::new(0)));
        let (hand, streams) = mpsc::channel(64);
        let task = tokio::spawn({
            let (ways, reads) = (Arc::clone(&ways), Arc::clone(&reads));
            async move {
                loop {
                    let (socket, _) = listener.accept().await.unwrap();
                    tokio::spawn(answer(socket, Arc::clone(&ways), Arc::clone(&reads), hand.clone()));
                }
            }
        });
        Self { url, ways, reads, streams, task }
    }

    fn settings(&self) -> RemoteSettings {
        RemoteSettings { audience: AUDIENCE.to_owned(), url: self.url.clone(), ..RemoteSettings::new(ISSUER, TOKEN) }
    }

    fn now(&self, change: impl FnOnce(&mut Ways)) {
        change(&mut self.ways.lock().unwrap());
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// The next one who follows.
    async fn stream(&mut self) -> Stream {
        tokio::time::timeout(Duration::from_secs(20), self.streams.recv()).await.expect("nobody follows").unwrap()
    }

    /// A gate that follows, and the stream that it follows.
    async fn followed(&mut self, settings: RemoteSettings) -> (Gate, Stream) {
        let connecting = tokio::spawn(connect(settings));
        let mut stream = self.stream().await;
        stream.says(&current("1")).await;
        (connecting.await.unwrap().unwrap(), stream)
    }
}

async fn answer(mut socket: TcpStream, ways: Arc<Mutex<Ways>>, reads: Arc<AtomicUsize>, hand: mpsc::Sender<Stream>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = socket.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    if head.starts_with("GET /.well-known/jwks.json ") {
        reads.fetch_add(1, Ordering::SeqCst);
        let text = {
            let ways = ways.lock().unwrap();
            let body = json!({ "keys": ways.keys }).to_string();
            let (status, cache) = (ways.jwks_status, ways.cache_control);
            format!("HTTP/1.1 {status}\r\ncache-control: {cache}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        };
        let _ = socket.write_all(text.as_bytes()).await;
        return;
    }
    assert!(head.starts_with("GET /auth/revocations "), "{head}");
    let status = ways.lock().unwrap().feed_status;
    let end = if status == "200 OK" { "" } else { "content-length: 0\r\n" };
    let text = format!("HTTP/1.1 {status}\r\ncontent-type: text/event-stream\r\n{end}\r\n");
    let _ = socket.write_all(text.as_bytes()).await;
    if status == "200 OK" {
        let _ = hand.send(Stream { head, socket }).await;
    }
}

impl Stream {
    async fn says(&mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).await.unwrap();
    }

    fn last_event_id(&self) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix("last-event-id: "))
    }

    /// Waits until the other end has left.
    async fn is_left(&mut self) {
        let left = async { while self.socket.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {} };
        tokio::time::timeout(Duration::from_secs(20), left).await.expect("it stays");
    }
}

fn current(id: &str) -> String {
    format!("event: current\nid: {id}\ndata: {{\"issuer\":\"{ISSUER}\"}}\n\n")
}

fn ended(session: SessionId) -> String {
    format!("event: ended\nid: 0\ndata: {{\"sessions\":[{{\"sid\":\"{session}\",\"until\":4000000000}}]}}\n\n")
}

/// A token of now, of this session.
fn token_of_now(key: &SigningKey, session: SessionId) -> String {
    let now = AnchoredClock::start().now().as_secs();
    let claims = AccessClaims { sid: session, iat: now, exp: now + TTL, auth_time: now, ..claims() };
    jws::sign(key, "at+jwt", &claims).unwrap()
}

/// The status for a request with this bearer; 204 for somebody anonymous.
async fn status(gate: &Gate, token: &str) -> u16 {
    let service = gate.layer().layer(service_fn(async |request: Request<Body>| {
        let known = request.extensions().get::<Visitor>().unwrap().identity().is_some();
        let response = Response::builder().status(if known { 200 } else { 204 }).body(Body::empty()).unwrap();
        Ok::<_, std::convert::Infallible>(response)
    }));
    let request = Request::builder().header(AUTHORIZATION, format!("Bearer {token}")).body(Body::empty()).unwrap();
    service.oneshot(request).await.unwrap().status().as_u16()
}

async fn eventually(gate: &Gate, token: &str, expected: u16) {
    let waiting = async {
        while status(gate, token).await != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), waiting).await.is_ok(), "never {expected}");
}

#[tokio::test]
async fn nothing_is_accepted_before_everything_in_force_is_known() {
    let mut server = Server::start().await;
    let connecting = tokio::spawn(connect(server.settings()));
    let mut stream = server.stream().await;
    assert!(stream.head.contains(&format!("authorization: Bearer {TOKEN}\r\n")), "{}", stream.head);
    stream.says(&format!("retry: 1000\n\n{}", ended(session(7)))).await;
    // It does not wait for ever for a server that does not go on.
    let gate = connecting.await.unwrap().unwrap();
    let (good, bad) = (token_of_now(&KEY, session(1)), token_of_now(&KEY, session(7)));
    assert_eq!(status(&gate, &good).await, 503);
    // In its silence it is left, and everything is asked for again.
    stream.is_left().await;
    let mut stream = server.stream().await;
    assert_eq!(stream.last_event_id(), Some("0"));
    stream.says(&format!("{}{}", ended(session(7)), current("1"))).await;
    eventually(&gate, &good, 200).await;
    assert_eq!(status(&gate, &bad).await, 401);
    stream.says(&ended(session(1))).await;
    eventually(&gate, &good, 401).await;
}

#[tokio::test]
async fn whoever_comes_with_cookies_is_known_and_never_renewed() {
    let mut server = Server::start().await;
    let (gate, _stream) = server.followed(server.settings()).await;
    let ask = async |access: Option<String>| {
        let service = gate.layer().layer(service_fn(async |request: Request<Body>| {
            let visitor = request.extensions().get::<Visitor>().unwrap();
            let text = format!("{} {:?}", visitor.identity().is_some(), visitor.reason());
            Ok::<_, std::convert::Infallible>(Response::new(Body::from(text)))
        }));
        let access = access.map(|token| format!("__Host-accessToken={token}; ")).unwrap_or_default();
        let cookies = format!("{access}__Host-refreshToken=a.b.c");
        let request = Request::builder().header("cookie", cookies).body(Body::empty()).unwrap();
        let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
        assert!(!parts.headers.contains_key("set-cookie"));
        String::from_utf8(axum::body::to_bytes(body, 100).await.unwrap().to_vec()).unwrap()
    };
    assert_eq!(ask(Some(token_of_now(&KEY, session(1)))).await, "true None");
    let now = AnchoredClock::start().now().as_secs();
    let over = AccessClaims { iat: now - 20, exp: now - 10, ..claims() };
    assert_eq!(ask(Some(token_of(&over))).await, "false Some(Expired)");
    assert_eq!(ask(None).await, "false None");
}

#[tokio::test]
async fn a_server_that_refuses_our_token_or_is_another_one_is_named_at_once() {
    let mut server = Server::start().await;
    server.now(|ways| ways.feed_status = "401 Unauthorized");
    let refused = connect(server.settings()).await;
    assert!(matches!(&refused, Err(RemoteError::Refused(url)) if *url == server.url), "{:?}", refused.err());
    server.now(|ways| ways.feed_status = "200 OK");
    let connecting = tokio::spawn(connect(server.settings()));
    let mut stream = server.stream().await;
    stream.says("event: current\nid: 1\ndata: {\"issuer\":\"https://other.example.com\"}\n\n").await;
    let other = connecting.await.unwrap();
    let found = "https://other.example.com";
    assert!(matches!(&other, Err(RemoteError::OtherIssuer { found: f, .. }) if f == found), "{:?}", other.err());
    stream.is_left().await;
    for url in ["", "id.example.com", "ftp://id.example.com", "https://id.example.com/below", "https://x/?q"] {
        let settings = RemoteSettings { url: url.to_owned(), ..server.settings() };
        assert!(matches!(connect(settings).await.err(), Some(RemoteError::Url(_))), "{url}");
    }
    for token in ["", "a b", "a\r\nX: y", "é"] {
        let settings = RemoteSettings { feed_token: token.to_owned(), ..server.settings() };
        assert!(matches!(connect(settings).await.err(), Some(RemoteError::Token)), "{token}");
    }
    assert!(!format!("{:?}", server.settings()).contains(TOKEN));
}

#[tokio::test]
async fn the_feed_of_another_issuer_is_never_believed() {
    let mut server = Server::start().await;
    let settings = RemoteSettings {
        when_stale: WhenStale::Refuse,
        max_staleness: Duration::from_millis(300),
        ..server.settings()
    };
    let (gate, stream) = server.followed(settings).await;
    // Behind the same address there is another server now.
    drop(stream);
    let token = token_of_now(&KEY, session(1));
    eventually(&gate, &token, 503).await;
    for _ in 0..2 {
        let mut stream = server.stream().await;
        stream.says("event: current\nid: 1\ndata: {\"issuer\":\"https://other.example.com\"}\n\n").await;
        let asking = async {
            while status(&gate, &token).await == 503 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = stream.is_left() => {}
            () = asking => panic!("it was believed"),
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}");
    let settings = RemoteSettings { audience: AUDIENCE.to_owned(), url, ..RemoteSettings::new(ISSUER, TOKEN) };
    let gate = connect(settings).await.unwrap();
    let token = token_of_now(&KEY, session(1));
    assert_eq!(status(&gate, &token).await, 503);
    assert_eq!(status(&gate, "rubbish").await, 401, "which no key would make good");
    let mut server = Server::at(TcpListener::bind(address).await.unwrap());
    let mut stream = server.stream().await;
    stream.says(&current("1")).await;
    eventually(&gate, &token, 200).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_left_and_begun_again() {
    let mut server = Server::start().await;
    let (gate, mut stream) = server.followed(server.settings()).await;
    let token = token_of_now(&KEY, session(1));
    let huge_line = format!("data: {}", "x".repeat(2 << 20));
    let huge_event = format!("data: {}\n", "x".repeat(1 << 16)).repeat(32);
    let comment = format!(":{}", "x".repeat(2 << 20));
    let strange_sid = "event: ended\ndata: {\"sessions\":[{\"sid\":\"../../x\",\"until\":1}]}\n\n";
    let strange_until =
        format!("event: ended\ndata: {{\"sessions\":[{{\"sid\":\"{}\",\"until\":1e99}}]}}\n\n", session(2));
    let all_of_them = [
        huge_line.as_str(),
        &huge_event,
        &comment,
        strange_sid,
        &strange_until,
        "event: ended\ndata: {\n\n",
        "event: current\ndata: nothing\n\n",
    ];
    for (n, malformed) in (2..).zip(all_of_them) {
        let what = malformed.get(..40).unwrap_or(malformed);
        // What it was told before is kept.
        stream.says(&format!("{}{}", ended(session(n)), current("7"))).await;
        // The other end may leave before it has all of it.
        let _ = stream.socket.write_all(malformed.as_bytes()).await;
        stream.is_left().await;
        assert_eq!(status(&gate, &token_of_now(&KEY, session(n))).await, 401, "{what}");
        assert_eq!(status(&gate, &token).await, 200, "{what}");
        stream = server.stream().await;
        assert_eq!(stream.last_event_id(), None, "{what}");
    }
}

#[tokio::test]
async fn a_lost_stream_is_taken_up_from_the_last_event() {
    let mut server = Server::start().await;
    let (gate, mut stream) = server.followed(server.settings()).await;
    assert_eq!(stream.last_event_id(), None);
    stream.says(&current("cc378160099ccfa8-12")).await;
    // The end of an event that never comes is not waited for.
    stream.says("event: current\nid: 13\nda").await;
    drop(stream);
    let mut stream = server.stream().await;
    assert_eq!(stream.last_event_id(), Some("cc378160099ccfa8-12"));
    stream.says(&ended(session(1))).await;
    eventually(&gate, &token_of_now(&KEY, session(1)), 401).await;
    // Nobody asks any more: it leaves.
    drop(gate);
    stream.says(&current("14")).await;
    stream.is_left().await;
}

#[tokio::test]
async fn bytes_that_trickle_are_silence() {
    let mut server = Server::start().await;
    let (_gate, mut stream) = server.followed(server.settings()).await;
    let trickling = async {
        while stream.socket.write_all(b": still here\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), trickling).await.expect("it was believed");
    assert_eq!(server.stream().await.last_event_id(), Some("1"));
}

#[tokio::test]
async fn when_nothing_is_heard_it_does_as_it_was_told() {
    let mut server = Server::start().await;
    let token = token_of_now(&KEY, session(1));
    let short = RemoteSettings { max_staleness: Duration::from_millis(200), ..server.settings() };
    let (serving, kept) = server.followed(short.clone()).await;
    let (refusing, mut stream) = server.followed(RemoteSettings { when_stale: WhenStale::Refuse, ..short }).await;
    eventually(&refusing, &token, 503).await;
    assert_eq!(status(&serving, &token).await, 200);
    stream.says(&current("2")).await;
    eventually(&refusing, &token, 200).await;
    drop(kept);
}

#[tokio::test]
async fn an_unknown_key_causes_one_read_a_second_and_a_failure_forgets_none() {
    let mut server = Server::start().await;
    let (gate, mut stream) = server.followed(server.settings()).await;
    let (known, new) = (token_of_now(&KEY, session(1)), token_of_now(&OTHER_KEY, session(1)));
    assert_eq!((status(&gate, &known).await, server.reads()), (200, 1));
    server.now(|ways| ways.jwks_status = "500 Internal Server Error");
    let begun = std::time::Instant::now();
    for n in 0..200 {
        let key = SigningKey::generate(munjigi_gate::Algorithm::Hs256, format!("unknown-{n}")).unwrap();
        assert_eq!(status(&gate, &token_of_now(&key, session(1))).await, 401);
    }
    let most = 2 + usize::try_from(begun.elapsed().as_secs()).unwrap();
    assert!((2..=1 + most).contains(&server.reads()), "{}", server.reads());
    assert_eq!(status(&gate, &known).await, 200);
    // A key that nobody has seen before is taken up when its first token comes.
    server.now(|ways| {
        ways.jwks_status = "200 OK";
        ways.keys = vec![json!({ "kty": "later" }), OTHER_KEY.verifying_key().jwk().unwrap()];
    });
    stream.says(&current("2")).await;
    eventually(&gate, &new, 200).await;
    assert_eq!(status(&gate, &known).await, 401, "the set is the server's, as it stands");
}

#[tokio::test]
async fn the_keys_are_read_again_when_their_time_is_over() {
    let mut server = Server::start().await;
    server.now(|ways| ways.cache_control = "public, max-age=1");
    let (gate, mut stream) = server.followed(server.settings()).await;
    let known = token_of_now(&KEY, session(1));
    assert_eq!(status(&gate, &known).await, 200);
    server.now(|ways| ways.keys = vec![OTHER_KEY.verifying_key().jwk().unwrap()]);
    stream.says(&current("2")).await;
    eventually(&gate, &known, 401).await;
    assert!(server.reads() >= 2);
    server.task.abort();
}

#[tokio::test]
async fn a_key_set_without_end_is_not_read() {
    let mut server = Server::start().await;
    let jwk = KEY.verifying_key().jwk().unwrap();
    server.now(|ways| ways.keys = vec![jwk; 4_000]);
    let (gate, _stream) = server.followed(server.settings()).await;
    assert_eq!(status(&gate, &token_of_now(&KEY, session(1))).await, 503);
}
