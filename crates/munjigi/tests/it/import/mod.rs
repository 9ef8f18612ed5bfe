//! Users that are brought along from another system, exported and deleted, with the real program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::harness::{PASSWORD, Place, Ran, eventually};

/// What `mariadb-dump` 10.11 wrote of a table of users, with columns, values and another table that could be misread.
const DUMP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/import/dump.sql");
/// "tutorial-password", by bcrypt.
const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuuRdernFVeNceCR/7dlSc5tDW0DhdhAse";
/// "blue kettle 9 가나", by Django.
const DJANGO: &str = "pbkdf2_sha256$1000$lSzgXkRrcFhT8GYeJP6iQa$WFWMa+DciEy8TYxECyXrMecJI9T15T+DZr6hCS+eG60=";

fn import(place: &Place, arguments: &[&str]) -> Ran {
    place.run(&[&["user", "import"], arguments].concat())
}

/// Imported, skipped, refused.
#[track_caller]
fn sum(ran: &Ran) -> (u64, u64, u64) {
    let last: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    let count = |name: &str| last[name].as_u64().unwrap();
    (count("imported"), count("skipped"), count("refused"))
}

/// Line and code of everybody who was refused.
fn refused(ran: &Ran) -> Vec<(u64, String)> {
    let refusals = ran.json_lines().into_iter().filter(|line| line.get("code").is_some());
    refusals.map(|line| (line["line"].as_u64().unwrap(), line["code"].as_str().unwrap().to_owned())).collect()
}

fn usernames(place: &Place) -> Vec<String> {
    let users = place.run(&["user", "list", "--json"]).expect(0).json_lines();
    let mut names: Vec<_> = users.iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn users_of_a_dump_log_in_with_the_password_they_had_beside_a_running_server() {
    let place = Place::new();
    let server = place.serve().await;
    let ran = import(&place, &[DUMP, "--json"]).expect(5);
    assert_eq!(sum(&ran), (2, 0, 2));
    assert_eq!(
        refused(&ran).into_iter().map(|(_, code)| code).collect::<Vec<_>>(),
        ["unknown_hash", "invalid_username"]
    );
    let numbers: Vec<_> = ran.json_lines().iter().filter_map(|line| line["number"].as_u64()).collect();
    assert_eq!(numbers, [3, 4]);
    assert_eq!(usernames(&place), ["jiho", "mina"], "what stands in texts and procedures is nobody");
    for (username, name, scheme) in [("mina", "김미나", "tutorial"), ("jiho", "jiho", "bcrypt:4")] {
        let shown = place.run(&["user", "show", username, "--json"]).expect(0).json();
        assert_eq!((&shown["name"], &shown["passwordScheme"]), (&json!(name), &json!(scheme)));
        server.browser().log_in_with(username, "wrong").await.problem(401, "invalid_credentials");
        server.browser().log_in_with(username, "tutorial-password").await.expect(200);
        let shown = place.run(&["user", "show", username, "--json"]).expect(0).json();
        assert_eq!(shown["passwordScheme"], "argon2id:m=64,t=1,p=1", "replaced at the first log-in");
        server.browser().log_in_with(username, "tutorial-password").await.expect(200);
    }
    server.browser().log_in_with("plain", "tutorial-password").await.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn users_of_other_systems_log_in_with_the_password_they_had() {
    let hashes = [
        ("pbkdf2-sha256:1000", DJANGO),
        (
            "scrypt:ln=10,r=8,p=5",
            "scrypt$1024$lSzgXkRrcFhT8GYeJP6iQa$8$5$rAW4J+HJZrP1T+RFdsSyxOQdkPj3AmjkqZGHmaHhb91ywPyJEf94G8ja7xEBbYE6m4A6H6HeekLnJpPlD5jjiQ==",
        ),
        ("bcrypt:4", "bcrypt_sha256$$2b$04$e4Czsq9FPNCxOKQjbtxaRuSelyJmOiXLvt2j0.vZ0nZC0I/0HwD8S"),
        ("pbkdf2-sha1:1000", "pbkdf2:sha1:1000$AdHmcXrL8DHkyvOy$29b77a157dd020fc178f89dd6b5e61a826472eab"),
        (
            "pbkdf2-sha512:1000",
            "$pbkdf2-sha512$1000$EGLM2ZuT0jqn1JqT0tpbqw$MdlgBxTZYaiPPJj3FvOuiHUyW6LCy3pUeGrrkuLibh6j/DQP71GXpUo.1GQ6Td93cYNNnMF6BLkSKivLGOg8Sg",
        ),
        (
            "scrypt:ln=14,r=16,p=1",
            "ffbe6063d13e15d6d058a5594680910a:68e0f205cfd15965e1526e858c00c409f6bf17d9205efdd05a09aa315e91b23129d3adb418dd452a15f92de9b3e7760f8fb29dd3ad35edeb39e769ad26d6efec",
        ),
    ];
    let lines: String = hashes
        .iter()
        .zip(0..)
        .map(|((_, hash), n)| format!("{{\"username\":\"user{n}\",\"hash\":\"{hash}\"}}\n"))
        .collect();
    let place = Place::new().file("users.jsonl", &lines);
    let server = place.serve().await;
    assert_eq!(sum(&import(&place, &["users.jsonl", "--json"]).expect(0)), (6, 0, 0));
    for ((scheme, _), n) in hashes.iter().zip(0..) {
        let username = format!("user{n}");
        let is_kept_by =
            || place.run(&["user", "show", &username, "--json"]).expect(0).json()["passwordScheme"].clone();
        assert_eq!(is_kept_by(), *scheme);
        server.browser().log_in_with(&username, "blue kettle 9").await.problem(401, "invalid_credentials");
        assert_eq!(is_kept_by(), *scheme);
        server.browser().log_in_with(&username, "blue kettle 9 가나").await.expect(200);
        assert_eq!(is_kept_by(), "argon2id:m=64,t=1,p=1");
    }
}

#[tokio::test]
async fn an_import_can_be_repeated_and_changes_nobody_who_is_there() {
    let place =
        Place::new().file("users.csv", &format!("id,password,nickname\nmina,{BCRYPT},김미나\njiho,{DJANGO},\n"));
    let server = place.serve().await;
    server.browser().register("jiho").await.expect(201);
    let before = place.run(&["user", "show", "jiho", "--json"]).json();
    assert_eq!(sum(&import(&place, &["users.csv", "--json"]).expect(0)), (1, 1, 0));
    server.browser().log_in_with("mina", "tutorial-password").await.expect(200);
    assert_eq!(sum(&import(&place, &["users.csv", "--json"]).expect(0)), (0, 2, 0));
    assert_eq!(place.run(&["user", "show", "mina", "--json"]).json()["passwordScheme"], "argon2id:m=64,t=1,p=1");
    server.browser().log_in_with("jiho", "blue kettle 9 가나").await.problem(401, "invalid_credentials");
    server.browser().log_in("jiho").await.expect(200);
    assert_eq!(place.run(&["user", "show", "jiho", "--json"]).json()["id"], before["id"]);
    let people = import(&place, &["users.csv"]).expect(0).stdout;
    assert!(people.contains("0 imported, 2 skipped"), "{people}");
}

#[test]
fn a_dry_run_finds_the_same_and_writes_nothing() {
    let place = Place::new();
    let dry = import(&place, &[DUMP, "--json", "--dry-run"]).expect(5);
    assert_eq!(usernames(&place), Vec::<String>::new());
    let real = import(&place, &[DUMP, "--json"]).expect(5);
    assert_eq!((sum(&dry), refused(&dry)), (sum(&real), refused(&real)));
    assert_eq!(sum(&import(&place, &[DUMP, "--json", "--dry-run"]).expect(5)), (0, 2, 2));
}

#[test]
fn everybody_who_is_refused_is_named_with_line_and_reason_and_without_the_hash() {
    let lines = [
        "username;no".replace(';', ",") + ",password",
        format!("mina,x,{BCRYPT}"),
        format!("MINA,x,{BCRYPT}"),
        format!("abc,x,{BCRYPT}"),
        "jiho,x,hunter2-in-clear".to_owned(),
        "hana,x,!fzBgJNWLVfrQzi3XGJ47bxQqEwLFhUa1733DtEFU".to_owned(),
        "nari,x,".to_owned(),
        "bora,x".to_owned(),
        // Columns swapped: the username is a secret.
        format!("{DJANGO},x,sora"),
        "dani,x,$2b$31$abcdefghijklmnopqrstuuRdernFVeNceCR/7dlSc5tDW0DhdhAse".to_owned(),
        String::new(),
        format!("\"many\nlines\",x,{BCRYPT}"),
        format!("last,x,{BCRYPT}"),
    ];
    let expected = [
        (3, "repeated"),
        (4, "invalid_username"),
        (5, "unknown_hash"),
        (6, "no_password"),
        (7, "no_password"),
        (8, "malformed"),
        (9, "invalid_username"),
        (10, "unknown_hash"),
        (12, "invalid_username"),
    ];
    for end in ["\n", "\r\n"] {
        let place = Place::new().file("users.csv", &lines.join(end));
        let ran = import(&place, &["users.csv", "--json"]).expect(5);
        let found = refused(&ran);
        let found: Vec<_> = found.iter().map(|(line, code)| (*line, code.as_str())).collect();
        assert_eq!(found, expected, "{end:?}");
        assert_eq!((sum(&ran), usernames(&place)), ((2, 0, 9), vec!["last".to_owned(), "mina".to_owned()]));
        assert_eq!(ran.json_lines()[0]["username"], "MINA");
        let people = import(&place, &["users.csv"]).expect(5);
        assert!(
            people.stderr.contains("line 5, user 4: jiho: the password hash is of no known kind"),
            "{}",
            people.stderr
        );
        for said in [&ran.stdout, &ran.stderr, &people.stdout, &people.stderr] {
            for secret in ["hunter2", "lSzgXkRr", "abcdefghijkl", "fzBgJN"] {
                assert!(!said.contains(secret), "{said}");
            }
        }
    }
}

/// Each failed log-in, of whoever it is, costs one hash of each kind and cost that anybody has.
#[tokio::test]
async fn a_file_of_hashes_cannot_make_log_ins_last_as_long_as_it_likes() {
    let argon2id =
        |number: u32| format!("$argon2id$v=19$m={},t=4,p=1${}${}", 65536 + number, "A".repeat(22), "A".repeat(43));
    let mut lines = vec!["username,hash".to_owned(), format!("mina,{BCRYPT}")];
    lines.extend((0..40).map(|number| format!("bomb{number},\"{}\"", argon2id(number))));
    // Of little memory each, and as many lanes as there are numbers: 137 GB.
    lines.push(format!("lanes,scrypt:2:1:1073741823$salt${}", "ab".repeat(64)));
    lines.push(format!("jiho,{BCRYPT}"));
    let place = Place::new().file("users.csv", &lines.join("\n"));
    let server = place.serve().await;
    let dry = refused(&import(&place, &["users.csv", "--json", "--dry-run"]).expect(5));
    let ran = import(&place, &["users.csv", "--json"]).expect(5);
    assert_eq!(refused(&ran), dry);
    let codes: Vec<_> = dry.iter().map(|(_, code)| code.as_str()).collect();
    // Fifteen cost 4 GiB of passes, with what bcrypt costs.
    assert_eq!(codes, [&["too_many_costs"; 25][..], &["unknown_hash"]].concat());
    assert_eq!(sum(&import(&place, &["users.csv", "--json"]).expect(5)), (0, 17, 26), "those who are there stay");
    server.browser().log_in_with("jiho", "tutorial-password").await.expect(200);
}

#[test]
fn the_same_users_are_read_from_each_format() {
    let csv = format!("\u{feff}Nickname,ID,Password\n김미나,mina,{DJANGO}\n\"Kim, \"\"J\"\"\",jiho,{BCRYPT}\n");
    let lines = format!(
        "{}\n\n  {}\n",
        json!({"id": "mina", "password": DJANGO, "nickname": "김미나", "other": [1, {"a": null}]}),
        json!({"display_name": "Kim, \"J\"", "username": "jiho", "id": 17, "passwordHash": BCRYPT}),
    );
    let sql = format!(
        "INSERT INTO app.`users` (`nickname`, `id`, `password`) VALUES\n('김미나','mina','{DJANGO}'),\
         (_utf8mb4'Kim, \"J\"', 'jiho' ,'{BCRYPT}');\n"
    );
    let old = format!(
        "/*!40101 SET NAMES utf8mb4 */; /* a dump */ CREATE TABLE users (id varchar(12), nickname text, PRIMARY KEY (id), password text);\n\
         # nothing\nREPLACE INTO users VALUES (0x6d696e61,'김미나','{DJANGO}');INSERT INTO users VALUES ('jiho','Kim, \\\"J\\\"','{BCRYPT}')\n;"
    );
    for (name, text) in [("a.csv", csv), ("b.jsonl", lines), ("c.sql", sql), ("d.sql", old)] {
        let place = Place::new().file(name, &text);
        assert_eq!(sum(&import(&place, &[name, "--json"]).expect(0)), (2, 0, 0), "{name}");
        for (username, shown, scheme) in [("mina", "김미나", "pbkdf2-sha256:1000"), ("jiho", "Kim, \"J\"", "bcrypt:4")]
        {
            let user = place.run(&["user", "show", username, "--json"]).expect(0).json();
            assert_eq!((&user["name"], &user["passwordScheme"]), (&json!(shown), &json!(scheme)), "{name}");
        }
        let again = place.run_with_input(&["user", "import", "-", "--json"], &text).expect(0);
        assert_eq!(sum(&again), (0, 2, 0), "{name} on standard input");
    }
}

#[tokio::test]
async fn ids_that_are_uuids_moments_and_who_is_disabled_are_taken_over() {
    const ID: &str = "0b9f2c1e-5a7d-4e3b-9c8d-1f2a3b4c5d6e";
    let rows = [
        format!("{ID},mina,{BCRYPT},1,2024-05-06 07:08:09"),
        format!("17,jiho,{BCRYPT},f,2024-05-06T07:08:09.123+09:00"),
        format!(",hana,{BCRYPT},,0000-00-00 00:00:00"),
        format!("19,nari,{BCRYPT},perhaps,"),
        format!("20,bora,{BCRYPT},TRUE,2999-01-01T00:00:00Z"),
    ];
    let place =
        Place::new().file("users.csv", &format!("id,username,password,is_active,created_at\n{}\n", rows.join("\n")));
    let ran = import(&place, &["users.csv", "--json"]).expect(5);
    assert_eq!((sum(&ran), refused(&ran)), ((4, 0, 1), vec![(5, "malformed".to_owned())]));
    let show = |username: &str| place.run(&["user", "show", username, "--json"]).expect(0).json();
    let (mina, jiho) = (show("mina"), show("jiho"));
    assert_eq!((&mina["id"], &mina["createdAt"]), (&json!(ID), &json!("2024-05-06T07:08:09Z")));
    assert_eq!((&jiho["enabled"], &jiho["createdAt"]), (&json!(false), &json!("2024-05-05T22:08:09Z")));
    assert_ne!(jiho["id"], "17");
    let this_year = show("hana")["createdAt"].as_str().unwrap()[..4].to_owned();
    assert!(show("bora")["createdAt"].as_str().unwrap().starts_with(&this_year), "nobody registers in the future");
    let server = place.serve().await;
    let user = server.browser().log_in_with("mina", "tutorial-password").await.expect(200).json()["user"].clone();
    assert_eq!(user["id"], ID, "and so is the sub of the token");
    server.browser().log_in_with("jiho", "tutorial-password").await.problem(403, "forbidden");
}

#[test]
fn what_cannot_be_read_is_said_before_anybody_is_imported() {
    let place = Place::new()
        .file("no-header.csv", &format!("mina,{BCRYPT},Mina\n"))
        .file("empty.csv", "")
        .file("other.sql", "CREATE TABLE `members` (`id` text, `password` text);\n")
        .file("no-columns.sql", &format!("INSERT INTO `users` VALUES ('mina','{BCRYPT}');\n"))
        .file("rows.sql", &format!("INSERT INTO `users` (id, password) VALUES ('mina','{BCRYPT}')("));
    let ran =
        import(&place, &["no-header.csv"]).complains(1, &["line 1", "no column for the username", "username, user"]);
    assert!(!ran.stderr.contains("abcdefghijkl"), "{}", ran.stderr);
    import(&place, &["empty.csv"]).complains(1, &["no column for the username"]);
    import(&place, &["other.sql"]).complains(1, &["INSERT INTO `users`", "--table"]);
    import(&place, &["no-columns.sql"]).complains(1, &["--complete-insert"]);
    import(&place, &["rows.sql"]).complains(1, &["line 1", "neither , nor ;"]);
    import(&place, &["not-there.csv"]).complains(1, &["not-there.csv"]);
    import(&place, &[".", "--format", "csv"]).complains(1, &["cannot be read"]);
    assert_eq!(usernames(&place), Vec::<String>::new());
    import(&place, &["other.sql", "--table", "members", "--json"]).expect(0);
    import(&place, &["no-header.csv", "--format", "xml"]).expect(2);
}

#[test]
fn a_dump_that_was_cut_off_is_not_taken_for_a_whole_one() {
    let whole = fs::read(DUMP).unwrap();
    let start = whole.windows(27).position(|bytes| bytes == b"INSERT INTO `users` VALUES\n").unwrap();
    let end = start + whole[start..].windows(3).position(|bytes| bytes == b");\n").unwrap();
    let place = Place::new();
    // Of the rows, 'jiho' is the first one.
    for at in [end - 400, end - 100, end - 3, end] {
        fs::write(place.path().join("cut.sql"), &whole[..at]).unwrap();
        import(&place, &["cut.sql"]).complains(1, &["not read to its end", "is it whole?"]);
    }
    assert!(usernames(&place).contains(&"jiho".to_owned()), "who was read before is there");
    fs::write(place.path().join("cut.sql"), &whole[..start]).unwrap();
    assert_eq!(sum(&import(&place, &["cut.sql", "--json"]).expect(0)), (0, 0, 0), "without rows there is nobody");
}

/// `\` is a character like others in PostgreSQL and SQLite: read as MySQL's, somebody's name would end the next text instead of its own,
/// and what they wrote there be rows.
#[test]
fn nobody_writes_themselves_another_account_into_a_dump_that_is_not_mysqls() {
    let lines = [
        "-- PostgreSQL database dump".to_owned(),
        "SET standard_conforming_strings = on;".to_owned(),
        format!("INSERT INTO public.users (id, name, about, password) VALUES ('mina', 'Mina', 'x', '{BCRYPT}');"),
        format!(
            "INSERT INTO TABLE VALUES ('jiho', 'x\\', ',\"x\",\"{BCRYPT}\"),(\"owner\",\"O\",\"x\",\"{BCRYPT}\"); -- ', '{BCRYPT}');"
        ),
        format!("INSERT INTO public.users (id, name, about, password) VALUES ('owner', 'Owner', 'x', '{DJANGO}');"),
    ];
    // In the table itself, or in one that is passed over.
    let injected = format!("; INSERT INTO users (id, password) VALUES (\"owner\", \"{BCRYPT}\"); -- ");
    let other = format!("INSERT INTO public.posts (title, text) VALUES ('x\\', '{injected}');");
    let own = lines[3].replace("TABLE", "public.users (id, name, about, password)");
    for line in [own, other] {
        let dump = [&lines[..3], &[line], &lines[4..]].concat().join("\n");
        let place = Place::new().file("dump.sql", &dump);
        import(&place, &["dump.sql"]).complains(1, &["line 4", "nothing says that it is MySQL's"]);
        assert_eq!(usernames(&place), ["mina"]);
    }
}

/// As MySQL writes it `INTO OUTFILE` with quotes: a quote in somebody's name is `\"`, and a new line `\` with a new line.
#[test]
fn nobody_writes_themselves_another_account_into_a_csv_with_backslashes() {
    let name = format!("x\\\",{BCRYPT},y\\\nowner,Owner,{BCRYPT},z\\\nw");
    let csv =
        format!("id,name,password,about\n\"mina\",\"Mina\",\"{DJANGO}\",\"\"\n\"jiho\",\"{name}\",\"{BCRYPT}\",\"\"\n");
    let place = Place::new().file("users.csv", &csv);
    import(&place, &["users.csv"]).complains(1, &["line 3", "quotes doubled"]);
    assert_eq!(usernames(&place), ["mina"]);
}

#[test]
fn a_line_without_end_is_passed_over_and_takes_no_memory() {
    let long = "x".repeat(3_000_000);
    let after = format!("mina,{BCRYPT}");
    let place = Place::new()
        .file("a.csv", &format!("username,password\n{long},{BCRYPT}\n\"{long}\",{long}\n{after}\n"))
        .file("b.jsonl", &format!("{{\"username\":\"{long}\"}}\n{}\n", json!({"username": "mina", "password": BCRYPT})))
        .file(
            "c.sql",
            &format!("INSERT INTO users (username, password) VALUES ('{long}','{long}'),('mina','{BCRYPT}');"),
        );
    for (name, refusals) in [("a.csv", 2), ("b.jsonl", 1), ("c.sql", 1)] {
        let ran = import(&place, &[name, "--json"]).expect(5);
        let (imported, skipped, refused_there) = sum(&ran);
        assert_eq!((imported + skipped, refused_there), (1, refusals), "{name}");
        assert!(refused(&ran).iter().all(|(_, code)| code == "too_long"), "{name}: {}", ran.stdout);
    }
}

#[test]
fn only_the_first_hundred_refusals_are_shown_to_people() {
    let lines: String = (0..250).map(|n| format!("{{\"username\":\"user{n}\",\"hash\":\"clear\"}}\n")).collect();
    let place = Place::new().file("users.jsonl", &lines);
    let people = import(&place, &["users.jsonl"]).expect(5);
    assert_eq!(people.stderr.lines().count(), 101, "{}", people.stderr);
    assert!(people.stderr.contains("and 150 more"), "{}", people.stderr);
    assert_eq!(refused(&import(&place, &["users.jsonl", "--json"])).len(), 250);
}

#[tokio::test]
async fn an_export_is_imported_elsewhere_with_ids_passwords_and_who_is_disabled() {
    let place = Place::new();
    let server = place.serve().await;
    server.browser().register("mina").await.expect(201);
    place.run_with_input(&["user", "add", "admin", "--name", "관리자", "--password-stdin"], PASSWORD).expect(0);
    place.run(&["user", "disable", "admin"]).expect(0);
    import(&place, &[DUMP]).expect(5);
    let told = place.run(&["user", "export", "--output", "users.jsonl"]).expect(0).stdout;
    assert!(told.contains("3 users"), "{told}");
    let file = place.path().join("users.jsonl");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(place.run(&["user", "export"]).expect(0).stdout, text);
    place.run(&["user", "export", "--output", "users.jsonl"]).complains(1, &["users.jsonl"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "nothing is written over");

    let elsewhere = Place::new().file("users.jsonl", &text);
    let other = elsewhere.serve().await;
    assert_eq!(sum(&import(&elsewhere, &["users.jsonl", "--json"]).expect(0)), (3, 0, 0));
    assert_eq!(elsewhere.run(&["user", "export"]).expect(0).stdout, text, "to the letter");
    other.browser().log_in("mina").await.expect(200);
    other.browser().log_in_with("jiho", "tutorial-password").await.expect(200);
    other.browser().log_in("admin").await.problem(403, "forbidden");
    let stolen = text.replace("\"mina\"", "\"mallory\"");
    let ran = elsewhere.run_with_input(&["user", "import", "-", "--json"], &stolen).expect(5);
    assert_eq!(refused(&ran)[0].1, "id_taken", "nobody gets somebody else's id");
}

#[tokio::test]
async fn a_deleted_user_is_out_within_a_second_and_the_name_stays_taken() {
    let place = Place::new();
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    place.run(&["user", "delete", "mina"]).complains(1, &["--yes"]);
    assert!(browser.is_signed_in().await);
    let told = place.run(&["user", "delete", "MINA", "--yes"]).expect(0).stdout;
    assert!(told.contains("mina is deleted"), "{told}");
    eventually("mina is out", async || !browser.clone().is_signed_in().await).await;
    assert!(!browser.without("accessToken").is_signed_in().await);
    server.browser().log_in("mina").await.problem(401, "invalid_credentials");
    server.browser().register("Mina").await.problem(409, "username_taken");
    place.run(&["user", "delete", "mina", "--yes"]).complains(4, &["no such user"]);
    let back = format!("{{\"username\":\"mina\",\"hash\":\"{BCRYPT}\"}}");
    let ran = place.run_with_input(&["user", "import", "-", "--json"], &back).expect(0);
    assert_eq!(sum(&ran), (0, 1, 0), "a deleted user does not come back with an old file");
}
