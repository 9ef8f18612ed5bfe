//! `/user/account/sessions` and below: where am I signed in?

use serde_json::{Value, json};

use crate::harness::{Browser, Site};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0";

async fn sessions(browser: &mut Browser) -> Vec<Value> {
    let list = browser.get_json("/user/account/sessions").await.expect(200).json();
    list["sessions"].as_array().unwrap().clone()
}

async fn end(browser: &mut Browser, session: &str) -> crate::harness::Reply {
    browser.post_json(&format!("/user/account/sessions/{session}/end"), json!({})).await
}

on_both_stores! {
    async fn each_log_in_is_a_session_of_its_own(site: Site) {
        let mut desk = site.browser().with("user-agent", FIREFOX).from("203.0.113.9");
        desk.register("mina").await.expect(201);
        let mut phone = site.logged_in("mina").await;
        let list = sessions(&mut desk).await;
        assert_eq!(list.len(), 2);
        let here = list.iter().find(|session| session["current"] == true).unwrap();
        assert_eq!(here["id"], desk.session_id().await);
        assert_eq!((&here["device"], &here["address"]), (&json!("Firefox on Linux"), &json!("203.0.113.9")));
        assert_eq!(here["createdAt"], here["lastUsedAt"]);
        let members: Vec<_> = here.as_object().unwrap().keys().collect();
        assert_eq!(members, ["id", "device", "address", "createdAt", "lastUsedAt", "current"]);
        let there = list.iter().find(|session| session["current"] == false).unwrap();
        assert_eq!(there["id"], phone.session_id().await);
    }

    async fn the_last_use_is_the_last_renewal(site: Site) {
        let mut browser = site.registered("mina").await;
        site.let_access_expire();
        let list = sessions(&mut browser).await;
        assert!(list[0]["lastUsedAt"].as_str() > list[0]["createdAt"].as_str(), "{list:?}");
    }

    async fn one_session_can_be_ended_from_another(site: Site) {
        let mut desk = site.registered("mina").await;
        let mut phone = site.logged_in("mina").await;
        let done = end(&mut desk, &phone.session_id().await).await.expect(200);
        assert_eq!(done.json(), json!({ "success": true }));
        assert!(done.keeps_cookies());
        let asleep = phone.clone().without("accessToken");
        phone.is_signed_out_because("ended").await;
        assert!(!asleep.clone().is_signed_in().await);
        assert_eq!(sessions(&mut desk).await.len(), 1);
    }

    async fn all_others_can_be_ended_at_once(site: Site) {
        let mut desk = site.registered("mina").await;
        let mut tab = desk.clone();
        let mut others = vec![site.logged_in("mina").await, site.logged_in("mina").await];
        let mut stranger = site.registered("jiho").await;
        desk.post_json("/user/account/sessions/end-others", json!({})).await.expect(200);
        for other in &mut others {
            let mut asleep = other.clone().without("accessToken");
            other.is_signed_out_because("ended").await;
            assert!(!asleep.is_signed_in().await);
        }
        assert!(desk.is_signed_in().await && tab.is_signed_in().await && stranger.is_signed_in().await);
        assert_eq!(sessions(&mut desk).await.len(), 1);
        site.let_access_expire();
        assert!(desk.is_signed_in().await && tab.is_signed_in().await);
        assert!(site.logged_in("mina").await.is_signed_in().await, "a log-in after it is not concerned");
    }
}

#[tokio::test]
async fn to_end_the_one_at_hand_is_to_log_out() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let copied = browser.clone();
    assert!(end(&mut browser, "current").await.expect(200).clears_cookies());
    copied.clone().is_signed_out_because("ended").await;
    let mut browser = site.logged_in("mina").await;
    let own = browser.session_id().await;
    assert!(end(&mut browser, &own).await.expect(200).clears_cookies());
}

#[tokio::test]
async fn somebody_elses_session_is_not_there() {
    let site = Site::embedded().await;
    let mut mina = site.registered("mina").await;
    let mut jiho = site.registered("jiho").await;
    let hers = mina.session_id().await;
    let refused = end(&mut jiho, &hers).await;
    let nothing = end(&mut jiho, &"0".repeat(32)).await;
    refused.problem(404, "not_found");
    assert_eq!(refused.body, nothing.body, "the same as for one that never was");
    for rubbish in ["x", "%2e%2e", "ffff", "current%00"] {
        end(&mut jiho, rubbish).await.problem(404, "not_found");
    }
    assert!(mina.is_signed_in().await);
}

#[tokio::test]
async fn people_find_their_sessions_on_the_account_page() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    assert_eq!(browser.get("/user/account/sessions").await.expect(303).location(), "/user/account");
    let mut phone = site.logged_in("mina").await;
    let path = format!("/user/account/sessions/{}/end", phone.session_id().await);
    let done = browser.post_form(&path, &[]).await.expect(303);
    assert_eq!(done.location(), "/user/account?saved=session");
    let done = browser.post_form("/user/account/sessions/end-others", &[]).await.expect(303);
    assert_eq!(done.location(), "/user/account?saved=sessions");
    let done = browser.post_form("/user/account/sessions/current/end", &[]).await.expect(303);
    assert_eq!(done.location(), "/user/login");
}

#[tokio::test]
async fn a_device_that_calls_itself_markup_is_unknown() {
    let site = Site::embedded().await;
    let mut browser = site.browser().with("user-agent", "<script>alert(1)</script>");
    browser.register("mina").await.expect(201);
    assert_eq!(sessions(&mut browser).await[0]["device"], "Unknown device");
    assert!(!browser.get("/user/account").await.body.contains("alert(1)"));
}

#[tokio::test]
async fn a_session_that_is_over_is_not_listed() {
    let site = Site::with(&[("tokens.refresh_ttl", "8s"), ("tokens.session_ttl", "1h")]).await;
    let mut old = site.registered("mina").await;
    site.clock.advance(std::time::Duration::from_secs(9));
    let mut browser = site.logged_in("mina").await;
    assert_eq!(sessions(&mut browser).await.len(), 1);
    assert!(!old.is_signed_in().await);
}
