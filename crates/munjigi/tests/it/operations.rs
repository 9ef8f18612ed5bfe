//! The operations listener: what it serves, to whom, and what stands in it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::json;

use crate::harness::{Browser, Metrics, OTHER_PASSWORD, PASSWORD, Place, Site, eventually};

fn place() -> Place {
    Place::new().set("server.operations_listen", "127.0.0.1:0")
}

#[tokio::test]
async fn it_serves_metrics_and_health_and_nothing_of_the_public_listener() {
    let place = place();
    let mut server = place.serve().await;
    let mut operator = server.operator();
    let metrics = operator.get("/metrics").await.expect(200);
    assert_eq!(metrics.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    Metrics::parse(&metrics.body);
    assert_eq!(operator.get("/healthz").await.expect(200).json()["status"], "ok");
    assert_eq!(operator.get("/readyz").await.expect(200).json()["status"], "ready");
    for path in ["/", "/user/info", "/user/login", "/user/static/style.css", "/.well-known/jwks.json", "/metrics/"] {
        operator.get(path).await.expect(404);
    }
    operator.post_json("/user/register", json!({})).await.expect(404);
    operator.post_json("/metrics", json!({})).await.expect(405);
    let mut visitor = server.browser();
    visitor.get("/metrics").await.expect(404);
    visitor.get("/healthz").await.expect(200);
    visitor.get("/readyz").await.expect(200);
}

#[tokio::test]
async fn it_is_off_unless_it_is_asked_for() {
    let place = Place::new();
    let server = place.serve().await;
    server.browser().get("/metrics").await.expect(404);
    server.terminate();
    assert!(!server.last_words().contains("operations"));
}

#[tokio::test]
async fn an_address_in_use_is_named_and_the_public_one_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let used = Place::new().set("server.operations_listen", &address.to_string());
    used.run(&["serve"]).complains(1, &["server.operations_listen", &address.to_string(), "something listens there"]);
    let same = Place::new().set("server.listen", "127.0.0.1:3009").set("server.operations_listen", "127.0.0.1:3009");
    same.run(&["serve"]).complains(3, &["server.operations_listen", "not that of server.listen"]);
    let wrong = Place::new().set("server.operations_listen", "9464");
    wrong.run(&["config", "check"]).complains(3, &["server.operations_listen", "127.0.0.1:9464"]);
}

#[tokio::test]
async fn one_that_everybody_reaches_is_warned_of() {
    for (address, warned) in [("0.0.0.0:0", true), ("[::]:0", true), ("127.0.0.1:0", false), ("[::1]:0", false)] {
        let place = Place::new().set("server.operations_listen", address);
        drop(place.serve().await);
        assert_eq!(place.log().contains("operations_exposed"), warned, "{address}: {}", place.log());
    }
}

#[tokio::test]
async fn a_users_journey_moves_the_counters_and_leaves_neither_name_nor_secret_in_them() {
    let place = place();
    let mut server = place.serve().await;
    let mut operator = server.operator();
    let mut browser = server.browser();
    browser.register("minari").await.expect(201);
    let mut secrets: Vec<String> =
        ["minari", "Minari", PASSWORD, OTHER_PASSWORD, "127.0.0.1"].map(str::to_owned).into();
    secrets.extend([browser.access(), browser.refresh(), browser.session_id().await]);
    let id = browser.info().await["user"]["id"].as_str().unwrap().to_owned();
    secrets.push(id);
    browser.clone().log_in_with("minari", "wrong-one").await.expect(401);
    browser.clone().log_in_with("somebody-else", "wrong-one").await.expect(401);
    browser.log_in("minari").await.expect(200);
    browser.clone().without("accessToken").info().await;
    browser.change_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
    browser.get("/user/minari/hunter2").await.expect(404);
    browser.log_out().await.expect(200);
    secrets.push("hunter2".to_owned());
    secrets.push("somebody-else".to_owned());
    let text = operator.get("/metrics").await.expect(200).body;
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "{secret} is in\n{text}");
    }
    let metrics = Metrics::parse(&text);
    let count = |name: &str, label: &str, value: &str| metrics.get(name, &[(label, value)]);
    assert_eq!(count("munjigi_registrations_total", "result", "welcome"), 1.0);
    assert_eq!(count("munjigi_log_ins_total", "result", "welcome"), 1.0);
    assert_eq!(count("munjigi_log_ins_total", "result", "refused"), 2.0);
    assert_eq!(count("munjigi_rotations_total", "decision", "kept"), 1.0);
    assert_eq!(count("munjigi_gate_requests_total", "outcome", "renewed"), 1.0);
    // The session before the second log-in, all at the change of the password, and the one that was logged out.
    assert!(metrics.get("munjigi_revocations", &[]) >= 3.0);
    assert!(metrics.get("munjigi_revocation_delay_seconds_count", &[]) >= 3.0);
    assert_eq!(metrics.get("munjigi_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
    for name in ["process_resident_memory_bytes", "process_start_time_seconds", "process_open_fds", "process_max_fds"] {
        assert!(metrics.get(name, &[]) > 1.0, "{name}");
    }
    let files = std::fs::read_dir(server.proc_file("fd")).unwrap().count();
    assert!((metrics.get("process_open_fds", &[]) - files as f64).abs() < 6.0, "{files}");
}

#[tokio::test]
async fn connections_are_counted_while_they_are_open() {
    let place = place().set("server.max_connections", "16");
    let mut server = place.serve().await;
    let operator = server.operator();
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let mut held: Vec<_> = (0..40).map(|_| TcpStream::connect(&address).unwrap()).collect();
    let reads = async |operator: &Browser, name: &str| {
        Metrics::parse(&operator.clone().get("/metrics").await.expect(200).body).get(name, &[])
    };
    eventually("idle connections made room", async || reads(&operator, "munjigi_connections_shed_total").await >= 24.0)
        .await;
    held.clear();
    eventually("all are gone", async || reads(&operator, "munjigi_connections").await == 0.0).await;
}

#[tokio::test]
async fn a_silent_client_of_it_keeps_nobody_waiting() {
    let place = place().set("server.client_timeout", "1s");
    let mut server = place.serve().await;
    let mut operator = server.operator();
    let greeting = server.greeting.clone();
    let url = greeting.split_whitespace().next_back().unwrap();
    let address = url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
    // More than it has places: the idle ones go.
    let _held: Vec<_> = (0..64).map(|_| TcpStream::connect(address).unwrap()).collect();
    operator.get("/metrics").await.expect(200);
    server.browser().get("/user/info").await.expect(200);
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_both_listeners_end() {
    let place = place();
    let mut server = place.serve().await;
    let mut operator = server.operator();
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let mut connection = TcpStream::connect(&address).unwrap();
    let body = json!({ "username": "nobody", "password": "x" }).to_string();
    let head =
        "POST /user/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n";
    connection.write_all(format!("{head}Content-Length: {}\r\n\r\n{}", body.len(), &body[..5]).as_bytes()).unwrap();
    operator.get("/metrics").await.expect(200);
    server.browser().get("/healthz").await.expect(200);
    server.terminate();
    eventually("it takes no more connections", async || TcpStream::connect(&address).is_err()).await;
    connection.write_all(&body.as_bytes()[5..]).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(server.ended().code(), Some(0));
}

#[tokio::test]
async fn readiness_there_says_what_is_wrong() {
    let site = Site::embedded().await;
    site.clock.advance(std::time::Duration::from_secs(60));
    site.ring().await;
    let unready = site.operator().get("/readyz").await.expect(503).json();
    assert_eq!(unready["status"], "unready");
    assert!(unready["checks"]["clock"].as_str().unwrap().contains("off the database's clock"), "{unready}");
}

/// As docs/operations.md says it is done.
#[tokio::test]
async fn a_backup_made_beside_a_running_server_is_whole_and_after_a_restore_everybody_is_out() {
    let place = Place::new();
    let server = place.serve().await;
    let mut early = server.browser();
    early.register("mina").await.expect(201);
    let copy = place.path().join("backup.db");
    let database = rusqlite::Connection::open(place.path().join("data/munjigi.db")).unwrap();
    database.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    // What the copy does not know: another password, which ended the session above, and a session of today.
    let mut late = server.browser();
    late.log_in("mina").await.expect(200);
    late.change_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
    late.log_in_with("mina", OTHER_PASSWORD).await.expect(200);
    early.is_signed_out_because("ended").await;
    server.terminate();
    server.ended();

    let restored = Place::new();
    let data = restored.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::copy(&copy, data.join("munjigi.db")).unwrap();
    std::fs::copy(place.path().join("data/secret"), data.join("secret")).unwrap();
    assert!(restored.run(&["session", "revoke", "--all"]).expect(0).stdout.contains("1 user"));
    let keys = restored.run(&["key", "list", "--json"]).expect(0).json_lines();
    let active = keys.iter().find(|key| key["status"] == "active").unwrap()["kid"].as_str().unwrap();
    restored.run(&["key", "revoke", active]).expect(0);
    let server = restored.serve().await;
    for browser in [&early, &late] {
        assert!(!browser.clone().at(&server).is_signed_in().await);
        assert!(!browser.clone().without("accessToken").at(&server).is_signed_in().await);
    }
    server.browser().log_in_with("mina", OTHER_PASSWORD).await.expect(401);
    server.browser().log_in("mina").await.expect(200);
}
