//! `GET /auth/revocations`: the feed, as services elsewhere follow it (docs/feed.md).

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Browser, Place, Process, Reply, Site, eventually};

const PATH: &str = "/auth/revocations";

/// An event as it came.
#[derive(Clone, Debug)]
struct Event {
    name: String,
    id: String,
    data: Value,
}

/// A service that follows, with what it has not looked at yet.
struct Follower {
    response: reqwest::Response,
    text: String,
}

impl Follower {
    async fn of(server: &Process, token: &str, last_seen: Option<&str>) -> Self {
        let request = reqwest::Client::new().get(format!("{}{PATH}", server.url)).bearer_auth(token);
        let request = last_seen.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let mut follower = Self { response, text: String::new() };
        assert_eq!(follower.block().await.unwrap(), "retry: 1000");
        follower
    }

    /// The next block of lines; `None`: the stream has ended.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                return Some(block);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk()).await.expect("silence");
            self.text.push_str(std::str::from_utf8(&chunk.unwrap()?).unwrap());
        }
    }

    async fn event(&mut self) -> Option<Event> {
        let block = self.block().await?;
        let lines: Vec<_> = block.lines().map(|line| line.split_once(": ").unwrap()).collect();
        assert_eq!(lines.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["event", "id", "data"], "{block}");
        let [name, id, data] = [0, 1, 2].map(|n| lines[n].1.to_owned());
        Some(Event { name, id, data: serde_json::from_str(&data).unwrap() })
    }

    /// Reads until the server ends it.
    async fn is_ended(&mut self) {
        let reading = async { while self.event().await.is_some() {} };
        assert!(tokio::time::timeout(Duration::from_secs(20), reading).await.is_ok(), "it goes on");
    }

    /// The sessions that are told until the next `current`, and its id.
    async fn until_current(&mut self) -> (Vec<String>, String) {
        let mut sessions = Vec::new();
        loop {
            let event = self.event().await.expect("the stream ended");
            if event.name == "current" {
                return (sessions, event.id);
            }
            sessions.extend(sids(&event));
        }
    }

    /// Reads until this session is told, and says how.
    async fn learns_of(&mut self, session: &str) -> Event {
        loop {
            let event = self.event().await.expect("the stream ended");
            if sids(&event).iter().any(|sid| sid == session) {
                return event;
            }
        }
    }
}

/// What somebody is told with these headers; an answer without end is a failure.
async fn asks(mut browser: Browser) -> Reply {
    tokio::time::timeout(Duration::from_secs(20), browser.get_json(PATH)).await.expect("it follows")
}

fn sids(event: &Event) -> Vec<String> {
    let sessions = event.data["sessions"].as_array().into_iter().flatten();
    sessions.map(|session| session["sid"].as_str().unwrap().to_owned()).collect()
}

fn feed_token(place: &Place) -> String {
    place.run(&["secret", "feed-token"]).expect(0).stdout.trim().to_owned()
}

#[tokio::test]
async fn a_follower_learns_what_has_ended_and_then_what_ends() {
    let place = Place::new();
    let server = place.serve().await;
    let token = feed_token(&place);
    let mut before = server.browser();
    before.register("before").await.expect(201);
    let (ended, mut after) = (before.session_id().await, server.browser());
    before.log_out().await.expect(200);
    after.register("after").await.expect(201);

    let mut follower = Follower::of(&server, &token, None).await;
    let (known, _) = follower.until_current().await;
    assert_eq!(known, [ended]);
    let session = after.session_id().await;
    after.log_out().await.expect(200);
    let event = follower.learns_of(&session).await;
    let until = event.data["sessions"][0]["until"].as_i64().unwrap();
    let now = munjigi::gate::Clock::now(&munjigi::AnchoredClock::start()).as_secs();
    assert!((now + 600..now + 700).contains(&until), "an access token's life and a minute: {until} {now}");
    let current = follower.event().await.unwrap();
    assert_eq!((current.name.as_str(), &current.data), ("current", &json!({ "issuer": "http://localhost:3999" })));
}

#[tokio::test]
async fn a_changed_password_is_told_as_the_epoch_that_is_still_good() {
    let place = Place::new();
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    let mut follower = Follower::of(&server, &feed_token(&place), None).await;
    follower.until_current().await;
    place.run_with_input(&["user", "set-password", "mina", "--password-stdin"], "another blue kettle\n").expect(0);
    let told = loop {
        let event = follower.event().await.unwrap();
        if event.name == "ended" {
            break event.data;
        }
    };
    let claims = crate::harness::claims_of(&browser.access());
    assert_eq!(told["users"][0]["sub"], claims["sub"]);
    assert!(told["users"][0]["minEpoch"].as_u64() > claims["sep"].as_u64(), "{told} {claims}");
}

#[tokio::test]
async fn whoever_comes_back_is_told_only_what_they_missed() {
    let place = Place::new();
    let server = place.serve().await;
    let token = feed_token(&place);
    let mut sessions = Vec::new();
    let mut end_one = async |name: &str| {
        let mut browser = server.browser();
        browser.register(name).await.expect(201);
        let session = browser.session_id().await;
        browser.log_out().await.expect(200);
        sessions.push(session.clone());
        session
    };
    end_one("first").await;
    let (_, seen) = Follower::of(&server, &token, None).await.until_current().await;
    let second = end_one("second").await;
    let (missed, _) = Follower::of(&server, &token, Some(&seen)).await.until_current().await;
    assert_eq!(missed, [second]);
    // Every other place is nobody's: all of it comes again.
    let far = seen.rsplit_once('-').unwrap().0.to_owned() + "-99999999999999999999";
    let ahead = seen.rsplit_once('-').unwrap().0.to_owned() + "-1000";
    for unknown in ["0", "", "-", "x", "0000000000000000-0", &far, &ahead, &"9".repeat(20_000)] {
        let (mut all, _) = Follower::of(&server, &token, Some(unknown)).await.until_current().await;
        all.sort();
        let mut expected = sessions.clone();
        expected.sort();
        assert_eq!(all, expected, "{unknown}");
    }
    // And after a restart.
    drop(server);
    let server = place.serve().await;
    let (all, _) = Follower::of(&server, &token, Some(&seen)).await.until_current().await;
    assert_eq!(all.len(), 2);
}

#[tokio::test]
async fn nobody_follows_without_the_feed_token() {
    let site = Site::embedded().await;
    let browser = site.registered("mina").await;
    let token = site.app.core.feed_tokens.present().to_string();
    let (almost, longer) = (token[..token.len() - 1].to_owned(), format!("{token}A"));
    let long = "x".repeat(20_000);
    let (access, refresh) = (browser.access(), browser.refresh());
    let wrong = ["", "x", &almost, &longer, &access, &refresh, &long, "munjigi-feed-"];
    let lines = wrong.iter().map(|token| format!("Bearer {token}"));
    for line in lines.chain([format!("Basic {token}"), token.clone(), format!("bearer{token}")]) {
        let refused = asks(site.browser().with("authorization", &line)).await;
        refused.problem(401, "login_required");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    }
    asks(site.browser()).await.problem(401, "login_required");
    asks(browser.clone()).await.problem(401, "login_required");
    let both = site.browser().with("authorization", &format!("Bearer {token}"));
    asks(both.with("authorization", "Bearer x")).await.problem(401, "login_required");
    // The token opens nothing else.
    let mut bearer = site.browser().with("authorization", &format!("Bearer {token}"));
    bearer.get_json("/user/info").await.problem(401, "login_required");
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let request = bearer.request(method, PATH).body(String::new()).unwrap();
        bearer.send(request).await.problem(405, "method_not_allowed");
    }
    assert_eq!(site.app.core.feed.followers().count(), 0);
}

#[tokio::test]
async fn the_feed_token_is_replaced_with_the_secret() {
    let place = Place::new();
    let server = place.serve().await;
    let old = feed_token(&place);
    let mut follower = Follower::of(&server, &old, None).await;
    place.run(&["secret", "rotate"]).expect(0);
    let new = feed_token(&place);
    assert_ne!(old, new);
    Follower::of(&server, &new, None).await.until_current().await;
    follower.is_ended().await;
    let mut follower = Follower::of(&server, &old, None).await;
    follower.until_current().await;
    // Whoever knows the former secret learns nothing any more, from then on.
    place.run(&["secret", "rotate", "--compromised"]).expect(0);
    follower.is_ended().await;
    let status = async |token: &str| {
        let url = format!("{}{PATH}", server.url);
        reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap().status()
    };
    assert_eq!(status(&old).await, 401);
    assert_eq!(status(&new).await, 401);
    assert_eq!(status(&feed_token(&place)).await, 200);
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_does_not_wait_for_followers() {
    let place = Place::new();
    let server = place.serve().await;
    let mut follower = Follower::of(&server, &feed_token(&place), None).await;
    follower.until_current().await;
    server.terminate();
    follower.is_ended().await;
    assert_eq!(server.ended().code(), Some(0));
    assert!(place.log().contains("reason=\"stopping\""), "{}", place.log());
}

#[tokio::test]
async fn a_node_that_cannot_read_the_table_says_nothing() {
    let site = Site::embedded().await;
    let token = site.app.core.feed_tokens.present().to_string();
    let database = site.database();
    database.execute_batch("ALTER TABLE revocations RENAME TO hidden").unwrap();
    let refused = asks(site.browser().with("authorization", &format!("Bearer {token}"))).await;
    assert!(refused.status.is_server_error() && !refused.body.contains("hidden"), "{}", refused.body);
    assert_eq!(site.app.core.feed.followers().count(), 0);
}

#[tokio::test]
async fn followers_are_not_taken_for_idle_and_never_take_all_connections() {
    let place = Place::new().set("server.max_connections", "16");
    let server = place.serve().await;
    let token = feed_token(&place);
    let mut followers = Vec::new();
    for _ in 0..8 {
        followers.push(Follower::of(&server, &token, None).await);
    }
    let one_more = reqwest::Client::new().get(format!("{}{PATH}", server.url)).bearer_auth(&token).send().await;
    assert_eq!(one_more.unwrap().status(), 503);
    // Strangers who come and stay push each other out.
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let mut idle = Vec::new();
    for _ in 0..64 {
        idle.push(tokio::net::TcpStream::connect(&address).await.unwrap());
        server.browser().get("/healthz").await.expect(200);
    }
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    let session = browser.session_id().await;
    browser.log_out().await.expect(200);
    for follower in &mut followers {
        follower.learns_of(&session).await;
    }
    drop(followers);
    eventually("there is room again", async || {
        let url = format!("{}{PATH}", server.url);
        reqwest::Client::new().get(url).bearer_auth(&token).send().await.unwrap().status() == 200
    })
    .await;
}

#[tokio::test]
async fn a_follower_that_never_reads_is_dropped_and_the_others_are_served() {
    const MANY: usize = 100_000;
    let place = Place::new().set("server.client_timeout", "1s").set("server.max_connections", "16");
    let server = place.serve().await;
    let token = feed_token(&place);
    let database = rusqlite::Connection::open(place.path().join("data/munjigi.db")).unwrap();
    let all_at_once = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})
         INSERT INTO revocations (session, user, feed_until, keep_until)
         SELECT randomblob(16), randomblob(16), 4000000000000, 4000000000000 FROM n"
    );
    database.execute_batch(&all_at_once).unwrap();
    let address: std::net::SocketAddr = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let mut deaf = Vec::new();
    for _ in 0..7 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(1024).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let head = format!("GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
        tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
        deaf.push(stream);
    }
    let mut follower = Follower::of(&server, &token, None).await;
    assert_eq!(follower.until_current().await.0.len(), MANY);
    eventually("all of them were dropped", async || place.log().matches("follower_left").count() == 7).await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    let session = browser.session_id().await;
    browser.log_out().await.expect(200);
    follower.learns_of(&session).await;
    drop(deaf);
}
