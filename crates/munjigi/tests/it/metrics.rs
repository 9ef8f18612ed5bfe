//! What people do moves the counters that say so, and no other ones.

use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Metrics, OTHER_PASSWORD, RedisServer, Site};

/// Fails unless exactly these series of a counter are not zero.
#[track_caller]
fn counted(metrics: &Metrics, name: &str, label: &str, expected: &[(&str, f64)]) {
    let labels = metrics.labels(name);
    let moved: Vec<_> = labels[label]
        .iter()
        .map(|value| (*value, metrics.get(name, &[(label, value)])))
        .filter(|(_, count)| *count > 0.0)
        .collect();
    let mut expected = expected.to_vec();
    expected.sort_by_key(|(value, _)| *value);
    assert_eq!(moved, expected, "{name}");
}

#[tokio::test]
async fn the_outcomes_of_the_gate_are_counted_one_by_one() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    for _ in 0..3 {
        browser.info().await;
    }
    site.browser().info().await;
    site.let_access_expire();
    let thief = browser.clone();
    browser.info().await;
    site.let_access_expire();
    browser.info().await;
    // The copy of what was traded in.
    site.let_access_expire();
    thief.clone().is_signed_out_because("reused").await;
    browser.is_signed_out_because("ended").await;
    thief.as_bearer().get_json("/user/info").await.expect(401);
    let expected = [
        // A stranger, and whoever registers.
        ("anonymous", 2.0),
        ("signed_in", 3.0),
        ("renewed", 2.0),
        ("reused", 1.0),
        ("ended", 1.0),
        ("unauthorized", 1.0),
    ];
    let metrics = site.metrics().await;
    counted(&metrics, "munjigi_gate_requests_total", "outcome", &expected);
    counted(&metrics, "munjigi_rotations_total", "decision", &[("rotated", 2.0), ("reused", 1.0)]);
}

on_both_stores! {
    async fn the_decisions_of_the_rotation_are_counted(site: Site) {
        let mut browser = site.registered("mina").await;
        // Without its access token a fresh session keeps its refresh token.
        browser.clone().without("accessToken").info().await;
        site.let_access_expire();
        for _ in 0..2 {
            browser.clone().info().await;
        }
        browser.info().await;
        let metrics = site.metrics().await;
        counted(&metrics, "munjigi_rotations_total", "decision", &[("kept", 1.0), ("rotated", 1.0), ("repeated", 2.0)]);
    }
}

#[tokio::test]
async fn log_ins_and_registrations_are_counted_by_what_became_of_them() {
    let site = Site::with(&[("limits.log_in_account", "2/1h"), ("limits.registration_address", "2/1h")]).await;
    let from_here = || site.browser().from("203.0.113.9");
    from_here().register("mina").await.expect(201);
    from_here().register("mina").await.expect(409);
    from_here().register("juno").await.expect(429);
    from_here().post_json("/user/register", json!({ "username": "x" })).await.expect(422);
    from_here().log_in("mina").await.expect(200);
    from_here().log_in_with("mina", "wrong-one").await.expect(401);
    from_here().log_in_with("mina", "wrong-one").await.expect(401);
    from_here().log_in("mina").await.expect(429);
    site.database().execute("UPDATE users SET enabled = 0", []).unwrap();
    site.browser().from("203.0.113.10").log_in("mina").await.expect(403);
    site.database().execute("DROP TABLE users", []).unwrap();
    site.browser().from("203.0.113.11").log_in("mina").await.expect(503);
    let metrics = site.metrics().await;
    let registrations = [("welcome", 1.0), ("taken", 1.0), ("limited", 1.0), ("invalid", 1.0)];
    counted(&metrics, "munjigi_registrations_total", "result", &registrations);
    let log_ins = [("welcome", 1.0), ("refused", 2.0), ("limited", 1.0), ("disabled", 1.0), ("failed", 1.0)];
    counted(&metrics, "munjigi_log_ins_total", "result", &log_ins);
    counted(&metrics, "munjigi_limited_total", "limit", &[("log_in", 1.0), ("registration", 1.0)]);
    let step = [("step", "find a user by name"), ("store", "SQLite")];
    assert_eq!(metrics.get("munjigi_store_errors_total", &step), 1.0);
    assert_eq!(metrics.get("munjigi_store_duration_seconds_count", &step), 5.0, "not where a limit refused");
}

#[tokio::test]
async fn each_limit_has_its_name() {
    let one = "1/1h";
    let limits = ["log_in_account", "renewal_session", "account_session"].map(|limit| format!("limits.{limit}"));
    let site = Site::with(&limits.each_ref().map(|limit| (limit.as_str(), one))).await;
    let mut browser = site.registered("mina").await;
    browser.post_json("/user/account/name", json!({ "name": "Minah" })).await.expect(200);
    browser.post_json("/user/account/name", json!({ "name": "Mina" })).await.expect(429);
    browser.change_password("wrong-one", OTHER_PASSWORD).await.expect(422);
    browser.change_password("wrong-one", OTHER_PASSWORD).await.expect(429);
    site.let_access_expire();
    browser.clone().info().await;
    browser.get("/user/info").await.expect(429);
    let metrics = site.metrics().await;
    counted(&metrics, "munjigi_limited_total", "limit", &[("account", 1.0), ("password", 1.0), ("renewal", 1.0)]);
    counted(
        &metrics,
        "munjigi_gate_requests_total",
        "outcome",
        &[("anonymous", 1.0), ("signed_in", 4.0), ("renewed", 1.0), ("rate_limited", 1.0)],
    );
}

#[tokio::test]
async fn answers_are_counted_by_the_route_as_it_is_written_and_never_as_it_was_typed() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    for path in ["/user/info", "/user/info?secret=hunter2", "/nowhere/hunter2", "/user/static/style.css", "/healthz"] {
        browser.get(path).await;
    }
    let session = browser.session_id().await;
    browser.post_json(&format!("/user/account/sessions/{session}x/end"), json!({})).await.expect(404);
    let request = browser.request(http::Method::HEAD, "/user/info").body(String::new()).unwrap();
    browser.send(request).await.expect(200);
    let request = browser.request("BREW".parse().unwrap(), "/user/info").body(String::new()).unwrap();
    browser.send(request).await;
    let metrics = site.metrics().await;
    let count = |method: &str, route: &str, status: &str| {
        let labels = [("method", method), ("route", route), ("status", status)];
        metrics.find("munjigi_http_requests_total", &labels)
    };
    assert_eq!(count("GET", "/user/info", "2xx"), Some(4.0));
    assert_eq!(count("GET", "none", "4xx"), Some(1.0));
    assert_eq!(count("GET", "/user/static/{file}", "2xx"), Some(1.0));
    assert_eq!(count("POST", "/user/account/sessions/{sid}/end", "4xx"), Some(1.0));
    assert_eq!(count("other", "/user/info", "4xx"), Some(1.0));
    assert_eq!(count("POST", "/user/register", "2xx"), Some(1.0));
    let info = [("method", "GET"), ("route", "/user/info")];
    assert_eq!(metrics.get("munjigi_http_request_duration_seconds_count", &info), 4.0);
}

#[tokio::test]
async fn hashes_are_counted_by_scheme_and_timed_where_they_are_made() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    site.logged_in("mina").await;
    let metrics = site.metrics().await;
    counted(&metrics, "munjigi_hashes_total", "scheme", &[("argon2id", 2.0)]);
    for name in ["munjigi_hash_duration_seconds_count", "munjigi_hash_wait_seconds_count"] {
        assert_eq!(metrics.get(name, &[]), 2.0, "{name}");
    }
    let gauges = ["munjigi_hash_queue_length", "munjigi_hash_refusals_total"].map(|name| metrics.get(name, &[]));
    assert_eq!(gauges, [0.0, 0.0]);
    assert!(metrics.get("munjigi_hash_threads", &[]) >= 1.0);
}

#[tokio::test]
async fn a_full_queue_of_passwords_is_counted() {
    let slow = [("passwords.argon2_memory", "32MiB"), ("passwords.argon2_passes", "4")];
    let site = Site::with(&[slow[0], slow[1], ("passwords.workers", "1"), ("passwords.queue", "1")]).await;
    let mut visitors = JoinSet::new();
    for mut visitor in std::iter::repeat_with(|| site.browser()).take(8) {
        visitors.spawn(async move { visitor.log_in("nobody").await.status.as_u16() });
    }
    let statuses = visitors.join_all().await;
    let busy = statuses.iter().filter(|status| **status == 503).count() as f64;
    assert!(busy >= 1.0, "{statuses:?}");
    let metrics = site.metrics().await;
    assert_eq!(metrics.get("munjigi_log_ins_total", &[("result", "busy")]), busy);
    assert_eq!(metrics.get("munjigi_hash_refusals_total", &[]), busy);
}

#[tokio::test]
async fn a_revocation_is_counted_once_it_is_known_with_the_time_that_it_took() {
    let site = Site::embedded().await;
    let node = site.second_node().await;
    let mut browser = site.registered("mina").await;
    browser.log_out().await.expect(200);
    let before = node.metrics().await;
    assert_eq!(before.get("munjigi_revocations", &[]), 0.0, "this node has not looked yet");
    node.ring().await;
    let after = node.metrics().await;
    assert_eq!(after.get("munjigi_revocations", &[]), 1.0);
    assert_eq!(after.get("munjigi_revocation_delay_seconds_count", &[]), 1.0);
    assert_eq!(after.get("munjigi_revocations_staleness_seconds", &[]), 0.0);

    // One that ended 100 s ago by the database's clock, and is only seen now: kept as long as the longest token lives, and 60 s.
    let kept_for = 4_000 + 60_000;
    let row =
        "INSERT INTO revocations (session, user, feed_until, keep_until) SELECT randomblob(16), id, ?1, ?1 FROM users";
    let now = "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)";
    let now: i64 = site.database().query_row(now, [], |row| row.get(0)).unwrap();
    site.database().execute(row, [now - 10_500 + kept_for]).unwrap();
    node.ring().await;
    let late = node.metrics().await;
    assert_eq!(late.get("munjigi_revocation_delay_seconds_count", &[]), 2.0);
    assert_eq!(late.get("munjigi_revocation_delay_seconds_bucket", &[("le", "10.0")]), 1.0);
    assert!(late.get("munjigi_revocation_delay_seconds_sum", &[]) >= 10.5);
    // What has ended before a node starts is no delay of it.
    let third = site.second_node().await.metrics().await;
    assert_eq!(third.get("munjigi_revocations", &[]), 2.0);
    assert_eq!(third.get("munjigi_revocation_delay_seconds_count", &[]), 0.0);
}

#[tokio::test]
async fn keys_and_the_clock_are_told_of() {
    let site = Site::embedded().await;
    site.clock.advance(std::time::Duration::from_secs(20));
    site.ring().await;
    let metrics = site.metrics().await;
    assert_eq!(metrics.get("munjigi_signing_keys", &[("status", "active")]), 1.0);
    assert_eq!(metrics.get("munjigi_signing_keys", &[("status", "next")]), 0.0);
    assert_eq!(metrics.get("munjigi_signing_key_age_seconds", &[]), 20.0);
    let skew = metrics.get("munjigi_clock_skew_seconds", &[]);
    assert!((15.0..=20.0).contains(&skew), "{skew}");
    site.app.core.keys.rotate(munjigi::keys::When::Published, site.app.core.now()).await.unwrap();
    site.app.core.verifier.try_reload().await.unwrap();
    assert_eq!(site.metrics().await.get("munjigi_signing_keys", &[("status", "next")]), 1.0);
}

#[tokio::test]
async fn the_stores_are_timed_each_under_its_name() {
    let site = Site::on(RedisServer::private()).await;
    let mut browser = site.registered("mina").await;
    site.let_access_expire();
    browser.info().await;
    let metrics = site.metrics().await;
    let calls = |store, step| metrics.get("munjigi_store_duration_seconds_count", &[("step", step), ("store", store)]);
    assert_eq!(calls("SQLite", "register a user"), 1.0);
    assert_eq!(calls("Redis", "open a session"), 1.0);
    assert_eq!(calls("Redis", "rotate a session"), 1.0);
    assert_eq!(metrics.sum("munjigi_store_errors_total", ("store", "Redis")), 0.0);
}
