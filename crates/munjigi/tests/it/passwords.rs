//! Which passwords may be set, wherever one is set; and that a password is what was typed, all of it and nothing else.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Value, json};

use crate::harness::{Browser, PASSWORD, Place, Site, application};

async fn register(site: &Site, username: &str, password: &str) -> crate::harness::Reply {
    let mut form = application(username);
    form["password"] = json!(password);
    form["confirmPassword"] = json!(password);
    site.browser().post_json("/user/register", form).await
}

async fn change(browser: &Browser, password: &str) -> Value {
    browser.clone().change_password(PASSWORD, password).await.problem(422, "validation_failed")["errors"].clone()
}

#[tokio::test]
async fn a_password_is_exactly_what_was_typed() {
    let site = Site::embedded().await;
    let long = "0123456789 abcdefghij ".repeat(5);
    for (n, (right, others)) in [
        ("blue kettle 9", &["blue kettle 9 ", " blue kettle 9", "Blue kettle 9", "blue kettle", "blue  kettle 9"][..]),
        (" leading and trailing ", &["leading and trailing", " leading and trailing", "leading and trailing "]),
        ("with\0nothing inside", &["with", "withnothing inside", "with\0nothing", "with\0Nothing inside"]),
        ("tab\tand\nnewline", &["tab and newline", "tab\tand", "tab\tand\r\nnewline"]),
        ("full width: ＡＢＣ ①", &["full width: ABC 1", "full width: ABC ①"]),
        (long.as_str(), &[&long[..72], &long[..109], "0123456789 abcdefghij "]),
    ]
    .into_iter()
    .enumerate()
    {
        let username = format!("mina{n}");
        register(&site, &username, right).await.expect(201);
        site.browser().log_in_with(&username, right).await.expect(200);
        for other in others {
            let refused = site.browser().log_in_with(&username, other).await;
            refused.problem(401, "invalid_credentials");
        }
    }
}

#[tokio::test]
async fn any_length_from_8_to_256_and_any_characters_will_do() {
    let site = Site::embedded().await;
    for (n, password) in [
        "8 chars!".to_owned(),
        "all lower case and spaces".to_owned(),
        "🦀🦁🐻🐼🦀🦁🐻🐼".to_owned(),
        "가나다라 마바사아".to_owned(),
        "x1y2z3 w".repeat(8),
        "x1y2z3 w".repeat(32),
    ]
    .into_iter()
    .enumerate()
    {
        register(&site, &format!("mina{n}"), &password).await.expect(201);
    }
    for password in ["7 chars", &"x1y2z3 w".repeat(33)] {
        register(&site, "zoe.", password).await.problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn what_thousands_try_first_is_refused_wherever_a_password_is_set() {
    let site =
        Site::with(&[("pages.name", "Kettle Shop"), ("server.public_url", "https://auth.teapots.example")]).await;
    let mut browser = site.browser();
    browser.post_json("/user/register", application("mina")).await.expect(201);
    let list = include_str!("../../../munjigi-rules/src/password_common.txt");
    let common = list.lines().step_by(20).chain([
        "PASSWORD1",
        "dkssudgktpdy",
        "Kettle2026!",
        "kettle-shop-1",
        "Teapots#2026",
        "munjigi2026",
    ]);
    let mut tried = 0;
    for password in common {
        let refused = register(&site, "zoe.", password).await.problem(422, "validation_failed");
        assert!(refused["errors"]["password"].is_string(), "{password}: {refused}");
        assert!(change(&browser, password).await["newPassword"].is_string(), "{password}");
        tried += 1;
    }
    assert!(tried > 20, "{tried}");
}

#[test]
fn the_command_line_keeps_to_the_same_policy() {
    let place = Place::new();
    let add = |password: &str| place.run_with_input(&["user", "add", "mina", "--password-stdin"], password);
    for password in ["password123", "munjigi2026", "qwertyuiop", "short", "xx-mina-xx"] {
        add(password).expect(1);
    }
    add(PASSWORD).expect(0);
    let set = |password: &str| place.run_with_input(&["user", "set-password", "mina", "--password-stdin"], password);
    set("password123").expect(1);
}

#[tokio::test]
async fn a_tighter_policy_locks_nobody_out() {
    let place = Place::new();
    place.run_with_input(&["user", "add", "mina", "--password-stdin"], "8 chars!").expect(0);
    let place = place.set("passwords.min_length", "15").set("pages.name", "8 chars");
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.log_in_with("mina", "8 chars!").await.expect(200);
    browser.change_password("8 chars!", "9 chars!!").await.problem(422, "validation_failed");
    browser.change_password("8 chars!", "fifteen chars!!").await.expect(200);
}

#[test]
fn a_fresh_installation_has_no_account() {
    let place = Place::new();
    place.run(&["migrate"]).expect(0);
    assert_eq!(place.run(&["user", "list", "--json"]).expect(0).stdout, "");
}

/// A list in the form of the published ones.
fn list_of(passwords: &[&str]) -> String {
    let hex = |password: &&str| {
        digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()).as_ref().iter().map(|b| format!("{b:02X}")).collect()
    };
    let mut lines: Vec<String> = passwords.iter().map(hex).collect();
    lines.sort();
    lines.iter().map(|line| format!("{line}:7\r\n")).collect()
}

const BREACHED: &str = "a fine password that was stolen elsewhere";

#[tokio::test]
async fn a_breached_password_is_refused_wherever_one_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("breached.txt");
    std::fs::write(&file, list_of(&[BREACHED, "another one of those", "비밀번호는 비밀이에요"])).unwrap();
    let path = file.to_str().unwrap();
    let site = Site::with(&[("passwords.breached_file", path)]).await;
    let browser = site.registered("mina").await;
    // Typed with decomposed letters it is the same password.
    for password in [BREACHED, "another one of those", "비밀번호는 비밀이에요", "\u{1107}\u{1175}밀번호는 비밀이에요"]
    {
        let refused = register(&site, "zoe.", password).await.problem(422, "validation_failed");
        assert!(refused["errors"]["password"].as_str().unwrap().contains("stolen"), "{refused}");
        assert!(change(&browser, password).await["newPassword"].as_str().unwrap().contains("stolen"));
    }
    register(&site, "zoe.", "another one of these").await.expect(201);
    let place = Place::new().set("passwords.breached_file", path);
    let add = |password| place.run_with_input(&["user", "add", "mina", "--password-stdin"], password);
    add(BREACHED).complains(1, &["breach"]);
    add(PASSWORD).expect(0);
    place.run_with_input(&["user", "set-password", "mina", "--password-stdin"], BREACHED).complains(1, &["breach"]);
}

#[tokio::test]
async fn with_a_list_that_cannot_be_read_no_password_is_set_and_log_ins_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("breached.txt");
    std::fs::write(&file, list_of(&[BREACHED])).unwrap();
    let site = Site::with(&[("passwords.breached_file", file.to_str().unwrap())]).await;
    let browser = site.registered("mina").await;
    // The same file, but what is in it is no list any more.
    std::fs::write(&file, "x".repeat(400)).unwrap();
    register(&site, "zoe.", "a password of nobody").await.problem(500, "internal");
    browser.clone().change_password(PASSWORD, "a password of nobody").await.problem(500, "internal");
    site.logged_in("mina").await;
    site.browser().log_in_with("zoe.", "a password of nobody").await.problem(401, "invalid_credentials");
}

#[test]
fn a_list_that_is_none_is_named_at_start() {
    let place = Place::new().file("breached.txt", "password\nqwerty\n");
    let place = place.set("passwords.breached_file", "breached.txt");
    place.run(&["serve"]).complains(1, &["passwords.breached_file", "breached.txt", "SHA-1"]);
    let place = place.set("passwords.breached_file", "nowhere.txt");
    place.run(&["serve"]).complains(1, &["passwords.breached_file", "nowhere.txt"]);
    // A pipe that nobody writes to would keep the start waiting.
    let pipe = place.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    let place = place.set("passwords.breached_file", "pipe");
    place.run(&["serve"]).complains(1, &["passwords.breached_file", "no regular file"]);
}

#[tokio::test]
async fn what_is_kept_of_a_password_costs_what_the_guidance_says() {
    // The defaults, and not the small ones of other tests.
    let site = Site::with(&[("passwords.argon2_memory", "19MiB"), ("passwords.argon2_passes", "2")]).await;
    site.registered("mina").await;
    let database = site.database();
    let mut statement = database.prepare("SELECT * FROM users").unwrap();
    let columns = statement.column_count();
    let row: Vec<String> = statement
        .query_row([], |row| {
            Ok((0..columns).filter_map(|column| row.get_ref(column).ok()?.as_str().ok().map(str::to_owned)).collect())
        })
        .unwrap();
    assert!(row.iter().any(|text| text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")), "{row:?}");
    for key in ["passwords.argon2_memory", "passwords.argon2_passes"] {
        let default = munjigi::config::keys::find(key).unwrap().default;
        assert!(["19MiB", "2"].contains(&default), "{key} {default}");
    }
}

#[tokio::test]
async fn password_managers_can_fill_in_every_form() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let mut inputs = 0;
    for (page, kinds) in [
        (site.browser().get("/user/login").await, &["username", "current-password"][..]),
        (site.browser().get("/user/register").await, &["username", "new-password", "new-password"]),
        (browser.get("/user/account").await, &["current-password", "new-password", "new-password"]),
    ] {
        for kind in kinds {
            assert!(page.body.contains(&format!("autocomplete=\"{kind}\"")), "{kind} {}", page.body);
        }
        for input in page.body.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap()) {
            assert_eq!(input.contains("assword\""), input.contains("type=\"password\""), "{input}");
            assert!(
                !input.contains("value=\"blue") && !input.contains("onpaste") && !input.contains("maxlength=\"8"),
                "{input}"
            );
            inputs += usize::from(input.contains("type=\"password\""));
        }
    }
    assert_eq!(inputs, 6);
}
