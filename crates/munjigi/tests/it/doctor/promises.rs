//! What holds of the doctor whatever it finds: it changes nothing, tells no secret, and waits for nothing long.

use std::time::{Duration, Instant};

use super::Installation;
use super::installation::contents;
use crate::harness::RedisServer;

#[tokio::test]
async fn an_installation_that_is_well_is_told_so_with_a_server_and_without() {
    let installation = Installation::new();
    let before = installation.doctor().nothing_else_than(&[]);
    let before = before.says("database", "skipped", &["the first start makes it"]);
    before.says("secret", "skipped", &["the first start makes it"]).says("server", "skipped", &["munjigi serve"]);
    assert!(!installation.data().exists(), "and nothing is made");

    let server = installation.serve().await;
    let beside = installation.doctor().nothing_else_than(&[]);
    for check in ["database", "secret", "keys", "server", "public url", "proxy", "cookies", "clock"] {
        assert!(!beside.to_string().contains(&format!("skipped {check}")), "{beside}");
    }
    server.terminate();
    server.ended();
    let after = installation.doctor().nothing_else_than(&[]);
    after.says("public url", "skipped", &["start the server"]).says("keys", "ok", &["the secret decrypts it"]);
    let lines = installation.place.run(&["doctor"]).expect(0).stdout;
    assert!(lines.contains("ok       database ") && !lines.contains('\x1b'), "{lines}");
}

/// Beside a server, after one that was killed in the middle, and where the last one has put everything into one file.
#[tokio::test]
async fn it_changes_nothing() {
    let redis = RedisServer::private();
    for installation in [Installation::new(), Installation::on(&redis)] {
        let server = installation.serve().await;
        server.browser().register("mina").await.expect(201);
        let look = |when: &str| {
            let before = contents(installation.place.path());
            installation.doctor();
            let after = contents(installation.place.path());
            let names = || before.keys().chain(after.keys());
            // Memory that all who read a log share, and where each notes how far they are.
            let lasting = names().filter(|name| !name.ends_with("-shm"));
            let changed: Vec<_> = lasting.filter(|name| before.get(*name) != after.get(*name)).collect();
            assert!(changed.is_empty(), "{when}: {changed:?}");
        };
        look("beside a server");
        server.kill();
        look("after one that was killed");
        installation.leave_no_log();
        look("where nobody has it open");
    }
}

#[tokio::test]
async fn it_tells_no_secret_and_no_password() {
    let redis = RedisServer::private();
    redis.tell("CONFIG SET requirepass hunter2-of-redis").await;
    let port = redis.url.rsplit(':').next().unwrap().to_owned();
    let installation = Installation::on(&redis);
    let url = format!("redis://:hunter2-of-redis@127.0.0.1:{port}");
    let installation = installation
        .set("store.redis_url", &url)
        .set("server.previous_secrets", "a former secret that was replaced long since");
    let server = installation.serve().await;
    let beside = installation.place.run(&["doctor"]).stdout;
    server.kill();
    let file = Installation::new().begun().await;
    let made = std::fs::read_to_string(file.data().join("secret")).unwrap();
    let mut told = vec![beside, installation.place.run(&["doctor"]).stdout, file.place.run(&["doctor"]).stdout];
    let wrong = installation.set("store.redis_url", "redis://:hunter2-of-redis@127.0.0.1:1");
    told.push(wrong.place.run(&["doctor"]).stdout);
    told.push(wrong.set("tokens.shared_secret", "short and secret").place.run(&["doctor"]).stdout);
    for told in told {
        assert!(told.lines().count() > 2, "{told}");
        for secret in ["hunter2", "only for these tests", "former secret", "short and secret", made.trim()] {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
    }
}

/// Somebody who takes the connection and says nothing, in the place of everything that is asked.
#[tokio::test]
async fn what_does_not_answer_is_a_finding_and_no_hang() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let installation = Installation::new().begun().await.set("server.listen", &address.to_string());
    let installation = installation.set("server.secret", "a secret that is only for these tests");
    std::fs::remove_dir_all(installation.data()).unwrap();
    let installation = installation.set("store.redis_url", &format!("redis://{address}"));
    let begun = Instant::now();
    let found = installation.set("server.public_url", &format!("http://{address}")).doctor();
    // Bounded, and not by how fast this machine is.
    assert!(begun.elapsed() < Duration::from_secs(60));
    let found = found.says("sessions", "wrong", &["does not answer", "store.redis_url"]);
    let found = found.says("server", "wrong", &["no Munjigi", "server.listen"]);
    found.says("public url", "wrong", &["does not answer within 5 s", "server.public_url"]);
}
