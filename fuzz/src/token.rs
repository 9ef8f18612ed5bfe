//! Access tokens: read, verified, remembered.
//!
//! The first byte says what the rest is: `r` a token as a stranger makes it up, `e` changes of a token that is good, `s` a header
//! and a payload that are signed with the right key.

use std::sync::{Arc, LazyLock};

use munjigi_gate::claims::ACCESS_TYPE;
use munjigi_gate::jws::{self, Algorithm, SigningKey, VerifyingKey};
use munjigi_gate::verify::{BoxError, KeySource, Verified};
use munjigi_gate::{AccessClaims, Verifier};
use munjigi_rules::{Epoch, SessionId, Timestamp, UserId};

use super::bytes::{edited, line, ready};
use super::{json, signed};

const ISSUER: &str = "https://auth.example.com";
const AUDIENCE: &str = "https://app.example.com";
const NOW: i64 = 1_800_000_000;
const KID: &str = "shared";
const SECRET: &[u8; 32] = b"of the fuzzing target, no secret";

struct World {
    verifier: Verifier,
    shared: SigningKey,
    keys: Vec<VerifyingKey>,
    /// What was issued: one of each algorithm, and one that has expired.
    issued: Vec<String>,
}

struct Keys(Vec<VerifyingKey>);

#[async_trait::async_trait]
impl KeySource for Keys {
    async fn load(&self) -> Result<Vec<VerifyingKey>, BoxError> {
        Ok(self.0.clone())
    }
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let shared = SigningKey::from_bytes(Algorithm::Hs256, KID, SECRET).unwrap();
    let made = |algorithm, kid| SigningKey::generate(algorithm, kid).unwrap();
    let signing = [shared.clone(), made(Algorithm::Es256, "es"), made(Algorithm::EdDsa, "ed")];
    let keys: Vec<_> = signing.iter().map(SigningKey::verifying_key).collect();
    let verifier = Verifier::new(ISSUER, AUDIENCE, Arc::new(Keys(keys.clone())));
    ready(verifier.reload());
    let sign = |key, claims: &AccessClaims| jws::sign(key, ACCESS_TYPE, claims).unwrap();
    let mut issued: Vec<_> = signing.iter().map(|key| sign(key, &claims())).collect();
    issued.push(sign(&shared, &AccessClaims { iat: NOW - 900, exp: NOW - 300, ..claims() }));
    World { verifier, shared, keys, issued }
});

fn claims() -> AccessClaims {
    AccessClaims {
        iss: ISSUER.to_owned(),
        sub: UserId::from_bytes([1; 16]),
        aud: AUDIENCE.to_owned(),
        sid: SessionId::from_bytes([2; 16]),
        sep: Epoch(3),
        name: "문지기".to_owned(),
        username: "keeper".to_owned(),
        iat: NOW,
        exp: NOW + 600,
        jti: "01".to_owned(),
        auth_time: NOW - 5,
        amr: vec!["pwd".to_owned()],
    }
}

fn verify(token: &str) -> Result<Verified, jws::Refused> {
    WORLD.verifier.verify(token, Timestamp::from_secs(NOW))
}

fn opens(token: &str) -> bool {
    jws::open(token, ACCESS_TYPE, |kid| WORLD.keys.iter().find(|key| key.kid() == kid)).is_ok()
}

/// Nothing is a token but what was issued, to the letter.
fn only_if_issued(token: &str) {
    let issued = WORLD.issued.iter().any(|good| good == token);
    assert_eq!(opens(token), issued, "{token:?}");
    assert_eq!(verify(token).is_ok(), issued, "{token:?}");
}

/// Signed with the right key: taken if it says what a token says, and read as another reader reads it.
fn if_signed(header: &[u8], payload: &[u8]) {
    let token = signed::hs256(SECRET, header, payload);
    let plain = signed::is_plain_header(header, ACCESS_TYPE, KID);
    let short = token.len() <= jws::MAX_TOKEN_BYTES && !payload.is_empty();
    assert_eq!(opens(&token), plain && short, "{:?}", String::from_utf8_lossy(header));
    let Ok(Verified { claims, expired }) = verify(&token) else { return };
    assert!(plain && short);
    let Some(said) = json::read_otherwise(payload) else { return };
    let members = ["iss", "sub", "aud", "sid", "sep", "name", "username", "iat", "exp", "jti", "auth_time", "amr"];
    let read = serde_json::to_value(&*claims).unwrap();
    for member in members {
        assert!(json::says(&said, member, &read[member]), "{member}: {}", read[member]);
        assert!(!json::is_doubled(payload, member), "{member} twice");
    }
    assert_eq!((claims.iss.as_str(), claims.aud.as_str()), (ISSUER, AUDIENCE));
    assert!(claims.iat < claims.exp && claims.iat <= NOW + 60);
    assert!(said["nbf"].is_null() || said["nbf"].as_i64().is_some_and(|nbf| nbf <= NOW + 60), "{}", said["nbf"]);
    assert_eq!(expired, claims.exp <= NOW);
    let again = verify(&token).expect("a token that was good is good a moment later, from the cache");
    assert_eq!((&again.claims, again.expired), (&claims, expired));
    if let Ok(respelt) = jws::sign(&WORLD.shared, ACCESS_TYPE, &*claims) {
        assert_eq!(verify(&respelt).expect("what we sign we take").claims, claims);
    }
    assert!(
        jws::open(&token, "rt+jwt", |_| Some(WORLD.shared.verifying_key())).is_err(),
        "an access token renews nothing"
    );
}

pub(super) fn holds(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind {
        b'e' => {
            let (which, script) = rest.split_first().unwrap_or((&0, &[]));
            only_if_issued(&edited(&WORLD.issued[usize::from(*which) % WORLD.issued.len()], script));
        }
        b's' => {
            let (header, payload) = line(rest);
            if_signed(header, payload);
        }
        _ => only_if_issued(&String::from_utf8_lossy(rest)),
    }
}
