//! Values of another type than expected, and members that occur twice: refused, and never a fault of ours.

use serde_json::{Value, json};

use super::{state, tell};
use crate::harness::{Browser, PASSWORD, Site};

/// Each route that reads a body, with the members that it knows.
const ROUTES: [(&str, &[&str]); 6] = [
    ("/user/login", &["username", "id", "password", "remember", "return_to", "returnTo"]),
    ("/user/register", &["username", "id", "password", "confirmPassword", "name", "nickName", "return_to", "returnTo"]),
    ("/user/account/name", &["name", "nickName"]),
    ("/user/account/password", &["currentPassword", "newPassword", "confirmPassword"]),
    ("/api/v1/sessions", &["username", "password"]),
    ("/api/v1/sessions/refresh", &["refreshToken"]),
];

/// JSON that is no text, as it is written.
fn strange() -> Vec<String> {
    let mut strange: Vec<String> = [
        "[]",
        "{}",
        "[\"mina\"]",
        "[\"a\",\"b\"]",
        "{\"$ne\":null}",
        "{\"$gt\":\"\"}",
        "{\"toString\":\"x\"}",
        "{\"length\":1}",
        "0",
        "-0",
        "1",
        "-1",
        "1.5",
        "1e999",
        "-1e999",
        "1E400",
        "123456789012345678901234567890",
        "true",
        "false",
        "[[[[]]]]",
        "{\"a\":{\"b\":{}}}",
        "[null]",
        "NaN",
        "Infinity",
        "undefined",
        "'x'",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\x41\"",
        "\"\u{1}\"",
        "\"\n\"",
        "\"unterminated",
        "0x10",
        "01",
        ".5",
        "1.",
        "+1",
        "\"\\u12\"",
        "/**/\"x\"",
        "\"x\",",
        "`x`",
        "\"\\",
    ]
    .map(str::to_owned)
    .to_vec();
    strange.push("[".repeat(2_000) + &"]".repeat(2_000));
    strange.push("{\"a\":".repeat(2_000) + "1" + &"}".repeat(2_000));
    strange.push("9".repeat(20_000));
    strange
}

/// `remember` may be a boolean, and anything may be nothing.
fn is_fine(member: &str, value: &str) -> bool {
    member == "remember" && ["true", "false"].contains(&value)
}

async fn stage() -> (Site, Browser) {
    let site = Site::with(&[("limits.enabled", "false")]).await;
    let mina = site.registered("mina").await;
    (site, mina)
}

#[tokio::test]
async fn a_value_of_another_type_is_refused() {
    let (site, mina) = stage().await;
    let before = state(&site);
    let mut tried = 0;
    for (path, members) in ROUTES {
        for member in members {
            for value in strange().iter().filter(|value| !is_fine(member, value)) {
                let body = format!("{{\"{member}\":{value}}}");
                let reply = mina.clone().post(path, "application/json", body).await;
                assert_eq!(reply.status, 400, "{path} {member} {value:.60}: {}", reply.body);
                assert_eq!(reply.code(), "malformed");
                tried += 1;
            }
            let nothing = mina.clone().post_json(path, json!({ *member: null })).await;
            nothing.problem(422, "validation_failed");
        }
    }
    assert_eq!(state(&site), before);
    tell(&format!("types: {tried} tried, 0 taken, 0 answered 5xx"));
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused() {
    let (site, mina) = stage().await;
    let before = state(&site);
    let whole = json!({ "username": "mina", "password": PASSWORD, "name": "Gone" });
    let mut bodies: Vec<String> = strange();
    bodies.extend([
        format!("[{whole}]"),
        format!("{whole}{whole}"),
        format!("{whole},"),
        format!("\u{feff}{whole}"),
        format!("({whole})"),
        format!("callback({whole})"),
        format!(")]}}'\n{whole}"),
        Value::from(whole.to_string()).to_string(),
        whole.to_string().replace('"', "'"),
        whole.to_string().replace(':', "="),
        whole.to_string().replace(',', ",/*x*/"),
        whole.to_string().replace('}', ",}"),
        format!("\0{whole}"),
        "null".to_owned(),
        String::new(),
    ]);
    let mut tried = 0;
    for (path, _) in ROUTES {
        // An object without members is an object.
        for body in bodies.iter().filter(|body| *body != "{}" && !body.starts_with("{\"")) {
            let reply = mina.clone().post(path, "application/json", body.clone()).await;
            assert_eq!(reply.status, 400, "{path} {body:.60}: {}", reply.body);
            tried += 1;
        }
    }
    assert_eq!(state(&site), before);
    tell(&format!("bodies that are no objects: {tried} tried, 0 taken, 0 answered 5xx"));
}

/// Two readers of one request must not see two different things in it.
#[tokio::test]
async fn a_doubled_member_is_refused_under_any_spelling() {
    let (site, mina) = stage().await;
    let before = state(&site);
    let mut tried = 0;
    for (path, members) in ROUTES {
        for member in members.iter() {
            let escaped = format!("\\u{:04x}{}", u32::from(member.chars().next().unwrap()), &member[1..]);
            let percent = format!("%{:02X}{}", u32::from(member.chars().next().unwrap()), &member[1..]);
            for (first, second) in [("a", "b"), ("a", "a"), ("", "b"), ("b", "")] {
                for body in [
                    format!(r#"{{"{member}":"{first}","{member}":"{second}"}}"#),
                    format!(r#"{{"{member}":"{first}","{escaped}":"{second}"}}"#),
                    format!(r#"{{"{member}":null,"{member}":"{second}"}}"#),
                ] {
                    let reply = mina.clone().post(path, "application/json", body.clone()).await;
                    assert_eq!(reply.status, 400, "{path} {body}: {}", reply.body);
                    tried += 1;
                }
                for body in
                    [format!("{member}={first}&{member}={second}"), format!("{member}={first}&x=y&{percent}={second}")]
                {
                    let reply = mina.clone().post(path, "application/x-www-form-urlencoded", body.clone()).await;
                    let expected = if path.starts_with("/api/") { 415 } else { 400 };
                    assert_eq!(reply.status, expected, "{path} {body}");
                    tried += 1;
                }
            }
        }
    }
    // Two names of one member: for `return_to` they are one; of `username` and `id` the first of the two always counts.
    for body in ["return_to=/a&returnTo=/b", "returnTo=/b&return_to=/a"] {
        let body = format!("username=mina&{body}");
        mina.clone().post("/user/login", "application/x-www-form-urlencoded", body).await.expect(400);
    }
    assert_eq!(state(&site), before);
    for members in [
        format!(r#""username":"mina","id":"victim","password":"{PASSWORD}""#),
        format!(r#""id":"victim","password":"{PASSWORD}","username":"mina""#),
    ] {
        let mut browser = site.browser();
        browser.post("/user/login", "application/json", format!("{{{members}}}")).await.expect(200);
        assert_eq!(browser.info().await["user"]["username"], "mina");
    }
    tell(&format!("doubled members: {tried} tried, 0 taken"));
}

#[tokio::test]
async fn hostile_forms_are_refused_or_only_wrong() {
    let (site, mina) = stage().await;
    let before = state(&site);
    let mut tried = 0;
    for (path, members) in ROUTES.into_iter().filter(|(path, _)| !path.starts_with("/api/")) {
        for member in members {
            for value in [
                "%",
                "%2",
                "%zz",
                "%ff",
                "%c0%80",
                "%00",
                "%ed%a0%80",
                "%f8%88%80%80%80",
                "a%00b",
                "%0d%0a",
                "%e2%80%ae",
                "+",
                "%2b",
                "=",
                "==",
                "a=b=c",
                ";a=b",
                "[]",
                "%u0041",
                "%26admin%3d1",
                "\u{fffd}",
                "&amp;x=y",
            ] {
                for body in [
                    format!("{member}={value}"),
                    format!("{member}[]={value}"),
                    format!("{member}[a]={value}"),
                    format!("{value}={member}"),
                ] {
                    let reply = mina.clone().post(path, "application/x-www-form-urlencoded", body.clone()).await;
                    let fine = [400, 401, 422].contains(&reply.status.as_u16());
                    // A name may hold nearly anything.
                    let named = path.ends_with("/name") && reply.status == 303;
                    assert!(fine || named, "{path} {body}: {}", reply.status);
                    tried += 1;
                }
            }
        }
    }
    let names = |lines: &[String]| lines.iter().filter(|line| !line.contains("\"users\"")).cloned().collect::<Vec<_>>();
    assert_eq!(names(&state(&site)), names(&before));
    tell(&format!("hostile forms: {tried} tried, 0 answered 5xx"));
}
