//! Every form sent twice: a button pressed twice, an answer that was lost on the way, a page that was gone back to. The second
//! time is no failure and does nothing that the first has not done.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Browser, OTHER_PASSWORD, PASSWORD, Reply, Site};

const REGISTRATION: [(&str, &str); 5] = [
    ("username", "mina"),
    ("password", PASSWORD),
    ("confirmPassword", PASSWORD),
    ("name", "Mina"),
    ("return_to", "/app"),
];
const LOG_IN: [(&str, &str); 3] = [("username", "mina"), ("password", PASSWORD), ("return_to", "/app")];
const CHANGE: [(&str, &str); 3] =
    [("currentPassword", PASSWORD), ("newPassword", OTHER_PASSWORD), ("confirmPassword", OTHER_PASSWORD)];

/// Sends it from two tabs at the same moment.
async fn at_once(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> [(Browser, Reply); 2] {
    let (mut one, mut other) = (browser.clone(), browser.clone());
    let (first, second) = tokio::join!(one.post_form(path, fields), other.post_form(path, fields));
    [(one, first), (other, second)]
}

async fn sessions(browser: &mut Browser) -> usize {
    browser.get_json("/user/account/sessions").await.expect(200).json()["sessions"].as_array().unwrap().len()
}

on_both_stores! {
    async fn a_registration_leads_on_both_times(site: Site) {
        let mut browser = site.browser();
        let mut lost = browser.clone();
        for _ in 0..2 {
            let there = browser.post_form("/user/register", &REGISTRATION).await.expect(303);
            assert!(there.location() == "/app" && there.sets_cookies());
        }
        assert_eq!(browser.info().await["user"]["name"], "Mina");
        assert_eq!(sessions(&mut browser).await, 1, "the second took the place of the first");

        let there = lost.post_form("/user/register", &REGISTRATION).await.expect(303);
        assert!(there.location() == "/app" && lost.is_signed_in().await, "no cookie of the first had come");
        assert_eq!(site.app.core.users.list(None, 9).await.unwrap().len(), 1);
    }

    async fn a_registration_leads_on_from_both_of_two_at_once(site: Site) {
        for (mut tab, there) in at_once(&site.browser(), "/user/register", &REGISTRATION).await {
            assert_eq!(there.expect(303).location(), "/app");
            assert!(tab.is_signed_in().await);
        }
        assert_eq!(site.app.core.users.list(None, 9).await.unwrap().len(), 1);
    }

    async fn a_new_password_is_set_both_times_and_only_this_session_goes_on(site: Site) {
        let mut browser = site.registered("mina").await;
        let mut phone = site.logged_in("mina").await;
        for _ in 0..2 {
            let there = browser.post_form("/user/account/password", &CHANGE).await.expect(303);
            assert_eq!(there.location(), "/user/account?saved=password");
        }
        assert!(browser.is_signed_in().await && !phone.is_signed_in().await);
        site.browser().log_in_with("mina", OTHER_PASSWORD).await.expect(200);
        site.browser().log_in("mina").await.problem(401, "invalid_credentials");
    }

    async fn a_new_password_is_set_by_both_of_two_at_once(site: Site) {
        let browser = site.registered("mina").await;
        for (mut tab, there) in at_once(&browser, "/user/account/password", &CHANGE).await {
            assert_eq!(there.expect(303).location(), "/user/account?saved=password");
            assert!(tab.is_signed_in().await);
        }
        site.browser().log_in_with("mina", OTHER_PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn a_program_that_registers_twice_is_told_that_the_name_is_taken() {
    let site = Site::embedded().await;
    let mut browser = site.browser();
    browser.register("mina").await.expect(201);
    let refused = browser.register("mina").await;
    refused.problem(409, "username_taken");
    assert!(refused.keeps_cookies() && browser.is_signed_in().await);
}

#[tokio::test]
async fn a_second_registration_with_another_password_is_told_that_the_name_is_taken() {
    let site = Site::embedded().await;
    let mut browser = site.browser();
    browser.post_form("/user/register", &REGISTRATION).await.expect(303);
    let mut other = REGISTRATION;
    (other[1].1, other[2].1) = (OTHER_PASSWORD, OTHER_PASSWORD);
    let page = browser.post_form("/user/register", &other).await.expect(409);
    assert!(page.body.contains("Someone already uses this username") && page.keeps_cookies(), "{}", page.body);
    assert!(browser.is_signed_in().await, "and it has ended nothing");
}

/// What comes later is not the same form again but somebody else who wants the name.
#[tokio::test]
async fn a_registration_is_no_way_to_log_in_later() {
    let site = Site::embedded().await;
    site.browser().post_form("/user/register", &REGISTRATION).await.expect(303);
    site.clock.advance(Duration::from_secs(599));
    site.browser().post_form("/user/register", &REGISTRATION).await.expect(303);
    site.clock.advance(Duration::from_secs(1));
    let page = site.browser().post_form("/user/register", &REGISTRATION).await.expect(409);
    assert!(page.keeps_cookies());
}

/// The attack: to guess the password of somebody who has just registered where log-ins are not counted.
#[tokio::test]
async fn guesses_by_registration_are_counted_as_log_ins() {
    let site = Site::with(&[("limits.log_in_account", "3/15m")]).await;
    let guesser = || site.browser().from("203.0.113.7");
    site.registered("mina").await;
    for guess in ["a first guess", "a second guess", "a third guess", PASSWORD] {
        let guess = [("username", "mina"), ("password", guess), ("confirmPassword", guess), ("name", "Mina")];
        let page = guesser().post_form("/user/register", &guess).await.expect(409);
        assert!(page.keeps_cookies());
    }
    guesser().log_in("mina").await.problem(429, "rate_limited");
    let mut owner = site.browser().from("198.51.100.1");
    owner.log_in("mina").await.expect(200);
}

#[tokio::test]
async fn a_log_in_leads_on_both_times() {
    let site = Site::embedded().await;
    site.registered("mina").await.log_out().await.expect(200);
    let mut browser = site.browser();
    for _ in 0..2 {
        assert_eq!(browser.post_form("/user/login", &LOG_IN).await.expect(303).location(), "/app");
    }
    assert_eq!(sessions(&mut browser).await, 1, "the second took the place of the first");
    browser.log_out().await.expect(200);
    for (mut tab, there) in at_once(&site.browser(), "/user/login", &LOG_IN).await {
        assert_eq!(there.expect(303).location(), "/app");
        assert!(tab.is_signed_in().await);
    }
}

#[tokio::test]
async fn a_log_out_leads_to_log_in_both_times() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let mut tab = browser.clone();
    for browser in [&mut browser.clone(), &mut browser, &mut tab] {
        for _ in 0..2 {
            assert_eq!(browser.post_form("/user/logout", &[]).await.expect(303).location(), "/user/login");
            assert!(!browser.is_signed_in().await);
        }
    }
}

/// The attack: to take the new password's field for a second way to guess.
#[tokio::test]
async fn a_wrong_present_password_stays_wrong_unless_the_new_one_is_set_already() {
    let site = Site::with(&[("limits.log_in_account", "3/15m")]).await;
    let mut thief = site.registered("mina").await;
    let change =
        |current: &str, new: &str| json!({ "currentPassword": current, "newPassword": new, "confirmPassword": new });
    for guess in ["a first guess", "a second guess", "a third guess"] {
        let refused = thief.post_json("/user/account/password", change("wrong-one", guess)).await;
        assert!(refused.problem(422, "validation_failed")["errors"]["currentPassword"].is_string());
    }
    thief.post_json("/user/account/password", change("wrong-one", PASSWORD)).await.problem(429, "rate_limited");
    site.browser().log_in("mina").await.expect(200);
}

#[tokio::test]
async fn the_account_is_shown_to_whoever_ends_a_session_twice() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let mut jiho = site.registered("jiho").await;
    let end = format!("/user/account/sessions/{}/end", site.logged_in("mina").await.session_id().await);
    assert_eq!(browser.post_form(&end, &[]).await.expect(303).location(), "/user/account?saved=session");
    assert_eq!(browser.post_form(&end, &[]).await.expect(303).location(), "/user/account");
    browser.post_json(&end, json!({})).await.problem(404, "not_found");
    let foreign = format!("/user/account/sessions/{}/end", jiho.session_id().await);
    assert_eq!(browser.post_form(&foreign, &[]).await.expect(303).location(), "/user/account");
    assert!(jiho.is_signed_in().await);

    for _ in 0..2 {
        let there = browser.post_form("/user/account/sessions/end-others", &[]).await.expect(303);
        assert_eq!(there.location(), "/user/account?saved=sessions");
        let there = browser.post_form("/user/account/name", &[("name", "민아")]).await.expect(303);
        assert_eq!(there.location(), "/user/account?saved=name");
    }
}
