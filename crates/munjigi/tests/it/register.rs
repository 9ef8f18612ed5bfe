//! `GET, POST /user/register`

use serde_json::json;

use crate::harness::{PASSWORD, Site, application};

#[tokio::test]
async fn somebody_who_registers_is_signed_in_at_once() {
    let site = Site::embedded().await;
    let mut browser = site.browser();
    let welcome = browser.post_json("/user/register", application("mina")).await.expect(201);
    let user = browser.info().await["user"].clone();
    assert_eq!(welcome.json(), json!({ "success": true, "user": user }));
    assert_eq!((&user["username"], &user["name"]), (&json!("mina"), &json!("Mina")));
    assert!(welcome.sets_cookies());
    assert_eq!(welcome.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_form_leads_on_as_log_in_does() {
    let site = Site::embedded().await;
    let fields = |name| [("username", name), ("password", PASSWORD), ("confirmPassword", PASSWORD), ("name", "Mina")];
    let mut browser = site.browser();
    let there = browser.post_form("/user/register", &fields("mina")).await.expect(303);
    assert_eq!(there.location(), "/user/info");
    assert!(there.sets_cookies() && browser.is_signed_in().await);
    let fields = [&fields("jiho")[..], &[("return_to", "/app?x=1")]].concat();
    let there = site.browser().post_form("/user/register", &fields).await.expect(303);
    assert_eq!(there.location(), "/app?x=1");
}

#[tokio::test]
async fn the_front_end_of_the_tutorial_can_register() {
    let site = Site::embedded().await;
    let form = json!({ "id": "mina01", "password": PASSWORD, "confirmPassword": PASSWORD, "nickName": "미나" });
    let user = site.browser().post_json("/user/register", form).await.expect(201).json()["user"].clone();
    assert_eq!((&user["username"], &user["name"]), (&json!("mina01"), &json!("미나")));
}

#[tokio::test]
async fn everything_wrong_with_a_form_is_said_at_once_by_field() {
    let site = Site::embedded().await;
    let form = json!({ "username": "a b", "password": "short", "confirmPassword": "other", "name": "" });
    let refused = site.browser().post_json("/user/register", form).await;
    let problem = refused.problem(422, "validation_failed");
    let fields: Vec<_> = problem["errors"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields, ["username", "password", "confirmPassword", "name"]);
    assert!(refused.keeps_cookies());
    let nothing = site.browser().post_json("/user/register", json!({})).await.problem(422, "validation_failed");
    insta::assert_snapshot!(serde_json::to_string_pretty(&nothing).unwrap(), @r#"
    {
      "type": "urn:munjigi:problem:validation_failed",
      "title": "Please check what you entered",
      "status": 422,
      "detail": "Some of it needs another look.",
      "success": false,
      "code": "validation_failed",
      "msg": "Some of it needs another look.",
      "errors": {
        "username": "Please fill this in.",
        "password": "Please fill this in.",
        "name": "Please fill this in."
      }
    }
    "#);
}

#[tokio::test]
async fn what_may_be_a_username_name_and_password_ends_where_the_design_says() {
    let site = Site::embedded().await;
    let refused = |field: &'static str, value: String| {
        let mut form = application("mina");
        form[field] = value.clone().into();
        if field == "password" {
            form["confirmPassword"] = value.into();
        }
        // Never the same name twice.
        if field != "username" {
            form["username"] = format!("user{:x}", form.to_string().len() * 7919 % 9973).into();
        }
        let mut browser = site.browser();
        async move {
            let reply = browser.post_json("/user/register", form).await;
            if reply.status == 201 {
                None
            } else {
                reply.problem(422, "validation_failed")["errors"][field].as_str().map(str::to_owned)
            }
        }
    };
    let pass = "ab7-".repeat(64);
    for (field, value, is_fine) in [
        ("username", "abc".to_owned(), false),
        ("username", "abcd".to_owned(), true),
        ("username", "A.b_c-9".to_owned(), true),
        ("username", "x".repeat(32), true),
        ("username", "x".repeat(33), false),
        ("username", "미나미나".to_owned(), false),
        ("username", "mina mina".to_owned(), false),
        ("username", "mina\u{200b}".to_owned(), false),
        ("password", "1x9b5qe".to_owned(), false),
        ("password", "1x9b5qe7".to_owned(), true),
        ("password", "나의 비밀번호!".to_owned(), true),
        ("password", pass[..256].to_owned(), true),
        ("password", format!("{pass}!"), false),
        ("password", "password1".to_owned(), false),
        ("name", "가".repeat(64), true),
        ("name", "가".repeat(65), false),
        ("name", "   ".to_owned(), false),
        ("name", "a\u{202e}b".to_owned(), false),
        ("name", "a\nb".to_owned(), false),
    ] {
        let outcome = refused(field, value.clone()).await;
        assert_eq!(outcome.is_none(), is_fine, "{field} {value:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_password_must_not_hold_the_username() {
    let site = Site::embedded().await;
    let mut form = application("mina99");
    form["password"] = json!("xx-Mina99-yy");
    form["confirmPassword"] = json!("xx-Mina99-yy");
    let problem = site.browser().post_json("/user/register", form).await.problem(422, "validation_failed");
    assert!(problem["errors"]["password"].is_string(), "{problem}");
}

#[tokio::test]
async fn a_username_is_taken_in_any_case() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    for username in ["mina", "MINA", "mInA"] {
        let refused = site.browser().post_json("/user/register", application(username)).await;
        let problem = refused.problem(409, "username_taken");
        assert!(problem["errors"]["username"].is_string() && refused.keeps_cookies(), "{problem}");
    }
    assert_eq!(site.browser().log_in("MiNa").await.expect(200).json()["user"]["username"], "mina");
}

#[tokio::test]
async fn reserved_names_are_not_to_be_had_here() {
    let site = Site::embedded().await;
    for username in ["admin", "Root", "SUPPORT", "munjigi"] {
        let form = application(username);
        let problem = site.browser().post_json("/user/register", form).await.problem(422, "validation_failed");
        let errors = problem["errors"].as_object().unwrap();
        assert!(errors.contains_key("username") || username == "Root", "{problem}");
    }
}

#[tokio::test]
async fn where_registration_is_closed_nobody_registers() {
    let site = Site::with(&[("accounts.registration", "closed")]).await;
    let refused = site.browser().post_json("/user/register", application("mina")).await;
    refused.problem(403, "forbidden");
    assert!(refused.keeps_cookies());
    let asked = site.browser().get_json("/user/register").await.expect(200).json();
    assert_eq!(asked["registrationOpen"], false);
    let page = site.browser().get("/user/register").await.expect(200).body;
    assert!(!page.contains("<input"), "no form to fill in: {page}");
    assert!(!site.browser().get("/user/login").await.body.contains("/user/register"), "no link to it");
}

#[tokio::test]
async fn a_form_comes_back_with_what_was_typed_but_the_passwords() {
    let site = Site::embedded().await;
    let fields = [("username", "mina"), ("password", "hunter2x"), ("confirmPassword", "else"), ("name", "Mina <b>")];
    let page = site.browser().post_form("/user/register", &fields).await.expect(422);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.body.contains(r#"value="mina""#) && page.body.contains("Mina &lt;b&gt;"), "{}", page.body);
    assert!(!page.body.contains("hunter2x"));
}

#[tokio::test]
async fn somebody_signed_in_is_led_on() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    assert_eq!(browser.get("/user/register").await.expect(303).location(), "/user/info");
    assert_eq!(browser.get("/user/register?return_to=%2Fapp").await.expect(303).location(), "/app");
}

#[tokio::test]
async fn registering_ends_the_session_that_the_cookies_name() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let mut before = browser.clone();
    browser.register("jiho").await.expect(201);
    assert_eq!(browser.info().await["user"]["username"], "jiho");
    before.is_signed_out_because("ended").await;
}

#[tokio::test]
async fn nothing_else_that_is_sent_has_an_effect() {
    let site = Site::embedded().await;
    let mut form = application("mina");
    for (member, value) in [
        ("userId", json!("00000000-0000-0000-0000-000000000000")),
        ("epoch", json!(99)),
        ("enabled", json!(false)),
        ("role", json!("admin")),
        ("isAdmin", json!(true)),
        ("__proto__", json!({ "admin": true })),
    ] {
        form[member] = value;
    }
    let user = site.browser().post_json("/user/register", form).await.expect(201).json()["user"].clone();
    assert_eq!(user.as_object().unwrap().len(), 3, "{user}");
    assert_eq!(site.browser().log_in("mina").await.expect(200).json()["user"], user);
}
