//! `POST /user/check`: what is said of what is being typed.

use serde_json::{Value, json};

use crate::harness::{PASSWORD, Site, application};

#[tokio::test]
async fn what_is_said_while_typing_is_what_the_form_will_say() {
    let site = Site::embedded().await;
    for language in ["en", "ko"] {
        for form in [
            json!({ "username": "a b", "password": "short", "confirmPassword": "other", "name": "\u{202e}" }),
            json!({ "username": "admin", "password": "password1", "confirmPassword": "password1", "name": "x".repeat(65) }),
            json!({ "username": "mina.kim", "password": "MINA.kim 2019", "confirmPassword": "", "name": "Mina" }),
            json!({ "username": "x", "password": "munjigi-1234", "confirmPassword": "munjigi-1234", "name": "Mina" }),
            json!({ "username": "mina", "password": "y".repeat(257), "confirmPassword": "y", "name": "Mina" }),
        ] {
            let mut browser = site.browser().with("accept-language", language);
            let said = browser.post_json("/user/check", form.clone()).await.expect(200).json();
            let refused = browser.post_json("/user/register", form).await.problem(422, "validation_failed");
            assert_eq!(said["errors"], refused["errors"]);
        }
    }
}

#[tokio::test]
async fn what_is_not_typed_yet_is_not_judged() {
    let site = Site::embedded().await;
    let said = site.browser().post_json("/user/check", json!({})).await.expect(200);
    assert_eq!(said.json(), json!({ "errors": {}, "strength": null }));
    assert_eq!(said.header("cache-control"), Some("no-store"));
    let said = site.browser().post_json("/user/check", json!({ "username": "mina" })).await.expect(200).json();
    assert_eq!(said, json!({ "errors": {}, "strength": null }));
}

#[tokio::test]
async fn a_password_is_weighed_and_what_would_help_is_said() {
    let site = Site::embedded().await;
    let mut browser = site.browser().with("accept-language", "en");
    let mut weigh =
        async |body: Value| browser.post_json("/user/check", body).await.expect(200).json()["strength"].clone();
    assert_eq!(
        weigh(json!({ "newPassword": "kettlekettlekettle" })).await,
        json!({ "score": 1, "label": "Weak.", "advice": "Repeating something adds little. Add other words." })
    );
    assert_eq!(weigh(json!({ "password": "nothing borrowed, 9 ducks" })).await["score"], 4);
    assert_eq!(weigh(json!({ "password": "short" })).await["score"], 0, "what is refused is never called strong");
    for name in ["Kimtrio", "Mina Kimtrio"] {
        assert_eq!(weigh(json!({ "password": "kimtrio 1984", "name": name })).await["score"], 1);
    }
}

/// The attack: to learn who has an account here, at no cost.
#[tokio::test]
async fn nobody_learns_whether_a_username_is_taken() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    let mut browser = site.browser();
    let taken = browser.post_json("/user/check", application("mina")).await.expect(200).json();
    let free = browser.post_json("/user/check", application("jiho")).await.expect(200).json();
    assert_eq!(taken, free);
    assert_eq!(taken["errors"], json!({}));
}

/// The attack: a page elsewhere that has its visitors' browsers ask, by a form or by a script.
#[tokio::test]
async fn another_sites_page_gets_no_answer() {
    let site = Site::embedded().await;
    let mut elsewhere = site.browser().with("origin", "https://evil.example").with("sec-fetch-site", "cross-site");
    elsewhere.post_json("/user/check", application("mina")).await.problem(403, "cross_origin");
    let form = site.browser().post_form("/user/check", &[("password", PASSWORD)]).await;
    assert_eq!(form.status.as_u16(), 415);
}

/// The attack: bodies that are made to be slow. (What is looked at is bounded, and nothing is asked that others wait for.)
#[tokio::test]
async fn a_hostile_password_is_no_work() {
    let site = Site::embedded().await;
    for password in
        ["4@8({[<369&#!1/|0$5+7%2".repeat(10), "가".repeat(20_000), "ab".repeat(30_000), "\u{0}".repeat(100)]
    {
        let body = json!({ "password": password, "username": "a".repeat(1_000), "name": "b".repeat(1_000) });
        let said = site.browser().post_json("/user/check", body).await.expect(200).json();
        assert!(said["strength"]["score"].as_u64().is_some_and(|score| score <= 4));
    }
    site.browser().post_json("/user/check", json!({ "password": "a".repeat(70_000) })).await.problem(413, "too_large");
    site.browser().post_json("/user/check", json!({ "password": 7 })).await.problem(400, "malformed");
}
