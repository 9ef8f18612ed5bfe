//! The command line beside a running server.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{OTHER_PASSWORD, PASSWORD, Place};

/// "tutorial-password", as the tutorial's app keeps it: made with Python's hashlib.
const TUTORIAL_HASH: &str =
    "AQfBzC9b1xRo9X6LPIdwxFc7PaXVBwqOyglvn9Un+v8tk+b6C4sqi3G9k8FJJmZqv4oqUAxgiZPlJyWEOcLDNw==$AAECAwQFBgcICQoLDA0ODw==";

#[tokio::test]
async fn a_user_that_was_added_logs_in() {
    let place = Place::new();
    let server = place.serve().await;
    let added = place.run_with_input(&["user", "add", "admin", "--name", "관리자", "--password-stdin"], PASSWORD);
    assert!(added.expect(0).stdout.contains("admin is added"), "also with a reserved name");
    let user = server.browser().log_in("admin").await.expect(200).json()["user"].clone();
    assert_eq!((&user["username"], &user["name"]), (&json!("admin"), &json!("관리자")));
    let line_end = place.run_with_input(&["user", "add", "jiho", "--password-stdin"], &format!("{PASSWORD}\n"));
    line_end.expect(0);
    server.browser().log_in("jiho").await.expect(200);
}

#[test]
fn what_cannot_be_added_is_said() {
    let place = Place::new();
    let add =
        |username: &str, password: &str| place.run_with_input(&["user", "add", username, "--password-stdin"], password);
    add("mina", PASSWORD).expect(0);
    add("MINA", PASSWORD).complains(1, &["MINA", "has, or once had, that username"]);
    add("a b", PASSWORD).expect(1);
    add("jiho", "short").complains(1, &["8"]);
    add("jiho", "").expect(1);
    assert_eq!(place.run(&["user", "list", "--json"]).json_lines().len(), 1);
}

#[tokio::test]
async fn users_are_listed_and_shown() {
    let place = Place::new();
    let server = place.serve().await;
    let mut browser = server.browser();
    let mina = browser.register("mina").await.expect(201).json()["user"].clone();
    server.browser().register("jiho").await.expect(201);

    let listed = place.run(&["user", "list", "--json"]).expect(0).json_lines();
    assert_eq!(listed.len(), 2);
    assert_eq!((&listed[0]["username"], &listed[1]["username"]), (&json!("mina"), &json!("jiho")), "the oldest first");
    let members: Vec<_> = listed[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["id", "username", "name", "enabled", "createdAt"]);
    let table = place.run(&["user", "list"]).expect(0).stdout;
    assert!(table.contains("USERNAME") && table.contains("mina") && table.contains("enabled"), "{table}");

    let shown = place.run(&["user", "show", "MINA", "--json"]).expect(0).json();
    assert_eq!((&shown["id"], &shown["enabled"], &shown["sessions"]), (&mina["id"], &json!(true), &json!(1)));
    assert_eq!(shown["passwordScheme"], "argon2id:m=64,t=1,p=1");
    assert!(place.run(&["user", "show", "mina"]).expect(0).stdout.contains("Mina"));
    for nobody in ["nobody", "not a name", ""] {
        place.run(&["user", "show", nobody]).complains(4, &["no such user"]);
    }
}

#[tokio::test]
async fn a_password_that_is_set_ends_every_session() {
    let place = Place::new();
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    place.run_with_input(&["user", "set-password", "mina", "--password-stdin"], OTHER_PASSWORD).expect(0);
    server.browser().log_in("mina").await.problem(401, "invalid_credentials");
    server.browser().log_in_with("mina", OTHER_PASSWORD).await.expect(200);
    assert!(!browser.without("accessToken").is_signed_in().await);
    let weak = place.run_with_input(&["user", "set-password", "mina", "--password-stdin"], "short");
    weak.complains(1, &["8"]);
    place.run_with_input(&["user", "set-password", "nobody", "--password-stdin"], PASSWORD).expect(4);
}

async fn scheme_of(place: &Place, username: &str) -> Value {
    place.run(&["user", "show", username, "--json"]).expect(0).json()["passwordScheme"].clone()
}

#[tokio::test]
async fn a_hash_that_was_brought_along_is_replaced_at_the_first_log_in() {
    let place = Place::new();
    let server = place.serve().await;
    server.browser().register("mina").await.expect(201);
    server.browser().register("jiho").await.expect(201);
    let bcrypt = "$2b$04$abcdefghijklmnopqrstuuRdernFVeNceCR/7dlSc5tDW0DhdhAse";
    for (username, hash, scheme) in [("mina", TUTORIAL_HASH, "tutorial"), ("jiho", bcrypt, "bcrypt:4")] {
        place.run(&["user", "set-password", username, "--hash", hash]).expect(0);
        assert_eq!(scheme_of(&place, username).await, scheme);
        server.browser().log_in_with(username, "wrong-one").await.problem(401, "invalid_credentials");
        assert_eq!(scheme_of(&place, username).await, scheme);
        server.browser().log_in_with(username, "tutorial-password").await.expect(200);
        assert_eq!(scheme_of(&place, username).await, "argon2id:m=64,t=1,p=1");
        server.browser().log_in_with(username, "tutorial-password").await.expect(200);
    }
    place.run(&["user", "set-password", "mina", "--hash", "md5:abc"]).complains(1, &["--hash"]);
    server.browser().log_in_with("mina", "tutorial-password").await.expect(200);
}

#[tokio::test]
async fn sessions_are_listed() {
    let place = Place::new();
    let server = place.serve().await;
    let mut browser = server.browser().with("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Firefox/131.0");
    browser.register("mina").await.expect(201);
    let sessions = place.run(&["session", "list", "mina", "--json"]).expect(0).json_lines();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["id"], browser.session_id().await);
    assert_eq!((&sessions[0]["address"], &sessions[0]["remembered"]), (&json!("127.0.0.1"), &json!(false)));
    let table = place.run(&["session", "list", "mina"]).expect(0).stdout;
    assert!(table.contains("Firefox, Linux"), "{table}");
    place.run(&["session", "list", "nobody"]).complains(4, &["no such user"]);
}

#[test]
fn what_cannot_be_revoked_is_said() {
    let place = Place::new();
    place.run(&["migrate"]).expect(0);
    place.run(&["session", "revoke", &"0".repeat(32)]).complains(4, &["no such session"]);
    place.run(&["session", "revoke", "rubbish"]).complains(1, &["rubbish"]);
    place.run(&["session", "revoke", "--user", "nobody"]).complains(4, &["no such user"]);
    place.run(&["session", "revoke"]).expect(2);
    place.run(&["session", "revoke", "--all", "--user", "mina"]).expect(2);
    assert!(place.run(&["session", "revoke", "--all"]).expect(0).stdout.contains("0 users"));
}

#[test]
fn a_wrong_command_line_is_code_2() {
    let place = Place::new();
    for wrong in [&["frobnicate"][..], &["user"], &["user", "add"], &["serve", "--nothing"], &["--set", "x"]] {
        place.run(wrong).expect(2);
    }
    for right in [&["--help"][..], &["--version"], &["user", "--help"]] {
        place.run(right).expect(0);
    }
}

#[test]
fn a_shell_completes_the_command_line() {
    // Whatever the settings are.
    let place = Place::new().set("server.listen", "nowhere");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let text = place.run(&["completions", shell]).expect(0).stdout;
        assert!(text.contains("dry-run") && text.contains("import"), "{shell}");
    }
    place.run(&["completions", "sh"]).complains(2, &["bash"]);
    // As bash does when somebody presses the key.
    let script =
        "source /dev/stdin; COMP_WORDS=(munjigi user im); COMP_CWORD=2; _munjigi munjigi im user; echo ${COMPREPLY[@]}";
    let mut bash =
        Command::new("bash").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let text = place.run(&["completions", "bash"]).expect(0).stdout;
    bash.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "import");
}

#[test]
fn every_command_has_a_manual_page() {
    let place = Place::new().set("server.listen", "nowhere");
    let whole = place.run(&["man"]).expect(0).stdout;
    assert!(whole.contains(".TH munjigi 1") && whole.contains(r"munjigi\-user(1)"), "{whole}");
    let import = place.run(&["man", "user", "import"]).expect(0).stdout;
    for part in [".TH munjigi-user-import 1", ".SH SYNOPSIS", r"\-\-dry\-run", "Examples:", "mysqldump app users"] {
        assert!(import.contains(part), "{part}: {import}");
    }
    assert!(import.contains("Passwords in clear are refused"), "what it does, at length: {import}");
    place.run(&["man", "user", "imprt"]).complains(1, &["munjigi-user has no command imprt"]);
    place.run(&["man", "--output", "nowhere"]).complains(1, &["nowhere"]);
    std::fs::create_dir(place.path().join("man1")).unwrap();
    place.run(&["man", "--output", "man1"]).expect(0);
    for page in ["munjigi.1", "munjigi-serve.1", "munjigi-user-import.1", "munjigi-key-rotate.1"] {
        let text = std::fs::read_to_string(place.path().join("man1").join(page)).unwrap();
        assert!(text.contains(".SH NAME"), "{page}");
    }
    assert_eq!(std::fs::read_to_string(place.path().join("man1/munjigi-user-import.1")).unwrap(), import);
}

#[test]
fn the_schema_is_brought_up_to_date_on_command() {
    let place = Place::new();
    let first = place.run(&["migrate"]).expect(0).stdout;
    assert!(first.contains("from version 0 to"), "{first}");
    let second = place.run(&["migrate"]).expect(0).stdout;
    assert!(second.contains("up to date"), "{second}");
    place.run(&["user", "list"]).expect(0);
}

#[test]
fn with_check_a_server_migrates_nothing_by_itself() {
    let place = Place::new().set("store.migrate", "check");
    place.run(&["serve"]).complains(1, &["munjigi migrate"]);
    place.run(&["migrate"]).expect(0);
    place.run(&["user", "list"]).expect(0);
}

#[test]
fn in_a_folder_without_a_database_a_command_makes_none() {
    let place = Place::new();
    for command in [&["user", "list"][..], &["session", "list", "mina"], &["session", "revoke", "--all"]] {
        place.run(command).complains(1, &["no database", "server.data_dir"]);
        assert!(!place.path().join("data").exists());
    }
}

#[test]
fn a_name_that_would_steer_a_terminal_is_shown_as_text() {
    let place = Place::new();
    place.run(&["migrate"]).expect(0);
    let shown = place.run(&["user", "show", "\u{1b}[31mred"]).expect(4);
    assert!(!shown.stderr.contains('\u{1b}'), "{:?}", shown.stderr);
    let added = place.run_with_input(&["user", "add", "\u{1b}[31mred", "--password-stdin"], PASSWORD).expect(1);
    assert!(!added.stderr.contains('\u{1b}'), "{:?}", added.stderr);
}
