//! What was acknowledged survives `kill -9` (I4).

use tokio::task::JoinSet;

use crate::harness::{OTHER_PASSWORD, PASSWORD, Place, RedisServer, application};

/// Of 150 racing registrations that the tutorial's server acknowledged, 8 were lost.
#[tokio::test]
async fn every_registration_that_was_acknowledged_is_there_after_a_crash() {
    let place = Place::new().set("limits.enabled", "false").set("passwords.queue", "1000");
    let server = place.serve().await;
    let mut racing = JoinSet::new();
    for n in 0..150 {
        let mut browser = server.browser();
        racing.spawn(async move {
            let reply = browser.post_json("/user/register", application(&format!("racer{n}"))).await;
            reply.expect(201);
            (n, browser)
        });
    }
    let browsers = racing.join_all().await;
    server.kill();

    let listed = place.run(&["user", "list", "--json"]).expect(0).json_lines();
    assert_eq!(listed.len(), 150);
    let server = place.serve().await;
    let mut checking = JoinSet::new();
    for (n, browser) in browsers {
        let mut browser = browser.at(&server).without("accessToken");
        checking.spawn(async move {
            assert_eq!(browser.info().await["user"]["username"], format!("racer{n}"), "and so is the session");
            browser.log_in(&format!("racer{n}")).await.expect(200);
        });
    }
    checking.join_all().await;
}

async fn a_log_out_stays_one(place: Place) {
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    let mut other = server.browser();
    other.log_in("mina").await.expect(200);
    let copied = browser.clone();
    browser.log_out().await.expect(200);
    server.kill();

    let server = place.serve().await;
    copied.clone().at(&server).is_signed_out_because("ended").await;
    assert!(!copied.clone().at(&server).without("accessToken").is_signed_in().await);
    assert!(!copied.without("refreshToken").at(&server).is_signed_in().await);
    let mut other = other.at(&server);
    assert!(other.is_signed_in().await, "nobody else is signed out");
    assert!(other.without("accessToken").is_signed_in().await);
}

#[tokio::test]
async fn a_log_out_that_was_acknowledged_stays_one() {
    a_log_out_stays_one(Place::new()).await;
}

#[tokio::test]
async fn and_so_it_does_on_redis() {
    let redis = RedisServer::private();
    a_log_out_stays_one(Place::on(&redis)).await;
}

#[tokio::test]
async fn a_password_that_was_changed_stays_changed() {
    let place = Place::new();
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    let mut phone = server.browser();
    phone.log_in("mina").await.expect(200);
    browser.change_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
    server.kill();
    let server = place.serve().await;
    server.browser().log_in("mina").await.problem(401, "invalid_credentials");
    server.browser().log_in_with("mina", OTHER_PASSWORD).await.expect(200);
    phone.at(&server).is_signed_out_because("ended").await;
    assert!(browser.at(&server).is_signed_in().await);
}

#[tokio::test]
async fn a_session_that_was_found_copied_stays_ended() {
    let place = Place::new().set("tokens.access_ttl", "1s");
    let server = place.serve().await;
    let mut owner = server.browser();
    owner.register("mina").await.expect(201);
    let mut holders = [owner.clone(), owner];
    let both_go_on = async {
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(50));
        loop {
            tick.tick().await;
            for holder in &mut holders {
                holder.jar.remove("accessToken");
                if holder.info().await["reason"] == "reused" {
                    return;
                }
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), both_go_on).await.expect("the copy is found");
    let copies = holders;
    server.kill();
    let server = place.serve().await;
    for copy in copies {
        assert!(!copy.at(&server).is_signed_in().await);
    }
}

#[tokio::test]
async fn keys_and_sessions_outlive_a_restart() {
    let place = Place::new();
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    let keys = browser.get_json("/.well-known/jwks.json").await.json();
    server.terminate();
    assert!(server.ended().success());
    let server = place.serve().await;
    let mut browser = browser.at(&server);
    assert_eq!(browser.get_json("/.well-known/jwks.json").await.json(), keys);
    assert!(browser.get_json("/user/info").await.keeps_cookies() && browser.is_signed_in().await);
    assert!(browser.without("accessToken").is_signed_in().await);
}

#[tokio::test]
async fn another_algorithm_is_another_key_and_old_tokens_go_on() {
    let place = Place::new();
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    drop(server);
    let place = place.set("tokens.algorithm", "HS256");
    let server = place.serve().await;
    let mut browser = browser.at(&server);
    assert!(browser.get_json("/user/info").await.keeps_cookies() && browser.is_signed_in().await);
    let mut renewed = browser.clone().without("accessToken");
    assert!(renewed.is_signed_in().await);
    assert_eq!(crate::harness::header_of(&renewed.access())["alg"], "HS256");
}
