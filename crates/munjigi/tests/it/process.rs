//! The program: how it starts, what it refuses, how it ends, and what it logs.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use crate::harness::{Browser, OTHER_PASSWORD, PASSWORD, Place, RedisServer, eventually};

#[tokio::test]
async fn it_says_where_it_is_on_its_first_line() {
    let place = Place::new().unset("server.public_url");
    let server = place.serve().await;
    let first = server.greeting.lines().next().unwrap();
    assert!(first.ends_with(&server.url.replace("127.0.0.1", "localhost")), "{first} {}", server.url);
    server.browser().get("/user/info").await.expect(200);
}

#[tokio::test]
async fn told_to_stop_it_ends_well() {
    let place = Place::new();
    let server = place.serve().await;
    server.browser().register("mina").await.expect(201);
    server.terminate();
    assert_eq!(server.ended().code(), Some(0));
    let database = rusqlite::Connection::open(place.path().join("data/munjigi.db")).unwrap();
    let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_it_ends() {
    let place = Place::new();
    let server = place.serve().await;
    let mut connection = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    let body = json!({ "username": "nobody", "password": "x" }).to_string();
    let head =
        "POST /user/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n";
    connection.write_all(format!("{head}Content-Length: {}\r\n\r\n{}", body.len(), &body[..5]).as_bytes()).unwrap();
    // Once it has answered somebody who came later, it has begun to read this.
    server.browser().get("/healthz").await.expect(200);
    server.terminate();
    eventually("it takes no more connections", || async {
        TcpStream::connect(server.url.strip_prefix("http://").unwrap()).is_err()
    })
    .await;
    connection.write_all(&body.as_bytes()[5..]).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(server.ended().code(), Some(0));
}

/// Nobody reads what it says, not even the first line of it; and nobody its log.
#[tokio::test]
async fn it_goes_on_when_nobody_hears_it() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let place = Place::new().set("server.listen", &format!("127.0.0.1:{port}"));
    let server = place.serve_unheard(port).await;
    server.browser().register("mina").await.expect(201);
    server
        .browser()
        .with("sec-fetch-site", "cross-site")
        .post_json("/user/login", json!({}))
        .await
        .problem(403, "cross_origin");
    server.browser().get_json("/readyz").await.expect(200);
    server.terminate();
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = Place::new().set("server.listen", &address);
    place.run(&["serve"]).complains(1, &["server.listen", &address, "--listen"]);
}

#[tokio::test]
async fn a_secret_that_is_not_the_databases_is_refused() {
    let place = Place::new();
    drop(place.serve().await);
    let place = place.set("server.secret", "another secret of at least thirty-two bytes");
    place.run(&["serve"]).complains(1, &["server.secret is not the one that this database was made with"]);
    place.run(&["user", "list"]).complains(1, &["server.secret"]);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let place = Place::new();
    place.run(&["migrate"]).expect(0);
    let database = rusqlite::Connection::open(place.path().join("data/munjigi.db")).unwrap();
    database.pragma_update(None, "user_version", 999).unwrap();
    place.run(&["serve"]).complains(1, &["munjigi.db", "999"]);
    place.run(&["migrate"]).complains(1, &["999"]);
    let found: u32 = database.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(found, 999);
}

#[test]
fn a_file_that_is_no_database_is_named() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("data")).unwrap();
    std::fs::write(place.path().join("data/munjigi.db"), "this is a letter and no database".repeat(40)).unwrap();
    place.run(&["serve"]).complains(1, &["munjigi.db"]);
}

#[test]
fn redis_needs_a_secret_that_all_nodes_share() {
    let place = Place::new().set("store.redis_url", "redis://127.0.0.1:1");
    place.run(&["serve"]).complains(1, &["server.secret is missing", "openssl rand", "MUNJIGI_SERVER__SECRET"]);
}

#[test]
fn a_redis_that_does_not_answer_is_named_without_its_password() {
    let secret = "thirty-two bytes that nobody may see";
    let place = Place::new().set("server.secret", secret);
    let place = place.set("store.redis_url", "redis://user:topsecret@127.0.0.1:1");
    let refused = place.run(&["serve"]).complains(1, &["store.redis_url", "127.0.0.1:1"]);
    assert!(!refused.stderr.contains("topsecret"), "{}", refused.stderr);
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let place = Place::new().file("data", "in the way");
    place.run(&["serve"]).complains(1, &["server.data_dir", "data"]);
}

/// What the server says to a request whose head has so many bytes.
fn answer_to_a_head_of(bytes: usize, url: &str) -> String {
    let mut connection = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let head = "GET /user/info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Long: ";
    let head = format!("{head}{}\r\n\r\n", "x".repeat(bytes - head.len() - 4));
    // The server may hang up before it has all of it.
    let _ = connection.write_all(head.as_bytes());
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_head_has_at_most_32_kib() {
    let place = Place::new();
    let server = place.serve().await;
    assert_eq!(answer_to_a_head_of(30 * 1024, &server.url), "HTTP/1.1 200 OK");
    for kib in [40, 64, 512] {
        let answer = answer_to_a_head_of(kib * 1024, &server.url);
        assert!(
            answer.is_empty() || ["HTTP/1.1 413", "HTTP/1.1 431"].iter().any(|refused| answer.starts_with(refused)),
            "{kib} KiB: {answer}"
        );
    }
    server.browser().get("/user/info").await.expect(200);
}

/// Everything that people do, right and wrong; returns what must not be in the log.
async fn journey(mut browser: Browser) -> Vec<String> {
    let mut secrets = vec![PASSWORD.to_owned(), OTHER_PASSWORD.to_owned(), "wrong-one-of-them".to_owned()];
    let mut keep = |browser: &Browser| {
        for token in [browser.jar.get("accessToken"), browser.jar.get("refreshToken")].into_iter().flatten() {
            secrets.push(token.clone());
            secrets.push(token.rsplit('.').next().unwrap().to_owned());
        }
    };
    browser.register("mina").await.expect(201);
    keep(&browser);
    browser.clone().log_in_with("mina", "wrong-one-of-them").await.expect(401);
    browser.clone().post("/user/login", "application/json", format!("{{\"password\":\"{PASSWORD}\"")).await.expect(400);
    let form = [("username", "mina"), ("password", PASSWORD), ("remember", "on"), ("return_to", "/user/account")];
    browser.post_form("/user/login", &form).await.expect(303);
    keep(&browser);
    browser = browser.without("accessToken");
    browser.get("/user/account").await.expect(200);
    keep(&browser);
    browser.as_bearer().get_json("/user/info").await.expect(200);
    browser.post_json("/user/account/name", json!({ "name": "Minah" })).await.expect(200);
    browser.change_password("wrong-one-of-them", OTHER_PASSWORD).await.expect(422);
    browser.change_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
    browser.clone().holding("accessToken", format!("{}x", browser.access())).get("/user/info").await.expect(200);
    browser.info().await;
    keep(&browser);
    browser.get_json("/user/account/sessions").await.expect(200);
    browser.log_out().await.expect(200);
    secrets
}

async fn nothing_secret_is_logged(place: Place, own: &[&str]) {
    let place = place.set("log.level", "trace");
    let server = place.serve().await;
    let secrets = journey(server.browser()).await;
    server.terminate();
    server.ended();
    let log = place.log();
    assert!(log.contains("logged_in") && log.contains("logged_out"), "the log is there: {log}");
    for secret in secrets.iter().map(String::as_str).chain(own.iter().copied()) {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[tokio::test]
async fn nothing_secret_is_logged_at_any_level() {
    let secret = "thirty-two bytes that nobody may see";
    nothing_secret_is_logged(Place::new().set("server.secret", secret), &[secret]).await;
}

#[tokio::test]
async fn nothing_secret_is_logged_on_redis() {
    let redis = RedisServer::private();
    nothing_secret_is_logged(Place::on(&redis), &["a secret that is only for these tests"]).await;
}

#[tokio::test]
async fn the_log_for_programs_is_one_object_a_line_and_names_who() {
    let place = Place::new().set("log.format", "json").set("log.level", "info,munjigi=debug");
    let server = place.serve().await;
    let mut browser = server.browser();
    let user = browser.register("mina").await.expect(201).json()["user"]["id"].clone();
    let session = browser.session_id().await;
    browser.clone().log_in_with("mina", "wrong-one").await.expect(401);
    let out = browser.log_out().await.expect(200);
    drop(server);
    let lines: Vec<Value> = place.log().lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let event = |name: &str| {
        let found = lines.iter().find(|line| line["message"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {lines:#?}")).clone()
    };
    assert_eq!(event("registered")["user"], user);
    assert_eq!(event("log_in_failed")["user"], user);
    let logged_out = event("logged_out");
    assert_eq!((&logged_out["user"], &logged_out["session"]), (&user, &json!(session)));
    assert_eq!(logged_out["span"]["id"], out.header("x-request-id").unwrap());
}

#[tokio::test]
async fn a_log_for_people_has_no_colours_in_a_file() {
    let place = Place::new();
    let server = place.serve().await;
    server.browser().register("mina").await.expect(201);
    server.terminate();
    server.ended();
    let log = place.log();
    assert!(log.contains("registered") && !log.contains('\u{1b}'), "{log}");
}
