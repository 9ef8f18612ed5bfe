//! What an attacker gains who copies a store: nothing that logs in (section 4).

use munjigi::gate::{Algorithm, SigningKey};
use serde_json::{Value, json};

use crate::harness::{Browser, PASSWORD, RedisServer, Site, claims_of, forged_by, header_of};

/// Everything that must not be found in a store, in the forms in which it could be.
fn secrets_of(browser: &Browser) -> Vec<(&'static str, Vec<u8>)> {
    let (access, refresh) = (browser.access(), browser.refresh());
    let claims = claims_of(&refresh);
    let nonce = claims["nonce"].as_str().unwrap();
    let signature = |token: &str| token.rsplit('.').next().unwrap().as_bytes().to_vec();
    vec![
        ("the access token's signature", signature(&access)),
        ("the refresh token's signature", signature(&refresh)),
        ("the live nonce as it is written", nonce.as_bytes().to_vec()),
        ("the live nonce in bytes", bytes_of(nonce)),
        ("the password", PASSWORD.as_bytes().to_vec()),
    ]
}

/// A nonce is written in hex or in base64url.
fn bytes_of(nonce: &str) -> Vec<u8> {
    use base64::Engine as _;
    if nonce.len() == 32 {
        (0..16).map(|n| u8::from_str_radix(&nonce[2 * n..2 * n + 2], 16).unwrap()).collect()
    } else {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(nonce).unwrap()
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[track_caller]
fn holds_none_of(place: &str, bytes: &[u8], secrets: &[(&str, Vec<u8>)]) {
    for (what, secret) in secrets {
        assert!(!contains(bytes, secret), "{place} holds {what}");
    }
}

#[tokio::test]
async fn the_database_holds_no_token_no_live_nonce_and_no_password() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    holds_none_of("after registration, the database", &site.database_bytes(), &secrets_of(&browser));
    site.let_access_expire();
    browser.info().await;
    let bytes = site.database_bytes();
    holds_none_of("after a renewal, the database", &bytes, &secrets_of(&browser));
    let spent = claims_of(&browser.refresh())["parent"].as_str().unwrap().to_owned();
    assert!(
        contains(&bytes, &bytes_of(&spent)),
        "the search finds the nonce that was traded in, so it would find others"
    );
    let secret = std::fs::read_to_string(site.database().path().unwrap().replace("munjigi.db", "secret")).unwrap();
    assert!(!contains(&bytes, secret.trim().as_bytes()));
}

#[tokio::test]
async fn redis_holds_no_token_no_live_nonce_and_no_password() {
    let site = Site::on(RedisServer::private()).await;
    let mut browser = site.browser().from("203.0.113.9");
    browser.register("mina").await.expect(201);
    browser.clone().log_in_with("mina", "wrong-one").await.expect(401);
    site.let_access_expire();
    browser.info().await;
    let secrets = secrets_of(&browser);
    let contents = site.redis().contents().await;
    assert!(!contents.is_empty());
    for (key, value) in &contents {
        holds_none_of("a key in Redis", key, &secrets);
        holds_none_of("a value in Redis", value, &secrets);
        assert!(!contains(key, b"mina") && !contains(value, b"mina"), "nor who it is");
    }
    let spent = bytes_of(claims_of(&browser.refresh())["parent"].as_str().unwrap());
    assert!(contents.iter().any(|(_, value)| contains(value, &spent)), "the search finds what is there");
    holds_none_of("the database", &site.database_bytes(), &secrets);
}

/// Every column of every table, as bytes.
fn everything_in(database: &rusqlite::Connection) -> Vec<Vec<u8>> {
    let mut tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut found = Vec::new();
    for table in tables {
        let mut rows = database.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                let value = row.get_ref(column).unwrap();
                found.extend(value.as_bytes().ok().map(<[u8]>::to_vec));
            }
        }
    }
    found
}

/// A thief with the whole database, but without the secret, tries what they have as the key of refresh tokens that say
/// exactly what the store expects to see.
#[tokio::test]
async fn a_token_built_from_what_is_stored_does_not_renew() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    site.let_access_expire();
    browser.info().await;
    let real = browser.refresh();
    let kid = header_of(&real)["kid"].as_str().unwrap().to_owned();
    let database = site.database();
    let (generation, spent): (u32, Vec<u8>) =
        database.query_row("SELECT gen, spent FROM sessions", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let claims = claims_of(&real);
    assert_eq!(bytes_of(claims["parent"].as_str().unwrap()), spent, "the thief knows what the store expects");
    let repeated = with(&claims, &[("gen", json!(generation)), ("nonce", claims["parent"].clone())]);
    let next = with(&claims, &[("gen", json!(generation + 1))]);
    let (mut tried, keys) = (0, everything_in(&database));
    for key in &keys {
        let stretched: Vec<u8> = key.iter().copied().cycle().take(key.len().max(32)).collect();
        let Ok(key) = SigningKey::from_bytes(Algorithm::Hs256, &kid, &stretched) else { continue };
        for claims in [&repeated, &next] {
            let token = forged_by(&key, "rt+jwt", claims);
            let info = site.browser().holding("refreshToken", token).info().await;
            assert_eq!(info["loggedIn"], false);
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried} keys of {}", keys.len());
    assert!(browser.is_signed_in().await);
}

fn with(claims: &Value, members: &[(&str, Value)]) -> Value {
    let mut claims = claims.clone();
    for (member, value) in members {
        claims[*member] = value.clone();
    }
    claims
}

#[tokio::test]
async fn the_data_directory_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = crate::harness::Place::new();
    let _server = place.serve().await;
    let mode = |name: &str| std::fs::metadata(place.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("data"), 0o700);
    for file in ["data/secret", "data/munjigi.db", "data/munjigi.db-wal"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}
