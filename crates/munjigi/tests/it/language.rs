//! The language of pages and of messages.

use serde_json::json;

use crate::harness::{PASSWORD, Site};

async fn language_of(browser: &mut crate::harness::Browser, path: &str) -> String {
    let page = browser.get(path).await.body;
    page.split_once("<html lang=\"").expect("a page says its language").1.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn pages_are_in_the_language_that_the_browser_asks_for() {
    let site = Site::embedded().await;
    for (accept, language) in [
        ("ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        ("en-GB", "en"),
        ("de-DE,ko;q=0.5", "ko"),
        ("fr", "en"),
        ("rubbish;;;", "en"),
    ] {
        let mut browser = site.browser().with("accept-language", accept);
        assert_eq!(language_of(&mut browser, "/user/login").await, language, "{accept}");
    }
    assert_eq!(language_of(&mut site.browser(), "/user/login").await, "en");
}

#[tokio::test]
async fn a_choice_sticks() {
    let site = Site::embedded().await;
    let mut browser = site.browser().with("accept-language", "en");
    let chosen = browser.get("/user/login?lang=ko").await.expect(200);
    assert_eq!(chosen.cookies(), ["munjigi-language=ko; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"]);
    assert_eq!(language_of(&mut browser, "/user/register").await, "ko");
    assert_eq!(language_of(&mut browser, "/user/register?lang=en").await, "en");
    assert_eq!(language_of(&mut browser, "/user/login").await, "en");
    let unknown = browser.get("/user/login?lang=xx%3B%20a=b").await.expect(200);
    assert_eq!(unknown.cookies().len(), 0);
}

#[tokio::test]
async fn failures_are_told_in_it_too_and_their_codes_stay() {
    let site = Site::embedded().await;
    let mut korean = site.browser().with("accept-language", "ko");
    let refused = korean.log_in("nobody").await;
    let ours = refused.problem(401, "invalid_credentials");
    let english = site.browser().log_in("nobody").await.problem(401, "invalid_credentials");
    assert_ne!(ours["msg"], english["msg"]);
    assert!(ours["msg"].as_str().unwrap().chars().any(|c| ('가'..='힣').contains(&c)), "{ours}");
    assert_eq!(ours["type"], english["type"]);
}

#[tokio::test]
async fn the_switch_keeps_the_page_one_is_on() {
    let site = Site::embedded().await;
    let page = site.browser().get("/user/login?return_to=%2Fapp").await.body;
    assert!(page.contains("/user/login?return_to=%2Fapp&amp;lang=ko"), "{page}");
}

/// What the switch sends where there is a form: the same page comes back in the other language, and nothing was done.
#[tokio::test]
async fn the_switch_keeps_what_was_typed_but_passwords_and_does_nothing_else() {
    let site = Site::with(&[("limits.log_in_account", "1/15m")]).await;
    site.registered("mina").await;
    let typed = [
        ("username", "mi\"na"),
        ("password", "my own secret"),
        ("remember", "true"),
        ("return_to", "/app"),
        ("keep", "ko"),
    ];
    let mut browser = site.browser().with("accept-language", "en");
    for _ in 0..3 {
        let page = browser.post_form("/user/login?lang=ko", &typed).await.expect(200);
        assert!(page.body.contains("<html lang=\"ko\"") && page.body.contains("value=\"mi&quot;na\""), "{}", page.body);
        assert!(page.body.contains("type=\"checkbox\" value=\"true\" checked") && page.body.contains("value=\"/app\""));
        assert!(!page.body.contains("my own secret") && !page.body.contains("role=\"alert\""), "{}", page.body);
        assert_eq!(page.cookies(), ["munjigi-language=ko; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"]);
    }
    browser.log_in("mina").await.expect(200);

    let typed =
        [("username", "jiho"), ("name", "지호"), ("password", PASSWORD), ("confirmPassword", PASSWORD), ("keep", "en")];
    let page = site.browser().post_form("/user/register?lang=en", &typed).await.expect(200);
    assert!(
        page.body.contains("value=\"jiho\"") && page.body.contains("value=\"지호\"") && !page.body.contains(PASSWORD)
    );
    assert!(!page.sets_cookies());
    site.browser().log_in("jiho").await.problem(401, "invalid_credentials");

    let mut mina = site.logged_in("mina").await;
    let page = mina.post_form("/user/account/name?lang=ko", &[("name", "미나"), ("keep", "ko")]).await.expect(200);
    assert!(page.body.contains("value=\"미나\"") && page.body.contains("<html lang=\"ko\""));
    assert_eq!(mina.info().await["user"]["name"], "Mina");
}

/// Somebody changes the language because they cannot read why they are to log in.
#[tokio::test]
async fn the_switch_keeps_why_one_has_to_log_in_and_where_to_go_on() {
    let site = Site::embedded().await;
    let here = "/user/login?return_to=%2Fapp&reason=ended&lang=ko";
    let typed = [("username", "mina"), ("return_to", "/app"), ("keep", "ko")];
    let page = site.browser().post_form(here, &typed).await.expect(200).body;
    assert!(
        page.contains("이 기기에서 로그아웃됐어요.") && page.contains("name=\"return_to\" value=\"/app\""),
        "{page}"
    );
    let back = "/user/login?return_to=%2Fapp&amp;reason=ended&amp;lang=en";
    assert!(page.contains(&format!("formaction=\"{back}\"")), "and back again: {page}");

    let mut mina = site.registered("mina").await;
    site.clock.advance(std::time::Duration::from_secs(100));
    let typed = [("username", "mina"), ("keep", "en")];
    let page = mina.post_form("/user/login?max_age=60&lang=en", &typed).await.expect(200).body;
    assert!(page.contains("Please enter your password again to go on.") && !page.contains("/user/register"), "{page}");
    assert!(mina.is_signed_in().await);
}

/// The script asks for the page by its address: where to go on must stand there, also after a form came back.
#[tokio::test]
async fn a_form_that_came_back_still_knows_where_to_go_on_in_another_language() {
    let site = Site::embedded().await;
    for (path, status) in [("/user/login", 401), ("/user/register", 422)] {
        let page = site.browser().get(&format!("{path}?return_to=%2Fapp%3Fa%3D1&reason=ended")).await.body;
        let action = format!("action=\"{path}?return_to=%2Fapp%3Fa%3D1\"");
        assert!(page.contains(&action), "{page}");
        let typed = [("username", "nobody"), ("password", "wrong-one"), ("return_to", "/app?a=1")];
        let page = site.browser().post_form(&format!("{path}?return_to=%2Fapp%3Fa%3D1"), &typed).await;
        let switch = format!("data-page=\"{path}?return_to=%2Fapp%3Fa%3D1&amp;lang=ko\"");
        let page = page.expect(status).body;
        assert!(page.contains(&action) && page.contains(&switch), "{page}");
    }
    for path in ["/user/login", "/user/register"] {
        for nowhere in [format!("/{}", "x".repeat(2_048)), "//elsewhere.example".to_owned()] {
            let page =
                site.browser().post_form(path, &[("return_to", &nowhere), ("keep", "en")]).await.expect(200).body;
            assert!(!page.contains("xxxx") && !page.contains("elsewhere"), "what is not followed is not carried");
        }
    }
}

/// A program may call a member of its own `keep`, and so may a form: only a language is for the switch.
#[tokio::test]
async fn whoever_keeps_something_else_is_not_kept_from_logging_in() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    for keep in [json!(true), json!("ko"), json!({ "me": ["here"] }), json!(null), json!(7)] {
        let body = json!({ "username": "mina", "password": PASSWORD, "keep": keep });
        site.browser().post_json("/user/login", body).await.expect(200);
        let name = json!({ "name": "Minah", "keep": keep });
        let done = site.logged_in("mina").await.post_json("/user/account/name", name).await.expect(200);
        assert_eq!(done.json()["user"]["name"], "Minah");
    }
    for keep in ["on", "true", "", "xx"] {
        let typed = [("username", "mina"), ("password", PASSWORD), ("keep", keep)];
        site.browser().post_form("/user/login", &typed).await.expect(303);
    }
    let form =
        json!({ "username": "jiho", "password": PASSWORD, "confirmPassword": PASSWORD, "name": "Jiho", "keep": "ko" });
    site.browser().post_json("/user/register", form).await.expect(201);
}

/// The attack: a switch that logs in, registers or shows what it should not, from a page elsewhere.
#[tokio::test]
async fn the_switch_is_no_way_around_the_same_origin_check() {
    let site = Site::embedded().await;
    let mut elsewhere = site.browser().with("origin", "https://evil.example").with("sec-fetch-site", "cross-site");
    for path in ["/user/login", "/user/register", "/user/account/name"] {
        let page = elsewhere.post_form(path, &[("username", "mina"), ("name", "Mina"), ("keep", "ko")]).await;
        assert_eq!(page.status.as_u16(), 403, "{path}");
    }
}
