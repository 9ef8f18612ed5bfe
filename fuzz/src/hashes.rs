//! Password hashes that were brought along: whatever somebody puts there costs a bounded amount, and lets nobody in.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use argon2::Params;
use munjigi::config::Passwords;
use munjigi::passwords::{Memory, Scheme};
use munjigi_store::StoredHash;

use super::bytes::edited;

/// Most work that the target itself does for one hash, in KiB of Argon2 memory times passes.
const LITTLE: u32 = 256;
/// What nobody has for a password.
const WRONG: [&str; 2] = ["", "no such password, and no such person"];
const RIGHT: &str = "blue kettle 9";

static OURS: LazyLock<[String; 3]> = LazyLock::new(|| {
    let params = Params::new(64, 1, 1, None).unwrap();
    let argon2id = Scheme::hash(&params, RIGHT, &mut Memory::default()).unwrap().text;
    // The others are of the password above, made with other implementations (the C library's crypt, Python's hashlib).
    [argon2id, BCRYPT.to_owned(), PBKDF2.to_owned()]
});
const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuuF52WDMTMaxQHBwL0isY.T4IiXkx/22O";
const PBKDF2: &str = "pbkdf2_sha256$10$salt$5iFAPb9F2LHYyMMRMFvcc1B0lh913NUApkFhmMEI8Oo=";

fn is_bearable(scheme: Scheme) -> bool {
    match scheme {
        Scheme::Argon2id { memory, passes, lanes } => {
            // Eight blocks of 1 KiB a lane is Argon2's own least.
            memory <= Passwords::MOST_MEMORY
                && (1..=Passwords::MOST_PASSES).contains(&passes)
                // 4 GiB in KiB: some seconds.
                && memory.saturating_mul(passes) <= 1 << 22
                && lanes >= 1
                && memory / 8 >= lanes
        }
        Scheme::Bcrypt { cost } => (4..=16).contains(&cost),
        Scheme::Pbkdf2 { rounds, .. } => (1..=4_000_000).contains(&rounds),
        // 256 MiB in KiB; four lanes of it.
        Scheme::Scrypt { log_n, r, p } => {
            log_n < 32 && (u128::from(r) << log_n) <= 1 << 21 && (u128::from(r) << log_n) * u128::from(p) <= 1 << 23
        }
        Scheme::Tutorial => true,
    }
}

/// Whether the target can afford to compute it. The tutorial's rounds are fixed and many: a few a run.
fn is_little(scheme: Scheme) -> bool {
    static TUTORIAL: AtomicU32 = AtomicU32::new(0);
    match scheme {
        Scheme::Argon2id { memory, passes, .. } => memory.saturating_mul(passes) <= LITTLE,
        Scheme::Bcrypt { cost } => cost == 4,
        Scheme::Pbkdf2 { rounds, .. } => rounds <= 100,
        Scheme::Scrypt { log_n, r, p } => log_n < 8 && r.saturating_mul(p) <= 8,
        Scheme::Tutorial => TUTORIAL.fetch_add(1, Ordering::Relaxed) < 2,
    }
}

fn verifies(text: &str, password: &str) -> bool {
    let Some(scheme) = Scheme::detect(text).filter(|scheme| is_little(*scheme)) else { return false };
    let hash = StoredHash { scheme: scheme.to_string(), text: text.to_owned() };
    scheme.verify(&hash, password, &mut Memory::default())
}

fn brought(text: &str) {
    if let Some(named) = Scheme::named(text) {
        assert!(is_bearable(named), "a name that nobody could bear to compute: {named}");
        assert_eq!(named.to_string(), text, "one scheme, one name");
    }
    let Some(scheme) = Scheme::detect(text) else { return };
    assert!(is_bearable(scheme), "{scheme}: {text:?}");
    assert_eq!(Scheme::named(&scheme.to_string()), Some(scheme), "its name is read back");
    assert!(text.len() < 1024, "{text:?}");
    for wrong in WRONG {
        assert!(!verifies(text, wrong), "anybody gets in with {text:?}");
    }
}

/// A changed hash is another password's, unless the change is none to the hash: a parameter spelt in another way, or bits at the end
/// of base64 that stand for nothing.
fn changed(original: &str, text: &str) {
    brought(text);
    if verifies(text, RIGHT) {
        let hash = |text: &str| text.get(text.len() - 31..text.len() - 1).map(str::to_owned);
        assert_eq!(hash(text), hash(original), "{text:?} lets in whom {original:?} let in");
    }
}

pub(super) fn holds(data: &[u8]) {
    match data.split_first() {
        Some((b'e', script)) => {
            for original in &*OURS {
                changed(original, &edited(original, script));
            }
        }
        Some(_) => brought(&String::from_utf8_lossy(data)),
        None => {}
    }
}
