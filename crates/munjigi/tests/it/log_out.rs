//! `GET, POST /user/logout`

use serde_json::json;

use crate::harness::Site;

on_both_stores! {
    async fn a_log_out_is_at_once_and_for_good(site: Site) {
        let mut browser = site.registered("mina").await;
        let mut copied = browser.clone();
        let done = browser.log_out().await.expect(200);
        assert_eq!(done.json(), json!({ "success": true }));
        assert!(done.clears_cookies() && !browser.has_tokens());
        assert_eq!(browser.info().await["reason"], json!(null));

        copied.clone().is_signed_out_because("ended").await;
        let mut only_refresh = copied.clone().without("accessToken");
        only_refresh.is_signed_out_because("expired").await;
        assert!(!only_refresh.has_tokens(), "cookies that are worth nothing are taken away");
        site.let_access_expire();
        assert!(!copied.is_signed_in().await);
        copied.as_bearer_refused().await;
    }
}

impl crate::harness::Browser {
    /// The access token, if one is still there, is no good as a bearer either.
    async fn as_bearer_refused(&self) {
        if self.jar.contains_key("accessToken") {
            self.as_bearer().get_json("/user/info").await.problem(401, "login_required");
        }
    }
}

#[tokio::test]
async fn a_form_leads_to_log_in() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let done = browser.post_form("/user/logout", &[]).await.expect(303);
    assert_eq!(done.location(), "/user/login");
    assert!(done.clears_cookies() && !browser.is_signed_in().await);
}

#[tokio::test]
async fn without_a_session_it_is_done_already() {
    let site = Site::embedded().await;
    let mut browser = site.browser();
    assert_eq!(browser.log_out().await.expect(200).json(), json!({ "success": true }));
    assert_eq!(browser.post_form("/user/logout", &[]).await.expect(303).location(), "/user/login");
    let mut planted = site.browser().holding("accessToken", "rubbish").holding("refreshToken", "a.b.c");
    assert!(planted.log_out().await.expect(200).clears_cookies());
}

#[tokio::test]
async fn a_get_only_asks() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let page = browser.get("/user/logout").await.expect(200);
    assert!(page.body.contains(r#"method="post""#), "{}", page.body);
    assert!(page.keeps_cookies() && browser.is_signed_in().await);
}

#[tokio::test]
async fn any_token_of_ours_names_the_session_even_an_expired_one() {
    let site = Site::embedded().await;
    let one = site.registered("mina").await;
    let two = site.logged_in("mina").await;
    site.let_access_expire();

    let mut with_access_only = one.clone().without("refreshToken");
    assert!(with_access_only.log_out().await.expect(200).clears_cookies());
    assert!(!one.clone().without("accessToken").is_signed_in().await);

    let mut with_refresh_only = two.clone().without("accessToken");
    with_refresh_only.log_out().await.expect(200);
    assert!(!two.clone().is_signed_in().await);
}

#[tokio::test]
async fn it_never_renews() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    site.let_access_expire();
    let done = browser.clone().post_json("/user/logout", json!({})).await.expect(200);
    assert!(!done.sets_cookies());
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn only_the_session_at_hand_ends() {
    let site = Site::embedded().await;
    let mut phone = site.registered("mina").await;
    let mut laptop = site.logged_in("mina").await;
    let mut other = site.registered("jiho").await;
    phone.log_out().await.expect(200);
    assert!(laptop.is_signed_in().await && other.is_signed_in().await);
    site.let_access_expire();
    assert!(laptop.is_signed_in().await && other.is_signed_in().await);
}

#[tokio::test]
async fn twice_is_as_good_as_once() {
    let site = Site::embedded().await;
    let browser = site.registered("mina").await;
    for _ in 0..2 {
        browser.clone().log_out().await.expect(200);
    }
    assert!(!browser.clone().is_signed_in().await);
}

#[tokio::test]
async fn a_program_with_a_bearer_token_logs_out_without_any_cookie() {
    let site = Site::embedded().await;
    let browser = site.registered("mina").await;
    let done = browser.as_bearer().log_out().await.expect(200);
    assert!(done.keeps_cookies(), "{:?}", done.cookies());
    browser.clone().is_signed_out_because("ended").await;
}

#[tokio::test]
async fn cookies_of_two_sessions_end_both() {
    let site = Site::embedded().await;
    let (one, two) = (site.registered("mina").await, site.logged_in("mina").await);
    let mut mixed = site.browser().holding("accessToken", one.access()).holding("refreshToken", two.refresh());
    mixed.log_out().await.expect(200);
    for mut browser in [one, two] {
        browser.is_signed_out_because("ended").await;
    }
}

on_both_stores! {
    async fn no_renewal_that_races_with_it_survives_it(site: Site) {
        for _ in 0..5 {
            let browser = if site.app.core.users.list(None, 1).await.unwrap().is_empty() {
                site.registered("mina").await
            } else {
                site.logged_in("mina").await
            };
            site.let_access_expire();
            let mut racing = tokio::task::JoinSet::new();
            for n in 0..12 {
                let mut tab = browser.clone();
                racing.spawn(async move {
                    if n == 5 {
                        tab.log_out().await.expect(200);
                    } else {
                        tab.get_json("/user/info").await.expect(200);
                    }
                    tab
                });
            }
            for mut tab in racing.join_all().await {
                let mut asleep = tab.clone().without("accessToken");
                assert!(!tab.is_signed_in().await && !asleep.is_signed_in().await);
            }
        }
    }
}

#[tokio::test]
async fn nobody_makes_a_log_out_void_by_planting_a_cookie() {
    let site = Site::embedded().await;
    for planted in
        ["accessToken=x; {}; refreshToken=x", "{}; accessToken=a.b.c; refreshToken=", "refreshToken=x.y.z; {}"]
    {
        let browser = if site.app.core.users.list(None, 1).await.unwrap().is_empty() {
            site.registered("mina").await
        } else {
            site.logged_in("mina").await
        };
        let own = format!("accessToken={}; refreshToken={}", browser.access(), browser.refresh());
        let mut tossed = site.browser().with("cookie", &planted.replace("{}", &own));
        assert!(tossed.log_out().await.expect(200).clears_cookies());
        browser.clone().is_signed_out_because("ended").await;
        browser.without("accessToken").is_signed_out_because("expired").await;
    }
}

#[tokio::test]
async fn a_bearer_beside_the_cookies_does_not_keep_them_alive() {
    let site = Site::embedded().await;
    let browser = site.registered("mina").await;
    browser.clone().with("authorization", "Bearer x").log_out().await.expect(200);
    browser.clone().is_signed_out_because("ended").await;
}
