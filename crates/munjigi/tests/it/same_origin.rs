//! Unsafe requests come from our own pages, or from no browser at all. What others send is in `web_attacks/cross_site.rs`.

use serde_json::json;

use crate::harness::Site;

#[tokio::test]
async fn our_own_pages_and_programs_pass() {
    let site = Site::embedded().await;
    let browser = site.registered("mina").await;
    for headers in [
        &[][..],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:3000")],
        &[("sec-fetch-site", "none")],
        &[("origin", "http://localhost:3000")],
    ] {
        let mut tab = headers.iter().fold(browser.clone(), |tab, (name, value)| tab.with(name, value));
        tab.post_json("/user/account/name", json!({ "name": "Minah" })).await.expect(200);
    }
}

#[tokio::test]
async fn links_from_other_sites_may_lead_here() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await.with("sec-fetch-site", "cross-site");
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn trusted_origins_may_post_and_call_with_credentials() {
    let site = Site::with(&[("server.trusted_origins", "https://app.example.com")]).await;
    let app = "https://app.example.com";
    let mut browser = site.registered("mina").await.with("origin", app).with("sec-fetch-site", "same-site");
    let done = browser.post_json("/user/account/name", json!({ "name": "Minah" })).await.expect(200);
    assert_eq!(done.header("access-control-allow-origin"), Some(app));
    assert_eq!(done.header("access-control-allow-credentials"), Some("true"));
    let mut evil = site.browser().with("origin", "https://evil.example");
    assert_eq!(evil.get_json("/user/info").await.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn by_default_no_other_origin_may_read_anything() {
    let site = Site::embedded().await;
    for origin in ["https://evil.example", "null", "http://localhost:3001"] {
        let mut browser = site.registered(&format!("mina{}", origin.len())).await.with("origin", origin);
        let info = browser.get_json("/user/info").await.expect(200);
        assert_eq!(info.header("access-control-allow-origin"), None);
        let preflight = browser
            .request(http::Method::OPTIONS, "/user/info")
            .header("access-control-request-method", "POST")
            .body(String::new())
            .unwrap();
        assert_eq!(browser.send(preflight).await.header("access-control-allow-origin"), None);
    }
}
