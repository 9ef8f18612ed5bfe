//! Where a log-in leads (section 8): our own origin, or exactly one that is trusted.

use crate::harness::{PASSWORD, Site};

#[tokio::test]
async fn a_log_in_never_leads_to_a_strange_site() {
    let site = Site::with(&[("server.public_url", "http://auth.example.com")]).await;
    site.registered("mina").await;
    let own = url::Url::parse("http://auth.example.com/user/login").unwrap();
    for attack in [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "https:/evil.example",
        "http://auth.example.com@evil.example",
        "http://auth.example.com.evil.example",
        "http://auth.example.com:81",
        "https://auth.example.com",
        "/..//evil.example",
        "/.//evil.example",
        "/%2e%2e//evil.example",
        "\t//evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example\\@auth.example.com",
        "http://auth.example.com\\.evil.example",
        "http://[::1]/",
        "/user/info\r\nset-cookie: a=b",
        &format!("/{}", "a".repeat(2048)),
    ] {
        let form = [("username", "mina"), ("password", PASSWORD), ("return_to", attack)];
        let reply = site.browser().post_form("/user/login", &form).await.expect(303);
        let there = own.join(reply.location()).unwrap();
        assert_eq!(there.origin(), own.origin(), "{attack:?} -> {}", reply.location());
        assert!(!reply.location().starts_with("//") && !reply.location().starts_with("/\\"), "{attack:?}");
        assert!(!reply.headers.get_all("set-cookie").iter().any(|line| line == "a=b"));
    }
}

#[tokio::test]
async fn trusted_origins_are_led_to_exactly() {
    let settings =
        [("server.public_url", "https://auth.example.com"), ("server.trusted_origins", "https://app.example.com")];
    let site = Site::with(&settings).await;
    let mut browser = site.browser();
    browser.register("mina").await.expect(201);
    for (asked, led) in [
        ("https://app.example.com/board?p=1#top", "https://app.example.com/board?p=1#top"),
        ("https://app.example.com", "https://app.example.com/"),
        ("https://auth.example.com/user/account", "/user/account"),
        ("http://app.example.com/", "/user/info"),
        ("https://app.example.com:8443/", "/user/info"),
        ("https://app.example.com.evil.example/", "/user/info"),
        ("https://x.app.example.com/", "/user/info"),
        ("https://app.example.com@evil.example/", "/user/info"),
        ("https://user@app.example.com/", "/user/info"),
    ] {
        let body = serde_json::json!({ "username": "mina", "password": PASSWORD, "return_to": asked });
        let json = site.browser().post_json("/user/login", body).await.expect(200).json();
        assert_eq!(json["returnTo"], led, "{asked}");
    }
}

#[tokio::test]
async fn the_host_header_leads_nobody_anywhere() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    let form = [("username", "mina"), ("password", PASSWORD), ("return_to", "http://evil.example/x")];
    let mut browser = site.browser().with("host", "evil.example").with("x-forwarded-host", "evil.example");
    assert_eq!(browser.post_form("/user/login", &form).await.expect(303).location(), "/user/info");
    assert_eq!(browser.get("/").await.location(), "/user/info");
}
