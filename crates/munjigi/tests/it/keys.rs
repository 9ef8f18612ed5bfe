//! Keys come, sign, retire and are revoked, and the secret is replaced, while people are signed in (section 4).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use munjigi::keys::{PUBLISHED_FOR, When};
use munjigi::secret::{Former, SecretFile};
use serde_json::Value;

use crate::harness::{Browser, Place, Process, Site, eventually, header_of};

const ALGORITHMS: [&str; 4] = ["ES256", "EdDSA", "RS256", "HS256"];

/// The id of the key that signed a token.
fn kid(token: &str) -> String {
    header_of(token)["kid"].as_str().unwrap().to_owned()
}

/// The keys as `munjigi key list` has them: id and status.
fn listed(place: &Place) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let lines = place.run(&["key", "list", "--json"]).expect(0).json_lines();
    lines.iter().map(|key| (text(&key["kid"]), text(&key["status"]))).collect()
}

/// The only key of this status.
#[track_caller]
fn the(status: &str, place: &Place) -> String {
    let mut found = listed(place).into_iter().filter(|(_, is)| is == status).map(|(kid, _)| kid);
    let one = found.next().unwrap_or_else(|| panic!("no key is {status}"));
    assert_eq!(found.next(), None, "two keys are {status}");
    one
}

async fn published(browser: &Browser) -> Vec<String> {
    let keys = browser.clone().get("/.well-known/jwks.json").await.expect(200).json();
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_algorithm_signs_in_and_stays_in() {
    for algorithm in ALGORITHMS {
        let site = Site::with(&[("tokens.algorithm", algorithm)]).await;
        let mut browser = site.registered("mina").await;
        assert_eq!(header_of(&browser.access())["alg"], algorithm);
        assert!(browser.is_signed_in().await && browser.as_bearer().is_signed_in().await, "{algorithm}");
        site.let_access_expire();
        assert!(browser.is_signed_in().await, "{algorithm}");
        browser.log_out().await.expect(200);
    }
}

#[tokio::test]
async fn a_cookie_is_small_enough_for_every_browser_with_each_algorithm() {
    for algorithm in ALGORITHMS {
        let site = Site::with(&[("tokens.algorithm", algorithm)]).await;
        let (username, name) = ("u".repeat(32), "\u{1f511}".repeat(64));
        let mut application = crate::harness::application(&username);
        application["name"] = name.into();
        let mut browser = site.browser();
        let reply = browser.post_json("/user/register", application).await.expect(201);
        for cookie in reply.cookies() {
            let pair = cookie.split(';').next().unwrap();
            assert!(pair.len() <= 4_096, "{algorithm}: {}", pair.len());
        }
    }
}

#[tokio::test]
async fn a_next_key_is_published_and_signs_only_when_every_service_can_know_it() {
    let site = Site::embedded().await;
    let (core, now) = (&site.app.core, site.app.core.now());
    let mut mina = site.registered("mina").await;
    let old = kid(&mina.access());
    core.keys.rotate(When::Published, now).await.unwrap();
    core.verifier.reload().await;
    let keys = published(&mina).await;
    assert_eq!(keys.len(), 2);
    let next = keys.into_iter().find(|key| *key != old).unwrap();

    core.keys.advance(now.plus(PUBLISHED_FOR - Duration::from_millis(1))).await.unwrap();
    core.verifier.reload().await;
    assert_eq!(kid(&site.registered("jiho").await.access()), old, "too early");

    core.keys.advance(now.plus(PUBLISHED_FOR)).await.unwrap();
    core.verifier.reload().await;
    assert_eq!(kid(&site.registered("sora").await.access()), next);
    assert_eq!(published(&mina).await.len(), 2, "the old one verifies on");
    assert!(mina.is_signed_in().await && kid(&mina.access()) == old);
    site.let_access_expire();
    assert!(mina.is_signed_in().await && kid(&mina.access()) == next);
}

#[tokio::test]
async fn a_published_key_stays_published_for_as_long_as_a_service_may_keep_the_set() {
    let site = Site::embedded().await;
    let reply = site.browser().get("/.well-known/jwks.json").await.expect(200);
    let kept = reply.header("cache-control").unwrap().rsplit('=').next().unwrap().parse().unwrap();
    assert!(PUBLISHED_FOR > Duration::from_secs(kept));
}

#[tokio::test]
async fn a_token_of_a_revoked_key_is_nobodys_and_its_holder_is_renewed() {
    let site = Site::embedded().await;
    let core = &site.app.core;
    let mut mina = site.registered("mina").await;
    let (bad, stolen) = (kid(&mina.access()), mina.as_bearer());
    assert!(stolen.clone().is_signed_in().await, "it is in the cache of verified tokens");
    core.keys.revoke(&bad, core.now()).await.unwrap();
    core.verifier.reload().await;
    stolen.clone().get_json("/user/account").await.expect(401);
    assert!(mina.clone().without("refreshToken").info().await["loggedIn"] == false);
    assert!(mina.is_signed_in().await, "the refresh token is not of that key");
    assert_ne!(kid(&mina.access()), bad);
    assert!(!published(&mina).await.contains(&bad));
}

/// Asks over and over, at both servers in turn, until told to stop. Every answer must be of somebody signed in. Without `keeps`,
/// the access token is gone each time, and they are renewed.
async fn stays_signed_in(mut browser: Browser, keeps: bool, servers: [&Process; 2], stop: &AtomicBool) -> u32 {
    let mut asked = 0;
    for server in servers.into_iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        browser = if keeps { browser } else { browser.without("accessToken") }.at(server);
        let info = browser.info().await;
        assert_eq!(info["loggedIn"], true, "after {asked} answers: {info}");
        asked += 1;
    }
    asked
}

/// Runs a command beside two servers under load. `changed` says of two browsers, one from before and one that has just
/// registered, whether the command has had its effect on the server where that was.
async fn nobody_is_signed_out_by(command: &[&str], changed: impl Fn(&Browser, &Browser) -> bool) {
    let place = Place::new().set("limits.registration_address", "1000/1h").set("limits.renewal_session", "10000/1h");
    let (one, two) = (place.serve().await, place.serve().await);
    let (mut mina, mut jiho) = (one.browser(), two.browser());
    mina.register("mina").await.expect(201);
    jiho.register("jiho").await.expect(201);
    let stop = AtomicBool::new(false);
    let command = async {
        place.run(command).expect(0);
        for server in [&one, &two] {
            eventually("the server took it up by itself", async || {
                let mut newcomer = server.browser();
                newcomer.register(&format!("n{:x}", rand_u64())).await.expect(201);
                changed(&mina, &newcomer)
            })
            .await;
        }
        stop.store(true, Ordering::Relaxed);
    };
    // Bearers, whose access token is all they have, and browsers, which renew.
    let asked = tokio::join!(
        stays_signed_in(mina.clone(), true, [&one, &two], &stop),
        stays_signed_in(jiho.clone(), false, [&two, &one], &stop),
        stays_signed_in(mina.as_bearer(), true, [&one, &two], &stop),
        command,
    );
    assert!(asked.0 > 1 && asked.1 > 1 && asked.2 > 1, "{asked:?}");
    // And afterwards: what they hold from before renews at both.
    for (browser, server) in [(mina, &two), (jiho, &one)] {
        assert!(browser.at(server).without("accessToken").is_signed_in().await);
    }
    assert!(!place.log().contains(" ERROR "), "{}", place.log());
}

fn rand_u64() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotating_the_key_under_load_refuses_nobody_and_reaches_every_process() {
    nobody_is_signed_out_by(&["key", "rotate", "--now"], |before, after| kid(&before.access()) != kid(&after.access()))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replacing_the_secret_under_load_refuses_nobody_and_reaches_every_process() {
    nobody_is_signed_out_by(&["secret", "rotate"], |before, after| kid(&before.refresh()) != kid(&after.refresh()))
        .await;
}

#[tokio::test]
async fn a_secret_that_somebody_knows_is_worth_nothing_at_once() {
    let place = Place::new();
    let server = place.serve().await;
    let mut mina = server.browser();
    mina.register("mina").await.expect(201);
    let known = std::fs::read_to_string(place.path().join("data/secret")).unwrap();
    place.run(&["key", "rotate"]).expect(0);
    place.run(&["secret", "rotate", "--compromised"]).expect(0);
    assert!(!place.path().join("data/secret.previous").exists());
    assert_ne!(std::fs::read_to_string(place.path().join("data/secret")).unwrap(), known);
    for kept in ["accessToken", "refreshToken"] {
        let other = if kept == "accessToken" { "refreshToken" } else { "accessToken" };
        eventually("nothing from before is worth anything", async || !mina.clone().without(other).is_signed_in().await)
            .await;
    }
    let statuses: Vec<_> = listed(&place).into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses.iter().filter(|status| *status == "revoked").count(), 2, "{statuses:?}");
    mina.log_in("mina").await.expect(200);
    assert!(mina.is_signed_in().await);
    // And after a restart, with nothing but the new secret.
    server.kill();
    let server = place.serve().await;
    assert!(mina.at(&server).is_signed_in().await);
}

/// What `munjigi secret rotate --compromised` has done when it is killed right after its first step.
async fn replaced_and_no_more(place: &Place) {
    let clock = Arc::new(munjigi::AnchoredClock::start());
    let file = SecretFile::new(&place.path().join("data"), vec![], Duration::from_secs(1_000), clock);
    file.lock().await.unwrap().replace(Former::Known).unwrap();
}

#[tokio::test]
async fn a_secret_that_somebody_knows_verifies_nothing_while_keys_are_still_sealed_with_it() {
    let place = Place::new();
    let server = place.serve().await;
    let mut mina = server.browser();
    mina.register("mina").await.expect(201);
    let stolen = mina.clone().without("accessToken");
    replaced_and_no_more(&place).await;
    assert!(place.path().join("data/secret.previous").exists());
    eventually("the refresh token is worth nothing", async || !stolen.clone().is_signed_in().await).await;
    mina.log_in("mina").await.expect(200);
    assert!(mina.clone().without("accessToken").is_signed_in().await, "the new secret signs");
    assert!(!place.log().contains(" ERROR "), "{}", place.log());
    // The next start ends what the command began.
    server.kill();
    let server = place.serve().await;
    assert!(!place.path().join("data/secret.previous").exists());
    let statuses: Vec<_> = listed(&place).into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["revoked", "active"], "and replaces the key that was sealed with it");
    assert!(mina.without("accessToken").at(&server).is_signed_in().await && !stolen.at(&server).is_signed_in().await);
}

#[tokio::test]
async fn a_secret_that_is_gone_is_not_made_anew() {
    let place = Place::new();
    let server = place.serve().await;
    let mut mina = server.browser();
    mina.register("mina").await.expect(201);
    let (file, aside) = (place.path().join("data/secret"), place.path().join("aside"));
    std::fs::rename(&file, &aside).unwrap();
    eventually("the server says so", async || place.log().contains("restore it from a backup")).await;
    assert!(mina.clone().without("accessToken").is_signed_in().await, "what it has read stays in use");
    place.run(&["user", "list"]).complains(1, &["`secret` is gone", "backup"]);
    server.kill();
    place.run(&["serve"]).complains(1, &["`secret` is gone", "backup"]);
    assert!(!file.exists());
    std::fs::rename(&aside, &file).unwrap();
    let server = place.serve().await;
    assert!(mina.at(&server).without("accessToken").is_signed_in().await);
}

#[test]
fn a_shared_secret_that_was_sealed_with_a_known_one_is_not_said_to_be_replaced() {
    let place = Place::new().set("tokens.algorithm", "HS256");
    let place = place.set("tokens.shared_secret", "thirty-two bytes shared with an app");
    place.run_with_input(&["user", "add", "mina", "--password-stdin"], "blue kettle, seven spoons\n").expect(0);
    tokio::runtime::Runtime::new().unwrap().block_on(async { place.serve().await.kill() });
    place.run(&["secret", "rotate", "--compromised"]).complains(1, &["tokens.shared_secret", "munjigi key revoke"]);
}

#[tokio::test]
async fn keys_are_made_one_command_after_the_other_while_the_secret_is_replaced() {
    let place = Place::new();
    let server = place.serve().await;
    std::thread::scope(|scope| {
        for command in [["secret", "rotate"].as_slice(), &["secret", "rotate", "--compromised"]] {
            scope.spawn(|| (0..3).for_each(|_| drop(place.run(command).expect(0))));
        }
        scope.spawn(|| (0..6).for_each(|_| drop(place.run(&["key", "rotate", "--now"]).expect(0))));
    });
    server.kill();
    let server = place.serve().await;
    let mut mina = server.browser();
    mina.register("mina").await.expect(201);
    assert!(mina.is_signed_in().await);
    assert!(!place.log().contains(" ERROR "), "{}", place.log());
}

#[tokio::test]
async fn a_key_is_revoked_on_every_process_within_a_second_or_so() {
    let place = Place::new();
    let (one, two) = (place.serve().await, place.serve().await);
    let mut mina = one.browser();
    mina.register("mina").await.expect(201);
    let bad = the("active", &place);
    place.run(&["key", "revoke", &bad]).expect(0);
    for server in [&one, &two] {
        eventually("the access token is nobody's", async || {
            mina.as_bearer().at(server).get_json("/user/info").await.status == 401
        })
        .await;
    }
    assert!(mina.is_signed_in().await);
    assert_eq!(kid(&mina.access()), the("active", &place));
    assert_eq!(the("revoked", &place), bad);
    place.run(&["key", "revoke", "0123456789abcdef"]).complains(4, &["no such key"]);
}

#[tokio::test]
async fn keys_are_shown_as_an_app_needs_them() {
    let place = Place::new();
    let server = place.serve().await;
    let shown = place.run(&["key", "show"]).expect(0).json();
    let set = server.browser().get("/.well-known/jwks.json").await.expect(200).json();
    assert_eq!(set["keys"][0], shown, "the public key, and nothing of the private one");
    assert_eq!(place.run(&["key", "show", &the("active", &place)]).expect(0).json(), shown);
    place.run(&["key", "show", "0123456789abcdef"]).complains(4, &["no such key"]);
    server.kill();

    let place = place.set("tokens.algorithm", "HS256");
    let server = place.serve().await;
    let shared = place.run(&["key", "show"]).expect(0).json();
    assert_eq!((&shared["kty"], &shared["alg"]), (&"oct".into(), &"HS256".into()));
    let secret =
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, shared["k"].as_str().unwrap());
    let mut mina = server.browser();
    mina.register("mina").await.expect(201);
    let key = munjigi::gate::SigningKey::from_bytes(
        munjigi::gate::Algorithm::Hs256,
        shared["kid"].as_str().unwrap(),
        &secret.unwrap(),
    );
    let key = key.unwrap().verifying_key();
    munjigi::gate::jws::open(&mina.access(), "at+jwt", |_| Some(&key)).unwrap();
}

#[tokio::test]
async fn another_algorithm_begins_at_the_next_start_and_old_tokens_go_on() {
    let mut place = Place::new();
    let server = place.serve().await;
    let mut browsers = vec![server.browser()];
    browsers[0].register("mina").await.expect(201);
    drop(server);
    for algorithm in ["EdDSA", "RS256", "HS256", "ES256"] {
        place = place.set("tokens.algorithm", algorithm);
        let server = place.serve().await;
        let mut newest = server.browser();
        newest.log_in("mina").await.expect(200);
        assert_eq!(header_of(&newest.access())["alg"], algorithm);
        browsers.push(newest);
        for browser in &browsers {
            let mut bearer = browser.as_bearer().at(&server);
            assert!(bearer.is_signed_in().await, "{} after {algorithm}", header_of(&browser.access())["alg"]);
        }
    }
    // A key that was planned for ahead is the one that begins.
    let ahead = place.set("tokens.algorithm", "EdDSA");
    ahead.run(&["key", "rotate"]).expect(0);
    let next = the("next", &ahead);
    let server = ahead.serve().await;
    let mut browser = server.browser();
    browser.log_in("mina").await.expect(200);
    assert_eq!(kid(&browser.access()), next);
}

#[tokio::test]
async fn a_shared_secret_that_was_revoked_is_refused_at_the_start() {
    let place = Place::new().set("tokens.algorithm", "HS256");
    let place = place.set("tokens.shared_secret", "thirty-two bytes shared with an app");
    place.serve().await.kill();
    let bad = the("active", &place);
    place.run(&["key", "revoke", &bad]).complains(1, &["tokens.shared_secret", "give another one"]);
    place.run(&["key", "rotate"]).complains(1, &["tokens.shared_secret is configured"]);
    let place = place.set("tokens.shared_secret", "thirty-two other bytes for the app!");
    place.serve().await.kill();
    assert_eq!(the("retired", &place), bad);
    place.run(&["key", "revoke", &bad]).expect(0);
    let place = place.set("tokens.shared_secret", "thirty-two bytes shared with an app");
    place.run(&["serve"]).complains(1, &["tokens.shared_secret was revoked"]);
}

#[test]
fn a_configured_secret_is_not_replaced_but_the_way_is_told() {
    let place = Place::new().set("server.secret", "a secret that is only for these tests");
    place.run_with_input(&["user", "add", "mina", "--password-stdin"], "blue kettle, seven spoons\n").expect(0);
    let told = place.run(&["secret", "rotate"]).complains(1, &["server.previous_secrets", "openssl rand -hex 32"]);
    assert!(!told.stderr.contains("only for these tests"));
}

#[tokio::test]
async fn a_configured_secret_is_exchanged_with_a_restart_and_the_former_one_can_go() {
    let (old, new) = ("the first secret of thirty-two bytes", "the second secret of thirty-two bytes");
    let place = Place::new().set("server.secret", old);
    let server = place.serve().await;
    let mut mina = server.browser();
    mina.register("mina").await.expect(201);
    server.kill();
    let place = place.set("server.secret", new).set("server.previous_secrets", old);
    let server = place.serve().await;
    let mut mina = mina.at(&server).without("accessToken");
    assert!(mina.is_signed_in().await);
    server.kill();
    let place = place.unset("server.previous_secrets");
    let server = place.serve().await;
    assert!(mina.at(&server).is_signed_in().await, "the keys are sealed with the new one");
}
