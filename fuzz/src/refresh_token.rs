//! Refresh tokens: verified without a store, and what the rule makes of them. The first byte is as in `token`, and `p` stands for a
//! place in the chain that is signed and read back.

use std::sync::LazyLock;
use std::time::Duration;

use munjigi::refresh_tokens::{RefreshToken, RefreshTokens};
use munjigi::secret::Secrets;
use munjigi_gate::Refused;
use munjigi_rules::refresh::{Record, Rotation, Successor, Terms, rotate};
use munjigi_rules::{Epoch, Generation, Nonce, SessionId, Timestamp, UserId};
use serde_json::json as value;

use super::bytes::{edited, line, take};
use super::{json, signed};

const TYP: &str = "rt+jwt";
/// What the keys of refresh tokens are derived for: part of the format, for tokens outlive versions.
const PURPOSE: &str = "munjigi refresh tokens v1";
const NOW: i64 = 1_800_000_000;

struct World {
    tokens: RefreshTokens,
    /// Key and its name: of the present secret, and of the former one.
    keys: Vec<(Vec<u8>, String)>,
    issued: String,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let secret = |text: &str| secrecy::SecretString::from(text.repeat(32));
    let secrets = Secrets::configured(secret("s"), vec![secret("p")]);
    let strange = RefreshTokens::new(Secrets::configured(secret("x"), vec![])).unwrap();
    let tokens = RefreshTokens::new(secrets.clone()).unwrap();
    let keys = secrets.derive_verifying(PURPOSE).into_iter().map(|key| {
        let name = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.as_ref());
        (key.to_vec(), name.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect())
    });
    let keys = keys.collect();
    let forged = sign(&strange, &place([7; 40]));
    assert!(tokens.verify(&forged, Timestamp::from_secs(NOW)).is_err(), "another installation's token");
    let issued = sign(&tokens, &place([7; 40]));
    World { tokens, keys, issued }
});

fn place(bytes: [u8; 40]) -> Successor {
    let (nonce, rest) = take(&bytes);
    let (parent, rest) = take(rest);
    let (generation, rest) = take(rest);
    Successor {
        generation: Generation(u32::from_be_bytes(generation)),
        nonce: Nonce::from_bytes(nonce),
        parent: Nonce::from_bytes(parent),
        expires: Timestamp::from_secs(NOW + i64::from(i32::from_be_bytes(take(rest).0))),
    }
}

fn sign(tokens: &RefreshTokens, place: &Successor) -> String {
    let (user, session) = (UserId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
    tokens.sign(user, session, place, Timestamp::from_secs(NOW)).unwrap()
}

fn verify(token: &str) -> Result<RefreshToken, Refused> {
    WORLD.tokens.verify(token, Timestamp::from_secs(NOW))
}

/// Nothing is a refresh token but what was issued, to the letter.
fn only_if_issued(token: &str) {
    assert_eq!(verify(token).is_ok(), token == WORLD.issued, "{token:?}");
}

fn reads_back(bytes: [u8; 40]) {
    let place = place(bytes);
    let read = verify(&sign(&WORLD.tokens, &place)).expect("what we sign we take");
    assert_eq!((read.user, read.session), (UserId::from_bytes([1; 16]), SessionId::from_bytes([2; 16])));
    assert_eq!((read.presented.generation, read.presented.nonce), (place.generation, place.nonce));
    assert_eq!((read.presented.parent, read.expires), (place.parent, place.expires));
}

/// Signed with a key of ours: it says what another reader reads, and no number in it upsets the rule.
fn if_signed(which: u8, header: &[u8], payload: &[u8]) {
    let (key, kid) = &WORLD.keys[usize::from(which) % WORLD.keys.len()];
    let header = if header.is_empty() {
        format!(r#"{{"alg":"HS256","typ":"rt+jwt","kid":"{kid}"}}"#).into_bytes()
    } else {
        header.to_vec()
    };
    let token = signed::hs256(key, &header, payload);
    let Ok(read) = verify(&token) else { return };
    assert!(signed::is_plain_header(&header, TYP, kid), "{:?}", String::from_utf8_lossy(&header));
    let Some(said) = json::read_otherwise(payload) else { return };
    assert!(said.is_object(), "claims are an object");
    let members = [
        ("sub", value!(read.user)),
        ("sid", value!(read.session)),
        ("gen", value!(read.presented.generation)),
        ("nonce", value!(read.presented.nonce)),
        ("parent", value!(read.presented.parent)),
    ];
    for (member, value) in &members {
        assert!(json::says(&said, member, value), "{member}: {value}");
    }
    for member in ["sub", "sid", "gen", "nonce", "parent", "iat", "exp"] {
        assert!(!json::is_doubled(payload, member), "{member} twice");
    }
    rule_holds(&read);
}

fn rule_holds(token: &RefreshToken) {
    let now = Timestamp::from_secs(NOW);
    let terms =
        Terms { access_ttl: Duration::from_secs(600), idle_ttl: Duration::from_secs(1_209_600), min_epoch: Epoch(0) };
    let fresh = Nonce::from_bytes([9; 16]);
    for (generation, spent) in
        [(0, [0; 16]), (1, *token.presented.nonce.as_bytes()), (u32::MAX, *token.presented.parent.as_bytes())]
    {
        let record = Record {
            generation: Generation(generation),
            spent: Nonce::from_bytes(spent),
            rotated_at: Timestamp::from_secs(NOW - 3600),
            idle_until: Timestamp::from_secs(NOW + 3600),
            until: Timestamp::from_secs(NOW + 7200),
            epoch: Epoch(0),
        };
        match rotate(Some(&record), &token.presented, &terms, fresh, now) {
            Rotation::Rotated { record: moved, next } => {
                assert_eq!(token.presented.parent, record.spent, "only the child of the spent token rotates");
                assert_eq!((moved.until, moved.spent), (record.until, token.presented.nonce));
                assert!(moved.idle_until <= record.until && next.nonce == fresh && next.parent == moved.spent);
            }
            Rotation::Adopted { record: moved, lost, .. } => {
                assert!(token.presented.generation > record.generation && lost <= 12, "{lost}");
                assert_eq!(moved.until, record.until);
            }
            Rotation::Repeated { .. } => assert_eq!(token.presented.nonce, record.spent),
            Rotation::Gone => panic!("the session lives"),
            Rotation::Kept | Rotation::Reused => {}
        }
    }
}

pub(super) fn holds(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind {
        b'e' => only_if_issued(&edited(&WORLD.issued, rest)),
        b'p' => reads_back(take(rest).0),
        b's' => {
            let (which, rest) = rest.split_first().unwrap_or((&0, &[]));
            let (header, payload) = line(rest);
            if_signed(*which, header, payload);
        }
        _ => only_if_issued(&String::from_utf8_lossy(rest)),
    }
}
