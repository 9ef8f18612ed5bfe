//! Tokens that were good: of users, sessions and keys that are no longer, of the other kind, of another installation.

use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::harness::Browser;

/// Shows both tokens in every way. How often somebody was signed in, and whether any answer was a fault of ours.
async fn welcomed(site: &Site, access: &str, refresh: &str) -> usize {
    let (by_access, by_refresh) = (cookie("accessToken", access).unwrap(), cookie("refreshToken", refresh).unwrap());
    let ways = [
        vec![by_access.clone()],
        vec![bearer(access).unwrap()],
        vec![by_refresh.clone()],
        vec![by_access, by_refresh],
        vec![cookie("accessToken", refresh).unwrap()],
        vec![bearer(refresh).unwrap()],
    ];
    let mut welcome = 0;
    for lines in ways {
        let info = shown(site, Method::GET, "/user/info", &lines).await;
        assert!(!info.status.is_server_error(), "{} {lines:?}", info.status);
        welcome += usize::from(info.status == 200 && info.json()["loggedIn"] == true);
        let account = shown(site, Method::GET, "/user/account", &lines).await;
        assert!(!account.status.is_server_error(), "{} {lines:?}", account.status);
    }
    welcome
}

async fn user_id(browser: &mut Browser) -> munjigi_rules::UserId {
    browser.info().await["user"]["id"].as_str().unwrap().parse().unwrap()
}

for_every_algorithm! {
    async fn tokens_of_a_disabled_user_are_worth_nothing_at_once(algorithm: &str) {
        let site = site_of(algorithm).await;
        let mut browser = site.registered("mina").await;
        let (access, refresh) = (browser.access(), browser.refresh());
        assert_eq!(welcomed(&site, &access, &refresh).await, 4, "but for each token in the other's place");
        let user = user_id(&mut browser).await;
        munjigi::flows::admin::disable(&site.app.core, user).await.unwrap();
        assert_eq!(welcomed(&site, &access, &refresh).await, 0);
        let fresh = access_mint(&site, &browser).good();
        assert_eq!(welcomed(&site, &fresh, &refresh).await, 0, "nor is one that is made now, under the old epoch");
        munjigi::flows::admin::enable(&site.app.core, user).await.unwrap();
        assert_eq!(welcomed(&site, &access, &refresh).await, 0, "and enabling brings nothing back");
    }

    async fn tokens_of_a_deleted_user_renew_nothing_and_show_nothing(algorithm: &str) {
        let site = site_of(algorithm).await;
        let mut browser = site.registered("mina").await;
        let id = user_id(&mut browser).await;
        let (access, refresh) = (browser.access(), browser.refresh());
        site.database().execute("DELETE FROM users WHERE id = ?1", [id.as_bytes()]).unwrap();
        let by_refresh = [cookie("refreshToken", &refresh).unwrap()];
        let renewing = shown(&site, Method::GET, "/user/info", &by_refresh).await.expect(200);
        assert!(renewing.json()["loggedIn"] == false && renewing.clears_cookies());
        site.let_access_expire();
        assert_eq!(welcomed(&site, &access, &refresh).await, 0);
    }

    async fn a_token_is_worth_what_its_key_is_worth(algorithm: &str) {
        let site = site_of(algorithm).await;
        let browser = site.registered("mina").await;
        let (mint, lines) = (access_mint(&site, &browser), [bearer(&browser.access()).unwrap()]);
        let made = [bearer(&mint.good()).unwrap()];
        let put = async |change: &str| {
            site.database().execute_batch(change).unwrap();
            site.app.core.verifier.reload().await;
            let (one, two) = (&lines, &made);
            let statuses = [
                shown(&site, Method::GET, "/user/info", one).await.status.as_u16(),
                shown(&site, Method::GET, "/user/info", two).await.status.as_u16(),
            ];
            assert_eq!(statuses[0], statuses[1]);
            statuses[0]
        };
        for (status, answer) in [("active", 200), ("retired", 200), ("revoked", 401), ("next", 200), ("revoked", 401)] {
            assert_eq!(put(&format!("UPDATE signing_keys SET status = '{status}'")).await, answer, "{status}");
        }
        assert_eq!(put("UPDATE signing_keys SET status = 'active'").await, 200);
        assert_eq!(put("DELETE FROM signing_keys").await, 401, "pruned");
    }

    async fn tokens_of_another_installation_are_worth_nothing(algorithm: &str) {
        let (site, other) = (site_of(algorithm).await, site_of(algorithm).await);
        let theirs = other.registered("mina").await;
        let ours = site.registered("mina").await;
        assert_eq!(welcomed(&other, &theirs.access(), &theirs.refresh()).await, 4);
        assert_eq!(welcomed(&site, &theirs.access(), &theirs.refresh()).await, 0);
        // With everything that can be read off our tokens, and their keys under our keys' names.
        let (access, refresh) = (access_mint(&site, &ours), refresh_mint(&site, &ours));
        let under = |mint: &Mint, key: munjigi::gate::SigningKey| {
            let named = munjigi::gate::SigningKey::from_bytes(key.algorithm(), mint.key.kid(), &key.to_bytes()).unwrap();
            Mint::new(&named, mint.typ, &mint.claims()).good()
        };
        let access = under(&access, real_keys::access_key(&other));
        let refresh = under(&refresh, real_keys::refresh_key(&other, &theirs.refresh()));
        assert_eq!(welcomed(&site, &access, &refresh).await, 0);
    }

    async fn an_expired_token_is_expired_on_its_second(algorithm: &str) {
        let site = site_of(algorithm).await;
        let browser = site.registered("mina").await;
        let (by_cookie, by_bearer) = (cookie("accessToken", &browser.access()), bearer(&browser.access()));
        let info = async |line: &Option<(HeaderName, HeaderValue)>| {
            shown(&site, Method::GET, "/user/info", &[line.clone().unwrap()]).await
        };
        site.clock.advance(Duration::from_millis(3_999));
        assert_eq!(info(&by_cookie).await.json()["loggedIn"], true);
        assert_eq!(info(&by_bearer).await.status, 200);
        site.clock.advance(Duration::from_millis(1));
        blind(&site);
        let expired = info(&by_cookie).await.expect(200).json();
        assert_eq!((&expired["loggedIn"], &expired["reason"]), (&Value::from(false), &Value::from("expired")));
        assert_eq!(info(&by_bearer).await.status, 401);
    }
}

/// A really signed refresh token whose own time is over needs no store to be refused.
#[tokio::test]
async fn an_expired_refresh_token_asks_no_store() {
    let site = Site::embedded().await;
    let browser = site.registered("mina").await;
    let mint = refresh_mint(&site, &browser);
    let mut claims = mint.claims();
    claims["exp"] = claims["iat"].clone();
    let expired = mint.saying(claims.to_string());
    blind(&site);
    let info = shown(&site, Method::GET, "/user/info", &[cookie("refreshToken", &expired).unwrap()]).await.expect(200);
    assert_eq!((&info.json()["loggedIn"], &info.json()["reason"]), (&json!(false), &json!("expired")));
    assert!(info.clears_cookies());
}

/// By way of the address, of a form and of JSON a token is nothing but text.
#[tokio::test]
async fn a_token_in_the_address_or_in_the_body_counts_for_nothing() {
    let site = Site::embedded().await;
    let browser = site.registered("mina").await;
    let (access, refresh) = (browser.access(), browser.refresh());
    blind(&site);
    for name in
        ["access_token", "accessToken", "token", "jwt", "id_token", "Authorization", "refresh_token", "refreshToken"]
    {
        for token in [&access, &refresh] {
            let info = site.browser().get_json(&format!("/user/info?{name}={token}")).await.expect(200);
            assert!(info.json()["loggedIn"] == false && info.keeps_cookies(), "{name}");
            let path = format!("/user/account?{name}={token}");
            site.browser().get_json(&path).await.problem(401, "login_required");
            let by_form = site.browser().post_form("/user/refresh", &[(name, token)]).await;
            assert!(!by_form.status.is_success() && !by_form.status.is_server_error() && by_form.keeps_cookies());
            let by_json = site.browser().post_json("/user/refresh", json!({ name: token })).await;
            by_json.problem(401, "session_ended");
            site.browser().post_json("/user/logout", json!({ name: token })).await.expect(200);
        }
    }
    see(&site);
    assert!(browser.clone().is_signed_in().await);
}
