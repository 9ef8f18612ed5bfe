//! More log-ins than can be hashed, and visitors who go away before they are answered.

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::Poll;

use serde_json::json;

use super::{Raw, Vitals, is_served, log_in};
use crate::harness::{Browser, OTHER_PASSWORD, PASSWORD, Place, Site, application, eventually};

#[tokio::test]
async fn more_log_ins_than_can_be_hashed_are_refused_while_others_are_served() {
    let place = Place::new().set("limits.enabled", "false").set("server.client_timeout", "2s");
    let place = place.set("passwords.workers", "1").set("passwords.queue", "8");
    let place = place.set("passwords.argon2_memory", "16MiB").set("passwords.argon2_passes", "2");
    let server = place.serve().await;
    let (before, visitor) = Vitals::at_rest(&server).await;
    let mut log_ins = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let mut raw = Raw::open(&server).await;
        log_ins.spawn(async move {
            raw.send(log_in("visitor", PASSWORD)).await.unwrap();
            let head = raw.head().await;
            assert!(!head.starts_with("HTTP/1.1 503") || head.contains("retry-after: 1\r\n"), "{head}");
            head[9..12].to_owned()
        });
    }
    for _ in 0..10 {
        let info = visitor.clone().at(&server).get_json("/user/info").await.expect(200).json();
        assert_eq!(info["loggedIn"], true);
    }
    let mut answers = BTreeMap::new();
    for status in log_ins.join_all().await {
        *answers.entry(status).or_insert(0) += 1;
    }
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["200", "503"], "{answers:?}");
    // Those that fit into the queue; the rest is a matter of how fast this machine is.
    assert!(answers["200"] > 8, "{answers:?}");
    let said = place.log().matches(" busy ").count();
    assert!((1..20).contains(&said), "said {said} times");
    is_served(&visitor, &server).await;
    before.are_back(&server).await;
}

#[tokio::test]
async fn who_hangs_up_while_their_password_waits_takes_nothing_with_them() {
    let place = Place::new().set("limits.enabled", "false").set("server.client_timeout", "2s");
    let place = place.set("passwords.workers", "1").set("passwords.queue", "4");
    let place = place.set("passwords.argon2_memory", "16MiB").set("passwords.argon2_passes", "2");
    let server = place.serve().await;
    let (before, visitor) = Vitals::at_rest(&server).await;
    for _ in 0..30 {
        for password in [PASSWORD, OTHER_PASSWORD] {
            let mut raw = Raw::open(&server).await;
            raw.send(log_in("visitor", password)).await.unwrap();
        }
    }
    eventually("there is room again", || async { server.browser().log_in("visitor").await.status == 200 }).await;
    is_served(&visitor, &server).await;
    before.are_back(&server).await;
}

/// Begins `asking` and drops it at its `most`-th step; whether it came to its end.
async fn gives_up_after(most: usize, asking: impl Future) -> bool {
    let (mut asking, mut polls) = (pin!(asking), 0);
    std::future::poll_fn(move |cx| {
        polls += 1;
        if polls > most {
            return Poll::Ready(false);
        }
        asking.as_mut().poll(cx).map(|_| true)
    })
    .await
}

/// Each thing that people do, given up at each of its steps.
async fn given_up_everywhere(site: &Site, owner: &Browser) -> (usize, usize) {
    let (mut given_up, mut done) = (0, 0);
    for round in 0..48 {
        // None of these things has more steps than a few.
        let steps = round % 6;
        let copy = || owner.clone();
        let (mut one, mut two, mut three) = (copy(), copy(), copy());
        let renewing = site.browser().holding("refreshToken", owner.refresh());
        let (mut renewing, mut elsewhere, mut applicant) = (renewing, site.browser(), site.browser());
        let form = application(&format!("applicant{round}"));
        let outcomes = [
            gives_up_after(steps, elsewhere.log_in("mina")).await,
            gives_up_after(steps, elsewhere.clone().log_in_with("mina", "wrong-one")).await,
            gives_up_after(steps, one.change_password("wrong-one", OTHER_PASSWORD)).await,
            gives_up_after(steps, two.post_json("/user/account/name", json!({ "name": "Mina" }))).await,
            gives_up_after(steps, three.get_json("/user/account/sessions")).await,
            gives_up_after(steps, renewing.get_json("/user/info")).await,
            gives_up_after(steps, applicant.post_json("/user/register", form)).await,
        ];
        done += outcomes.iter().filter(|done| **done).count();
        given_up += outcomes.iter().filter(|done| !**done).count();
    }
    (given_up, done)
}

#[tokio::test]
async fn requests_that_are_given_up_at_any_step_leave_nothing_behind() {
    let settings = [("passwords.workers", "2"), ("passwords.queue", "2"), ("limits.log_in_account", "1000/60s")];
    let settings = [&settings[..], &[("limits.log_in_address", "1000/60s"), ("tokens.access_ttl", "60s")]].concat();
    let site = Site::with(&settings).await;
    let owner = site.registered("mina").await;
    let (given_up, done) = given_up_everywhere(&site, &owner.clone().from("203.0.113.9")).await;
    assert!(given_up > 100 && done > 50, "{given_up} given up, {done} done");

    // Nobody holds the database: the next one may write at once.
    let database = site.database();
    database.pragma_update(None, "busy_timeout", 1000).unwrap();
    database.execute_batch("BEGIN IMMEDIATE; ROLLBACK").unwrap();
    let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let broken: u32 =
        database.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
    assert_eq!(broken, 0);

    // Both hashing threads and both places in the queue are there: four at once are all hashed.
    let mut four = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let mut browser = site.browser();
        four.spawn(async move { browser.log_in("mina").await.status.as_u16() });
    }
    assert_eq!(four.join_all().await, [200; 4]);
    assert!(owner.clone().is_signed_in().await && owner.clone().without("accessToken").is_signed_in().await);
}

#[tokio::test]
async fn who_goes_away_while_their_password_waits_has_not_failed() {
    let place = Place::new().set("limits.log_in_account", "12/15m").set("server.client_timeout", "2s");
    let place = place.set("passwords.workers", "1").set("passwords.queue", "64");
    let place = place.set("passwords.argon2_memory", "16MiB").set("passwords.argon2_passes", "8");
    let server = place.serve().await;
    let (_, visitor) = Vitals::at_rest(&server).await;
    // As many as may fail. One has begun, or a few; the others wait behind it until they are gone.
    let mut raws = vec![];
    for _ in 0..12 {
        let mut raw = Raw::open(&server).await;
        raw.send(log_in("visitor", PASSWORD)).await.unwrap();
        raws.push(raw);
    }
    eventually("they have all been taken", || async { server.browser().log_in("visitor").await.status == 429 }).await;
    drop(raws);
    eventually("the owner comes in", || async { server.browser().log_in("visitor").await.status == 200 }).await;
    is_served(&visitor, &server).await;
}
