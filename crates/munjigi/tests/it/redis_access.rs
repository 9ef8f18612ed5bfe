//! How the way to Redis is guarded: TLS with an authority of one's own, and the least that an account there needs.

use crate::harness::{Place, RedisServer, tls};

const SECRET: &str = "a secret that is only for these tests";

fn place(redis_url: &str, authority: Option<&str>) -> Place {
    let place = Place::new().set("server.secret", SECRET).set("store.redis_url", redis_url);
    match authority {
        Some(file) => place.set("store.redis_ca_file", &tls(file)),
        None => place,
    }
}

#[tokio::test]
async fn sessions_live_in_a_redis_whose_certificate_is_of_our_own_authority() {
    let redis = RedisServer::by_tls();
    let place = place(&redis.url, Some("ca.pem"));
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    browser = browser.without("accessToken");
    assert!(browser.is_signed_in().await, "a renewal asks Redis");
}

#[test]
fn a_redis_whose_certificate_nobody_vouches_for_is_not_spoken_to() {
    let redis = RedisServer::by_tls();
    let elsewhere = redis.url.replace("localhost", "127.0.0.1");
    for (url, authority) in [
        // The authorities of the web do not know it.
        (redis.url.as_str(), None),
        (redis.url.as_str(), Some("other-ca.pem")),
        // The certificate is for another name.
        (elsewhere.as_str(), Some("ca.pem")),
    ] {
        place(url, authority).run(&["serve"]).complains(1, &["store.redis_url", "certificate"]);
    }
    let plain = redis.url.replace("rediss://", "redis://");
    place(&plain, None).run(&["serve"]).complains(1, &["store.redis_url"]);
}

#[test]
fn what_would_turn_the_check_off_or_is_no_authority_is_refused() {
    let insecure = "rediss://localhost:6379/#insecure";
    place(insecure, None).run(&["config", "check"]).complains(3, &["store.redis_url"]);
    place("redis://localhost:6379", Some("ca.pem")).run(&["config", "check"]).complains(3, &["store.redis_ca_file"]);
    place("rediss://localhost:6379", Some("server.key")).run(&["serve"]).complains(1, &["store.redis_ca_file"]);
    place("rediss://localhost:6379", Some("nothing.pem")).run(&["serve"]).complains(1, &["store.redis_ca_file"]);
}

/// The line that `docs/configuration.md` gives: our keys, the commands that we use, and nothing else.
const ACCOUNT: &str = "on >topsecret ~munjigi:* +ping +info +evalsha +eval +script|load +get +set +del +pttl +hget +hgetall \
                       +hset +hdel +pexpire +pexpireat";

#[tokio::test]
async fn an_account_that_may_do_little_in_redis_is_enough() {
    let page = include_str!("../../../../docs/configuration.md");
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let documented = format!("ACL SETUSER munjigi {}", ACCOUNT.replace(">topsecret", ">…"));
    assert!(one_line(page).contains(&one_line(&documented)), "{documented}");
    let redis = RedisServer::private();
    let mut set = redis::cmd("ACL");
    set.arg("SETUSER").arg("munjigi");
    let set = ACCOUNT.split_whitespace().fold(&mut set, |set, rule| set.arg(rule));
    let _: () = set.query_async(&mut redis.raw().await).await.unwrap();
    let url = redis.url.replace("redis://", "redis://munjigi:topsecret@");
    let place = place(&url, None);
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    browser.clone().log_in_with("mina", "wrong-one").await.expect(401);
    let mut other = server.browser();
    other.log_in("mina").await.expect(200);
    browser = browser.without("accessToken");
    browser.get_json("/user/account/sessions").await.expect(200);
    browser.post_json("/user/account/sessions/end-others", serde_json::json!({})).await.expect(200);
    browser.log_out().await.expect(200);
    let log: Vec<redis::Value> = redis::cmd("ACL").arg("LOG").query_async(&mut redis.raw().await).await.unwrap();
    // The client tells newer servers its name, and does not mind if it may not.
    let refused: Vec<_> = log.iter().filter(|entry| !format!("{entry:?}").contains("setinfo")).collect();
    assert!(refused.is_empty(), "{refused:?}");
}
