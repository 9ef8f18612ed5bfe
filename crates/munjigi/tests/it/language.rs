//! The language of pages and of messages.

use crate::harness::Site;

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
