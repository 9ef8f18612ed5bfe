//! What a Redis may do to us, and what we leave in it.

use std::collections::HashSet;
use std::process::Command;
use std::time::Duration;

use munjigi_rules::refresh::{Presented, Record, Rotation};
use munjigi_rules::throttle::Quota;
use munjigi_rules::{SessionId, UserId};
use munjigi_store::{LimitKey, Limits, Redis, Sessions, StoreError, Take};
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, InfoDict, RedisResult};
use tokio::task::JoinSet;

use crate::redis_server::{Server, free_port};
use crate::support::*;

fn is_unavailable<T>(result: Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable { store: "Redis", .. }))
}

fn is_corrupt<T>(result: Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Corrupt { store: "Redis", .. }))
}

/// Sends words as they are.
async fn say<T: FromRedisValue>(raw: &mut MultiplexedConnection, words: &str) -> RedisResult<T> {
    let mut words = words.split(' ');
    let mut command = redis::cmd(words.next().unwrap());
    for word in words {
        command.arg(word);
    }
    command.query_async(raw).await
}

/// Waits until the store answers again, for as long as a test may hang.
async fn recovered(store: &Redis) {
    while store.ping().await.is_err() {
        tokio::time::sleep(MS).await;
    }
}

/// A user with one session.
async fn opened(store: &Redis) -> (UserId, SessionId, Record, Presented) {
    let (user, session, opening) = (user_id(), session_id(), opening(NOW));
    store.open(user, session, opening.record, NOW).await.unwrap();
    let token = Presented {
        generation: opening.first.generation,
        nonce: opening.first.nonce,
        parent: opening.first.parent,
        issued_at: NOW,
    };
    (user, session, opening.record, token)
}

#[tokio::test]
async fn a_dead_server_is_unavailable_and_its_successor_is_found() {
    let port = free_port();
    let server = Server::on_port(port);
    let store = Redis::connect(&server.url).await.unwrap();
    let (user, session, record, token) = opened(&store).await;
    drop(server);
    for _ in 0..3 {
        assert!(is_unavailable(store.ping().await));
        assert!(is_unavailable(store.rotate(user, session, token, terms(), nonce(), NOW).await));
        assert!(is_unavailable(Limits::take(&store, &[], NOW).await));
    }
    let _successor = Server::on_port(port);
    recovered(&store).await;
    store.open(user, session, record, NOW).await.unwrap();
    assert_eq!(store.list(user, NOW).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_not_noticed() {
    let server = Server::private();
    let store = Redis::connect(&server.url).await.unwrap();
    let mut raw = server.raw().await;
    for _ in 0..3 {
        let killed: u32 = say(&mut raw, "CLIENT KILL TYPE normal SKIPME yes").await.unwrap();
        assert_eq!(killed, 1);
        store.ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_reconnection_does_not_last_longer_than_its_cause() {
    let server = Server::private();
    let store = Redis::connect(&server.url).await.unwrap();
    let mut raw = server.raw().await;
    for (cause, cure) in [
        ("CONFIG SET requirepass secret", "CONFIG SET requirepass "),
        ("CONFIG SET maxclients 1", "CONFIG SET maxclients 100"),
    ] {
        say::<()>(&mut raw, cause).await.unwrap();
        say::<u32>(&mut raw, "CLIENT KILL TYPE normal SKIPME yes").await.unwrap();
        assert!(is_unavailable(store.ping().await), "{cause}");
        say::<()>(&mut raw, cure).await.unwrap();
        recovered(&store).await;
    }
}

#[tokio::test]
async fn a_pause_is_unavailable_and_passes() {
    let server = Server::private();
    let store = Redis::connect(&server.url).await.unwrap();
    let (user, session, record, _) = opened(&store).await;
    say::<()>(&mut server.raw().await, "CLIENT PAUSE 1000 ALL").await.unwrap();
    assert!(is_unavailable(store.list(user, NOW).await));
    assert!(is_unavailable(store.ping().await));
    recovered(&store).await;
    // No late answer is taken for that of another question.
    let live = store.list(user, NOW).await.unwrap();
    assert_eq!(live.iter().map(|s| (s.session, s.record)).collect::<Vec<_>>(), [(session, record)]);
}

#[tokio::test]
async fn a_server_that_hangs_holds_nobody_up() {
    let server = Server::on_port(free_port());
    let store = Redis::connect(&server.url).await.unwrap();
    let process = server.process_id().unwrap().to_string();
    let signal = |name: &str| assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    signal("-STOP");
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let store = store.clone();
        requests.spawn(async move { store.ping().await });
    }
    assert!(requests.join_all().await.into_iter().all(is_unavailable));
    assert!(is_unavailable(Redis::connect(&server.url).await));
    signal("-CONT");
    recovered(&store).await;
}

#[tokio::test]
async fn a_server_that_forgot_the_scripts_is_told_again() {
    let server = Server::private();
    let store = Redis::connect(&server.url).await.unwrap();
    let (user, session, _, token) = opened(&store).await;
    let mut raw = server.raw().await;
    let counters = [(LimitKey("one".to_owned()), Quota { burst: 3, interval: Duration::from_secs(60) })];
    for _ in 0..2 {
        say::<()>(&mut raw, "SCRIPT FLUSH").await.unwrap();
        assert_eq!(store.rotate(user, session, token, terms(), nonce(), NOW).await.unwrap(), Rotation::Kept);
        assert_eq!(store.take(&counters, NOW).await.unwrap(), Take::Allowed);
        store.give_back(&counters).await.unwrap();
        store.end_all(user, munjigi_rules::Epoch(u32::MAX), Some(session)).await.unwrap();
    }
}

#[tokio::test]
async fn a_full_server_is_unavailable_for_writing_and_loses_nothing() {
    let server = Server::private();
    let store = Redis::connect(&server.url).await.unwrap();
    let (user, session, record, token) = opened(&store).await;
    let mut raw = server.raw().await;
    say::<()>(&mut raw, "CONFIG SET maxmemory 1").await.unwrap();
    let counters = [(LimitKey("one".to_owned()), Quota { burst: 3, interval: Duration::from_secs(60) })];
    let ripe = NOW.plus(terms().access_ttl);
    assert!(is_unavailable(store.open(user, session_id(), record, NOW).await));
    assert!(is_unavailable(store.rotate(user, session, token, terms(), nonce(), ripe).await));
    assert!(is_unavailable(store.take(&counters, NOW).await));
    assert_eq!(store.list(user, NOW).await.unwrap()[0].record, record);
    say::<()>(&mut raw, "CONFIG SET maxmemory 0").await.unwrap();
    let rotated = store.rotate(user, session, token, terms(), nonce(), ripe).await.unwrap();
    assert!(matches!(rotated, Rotation::Rotated { .. }));
}

#[tokio::test]
async fn what_cannot_be_read_is_corrupt_and_never_missing() {
    let server = Server::private();
    let store = Redis::connect(&server.url).await.unwrap();
    let mut raw = server.raw().await;
    let (user, session, _, token) = opened(&store).await;
    let key = format!("munjigi:s:{{{user}}}");
    let mut put = redis::cmd("HSET");
    put.arg(&key).arg(session.as_bytes()).arg("no record").exec_async(&mut raw).await.unwrap();
    assert!(is_corrupt(store.rotate(user, session, token, terms(), nonce(), NOW).await));
    assert!(is_corrupt(store.list(user, NOW).await));
    // Somebody can still log in, and out.
    store.open(user, session_id(), opening(NOW).record, NOW).await.unwrap();
    store.end(user, session).await.unwrap();
    assert_eq!(store.list(user, NOW).await.unwrap().len(), 1);

    redis::cmd("SET").arg(&key).arg("no hash").exec_async(&mut raw).await.unwrap();
    assert!(is_corrupt(store.rotate(user, session, token, terms(), nonce(), NOW).await));
    redis::cmd("SET").arg("munjigi:l:one").arg("no number").exec_async(&mut raw).await.unwrap();
    let counters = [(LimitKey("one".to_owned()), Quota { burst: 3, interval: Duration::from_secs(60) })];
    assert!(is_corrupt(store.take(&counters, NOW).await));
}

#[tokio::test]
async fn no_url_and_no_server_are_unavailable() {
    let port = free_port();
    for url in ["", "not a url", "http://localhost", &format!("redis://127.0.0.1:{port}/")] {
        assert!(is_unavailable(Redis::connect(url).await), "{url}");
    }
    let plain = Server::on_port(port);
    let tls = plain.url.replace("redis://", "rediss://");
    assert!(is_unavailable(Redis::connect(&tls).await), "{tls}");
}

#[tokio::test]
async fn every_key_expires_and_never_before_what_it_holds() {
    let server = Server::private();
    let store = Redis::connect(&server.url).await.unwrap();
    let mut raw = server.raw().await;
    let (user, session, record, token) = opened(&store).await;
    let short = Record { idle_until: NOW.plus(Duration::from_secs(1)), ..record };
    store.open(user, session_id(), short, NOW).await.unwrap();
    store.open(user_id(), session_id(), short, NOW).await.unwrap();
    let counters =
        ["one", "two"].map(|name| (LimitKey(name.to_owned()), Quota { burst: 3, interval: Duration::from_secs(60) }));
    store.take(&counters, NOW).await.unwrap();
    store.take(&counters, NOW).await.unwrap();
    store.give_back(&counters[..1]).await.unwrap();
    store.rotate(user, session, token, terms(), nonce(), NOW.plus(terms().access_ttl)).await.unwrap();
    store.end_all(user, munjigi_rules::Epoch(u32::MAX), Some(session)).await.unwrap();

    let keys: HashSet<String> = say(&mut raw, "KEYS *").await.unwrap();
    assert_eq!(keys.len(), 4, "{keys:?}");
    for key in keys {
        let life: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut raw).await.unwrap();
        assert!(life > 0, "{key} lives for ever");
        if key.contains(&user.to_string()) {
            assert!(life > 14 * 86_400_000, "{key}: the short session shortened the long one's life");
        }
    }
}

#[tokio::test]
async fn a_session_costs_at_most_256_bytes() {
    for sessions in [1, 3] {
        let server = Server::private();
        let store = Redis::connect(&server.url).await.unwrap();
        let mut raw = server.raw().await;
        opened(&store).await;
        let before = used(&mut raw).await;
        const USERS: usize = 10_000;
        for _ in 0..100 {
            let mut opening_them = JoinSet::new();
            for _ in 0..USERS / 100 {
                let store = store.clone();
                opening_them.spawn(async move {
                    let user = user_id();
                    for _ in 0..sessions {
                        store.open(user, session_id(), opening(NOW).record, NOW).await.unwrap();
                    }
                });
            }
            opening_them.join_all().await;
        }
        let each = (used(&mut raw).await - before) / (USERS * sessions);
        assert!((40..=256).contains(&each), "{each} bytes a session with {sessions} a user");
    }
}

/// The server's memory, less what connections and replies need for a moment.
async fn used(raw: &mut MultiplexedConnection) -> usize {
    let memory: InfoDict = say(raw, "INFO memory").await.unwrap();
    let get = |name: &str| memory.get::<usize>(name).unwrap();
    get("used_memory") - get("mem_clients_normal")
}
