//! Who has an account here? Nobody learns it from a log-in: not by status, headers or text, not by the limits, and not by
//! the work that was done. (What time says is measured by `scripts/bench enumeration`.) Registration tells it by design, and
//! then the same of everybody.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use munjigi_rules::UserId;
use serde_json::json;

use crate::harness::{Browser, OTHER_PASSWORD, PASSWORD, Place, Reply, Site, application};

/// Of a password that nobody knows.
const BCRYPT: (&str, &str) = ("bcrypt:4", "$2b$04$......................GSEqqSIR2mBcSEZHL5BKUUC3j.T3zMi");
/// The format's own example.
const TUTORIAL: (&str, &str) = (
    "tutorial",
    "zh8XRvXHpAY2z6oj7+nKbBNTOhSa+/g6CicAxpLECd8wEbAxyPO52IoTanjiPZ407yoNE1rYg6EJhm46H7LL0w==$AAECAwQFBgcICQoLDA0ODw==",
);
/// PBKDF2 of one function with few rounds and with more, as Django raises them; of a password that nobody knows.
const OLDER: (&str, &str) =
    ("pbkdf2-sha256:1000", "pbkdf2_sha256$1000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
const NEWER: (&str, &str) =
    ("pbkdf2-sha256:3000", "pbkdf2_sha256$3000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
/// Argon2id at another cost than the site's own.
const ELSEWHERE: (&str, &str) = (
    "argon2id:m=128,t=1,p=1",
    "$argon2id$v=19$m=128,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
);
/// Nothing that can be verified: somebody wrote it into the database by hand.
const RUBBISH: (&str, &str) = ("bcrypt:4", "no hash at all");

/// What there may be of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unknown,
    Known,
    Disabled,
    Imported(&'static (&'static str, &'static str)),
    ImportedAndDisabled(&'static (&'static str, &'static str)),
}

const KINDS: [Kind; 10] = [
    Kind::Unknown,
    Kind::Known,
    Kind::Disabled,
    Kind::Imported(&BCRYPT),
    Kind::Imported(&TUTORIAL),
    Kind::Imported(&ELSEWHERE),
    Kind::Imported(&OLDER),
    Kind::Imported(&NEWER),
    Kind::Imported(&RUBBISH),
    Kind::ImportedAndDisabled(&BCRYPT),
];

/// Makes that somebody, and gives the browser in which they registered.
async fn make(site: &Site, username: &str, kind: Kind) -> Option<Browser> {
    if kind == Kind::Unknown {
        return None;
    }
    let mut browser = site.registered(username).await;
    if let Kind::Imported((scheme, hash)) | Kind::ImportedAndDisabled((scheme, hash)) = kind {
        let update = "UPDATE users SET hash_scheme = ?1, hash = ?2 WHERE username = ?3";
        assert_eq!(site.database().execute(update, [scheme, hash, &username]).unwrap(), 1);
    }
    if matches!(kind, Kind::Disabled | Kind::ImportedAndDisabled(_)) {
        let id: UserId = browser.info().await["user"]["id"].as_str().unwrap().parse().unwrap();
        munjigi::flows::admin::disable(&site.app.core, id).await.unwrap();
    }
    Some(browser)
}

/// Everything of an answer but what is new in each.
fn whole(reply: &Reply) -> (u16, Vec<(String, String)>, String) {
    let headers = reply.headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (reply.status.as_u16(), headers.collect(), reply.body.clone())
}

/// Readers: a browser and a program, in both languages, and one that says nothing.
fn readers(site: &Site) -> Vec<Browser> {
    let with = |accept, language| site.browser().with("accept", accept).with("accept-language", language);
    vec![
        with("text/html", "ko"),
        with("text/html", "en"),
        with("application/json", "ko"),
        with("application/json", "en"),
        site.browser(),
    ]
}

/// Posts as form and as JSON, in the words of each reader.
async fn posted(site: &Site, path: &str, fields: &[(&str, &str)]) -> Vec<Reply> {
    let object: serde_json::Map<_, _> = fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let mut replies = Vec::new();
    for mut reader in readers(site) {
        replies.push(reader.clone().post_form(path, fields).await);
        replies.push(reader.post_json(path, object.clone().into()).await);
    }
    replies
}

/// Does the same on a site for each kind of user, and fails unless all answers are the same, byte for byte.
async fn is_the_same_for(
    kinds: &[Kind],
    settings: &[(&str, &str)],
    ask: impl AsyncFn(&Site, Option<Browser>) -> Vec<Reply>,
) -> usize {
    let mut first: Option<Vec<_>> = None;
    let mut compared = 0;
    for kind in kinds {
        let site = Site::with(settings).await;
        let browser = make(&site, "mina", *kind).await;
        let answers: Vec<_> = ask(&site, browser).await.iter().map(whole).collect();
        assert!(answers.iter().all(|(status, ..)| (400..500).contains(status)), "{kind:?}: {answers:#?}");
        let first = first.get_or_insert_with(|| answers.clone());
        for (answer, expected) in answers.iter().zip(first.iter()) {
            assert_eq!(answer, expected, "{kind:?}, and {:?}", kinds[0]);
            compared += 1;
        }
        assert_eq!(answers.len(), first.len());
    }
    compared
}

const NO_LIMITS: [(&str, &str); 1] = [("limits.enabled", "false")];

/// Passwords that are nobody's: long, not in NFC, with a zero byte, and more than bcrypt reads.
fn odd_passwords() -> [String; 4] {
    ["x".repeat(300), "cafe\u{301} au lait 7".into(), "a\0b".into(), "가".repeat(60)]
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "says how much was compared")]
async fn a_failed_log_in_answers_the_same_byte_for_byte_whoever_it_was() {
    let compared = is_the_same_for(&KINDS, &NO_LIMITS, async |site, _| {
        let mut answers = Vec::new();
        for username in ["mina", "MINA"] {
            answers.extend(posted(site, "/user/login", &[("username", username), ("password", "wrong-one")]).await);
        }
        for password in odd_passwords() {
            answers.push(site.browser().log_in_with("mina", &password).await);
            answers.push(site.browser().post_form("/user/login", &[("id", "mina"), ("password", &password)]).await);
        }
        let more = [("username", "mina"), ("password", "x"), ("remember", "on"), ("return_to", "/app?a=1")];
        answers.extend(posted(site, "/user/login", &more).await);
        assert!(answers.iter().all(|answer| answer.status == 401));
        answers
    })
    .await;
    println!("enumeration by log-in: {compared} answers compared, 0 different");
    assert!(compared >= 300, "{compared}");
}

#[tokio::test]
async fn a_log_in_that_lacks_something_does_not_either() {
    is_the_same_for(&KINDS, &NO_LIMITS, async |site, _| {
        let mut answers = posted(site, "/user/login", &[("username", "mina"), ("password", "")]).await;
        answers.extend(posted(site, "/user/login", &[("username", "mina")]).await);
        answers
    })
    .await;
}

#[tokio::test]
async fn limits_are_the_same_whoever_it_is() {
    let settings = [("limits.log_in_account", "3/30s"), ("limits.log_in_address", "8/60s")];
    is_the_same_for(&KINDS, &settings, async |site, _| {
        let mut answers = Vec::new();
        for seconds in [0, 10, 60] {
            site.clock.advance(std::time::Duration::from_secs(seconds.min(10)));
            for username in ["mina", "mina", "MINA", "mina", "Mina", "other", "other", "mina"] {
                let mut guesser = site.browser().from("203.0.113.9");
                answers.push(guesser.log_in_with(username, "wrong-one").await);
            }
            let form = [("username", "mina"), ("password", PASSWORD)];
            answers.push(site.browser().from("203.0.113.9").post_form("/user/login", &form).await);
        }
        assert!(answers.iter().any(|answer| answer.status == 401) && answers.iter().any(|answer| answer.status == 429));
        answers
    })
    .await;
}

#[tokio::test]
async fn a_wrong_present_password_is_told_the_same_whatever_the_hash() {
    let site = Site::with(&NO_LIMITS).await;
    let owner = make(&site, "mina", Kind::Known).await.unwrap();
    let own: (String, String) = site
        .database()
        .query_row("SELECT hash_scheme, hash FROM users", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let mut first = None;
    for (scheme, hash) in [(own.0.as_str(), own.1.as_str()), BCRYPT, TUTORIAL, ELSEWHERE, RUBBISH] {
        site.database().execute("UPDATE users SET hash_scheme = ?1, hash = ?2", [scheme, hash]).unwrap();
        let mut answers = Vec::new();
        for accept in ["text/html", "application/json"] {
            for language in ["ko", "en"] {
                let mut reader = owner.clone().with("accept", accept).with("accept-language", language);
                answers.push(whole(&reader.change_password("wrong-one", OTHER_PASSWORD).await.expect(422)));
            }
        }
        assert_eq!(&answers, first.get_or_insert_with(|| answers.clone()), "{scheme}");
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_the_same_whoever_has_it() {
    let taken = &KINDS[1..];
    is_the_same_for(taken, &NO_LIMITS, async |site, _| {
        // Whoever has the password of a new account may have sent the form twice, and is told as by a log-in.
        let guess = OTHER_PASSWORD;
        let form = [("username", "Mina"), ("password", guess), ("confirmPassword", guess), ("name", "Mina")];
        let answers = posted(site, "/user/register", &form).await;
        assert!(answers.iter().all(|answer| answer.status == 409));
        answers
    })
    .await;
}

#[tokio::test]
async fn a_registration_that_is_wrong_says_nothing_of_who_is_here() {
    is_the_same_for(&KINDS, &NO_LIMITS, async |site, _| {
        let form = [("username", "mina"), ("password", PASSWORD), ("confirmPassword", "another"), ("name", "Mina")];
        posted(site, "/user/register", &form).await
    })
    .await;
}

#[tokio::test]
async fn asking_for_names_by_registration_is_limited_alike() {
    let settings = [("limits.registration_address", "2/20s")];
    let mut answers = Vec::new();
    for kind in [Kind::Unknown, Kind::Known] {
        let site = Site::with(&settings).await;
        make(&site, "mina", kind).await;
        let mut asker = site.browser().from("203.0.113.9");
        let mut statuses = Vec::new();
        for number in 0..2 {
            // The one is free each time, the other never is.
            let username = if kind == Kind::Known { "mina".to_owned() } else { format!("free{number}") };
            statuses.push(asker.clone().register(&username).await.status.as_u16());
        }
        assert_eq!(statuses, if kind == Kind::Known { [409, 409] } else { [201, 201] });
        answers.push(whole(&asker.post_json("/user/register", application("mina")).await));
    }
    assert_eq!((answers[0].0, &answers[0]), (429, &answers[1]));
}

/// Over the wire, with the order and the case of the headers.
#[tokio::test]
async fn on_the_wire_it_is_the_same_too() {
    let place = Place::new().set("limits.enabled", "false");
    let server = place.serve().await;
    let log_in = || {
        let body = "username=mina&password=wrong-one";
        let mut connection = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
        let head = "POST /user/login HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n";
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        connection.write_all(format!("{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let new = |line: &&str| !line.starts_with("date: ") && !line.starts_with("x-request-id: ");
        answer.split_inclusive('\n').filter(new).collect::<String>()
    };
    let unknown = log_in();
    assert!(unknown.starts_with("HTTP/1.1 401 ") && unknown.contains("value=\"mina\""), "{unknown}");
    server.browser().register("mina").await.expect(201);
    assert_eq!(log_in(), unknown);
    place.run(&["user", "set-password", "mina", "--hash", BCRYPT.1]).expect(0);
    assert_eq!(log_in(), unknown);
    place.run(&["user", "disable", "mina"]).expect(0);
    assert_eq!(log_in(), unknown);
}

/// How many hashes of each scheme a log-in took (of PBKDF2, how many rounds), and how it ended.
async fn work(site: &Site, username: &str, password: &str) -> (u16, BTreeMap<String, u64>) {
    let passwords = &site.app.core.passwords;
    let before = passwords.hashes_done();
    let status = site.browser().log_in_with(username, password).await.status.as_u16();
    let mut done = passwords.hashes_done();
    for (scheme, count) in before {
        *done.get_mut(&scheme).unwrap() -= count;
    }
    done.retain(|_, count| *count > 0);
    let mut work = BTreeMap::new();
    for (scheme, count) in done {
        let (name, each) = match scheme.split_once(':') {
            Some((name, rounds)) if name.starts_with("pbkdf2-") => (name.to_owned(), rounds.parse().unwrap()),
            _ => (scheme, 1),
        };
        *work.entry(name).or_default() += count * each;
    }
    (status, work)
}

fn hashes(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts.iter().map(|(scheme, count)| ((*scheme).to_owned(), *count)).collect()
}

const OWN: &str = "argon2id:m=64,t=1,p=1";

#[tokio::test]
async fn a_failed_log_in_does_the_same_work_whoever_it_was() {
    let site = Site::with(&NO_LIMITS).await;
    let names: Vec<_> = (0..KINDS.len()).map(|number| format!("user{number}")).collect();
    for (kind, username) in KINDS.into_iter().zip(&names) {
        make(&site, username, kind).await;
    }
    // Nobody's either: what can be no username, and a reserved one.
    let strangers = ["x", "mina' OR '1'='1", "사용자", "admin", "user1 "].map(str::to_owned);
    for password in ["wrong-one", "cafe\u{301} au lait 7"] {
        let forms = if password.contains('\u{301}') { 2 } else { 1 };
        let rounds = ("pbkdf2-sha256", 3000 * forms);
        let expected = hashes(&[(OWN, 1), (BCRYPT.0, forms), (TUTORIAL.0, forms), (ELSEWHERE.0, 1), rounds]);
        for username in names.iter().chain(&strangers) {
            assert_eq!(work(&site, username, password).await, (401, expected.clone()), "{username} {password:?}");
        }
    }
}

#[tokio::test]
async fn the_work_is_of_one_hash_where_there_is_one_scheme_and_again_when_the_last_other_one_is_gone() {
    let site = Site::with(&NO_LIMITS).await;
    make(&site, "mina", Kind::Known).await;
    make(&site, "jiho", Kind::Disabled).await;
    for username in ["mina", "jiho", "nobody"] {
        assert_eq!(work(&site, username, "wrong-one").await, (401, hashes(&[(OWN, 1)])));
    }
    // The right password costs one verification, also of a disabled account, which it is told of.
    assert_eq!(work(&site, "mina", PASSWORD).await, (200, hashes(&[(OWN, 1)])));
    assert_eq!(work(&site, "jiho", PASSWORD).await, (403, hashes(&[(OWN, 1)])));

    make(&site, "sora", Kind::Imported(&BCRYPT)).await;
    for username in ["mina", "jiho", "sora", "nobody"] {
        assert_eq!(work(&site, username, "wrong-one").await, (401, hashes(&[(OWN, 1), (BCRYPT.0, 1)])));
    }
    let kept = bcrypt_of("blue kettle 9");
    site.database().execute("UPDATE users SET hash = ?1 WHERE username = 'sora'", [&kept]).unwrap();
    assert_eq!(work(&site, "sora", "blue kettle 9").await, (200, hashes(&[(OWN, 1), (BCRYPT.0, 1)])), "and a new hash");
    for username in ["mina", "jiho", "sora", "nobody"] {
        assert_eq!(work(&site, username, "wrong-one").await, (401, hashes(&[(OWN, 1)])));
    }
}

/// At the least cost, with a salt that does not matter.
fn bcrypt_of(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap()
}

#[tokio::test]
async fn a_log_in_that_is_limited_does_no_work_whoever_it_is() {
    let site = Site::with(&[("limits.log_in_account", "2/20s")]).await;
    make(&site, "mina", Kind::Known).await;
    make(&site, "sora", Kind::Imported(&BCRYPT)).await;
    for username in ["mina", "sora", "nobody"] {
        let mut guesser = site.browser().from("203.0.113.9");
        for _ in 0..2 {
            guesser.log_in_with(username, "wrong-one").await.expect(401);
        }
        let before = site.app.core.passwords.hashes_done();
        guesser.log_in_with(username, PASSWORD).await.expect(429);
        assert_eq!(site.app.core.passwords.hashes_done(), before, "{username}");
    }
}
