//! Redis as it fails: nobody is signed out by it, and nothing that has ended comes back (I2, I3, I7).

use redis::AsyncCommands as _;
use serde_json::json;

use crate::harness::{OTHER_PASSWORD, PASSWORD, Place, RedisServer, Site, eventually};

/// Waits until the node has noticed that Redis is back.
async fn ready(server: &crate::harness::Process) {
    eventually("ready again", || async { server.browser().get_json("/readyz").await.status == 200 }).await;
}

#[tokio::test]
async fn killed_it_signs_nobody_out_and_valid_tokens_go_on() {
    let mut redis = RedisServer::private();
    let place = Place::on(&redis);
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    redis.kill();

    let mut renewing = browser.clone().without("accessToken");
    let answer = tokio::time::timeout(std::time::Duration::from_secs(1), renewing.get_json("/user/info"));
    let refused = answer.await.expect("an answer within a second");
    refused.problem(503, "unavailable");
    assert!(refused.header("retry-after").is_some() && refused.keeps_cookies());
    assert!(browser.is_signed_in().await, "no store is asked");
    server.browser().log_in("mina").await.problem(503, "unavailable");
    server.browser().log_in_with("mina", OTHER_PASSWORD).await.problem(503, "unavailable");
    let ready_now = server.browser().get_json("/readyz").await.expect(503).json();
    assert_eq!(
        ready_now["checks"],
        json!({ "users": "ok", "sessions": "cannot be reached", "revocations": "ok", "clock": "ok" })
    );
    server.browser().get_json("/healthz").await.expect(200);

    redis.restart();
    ready(&server).await;
    assert_eq!(renewing.info().await["user"]["username"], "mina", "the same cookies renew");
    server.browser().log_in("mina").await.expect(200);
}

#[tokio::test]
async fn a_log_out_stands_while_it_is_dead() {
    let mut redis = RedisServer::private();
    let place = Place::on(&redis);
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    let copied = browser.clone();
    redis.kill();
    assert!(browser.log_out().await.expect(200).clears_cookies());
    copied.clone().is_signed_out_because("ended").await;
    redis.restart();
    ready(&server).await;
    assert!(!copied.clone().is_signed_in().await);
    assert!(
        !copied.clone().without("accessToken").is_signed_in().await,
        "its record is still in Redis, and worth nothing"
    );
}

#[tokio::test]
async fn emptied_it_asks_everybody_to_log_in_again() {
    let site = Site::on(RedisServer::private()).await;
    let mut browser = site.registered("mina").await;
    let _: () = redis::cmd("FLUSHALL").query_async(&mut site.redis().raw().await).await.unwrap();
    assert!(browser.is_signed_in().await, "until the access token has expired");
    site.let_access_expire();
    let told = browser.get_json("/user/info").await;
    assert_eq!((&told.json()["loggedIn"], &told.json()["reason"]), (&json!(false), &json!("expired")));
    assert!(told.clears_cookies());
    browser.log_in("mina").await.expect(200);
}

#[tokio::test]
async fn restored_from_before_a_log_out_it_revives_nothing() {
    let site = Site::on(RedisServer::private()).await;
    let mut browser = site.registered("mina").await;
    let mut raw = site.redis().raw().await;
    let user = browser.info().await["user"]["id"].as_str().unwrap().to_owned();
    let key = format!("munjigi:s:{{{user}}}");
    let dump: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(&mut raw).await.unwrap();
    let restore = async || {
        let mut raw = site.redis().raw().await;
        let mut restore = redis::cmd("RESTORE");
        let _: () = restore.arg(&key).arg(600_000).arg(&dump).arg("REPLACE").query_async(&mut raw).await.unwrap();
    };
    let copied = browser.clone();
    browser.log_out().await.expect(200);
    assert!(!raw.exists::<_, bool>(&key).await.unwrap(), "the record is forgotten");
    restore().await;
    for mut holder in [copied.clone(), copied.clone().without("accessToken")] {
        assert!(!holder.is_signed_in().await);
    }

    // The same after the end of everything by an epoch.
    let phone = site.logged_in("mina").await;
    let dump_after: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(&mut raw).await.unwrap();
    let mut desk = site.logged_in("mina").await;
    desk.change_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
    let mut back = redis::cmd("RESTORE");
    let _: () = back.arg(&key).arg(600_000).arg(&dump_after).arg("REPLACE").query_async(&mut raw).await.unwrap();
    for mut holder in [phone.clone(), phone.clone().without("accessToken")] {
        assert!(!holder.is_signed_in().await);
    }
}

#[tokio::test]
async fn restored_from_a_few_rotations_ago_it_takes_up_what_we_signed() {
    let site = Site::on(RedisServer::private()).await;
    let mut browser = site.registered("mina").await;
    let user = browser.info().await["user"]["id"].as_str().unwrap().to_owned();
    let key = format!("munjigi:s:{{{user}}}");
    let mut raw = site.redis().raw().await;
    let dump: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(&mut raw).await.unwrap();
    for _ in 0..3 {
        site.let_access_expire();
        assert!(browser.is_signed_in().await);
    }
    let mut restore = redis::cmd("RESTORE");
    let _: () = restore.arg(&key).arg(600_000).arg(&dump).arg("REPLACE").query_async(&mut raw).await.unwrap();
    for _ in 0..2 {
        site.let_access_expire();
        assert!(browser.is_signed_in().await, "the store was behind, and catches up");
    }
}

#[tokio::test]
async fn forgotten_scripts_are_loaded_again() {
    let site = Site::on(RedisServer::private()).await;
    let mut browser = site.registered("mina").await;
    let _: () = redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut site.redis().raw().await).await.unwrap();
    site.let_access_expire();
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn full_it_refuses_log_ins_before_success_is_shown() {
    let site = Site::on(RedisServer::private()).await;
    let mut browser = site.registered("mina").await;
    let mut raw = site.redis().raw().await;
    let mut set = redis::cmd("CONFIG");
    let _: () = set.arg("SET").arg("maxmemory").arg("1").query_async(&mut raw).await.unwrap();
    let refused = site.browser().log_in("mina").await;
    refused.problem(503, "unavailable");
    assert!(refused.keeps_cookies() && browser.is_signed_in().await);
    let mut unset = redis::cmd("CONFIG");
    let _: () = unset.arg("SET").arg("maxmemory").arg("0").query_async(&mut raw).await.unwrap();
    site.logged_in("mina").await;
    site.let_access_expire();
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn slow_it_is_given_up_on_within_a_second() {
    let redis = RedisServer::private();
    let place = Place::on(&redis);
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    let mut pause = redis::cmd("CLIENT");
    let _: () = pause.arg("PAUSE").arg(3000).arg("ALL").query_async(&mut redis.raw().await).await.unwrap();
    let mut renewing = browser.clone().without("accessToken");
    let answer = tokio::time::timeout(std::time::Duration::from_secs(1), renewing.get_json("/user/info"));
    answer.await.expect("an answer within a second").problem(503, "unavailable");
    assert!(browser.is_signed_in().await);
    ready(&server).await;
    assert!(renewing.is_signed_in().await);
}

#[tokio::test]
async fn the_operator_can_disable_a_user_while_it_is_dead() {
    let mut redis = RedisServer::private();
    let place = Place::on(&redis);
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    redis.kill();
    place.run(&["user", "disable", "mina"]).expect(0);
    eventually("signed out", || {
        let mut browser = browser.clone();
        async move { !browser.is_signed_in().await }
    })
    .await;
    redis.restart();
    ready(&server).await;
    assert!(!browser.without("accessToken").is_signed_in().await, "whatever Redis still says");
}
