//! `/user/account`, `…/account/name`, `…/account/password`

use std::time::Duration;

use serde_json::json;

use crate::harness::{OTHER_PASSWORD, PASSWORD, Site, claims_of};

#[tokio::test]
async fn a_stranger_is_led_to_log_in_and_back() {
    let site = Site::embedded().await;
    let led = site.browser().get("/user/account?saved=name").await.expect(303);
    assert_eq!(led.location(), "/user/login?return_to=%2Fuser%2Faccount%3Fsaved%3Dname");
    let mut browser = site.registered("mina").await;
    browser.clone().log_out().await;
    let led = browser.get("/user/account").await.expect(303);
    assert_eq!(led.location(), "/user/login?return_to=%2Fuser%2Faccount&reason=ended");
}

#[tokio::test]
async fn a_program_without_a_session_is_told_to_log_in() {
    let site = Site::embedded().await;
    for path in ["/user/account", "/user/account/sessions"] {
        site.browser().get_json(path).await.problem(401, "login_required");
    }
    for path in [
        "/user/account/name",
        "/user/account/password",
        "/user/account/sessions/current/end",
        "/user/account/sessions/end-others",
    ] {
        site.browser().post_json(path, json!({})).await.problem(401, "login_required");
        let led = site.browser().post_form(path, &[]).await.expect(303);
        let (page, after) = led.location().split_at("/user/login?return_to=%2Fuser%2Faccount".len());
        assert_eq!(page, "/user/login?return_to=%2Fuser%2Faccount", "after a form, the page it stood on");
        assert_eq!(after, if path.ends_with("/password") { "%3Funsaved%3Dpassword" } else { "" }, "{path}");
    }
}

#[tokio::test]
async fn the_account_says_who_and_where() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let account = browser.get_json("/user/account").await.expect(200).json();
    let members: Vec<_> = account.as_object().unwrap().keys().collect();
    assert_eq!(members, ["user", "sessions"]);
    assert_eq!(account["user"], browser.info().await["user"]);
    assert_eq!(account["sessions"].as_array().unwrap().len(), 1);
    assert!(browser.get("/user/account").await.expect(200).body.contains("mina"));
}

on_both_stores! {
    async fn a_new_name_shows_at_once(site: Site) {
        let mut browser = site.registered("mina").await;
        let mut tab = browser.clone();
        let done = browser.post_json("/user/account/name", json!({ "name": "  민아 " })).await.expect(200);
        assert_eq!(done.json()["user"]["name"], "민아");
        assert_eq!(browser.info().await["user"]["name"], "민아", "in the token that came with the answer");
        assert_eq!(tab.get_json("/user/account").await.json()["user"]["name"], "민아", "as the database says");
        site.let_access_expire();
        assert_eq!(tab.info().await["user"]["name"], "민아", "in the next token of every tab");
        assert_eq!(site.logged_in("mina").await.info().await["user"]["name"], "민아");
    }

    async fn a_new_password_ends_every_other_session_and_not_this_one(site: Site) {
        let mut browser = site.registered("mina").await;
        let mut tab = browser.clone();
        let mut phone = site.logged_in("mina").await;
        let mut asleep = site.logged_in("mina").await;

        let done = browser.change_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
        assert_eq!(done.json(), json!({ "success": true }));
        assert!(browser.is_signed_in().await);
        assert!(tab.is_signed_in().await, "a second tab, with an access token from before, is renewed");
        phone.is_signed_out_because("ended").await;
        site.let_access_expire();
        assert!(browser.is_signed_in().await && tab.is_signed_in().await);
        assert!(!asleep.is_signed_in().await);

        site.browser().log_in("mina").await.problem(401, "invalid_credentials");
        site.browser().log_in_with("mina", OTHER_PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn a_form_leads_back_to_the_page_which_says_that_it_is_saved() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let done = browser.post_form("/user/account/name", &[("name", "Minah")]).await.expect(303);
    assert_eq!(done.location(), "/user/account?saved=name");
    assert!(browser.get(done.location()).await.body.contains("Your name has been saved."));
    let fields = [("currentPassword", PASSWORD), ("newPassword", OTHER_PASSWORD), ("confirmPassword", OTHER_PASSWORD)];
    let done = browser.post_form("/user/account/password", &fields).await.expect(303);
    assert_eq!(done.location(), "/user/account?saved=password");
    assert!(browser.get(done.location()).await.expect(200).body.contains("Your password has been changed."));
}

#[tokio::test]
async fn a_name_is_held_to_the_same_rule_as_at_registration() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    for name in [json!(""), json!("a\u{202e}b"), json!("x".repeat(65)), json!(null)] {
        let refused = browser.post_json("/user/account/name", json!({ "name": name })).await;
        assert!(refused.problem(422, "validation_failed")["errors"]["name"].is_string());
    }
    assert_eq!(browser.info().await["user"]["name"], "Mina");
    browser.post_json("/user/account/name", json!({ "nickName": "미나" })).await.expect(200);
    let page = browser.post_form("/user/account/name", &[("name", "")]).await.expect(422);
    assert!(page.body.contains("Please fill this in."), "{}", page.body);
}

#[tokio::test]
async fn a_password_changes_only_for_who_knows_the_present_one() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let mut phone = site.logged_in("mina").await;
    let change = |current: &str, new: &str, confirm: &str| json!({ "currentPassword": current, "newPassword": new, "confirmPassword": confirm });
    for (body, field) in [
        (change("wrong-one", OTHER_PASSWORD, OTHER_PASSWORD), "currentPassword"),
        (change("", OTHER_PASSWORD, OTHER_PASSWORD), "currentPassword"),
        (change(PASSWORD, "short", "short"), "newPassword"),
        (change(PASSWORD, OTHER_PASSWORD, "else"), "confirmPassword"),
        (json!({}), "currentPassword"),
    ] {
        let problem = browser.post_json("/user/account/password", body).await.problem(422, "validation_failed");
        let fields: Vec<_> = problem["errors"].as_object().unwrap().keys().collect();
        assert_eq!(fields, [field]);
    }
    assert!(phone.is_signed_in().await, "nothing has ended");
    site.browser().log_in("mina").await.expect(200);
}

#[tokio::test]
async fn a_session_does_not_let_its_holder_guess_the_password_at_leisure() {
    let site = Site::with(&[("limits.log_in_account", "3/15m")]).await;
    let mut browser = site.registered("mina").await;
    for _ in 0..3 {
        browser.change_password("wrong-one", OTHER_PASSWORD).await.expect(422);
    }
    let refused = browser.change_password(PASSWORD, OTHER_PASSWORD).await;
    refused.problem(429, "rate_limited");
    assert!(refused.header("retry-after").is_some());
}

#[tokio::test]
async fn a_bearer_may_rename_and_gets_no_cookie() {
    let site = Site::embedded().await;
    let browser = site.registered("mina").await;
    let mut program = browser.as_bearer();
    let done = program.post_json("/user/account/name", json!({ "name": "Minah" })).await.expect(200);
    assert!(done.keeps_cookies());
}

/// Case 3 of the gate: both cookies come with this very response, also where the handler has an access token of its own.
#[tokio::test]
async fn a_new_name_with_an_expired_access_token_brings_both_cookies() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let before = browser.refresh();
    site.let_access_expire();
    let done = browser.post_json("/user/account/name", json!({ "name": "Minah" })).await.expect(200);
    assert!(done.sets_cookies(), "{:?}", done.cookie_attributes());
    assert_ne!(browser.refresh(), before, "the one that was traded in is spent");
    assert_eq!(browser.info().await["user"]["name"], "Minah");
}

#[tokio::test]
async fn a_stolen_access_token_cannot_be_kept_alive_by_renaming() {
    let site = Site::with(&[("tokens.access_ttl", "10s")]).await;
    let owner = site.registered("mina").await;
    let mut thief = owner.without("refreshToken");
    let expiry = |token: &str| claims_of(token)["exp"].clone();
    let first = expiry(&thief.access());
    for _ in 0..3 {
        site.clock.advance(Duration::from_secs(3));
        thief.post_json("/user/account/name", json!({ "name": "Minah" })).await.expect(200);
        assert_eq!(expiry(&thief.access()), first);
    }
    site.clock.advance(Duration::from_secs(1));
    assert!(!thief.is_signed_in().await);
}

#[tokio::test]
async fn whoever_guesses_with_a_stolen_session_does_not_block_the_owners_others() {
    let site = Site::with(&[("limits.log_in_account", "3/15m")]).await;
    let mut thief = site.registered("mina").await;
    for _ in 0..3 {
        thief.change_password("wrong-one", OTHER_PASSWORD).await.problem(422, "validation_failed");
    }
    thief.change_password("wrong-one", OTHER_PASSWORD).await.problem(429, "rate_limited");
    site.logged_in("mina").await.change_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
}

/// Somebody types a name for longer than their session lives.
#[tokio::test]
async fn a_name_that_was_typed_when_the_session_ended_is_there_after_the_log_in() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    site.logged_in("mina").await.post_json("/user/account/sessions/end-others", json!({})).await.expect(200);
    let there = browser.post_form("/user/account/name", &[("name", "미나 & \"Co\"")]).await.expect(303);
    let log_in = there.location().to_owned();
    assert!(log_in.starts_with("/user/login?return_to=%2Fuser%2Faccount%3Funsaved%3Dname"), "{log_in}");
    let return_to = url::Url::parse("http://x").unwrap().join(&log_in).unwrap();
    let return_to = return_to.query_pairs().find(|(name, _)| name == "return_to").unwrap().1.into_owned();
    let typed = [("username", "mina"), ("password", PASSWORD), ("return_to", return_to.as_str())];
    let back = browser.post_form("/user/login", &typed).await.expect(303).location().to_owned();
    let page = browser.get(&back).await.expect(200).body;
    assert!(page.contains("value=\"미나 &amp; &quot;Co&quot;\"") && page.contains("isn’t saved yet"), "{page}");
    assert_eq!(browser.info().await["user"]["name"], "Mina", "nothing is saved by coming back");
}

#[tokio::test]
async fn passwords_that_were_typed_when_the_session_ended_stand_in_no_address() {
    let site = Site::embedded().await;
    let fields = [("currentPassword", PASSWORD), ("newPassword", OTHER_PASSWORD), ("confirmPassword", OTHER_PASSWORD)];
    let there = site.browser().post_form("/user/account/password", &fields).await.expect(303).location().to_owned();
    assert_eq!(there, "/user/login?return_to=%2Fuser%2Faccount%3Funsaved%3Dpassword");
    let page = site.registered("mina").await.get("/user/account?unsaved=password").await.expect(200).body;
    assert!(page.contains("your password hasn’t been changed"), "{page}");
}

/// The attack: a link that fills in a name, in the hope that it is saved or becomes markup.
#[tokio::test]
async fn a_link_may_fill_in_a_name_but_saves_nothing_and_is_never_markup() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let page = browser.get("/user/account?unsaved=name&name=%22%3E%3Cscript%3E1").await.expect(200).body;
    assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;1\""), "{page}");
    let long = format!("/user/account?unsaved=name&name={}", "x".repeat(65));
    assert!(browser.get(&long).await.expect(200).body.contains("value=\"Mina\""));
    assert!(browser.get("/user/account?name=Evil").await.expect(200).body.contains("value=\"Mina\""));
    let long = [("name", "y".repeat(5_000))].map(|(name, text)| (name, text));
    let fields: Vec<_> = long.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let there = site.browser().post_form("/user/account/name", &fields).await.expect(303).location().len();
    assert!(there < 200, "{there}");
    assert_eq!(browser.info().await["user"]["name"], "Mina");
}

#[tokio::test]
async fn a_name_that_comes_too_soon_is_still_there() {
    let site = Site::with(&[("limits.account_session", "1/10m")]).await;
    let mut browser = site.registered("mina").await;
    browser.post_form("/user/account/name", &[("name", "Minah")]).await.expect(303);
    let page = browser.post_form("/user/account/name", &[("name", "민아")]).await.expect(429);
    assert!(page.body.contains("value=\"민아\"") && page.body.contains("role=\"alert\""), "{}", page.body);
    assert!(page.header("retry-after").is_some());
}
