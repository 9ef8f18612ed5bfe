//! Several processes on one database: what one ends, the others know within a second.

use std::time::Duration;

use crate::harness::{Browser, OTHER_PASSWORD, PASSWORD, Place, Process, RedisServer};

/// How long it may take: 500 ms to the next read, the read, and a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(2);

/// The same browser at another node; its access token is known there already, and cached.
async fn at(browser: &Browser, node: &Process) -> Browser {
    let mut there = browser.clone().at(node);
    assert!(there.is_signed_in().await);
    there
}

/// Waits until the access token, which has minutes to live, is refused.
async fn is_out_soon(browser: &Browser) {
    let waiting = async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while browser.clone().is_signed_in().await {
            tick.tick().await;
        }
    };
    tokio::time::timeout(SOON, waiting).await.expect("signed out within the time");
    browser.clone().is_signed_out_because("ended").await;
}

async fn two_nodes(place: &Place) -> (Process, Process) {
    (place.serve().await, place.serve().await)
}

async fn what_one_node_ends_the_other_refuses(place: Place) {
    let (one, two) = two_nodes(&place).await;
    let mut browser = one.browser();
    browser.register("mina").await.expect(201);
    let there = at(&browser, &two).await;
    browser.log_out().await.expect(200);
    is_out_soon(&there).await;
    assert!(!there.clone().without("accessToken").is_signed_in().await);

    let mut desk = one.browser();
    desk.log_in("mina").await.expect(200);
    let mut phone = two.browser();
    phone.log_in("mina").await.expect(200);
    let desk_there = at(&desk, &two).await;
    desk.change_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
    is_out_soon(&phone).await;
    assert!(desk_there.clone().is_signed_in().await, "the one that changed it goes on, everywhere");
    assert!(desk.is_signed_in().await);
}

#[tokio::test]
async fn what_one_process_ends_another_on_the_same_file_refuses() {
    what_one_node_ends_the_other_refuses(Place::new()).await;
}

#[tokio::test]
async fn and_so_with_sessions_in_redis() {
    let redis = RedisServer::private();
    what_one_node_ends_the_other_refuses(Place::on(&redis)).await;
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once_and_back_when_enabled() {
    let place = Place::new();
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    place.run(&["user", "disable", "mina"]).expect(0);
    is_out_soon(&browser).await;
    server.browser().log_in("mina").await.problem(403, "forbidden");
    server.browser().log_in_with("mina", "wrong-one").await.problem(401, "invalid_credentials");
    place.run(&["user", "enable", "mina"]).expect(0);
    assert!(!browser.is_signed_in().await, "what has ended stays ended");
    server.browser().log_in("mina").await.expect(200);
}

#[tokio::test]
async fn sessions_can_be_revoked_beside_the_server() {
    let place = Place::new();
    let server = place.serve().await;
    let (mut one, mut two, mut other) = (server.browser(), server.browser(), server.browser());
    one.register("mina").await.expect(201);
    two.log_in("mina").await.expect(200);
    other.register("jiho").await.expect(201);

    place.run(&["session", "revoke", &one.session_id().await]).expect(0);
    is_out_soon(&one).await;
    assert!(two.is_signed_in().await);
    place.run(&["session", "revoke", "--user", "mina"]).expect(0);
    is_out_soon(&two).await;
    assert!(other.is_signed_in().await);
    place.run(&["session", "revoke", "--all"]).expect(0);
    is_out_soon(&other).await;
    other.log_in("jiho").await.expect(200);
}

#[tokio::test]
async fn two_processes_that_start_at_once_on_an_empty_folder_agree() {
    let place = Place::new();
    let (one, two) = place.serve_twice().await;
    let mut browser = one.browser();
    browser.register("mina").await.expect(201);
    at(&browser, &two).await;
    assert!(browser.clone().at(&two).without("accessToken").is_signed_in().await);
}
