//! `GET /user/info`: who am I?

use http::Method;
use serde_json::json;

use crate::harness::{Site, claims_of};

#[tokio::test]
async fn a_stranger_is_told_that_nobody_is_signed_in() {
    let site = Site::embedded().await;
    let info = site.browser().get_json("/user/info").await.expect(200);
    assert_eq!(info.json(), json!({ "loggedIn": false, "user": null, "session": null, "reason": null }));
    assert_eq!(info.header("content-type"), Some("application/json"));
    assert_eq!(info.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn somebody_signed_in_sees_their_user_and_session() {
    let site = Site::with(&[("tokens.refresh_ttl", "14d")]).await;
    let mut browser = site.registered("mina").await;
    let info = browser.get_json("/user/info").await.expect(200).json();
    let (access, refresh) = (claims_of(&browser.access()), claims_of(&browser.refresh()));
    let moment = |claim: &serde_json::Value| jiff::Timestamp::from_second(claim.as_i64().unwrap()).unwrap().to_string();
    assert_eq!(
        info,
        json!({
            "loggedIn": true,
            "user": { "id": access["sub"], "username": "mina", "name": "Mina" },
            "session": {
                "id": access["sid"],
                "expiresAt": moment(&refresh["exp"]),
                "accessExpiresAt": moment(&access["exp"]),
            },
            "reason": null,
        })
    );
}

#[tokio::test]
async fn a_person_gets_a_page_with_their_name_and_no_token_in_it() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let page = browser.get("/user/info").await.expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.body.contains("Mina"), "{}", page.body);
    assert!(!page.body.contains(&browser.access()) && !page.body.contains(&browser.refresh()));
}

#[tokio::test]
async fn a_name_is_shown_as_text_and_never_as_markup() {
    let site = Site::embedded().await;
    let mut browser = site.browser();
    let mut form = crate::harness::application("mina");
    form["name"] = json!("<script>alert(1)</script>");
    browser.post_json("/user/register", form).await.expect(201);
    for page in ["/user/info", "/user/account", "/user/logout"] {
        let page = browser.get(page).await.expect(200);
        assert!(!page.body.contains("<script>"), "{}", page.body);
    }
}

#[tokio::test]
async fn head_says_what_get_would_without_a_body() {
    let site = Site::embedded().await;
    let mut browser = site.browser();
    for path in ["/user/info", "/user/login", "/healthz", "/.well-known/jwks.json"] {
        let head = browser.send(browser.request(Method::HEAD, path).body(String::new()).unwrap()).await.expect(200);
        assert_eq!(head.body, "", "{path}");
        assert!(head.header("content-type").is_some(), "{path}");
    }
}

#[tokio::test]
async fn pages_hold_no_script_and_no_style_of_their_own() {
    let site = Site::embedded().await;
    let mut browser = site.browser();
    for path in ["/user/info", "/user/login", "/user/register", "/user/logout", "/user/nowhere"] {
        let page = browser.get(path).await.body;
        let (before, module) = page.split_once("<script type=\"module\" src=\"/user/static/munjigi.").unwrap();
        let page = format!("{before}{}", module.split_once(".js\"></script>").unwrap().1);
        for inline in ["<script", "<style", " style=", "onclick", "javascript:"] {
            assert!(!page.contains(inline), "{path}: {inline}");
        }
    }
}
