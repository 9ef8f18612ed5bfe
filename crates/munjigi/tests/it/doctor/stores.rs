//! The secret, the keys and Redis.

use super::Installation;
use crate::harness::{Place, RedisServer};

const SECRET: &str = "a secret that is only for these tests";

#[tokio::test]
async fn a_secret_that_is_gone_or_another_ones_or_made_up_is_found() {
    let installation = Installation::new().begun().await;
    let file = installation.data().join("secret");
    let kept = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    installation.doctor().says("secret", "wrong", &["data/secret is gone", "backup"]);
    assert!(!file.exists(), "none is made in its place");
    std::fs::write(&file, "x".repeat(64)).unwrap();
    installation.doctor().says(
        "secret",
        "wrong",
        &["not the secret that this database was made with", "previous_secrets"],
    );
    std::fs::write(&file, "short").unwrap();
    installation.doctor().says("secret", "wrong", &["at least 32 bytes"]);
    std::fs::write(&file, &kept).unwrap();
    installation.doctor().finds_well("secret").finds_well("keys");

    let made_up = Installation::new().set("server.secret", &"secret".repeat(6));
    made_up.doctor().says("secret", "wrong", &["server.secret", "openssl rand -hex 32"]);
    let shared = Installation::new().set("tokens.algorithm", "HS256").set("tokens.shared_secret", &"ab".repeat(20));
    shared.doctor().says("secret", "wrong", &["tokens.shared_secret", "guessed"]);
    let short = Installation::new().set("server.secret", "too short");
    short.doctor().says("configuration", "wrong", &["server.secret", "at least 32 bytes"]);
    let twice = Installation::new().set("server.secret", SECRET).set("server.previous_secrets", SECRET);
    twice.doctor().says("secret", "warning", &["server.previous_secrets"]);
    let without = Installation::new().set("store.redis_url", "redis://127.0.0.1:1");
    without.doctor().says("secret", "wrong", &["server.secret is missing", "MUNJIGI_SERVER__SECRET_FILE"]);
}

#[tokio::test]
async fn keys_that_do_not_sign_or_do_not_open_are_found() {
    let installation = Installation::new().begun().await;
    let database = installation.database();
    let after = |change: &str| {
        database.execute_batch("SAVEPOINT before; RELEASE before").unwrap();
        database.execute_batch(change).unwrap();
        installation.doctor()
    };
    after("UPDATE signing_keys SET changed_at = changed_at - 400 * 86400000").says(
        "keys",
        "warning",
        &["more than a year", "munjigi key rotate"],
    );
    after("UPDATE signing_keys SET changed_at = changed_at + 500 * 86400000").says(
        "keys",
        "warning",
        &["in the future", "clock"],
    );
    after("UPDATE signing_keys SET changed_at = changed_at - 100 * 86400000").finds_well("keys");
    installation.place.run(&["key", "rotate"]).expect(0);
    installation.doctor().says("keys", "ok", &["the next one signs from"]).finds_well("keys");
    after("UPDATE signing_keys SET changed_at = 0 WHERE status = 'next'").says("keys", "ok", &["waits for a server"]);
    after("UPDATE signing_keys SET status = 'retired' WHERE status = 'active'").says(
        "keys",
        "wrong",
        &["no key signs", "munjigi key rotate --now"],
    );
    after("UPDATE signing_keys SET status = 'active' WHERE status = 'retired'").finds_well("keys");
    let other = installation.place.run(&["doctor", "--json", "--set", "tokens.algorithm=EdDSA"]).json();
    super::Findings(other).says("keys", "warning", &["tokens.algorithm is EdDSA", "ES256", "restart"]);
    after("UPDATE signing_keys SET sealed = x'00' WHERE status = 'active'").says(
        "keys",
        "wrong",
        &["cannot be decrypted", "munjigi key revoke"],
    );
    after("DELETE FROM signing_keys").says("keys", "skipped", &["none yet"]);
    after("DROP TABLE signing_keys").says("keys", "wrong", &["cannot be read", "backup"]);
}

#[tokio::test]
async fn a_redis_that_loses_sessions_is_found() {
    let redis = RedisServer::private();
    let installation = Installation::on(&redis);
    let change = async |command: &str| {
        redis.tell(command).await;
        installation.doctor()
    };
    change("CONFIG SET maxmemory 1gb").await.finds_well("sessions").says("sessions", "ok", &["version"]).says(
        "clock",
        "ok",
        &["Redis"],
    );
    change("CONFIG SET maxmemory 0").await.says("sessions", "warning", &["no bound", "maxmemory"]);
    change("CONFIG SET maxmemory 1mb").await.says("sessions", "warning", &["nine tenths", "maxmemory"]);
    change("CONFIG SET maxmemory 1gb").await.finds_well("sessions");
    change("CONFIG SET maxmemory-policy allkeys-lru").await.says("sessions", "wrong", &["allkeys-lru", "noeviction"]);
    change("CONFIG SET maxmemory-policy noeviction").await.finds_well("sessions");
    change("CONFIG SET appendonly no").await.says("sessions", "warning", &["keeps nothing", "appendonly yes"]);
    let mut raw = redis.raw().await;
    let () = redis::cmd("CONFIG").arg("SET").arg("save").arg("3600 1").query_async(&mut raw).await.unwrap();
    installation.doctor().says("sessions", "warning", &["snapshots alone", "appendonly yes"]);
}

#[tokio::test]
async fn a_redis_that_is_gone_or_follows_another_or_is_not_to_be_trusted_is_found() {
    let mut redis = RedisServer::private();
    let installation = Installation::on(&redis);
    redis.tell("REPLICAOF 127.0.0.1 1").await;
    installation.doctor().says("sessions", "wrong", &["replica", "store.redis_url"]);
    redis.tell("REPLICAOF NO ONE").await;
    redis.tell("ACL SETUSER app on >pass-word ~munjigi:* +info +ping").await;
    let port = redis.url.rsplit(':').next().unwrap().to_owned();
    let account = installation.set("store.redis_url", &format!("redis://app:pass-word@127.0.0.1:{port}"));
    account.doctor().says("sessions", "warning", &["no bound"]).says("clock", "ok", &["Redis agree"]);
    redis.tell("CONFIG SET appendonly no").await;
    account.doctor().says("sessions", "warning", &["appendonly is off"]);
    let server = {
        redis.tell("CONFIG SET appendonly yes").await;
        Installation::on(&redis)
    };
    let running = server.serve().await;
    redis.kill();
    let found = server.doctor().says("sessions", "wrong", &["does not answer", "store.redis_url"]);
    found.says("server", "wrong", &["not ready", "sessions: cannot be reached"]);
    drop(running);
    let place = Place::new().set("store.redis_url", "rediss://localhost:1").set("server.secret", SECRET);
    let ran = place.set("store.redis_ca_file", "nowhere.pem").run(&["doctor", "--json"]).expect(1);
    super::Findings(ran.json()).says("sessions", "wrong", &["nowhere.pem", "store.redis_ca_file"]);
}
