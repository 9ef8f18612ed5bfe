//! What a node does that does not know enough: of what has ended, or of the time.

use std::time::Duration;

use serde_json::json;

use crate::harness::Site;

#[tokio::test]
async fn a_node_whose_clock_is_off_the_databases_issues_nothing() {
    let site = Site::with(&[("tokens.access_ttl", "2m")]).await;
    let mut browser = site.registered("mina").await;
    site.clock.advance(Duration::from_secs(32));
    site.ring().await;

    let mut renewing = browser.clone().without("accessToken");
    let refused = renewing.get_json("/user/info").await;
    refused.problem(503, "unavailable");
    assert!(refused.header("retry-after").is_some() && refused.keeps_cookies());
    site.browser().log_in("mina").await.problem(503, "unavailable");
    site.browser().register("jiho").await.problem(503, "unavailable");
    let ready = site.browser().get_json("/readyz").await.expect(503).json();
    assert_eq!(ready["status"], "unready");
    assert!(ready["checks"]["clock"].as_str().unwrap().contains("off the database's clock"), "{ready}");
    assert!(browser.is_signed_in().await, "tokens that are valid go on");
    browser.log_out().await.expect(200);
    browser.info().await;
}

#[tokio::test]
async fn a_few_seconds_are_no_matter() {
    let site = Site::with(&[("tokens.access_ttl", "2m")]).await;
    site.registered("mina").await;
    site.clock.advance(Duration::from_secs(28));
    site.ring().await;
    site.logged_in("mina").await;
    site.browser().get_json("/readyz").await.expect(200);
}

#[tokio::test]
async fn a_node_that_reads_no_revocations_says_so_and_goes_on() {
    let site = Site::with(&[("tokens.access_ttl", "1m")]).await;
    let mut browser = site.registered("mina").await;
    let database = site.database();
    database.execute_batch("ALTER TABLE revocations RENAME TO hidden").unwrap();
    site.clock.advance(Duration::from_secs(6));
    let unready = site.browser().get_json("/readyz").await.expect(503);
    assert_eq!(unready.json()["checks"]["revocations"], "last read 6 s ago");
    assert!(!unready.body.contains("hidden") && !unready.body.contains("no such table"), "{}", unready.body);
    assert!(browser.is_signed_in().await);
    let out = browser.clone().log_out().await;
    assert!(out.status.is_server_error() && out.clears_cookies(), "what cannot be written is not said to be done");
    database.execute_batch("ALTER TABLE hidden RENAME TO revocations").unwrap();
    site.ring().await;
    site.browser().get_json("/readyz").await.expect(200);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn or_refuses_where_it_is_told_to() {
    let settings =
        [("tokens.access_ttl", "1m"), ("revocation.when_stale", "refuse"), ("revocation.max_staleness", "5s")];
    let site = Site::with(&settings).await;
    let mut browser = site.registered("mina").await;
    site.clock.advance(Duration::from_millis(5_000));
    assert!(browser.is_signed_in().await, "at five seconds");
    site.clock.advance(Duration::from_millis(1));
    for path in ["/user/info", "/user/account"] {
        let refused = browser.get_json(path).await;
        refused.problem(503, "unavailable");
        assert!(refused.header("retry-after").is_some() && refused.keeps_cookies());
    }
    browser.clone().without("accessToken").get_json("/user/info").await.problem(503, "unavailable");
    browser.as_bearer().get_json("/user/info").await.problem(503, "unavailable");
    assert_eq!(site.browser().info().await["reason"], json!(null), "a stranger needs no token");
    site.ring().await;
    assert!(browser.is_signed_in().await);
}
