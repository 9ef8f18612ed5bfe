//! The real program goes through everything that people and operators do, right and wrong, and tells everything that it can;
//! and none of it holds a password, a token, a key or a secret, in any spelling.

mod search;

use munjigi::feed_tokens::FeedTokens;
use munjigi::gate::{Algorithm, SigningKey};
use munjigi::secret::Secrets;
use serde_json::json;

use crate::harness::{
    Browser, OTHER_PASSWORD, PASSWORD, Place, Process, RedisServer, Reply, claims_of, forged_by, header_of,
};
use search::Vault;

const SECRET: &str = "Sn0w-falls/on+the gate & 38 keys hang inside";
const SHARED: &str = "Sh4red-with=the app & with nobody else at all";
const REDIS_PASSWORD: &str = "r3dis/pass+word=at~the_door";
const WRONG: &str = "wr0ng & mistyped/one+of them";
const OPERATORS: &str = "operator's 1st pässword ✓";
const NEVER: &str = "never set, only tried: 7";

/// Everything that was said, by whom.
#[derive(Default)]
struct Said {
    vault: Vault,
    told: Vec<(String, Vec<u8>)>,
}

impl Said {
    fn hear(&mut self, who: &str, bytes: impl Into<Vec<u8>>) {
        self.told.push((who.to_owned(), bytes.into()));
    }

    /// A refusal, with its headers; cookies are how tokens leave.
    fn refused(&mut self, what: &str, reply: &Reply, status: u16) {
        assert_eq!(reply.status.as_u16(), status, "{what}: {}", reply.body);
        let headers = reply.headers.iter().filter(|(name, _)| *name != "set-cookie");
        let lines = headers.map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
        self.hear(what, format!("{}\n{}", lines.collect::<String>(), reply.body));
    }

    fn tokens(&mut self, when: &str, browser: &Browser) {
        for (name, token) in &browser.jar {
            if name.ends_with("Token") {
                self.vault.keep_token(&format!("{name} {when}"), token);
            }
        }
    }

    fn ran(&mut self, what: &str, ran: &crate::harness::Ran) {
        self.hear(&format!("{what}, its output"), ran.stdout.clone());
        self.hear(&format!("{what}, its complaints"), ran.stderr.clone());
    }
}

async fn visitors(said: &mut Said, server: &Process) {
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    said.tokens("of the registration", &browser);
    let stranger = server.browser();
    let wrong = stranger.clone().log_in_with("mina", WRONG).await;
    said.refused("a wrong password", &wrong, 401);
    let form = [("username", "mina"), ("password", WRONG), ("remember", "on")];
    said.refused("a wrong password in a form", &stranger.clone().post_form("/user/login", &form).await, 401);
    // People type their password where the username goes, and programs put it wherever they like.
    let swapped = stranger.clone().post_json("/user/login", json!({ "username": PASSWORD, "password": "mina" })).await;
    said.refused("the password for a username", &swapped, 401);
    for body in
        [format!("{{\"password\":\"{PASSWORD}\""), format!("{{\"password\":[\"{PASSWORD}\"]}}"), PASSWORD.to_owned()]
    {
        let malformed = stranger.clone().post("/user/login", "application/json", body).await;
        said.refused("a malformed body", &malformed, 400);
    }
    let text = stranger.clone().post("/user/login", "text/plain", PASSWORD.to_owned()).await;
    said.refused("a body of another type", &text, 415);
    // On a connection of its own, because the server hangs up on it.
    let long = server.browser().post("/user/login", "application/json", PASSWORD.repeat(5000)).await;
    said.refused("a body that is too long", &long, 413);
    forms(said, &stranger).await;

    browser
        .post_form("/user/login", &[("username", "mina"), ("password", PASSWORD), ("remember", "on")])
        .await
        .expect(303);
    said.tokens("of the log-in", &browser);
    browser = browser.without("accessToken");
    browser.get("/user/account").await.expect(200);
    said.tokens("of a renewal", &browser);
    browser.as_bearer().get_json("/user/info").await.expect(200);
    browser.post_json("/user/account/name", json!({ "name": "Minah" })).await.expect(200);
    said.tokens("of a new name", &browser);
    said.refused("a wrong present password", &browser.change_password(WRONG, NEVER).await, 422);
    browser.change_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
    browser.info().await;
    said.tokens("after a new password", &browser);
    forgeries(said, &browser).await;

    let mut second = server.browser();
    second.log_in_with("mina", OTHER_PASSWORD).await.expect(200);
    said.tokens("of another device", &second);
    browser.post_json("/user/account/sessions/end-others", json!({})).await.expect(200);
    browser.info().await;
    said.tokens("after ending the others", &browser);
    said.refused("a session that has ended", &second.get_json("/user/account").await, 401);
    let elsewhere = browser.clone().with("sec-fetch-site", "cross-site").change_password(OTHER_PASSWORD, NEVER).await;
    said.refused("a form of another site", &elsewhere, 403);
    let mut copied = browser.clone();
    browser.log_out().await.expect(200);
    said.refused("a renewal after the log-out", &copied.post_json("/user/refresh", json!({})).await, 401);
    // Ten tries are within the limit: the rest is refused by it.
    for _ in 0..12 {
        stranger.clone().log_in_with("nobody", WRONG).await;
    }
    said.refused("one try too many", &stranger.clone().log_in_with("nobody", WRONG).await, 429);
}

/// What is typed into forms, whatever becomes of it.
async fn forms(said: &mut Said, stranger: &Browser) {
    let weak = json!({ "username": "zoe.", "password": NEVER, "confirmPassword": WRONG, "name": "Zoe" });
    said.refused("two passwords that differ", &stranger.clone().post_json("/user/register", weak).await, 422);
    let taken = json!({ "username": "mina", "password": NEVER, "confirmPassword": NEVER, "name": "Zoe" });
    said.refused("a name that is taken", &stranger.clone().post_json("/user/register", taken).await, 409);
    let typing =
        json!({ "username": PASSWORD, "password": NEVER, "newPassword": WRONG, "confirmPassword": OTHER_PASSWORD });
    said.refused("what is being typed", &stranger.clone().post_json("/user/check", typing).await, 200);
    for path in ["/user/login", "/user/register"] {
        let form = [("username", "mina"), ("password", WRONG), ("confirmPassword", NEVER), ("keep", "ko")];
        said.refused("a form in another language", &stranger.clone().post_form(path, &form).await, 200);
    }
    let form = [("currentPassword", PASSWORD), ("newPassword", NEVER), ("confirmPassword", WRONG)];
    said.refused("passwords too late", &stranger.clone().post_form("/user/account/password", &form).await, 303);
}

/// Tokens that were made by somebody else, which are not told again either.
async fn forgeries(said: &mut Said, browser: &Browser) {
    let (access, refresh) = (browser.access(), browser.refresh());
    for (name, real, typ) in [("accessToken", &access, "at+jwt"), ("refreshToken", &refresh, "rt+jwt")] {
        let kid = header_of(real)["kid"].as_str().unwrap().to_owned();
        let key = SigningKey::generate(Algorithm::Hs256, &kid).unwrap();
        let forged = forged_by(&key, typ, &claims_of(real));
        said.vault.keep_token(&format!("a forged {name}"), &forged);
        let mut forger = browser.clone().without("accessToken").without("refreshToken").holding(name, &forged);
        said.refused("a forged token", &forger.get_json("/user/account").await, 401);
        let bearer = browser.clone().without("accessToken").without("refreshToken");
        let mut bearer = bearer.with("authorization", &format!("Bearer {forged}"));
        said.refused("a forged bearer", &bearer.get_json("/user/account").await, 401);
        let half = real.split_at(real.len() - 20).0;
        let mut cut = browser.clone().without("accessToken").without("refreshToken").holding(name, half);
        said.refused("half a token", &cut.get_json("/user/account").await, 401);
    }
}

fn operators(said: &mut Said, place: &Place) {
    for (arguments, input, code) in [
        (&["user", "add", "oper8tor", "--password-stdin"][..], OPERATORS, 0),
        (&["user", "add", "oper8tor", "--password-stdin"], NEVER, 1),
        (&["user", "set-password", "oper8tor", "--password-stdin"], NEVER, 0),
        (&["user", "show", "oper8tor"], "", 0),
        (&["user", "list", "--json"], "", 0),
        (&["user", "disable", "oper8tor"], "", 0),
        (&["session", "list", "mina"], "", 0),
        (&["config", "show"], "", 0),
        (&["config", "show", "--json"], "", 0),
        (&["config", "check"], "", 0),
        (&["--help"], "", 0),
        // There is no way to put a password where `ps` shows it.
        (&["user", "add", "zoe.", "--password", "x"], "", 2),
    ] {
        let ran = place.run_with_input(arguments, &format!("{input}\n")).expect(code);
        said.ran(&arguments.join(" "), &ran);
    }
}

/// With the password as it has to be written in a URL.
fn redis_url(at: &str) -> String {
    let password = percent_encoding::utf8_percent_encode(REDIS_PASSWORD, percent_encoding::NON_ALPHANUMERIC);
    format!("redis://munjigi:{password}@{at}")
}

/// Starts that go wrong.
fn refusals(said: &mut Said, place: impl Fn() -> Place) {
    let url = redis_url("127.0.0.1:1");
    let raw = format!("redis://user:{REDIS_PASSWORD}@127.0.0.1:1");
    for (what, place, code) in [
        ("a Redis that is not there", place().set("store.redis_url", &url), 1),
        ("a Redis URL that is none", place().set("store.redis_url", &url.replace("redis:", "http:")), 3),
        ("a Redis URL with a password as it is", place().set("store.redis_url", &raw), 3),
        ("a Redis URL with a fragment", place().set("store.redis_url", &format!("{url}#insecure")), 3),
        ("a database of another kind", place().set("store.database_url", &url.replace("redis:", "postgres:")), 3),
        ("a public URL with a password", place().set("server.public_url", &url.replace("redis:", "http:")), 3),
        ("a secret that is too short", place().set("server.secret", &SECRET[..31]), 3),
        ("the secret twice", place().set("tokens.algorithm", "HS256").set("tokens.shared_secret", SECRET), 3),
        ("a shared secret for ES256", place().set("tokens.shared_secret", SHARED), 3),
        (
            "a broken .env",
            place().file(".env", &format!("MUNJIGI_SERVER__SECRET={SECRET} and\nMUNJIGI_STORE__REDIS_URL={url}\n")),
            3,
        ),
        ("a broken file", place().file("munjigi.toml", &format!("[server]\nsecret = \"{SECRET}\nx = 1")), 3),
        ("a key that is none", place().file("munjigi.toml", &format!("[server]\nsecrt = \"{SECRET}\"\n")), 3),
    ] {
        let ran = place.run(&["serve"]).expect(code);
        assert!(!ran.stderr.is_empty(), "{what}");
        said.ran(what, &ran);
    }
}

/// The keys in the database, opened with the secret, in the forms in which they could be told.
fn keys(vault: &mut Vault, place: &Place) {
    let secrets = Secrets::configured(SECRET.to_owned().into(), vec![]);
    let database = rusqlite::Connection::open(place.path().join("data/munjigi.db")).unwrap();
    let mut rows = database.prepare("SELECT kid, sealed FROM signing_keys").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let mut opened = 0;
    for (kid, sealed) in rows.map(Result::<(String, Vec<u8>), _>::unwrap) {
        let (plain, _) = secrets.unseal(&kid, &sealed).unwrap();
        vault.keep("a private key as it is kept", plain.as_slice());
        // Somewhere in PKCS#8 stands the number itself, 32 bytes.
        if let Some(at) = plain.windows(2).position(|pair| pair == [0x04, 0x20]) {
            vault.keep("the number of a private key", &plain[at + 2..at + 34]);
        }
        opened += 1;
    }
    assert!(opened > 0);
    for purpose in ["munjigi refresh tokens v1", "munjigi signing keys v1", "munjigi feed token v1"] {
        vault.keep("a derived key", secrets.derive(purpose).as_ref());
    }
}

fn process_files(said: &mut Said, server: &Process) {
    said.hear("the command line that others see", std::fs::read(server.proc_file("cmdline")).unwrap());
    said.hear("the name that others see", std::fs::read(server.proc_file("comm")).unwrap());
}

/// A service that follows the revocations, and one that shows its token where it does not belong.
async fn a_follower(said: &mut Said, server: &Process) {
    let tokens = FeedTokens::new(Secrets::configured(SECRET.to_owned().into(), vec![]));
    said.vault.keep("the feed token", tokens.present().as_str());
    let follow = reqwest::Client::new().get(format!("{}/auth/revocations", server.url));
    let mut stream = follow.bearer_auth(tokens.present().as_str()).send().await.unwrap();
    said.hear("the feed", stream.chunk().await.unwrap().unwrap().to_vec());
    let mut elsewhere = server.browser().with("authorization", &format!("Bearer {}", tokens.present().as_str()));
    said.refused("the feed token as an access token", &elsewhere.get_json("/user/account").await, 401);
}

struct Told {
    said: Said,
    log: String,
}

async fn everything_is_told(place: Place) -> Told {
    let mut said = Said::default();
    for (what, secret) in [
        ("the secret", SECRET),
        ("the shared secret", SHARED),
        ("Redis' password", REDIS_PASSWORD),
        ("a password", PASSWORD),
        ("another password", OTHER_PASSWORD),
        ("a wrong password", WRONG),
        ("the operator's password", OPERATORS),
        ("a password that was never set", NEVER),
    ] {
        said.vault.keep(what, secret);
    }
    let place = place.set("log.level", "trace");
    let server = place.serve().await;
    process_files(&mut said, &server);
    said.hear("the greeting", server.greeting.clone());
    visitors(&mut said, &server).await;
    a_follower(&mut said, &server).await;
    operators(&mut said, &place);
    server.terminate();
    let rest = server.last_words();
    assert!(rest.contains("sessions") && rest.contains("open"), "{rest}");
    said.hear("the rest of the greeting", rest);
    keys(&mut said.vault, &place);
    let log = place.log();
    assert!(
        ["logged_in", "logged_out", "refused", "log_in_limited", "answered"].iter().all(|event| log.contains(event))
    );
    said.hear("the log", log.clone());
    for file in ["munjigi.db", "munjigi.db-wal"] {
        said.hear(&format!("the file {file}"), std::fs::read(place.path().join("data").join(file)).unwrap_or_default());
    }
    refusals(&mut said, || Place::new().set("server.secret", SECRET));
    Told { said, log }
}

#[expect(clippy::print_stdout, reason = "what was looked for is the point of this test")]
fn nothing_of_it_is_secret(told: &Told) {
    let Said { vault, told: places } = &told.said;
    let bytes: usize = places.iter().map(|(_, bytes)| bytes.len()).sum();
    println!(
        "secrets: {} in {} spellings looked for in {} places of {bytes} bytes, 0 found",
        vault.secrets(),
        vault.spellings(),
        places.len()
    );
    assert!(vault.secrets() > 60 && vault.spellings() > 400 && places.len() > 60);
    for (place, bytes) in places {
        vault.is_not_in(place, bytes);
    }
    // The search would have found them: one of each kind, told where they are not.
    for planted in [PASSWORD, SECRET, REDIS_PASSWORD] {
        assert!(vault.found_in(format!("{}{planted}", told.log)).is_some());
    }
}

#[tokio::test]
async fn nothing_secret_is_told_anywhere_with_sqlite_alone() {
    nothing_of_it_is_secret(&everything_is_told(Place::new().set("server.secret", SECRET)).await);
}

#[tokio::test]
async fn nothing_secret_is_told_anywhere_with_redis_and_a_shared_secret() {
    let redis = RedisServer::private();
    let allow = format!("ON >{REDIS_PASSWORD} ~* +@all");
    let mut set = redis::cmd("ACL");
    set.arg("SETUSER").arg("munjigi").arg(allow.split(' ').collect::<Vec<_>>());
    let _: () = set.query_async(&mut redis.raw().await).await.unwrap();
    let url = redis_url(redis.url.trim_start_matches("redis://"));
    let place = Place::new().set("server.secret", SECRET).set("store.redis_url", &url).set("log.format", "json");
    let place = place.set("tokens.algorithm", "HS256").set("tokens.shared_secret", SHARED);
    let mut told = everything_is_told(place).await;
    for (key, value) in redis.contents().await {
        told.said.hear("a key in Redis", key);
        told.said.hear("a value in Redis", value);
    }
    for line in told.log.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line.is_object()), "{line}");
    }
    nothing_of_it_is_secret(&told);
}

/// In the environment a secret can be read by the same user alone, and that is the operator's own doing. Whoever does not
/// want it there has it read from a file.
#[tokio::test]
async fn a_secret_from_a_file_is_not_in_the_environment() {
    let place = Place::new().file("secret.txt", &format!("{SECRET}\n"));
    let place = place.variable("MUNJIGI_SERVER__SECRET_FILE", "secret.txt");
    let server = place.serve().await;
    let mut vault = Vault::default();
    vault.keep("the secret", SECRET);
    let environment = std::fs::read(server.proc_file("environ")).unwrap();
    assert!(String::from_utf8_lossy(&environment).contains("MUNJIGI_SERVER__SECRET_FILE=secret.txt"));
    vault.is_not_in("the environment", environment);
    vault.is_not_in("the command line", std::fs::read(server.proc_file("cmdline")).unwrap());
}

fn issued(token: String) -> munjigi::gate::Issued {
    let claims = std::sync::Arc::new(munjigi::gate::AccessClaims {
        iss: "us".to_owned(),
        sub: munjigi_rules::UserId::new(munjigi_rules::Timestamp::from_secs(0), [0; 10]),
        aud: "us".to_owned(),
        sid: munjigi_rules::SessionId::from_bytes([1; 16]),
        sep: munjigi_rules::Epoch(0),
        name: "Mina".to_owned(),
        username: "mina".to_owned(),
        iat: 0,
        exp: 1,
        jti: "j".to_owned(),
        auth_time: 0,
        amr: vec![],
    });
    munjigi::gate::Issued {
        access_token: token.clone(),
        refresh_token: token.clone(),
        claims,
        refresh_expires: munjigi_rules::Timestamp::from_secs(1),
        persistence: munjigi::gate::Persistence::Browser,
        device: Some(munjigi::gate::DeviceToken { token, max_age: std::time::Duration::from_secs(1) }),
    }
}

#[test]
fn what_holds_a_secret_does_not_show_it_in_debug_output() {
    use munjigi::gate::{CookieOrder, CookieSettings, Persistence, Presented, SameSite, Via};
    use munjigi_rules::{Nonce, Timestamp, password};

    let mut vault = Vault::default();
    let url = redis_url("127.0.0.1:6379");
    for secret in [SECRET, SHARED, REDIS_PASSWORD, PASSWORD, "header.payload-of-it.signature-of-it"] {
        vault.keep(secret, secret);
    }
    let token = || "header.payload-of-it.signature-of-it".to_owned();
    let layers = munjigi::Layers::new()
        .flag("server.secret", SECRET.to_owned())
        .flag("server.previous_secrets", format!("{SECRET},{SHARED}"))
        .flag("store.redis_url", url.clone());
    let config = munjigi::Config::read(&layers).unwrap();
    let key = SigningKey::from_bytes(Algorithm::Hs256, "kid", SHARED.as_bytes()).unwrap();
    let nonce = [0x5a; 16];
    vault.keep("a nonce", nonce);
    let issued = issued(token());
    let expires = Timestamp::from_secs(1);
    let set_access = CookieOrder::SetAccess { token: token(), persistence: Persistence::Browser, expires };
    let presented = Presented {
        access: Some(token()),
        refresh: Some(token()),
        unused: vec![token()],
        device: Some(token()),
        via: Via::Cookie,
    };
    let cookies = CookieSettings::new(true, None, SameSite::Lax);
    let header = cookies.set(munjigi::gate::cookies::Cookie::Access, &token(), None).unwrap();
    let hash = munjigi_store::StoredHash { scheme: "argon2id".to_owned(), text: PASSWORD.to_owned() };
    let shown = [
        format!("{layers:?}"),
        format!("{config:?}"),
        format!("{key:?} {:?}", key.verifying_key()),
        format!("{:?}", Nonce::from_bytes(nonce)),
        format!("{issued:?}"),
        format!("{:?}", CookieOrder::Set(Box::new(issued))),
        format!("{set_access:?}"),
        format!("{presented:?}"),
        format!("{header:?}"),
        format!("{hash:?}"),
        format!("{:?}", password::known(PASSWORD)),
        format!("{:?}", munjigi_store::redis::Redis::new(&url).unwrap()),
        format!("{:?}", munjigi::Config::read(&layers.flag("tokens.shared_secret", SHARED.to_owned())).unwrap_err()),
    ];
    for text in shown {
        assert!(text.len() > 3, "{text}");
        vault.is_not_in("Debug", text);
    }
}
