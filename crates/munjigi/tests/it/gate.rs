//! The table of section 3, end to end, on `/user/info` and `/user/account`.

use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::Site;

on_both_stores! {
    async fn a_valid_access_token_is_enough_and_the_refresh_token_is_not_looked_at(site: Site) {
        let browser = site.registered("mina").await;
        for mut tab in [browser.clone().without("refreshToken"), browser.clone().holding("refreshToken", "rubbish")] {
            let info = tab.get_json("/user/info").await;
            assert_eq!(info.json()["loggedIn"], true);
            assert!(info.keeps_cookies());
        }
    }

    async fn an_expired_access_token_is_renewed_in_the_same_request(site: Site) {
        let mut browser = site.registered("mina").await;
        let before = browser.session_id().await;
        site.let_access_expire();
        let info = browser.get_json("/user/info").await.expect(200);
        assert!(info.json()["loggedIn"] == true && info.sets_cookies());
        assert_eq!(info.header("cache-control"), Some("no-store"));
        assert_eq!(browser.session_id().await, before, "the session goes on");
        assert!(browser.get_json("/user/info").await.keeps_cookies(), "and nothing more is to do");
    }

    async fn a_missing_or_unreadable_access_token_is_renewed_too(site: Site) {
        let browser = site.registered("mina").await;
        for mut tab in [
            browser.clone().without("accessToken"),
            browser.clone().holding("accessToken", "rubbish"),
            browser.clone().holding("accessToken", browser.refresh()),
        ] {
            assert!(tab.get_json("/user/info").await.sets_cookies());
            assert!(tab.is_signed_in().await);
        }
    }

    async fn with_nothing_that_renews_an_expired_token_is_anonymous_and_its_cookies_stay(site: Site) {
        let browser = site.registered("mina").await;
        site.let_access_expire();
        for mut tab in [browser.clone().without("refreshToken"), browser.clone().holding("refreshToken", "rubbish")] {
            let info = tab.get_json("/user/info").await;
            assert_eq!((&info.json()["loggedIn"], &info.json()["reason"]), (&json!(false), &json!("expired")));
            assert!(info.keeps_cookies());
        }
    }

    async fn what_never_was_a_token_is_a_stranger(site: Site) {
        let browser = site.browser().holding("accessToken", "a.b.c").holding("refreshToken", "d.e.f");
        let info = browser.clone().get_json("/user/info").await;
        assert_eq!(info.json()["reason"], json!(null));
        assert!(info.keeps_cookies(), "a node with a wrong key signs nobody out");
    }

    async fn twenty_four_requests_with_one_expired_token_all_pass(site: Site) {
        let browser = site.registered("mina").await;
        site.let_access_expire();
        let mut requests = JoinSet::new();
        for _ in 0..24 {
            let mut tab = browser.clone();
            requests.spawn(async move {
                let reply = tab.get_json("/user/account").await;
                (reply.status.as_u16(), tab)
            });
        }
        let answers = requests.join_all().await;
        assert!(answers.iter().all(|(status, _)| *status == 200), "{:?}", answers.iter().map(|a| a.0).collect::<Vec<_>>());
        // All wrote to one jar; whichever came last goes on, and so does the session.
        let mut last = answers.into_iter().next_back().unwrap().1;
        site.let_access_expire();
        assert!(last.is_signed_in().await);
        site.let_access_expire();
        assert!(last.is_signed_in().await);
    }

    async fn a_copied_token_ends_the_session_when_both_go_on(site: Site) {
        let mut owner = site.registered("mina").await;
        let mut thief = owner.clone();
        let mut phone = site.logged_in("mina").await;
        site.let_access_expire();
        assert!(owner.is_signed_in().await);
        assert!(thief.is_signed_in().await, "a single use cannot be told from a second tab");
        site.let_access_expire();
        assert!(owner.is_signed_in().await);
        let caught = thief.get_json("/user/info").await.expect(200);
        assert_eq!((&caught.json()["loggedIn"], &caught.json()["reason"]), (&json!(false), &json!("reused")));
        assert!(caught.clears_cookies());
        owner.is_signed_out_because("ended").await;
        assert!(phone.is_signed_in().await, "other devices are not concerned");
    }

    async fn it_makes_no_difference_which_of_the_two_comes_first(site: Site) {
        let mut owner = site.registered("mina").await;
        let mut thief = owner.clone();
        site.let_access_expire();
        assert!(thief.is_signed_in().await && owner.is_signed_in().await);
        site.let_access_expire();
        assert!(thief.is_signed_in().await);
        owner.is_signed_out_because("reused").await;
        thief.is_signed_out_because("ended").await;
        assert!(!thief.clone().is_signed_in().await);
    }

    async fn a_thief_of_the_refresh_token_alone_is_found_as_well(site: Site) {
        let mut owner = site.registered("mina").await;
        let mut thief = site.browser().holding("refreshToken", owner.refresh());
        for _ in 0..2 {
            site.let_access_expire();
            thief.info().await;
            owner.info().await;
        }
        assert!(!thief.is_signed_in().await && !owner.is_signed_in().await);
    }

    async fn a_lost_answer_signs_nobody_out(site: Site) {
        let mut browser = site.registered("mina").await;
        for _ in 0..3 {
            site.let_access_expire();
            for _ in 0..3 {
                assert!(browser.clone().get_json("/user/info").await.sets_cookies(), "which the browser never saw");
            }
            assert!(browser.is_signed_in().await);
        }
    }

    async fn two_tabs_share_one_session(site: Site) {
        let mut browser = site.registered("mina").await;
        for _ in 0..4 {
            site.let_access_expire();
            let (mut one, mut two) = (browser.clone(), browser.clone());
            let (a, b) = tokio::join!(one.get_json("/user/info"), two.get_json("/user/account"));
            assert!(a.status == 200 && b.status == 200 && a.sets_cookies() && b.sets_cookies());
            browser = two;
        }
    }

    async fn a_bearer_needs_no_cookies_and_never_renews(site: Site) {
        let browser = site.registered("mina").await;
        let mut program = browser.as_bearer();
        let account = program.get_json("/user/account").await.expect(200);
        assert_eq!(account.json()["user"]["username"], "mina");
        assert!(account.keeps_cookies());
        program.jar = browser.jar.clone();
        site.let_access_expire();
        let refused = program.get_json("/user/info").await;
        refused.problem(401, "login_required");
        assert!(refused.header("www-authenticate").is_some_and(|line| line.starts_with("Bearer")), "{:?}", refused.headers);
        assert!(refused.keeps_cookies(), "cookies beside it are not looked at");
    }
}

#[tokio::test]
async fn a_bearer_that_is_no_good_is_refused_on_every_gated_route() {
    let site = Site::embedded().await;
    let browser = site.registered("mina").await;
    let refresh = browser.refresh();
    for token in ["", "rubbish", "a.b.c", &refresh, "two words"] {
        for path in ["/user/info", "/user/account", "/user/login"] {
            let mut program = browser.clone().with("authorization", &format!("Bearer {token}"));
            let refused = program.get_json(path).await;
            refused.problem(401, "login_required");
            assert!(
                refused.header("www-authenticate").is_some_and(|line| line.starts_with("Bearer")),
                "{path} {token}"
            );
            assert!(refused.keeps_cookies());
        }
    }
}

#[tokio::test]
async fn another_scheme_than_bearer_is_somebody_elses_business() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await.with("authorization", "Basic bWluYTp4");
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn two_authorizations_are_none() {
    let site = Site::embedded().await;
    let browser = site.registered("mina").await;
    let mut twice = browser.as_bearer().with("authorization", &format!("Bearer {}", browser.access()));
    twice.get_json("/user/info").await.problem(401, "login_required");
}

#[tokio::test]
async fn two_cookies_of_one_name_count_as_absent() {
    let site = Site::embedded().await;
    let browser = site.registered("mina").await;
    let (access, refresh) = (browser.access(), browser.refresh());
    for cookies in [
        vec![format!("accessToken={access}; accessToken={access}")],
        vec![format!("accessToken={access}"), format!("accessToken={access}")],
        vec![format!("accessToken={access}; accessToken=planted")],
    ] {
        let mut tossed = cookies.iter().fold(site.browser(), |browser, line| browser.with("cookie", line));
        let info = tossed.get_json("/user/info").await;
        assert_eq!((&info.json()["loggedIn"], info.keeps_cookies()), (&json!(false), true), "{cookies:?}");
        // A refresh token that is there once still tells who it is.
        assert!(tossed.with("cookie", &format!("refreshToken={refresh}")).is_signed_in().await);
    }
    let mut twice = site.browser().with("cookie", &format!("refreshToken={refresh}; refreshToken={refresh}"));
    assert!(!twice.is_signed_in().await);
}

#[tokio::test]
async fn routes_that_look_at_no_user_are_outside_the_gate() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    site.let_access_expire();
    for path in ["/healthz", "/readyz", "/.well-known/jwks.json", "/", "/.well-known/change-password"] {
        assert!(browser.get(path).await.keeps_cookies(), "{path}");
        let mut bearer = site.browser().with("authorization", "Bearer rubbish");
        assert_ne!(bearer.get(path).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn a_session_goes_on_at_another_node() {
    let site = Site::embedded().await;
    let other = site.second_node().await;
    let mut browser = site.registered("mina").await;
    let mut there = other.browser();
    there.jar = browser.jar.clone();
    assert!(there.is_signed_in().await);
    site.let_access_expire();
    assert!(there.is_signed_in().await);
    browser.jar = there.jar;
    site.let_access_expire();
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_node_learns_of_a_log_out_elsewhere_when_it_reads_the_table() {
    let site = Site::embedded().await;
    let other = site.second_node().await;
    let browser = site.registered("mina").await;
    let mut there = other.browser();
    there.jar = browser.jar.clone();
    assert!(there.is_signed_in().await);
    browser.clone().log_out().await.expect(200);
    other.ring().await;
    there.is_signed_out_because("ended").await;
}
