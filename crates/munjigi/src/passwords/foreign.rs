//! Hashes as other systems keep them, taken apart: PBKDF2, scrypt and bcrypt under the names that each system gives them.
//!
//! | from | as it is kept |
//! | --- | --- |
//! | the tutorial's app | `base64(64 bytes)$salt`: PBKDF2-HMAC-SHA-512, 104,906 rounds, the salt as text |
//! | Django | `pbkdf2_sha256$rounds$salt$base64`, `pbkdf2_sha1$…`, `scrypt$N$salt$r$p$base64`, `bcrypt$…`, `bcrypt_sha256$…` |
//! | Werkzeug (Flask) | `pbkdf2:sha256:rounds$salt$hex` (also `sha1`, `sha512`), `scrypt:N:r:p$salt$hex` |
//! | passlib | `$pbkdf2-sha256$rounds$salt$hash` (also `-sha512`, and `$pbkdf2$` for SHA-1), `$scrypt$ln=…,r=…,p=…$salt$hash`, `$bcrypt-sha256$v=2,…` |
//! | Better Auth | `salt:hash` in hex: scrypt of 32 MiB, the salt as text, the password in NFKC |
//! | PHP, Ruby, Node and others | `$2a$`, `$2b$`, `$2y$`: bcrypt |

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::scheme::{Prf, Scheme, equal};

/// Iterations that the tutorial's app used, always.
pub(super) const TUTORIAL_ROUNDS: NonZeroU32 = NonZeroU32::new(104_906).unwrap();
/// Most characters of all.
const MOST_TEXT: usize = 600;
/// Most characters of a salt. Those that systems make have about 24.
const MOST_SALT: usize = 256;
/// Bytes of a scrypt hash of passlib's, and of all others. They are demanded, because one that was cut off would verify too.
const SCRYPT: (usize, usize) = (32, 64);

/// A hash taken apart.
pub(super) struct Foreign {
    scheme: Scheme,
    kind: Kind,
}

enum Kind {
    Pbkdf2 { rounds: NonZeroU32, salt: Vec<u8>, hash: Vec<u8> },
    Scrypt { typed: Typed, salt: Vec<u8>, hash: Vec<u8> },
    Bcrypt { text: String, before: Before },
}

/// How a system takes what was typed.
#[derive(Clone, Copy)]
enum Typed {
    AsItIs,
    Nfkc,
}

/// What is done to a password before bcrypt, which sees no more than 72 bytes.
enum Before {
    Nothing,
    /// Django: SHA-256 in hex.
    HexSha256,
    /// passlib: HMAC-SHA-256 in base64, under the salt.
    HmacSha256,
}

impl Foreign {
    /// Takes a hash apart, if it is one of these.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if !text.is_ascii() || text.len() > MOST_TEXT {
            return None;
        }
        if ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| text.starts_with(prefix)) {
            return bcrypt(text.to_owned(), Before::Nothing);
        }
        let parts: Vec<&str> = text.split('$').collect();
        match parts.as_slice() {
            ["bcrypt", ..] => bcrypt(text.strip_prefix("bcrypt$")?.to_owned(), Before::Nothing),
            ["bcrypt_sha256", ..] => bcrypt(text.strip_prefix("bcrypt_sha256$")?.to_owned(), Before::HexSha256),
            ["", "bcrypt-sha256", params, salt, hash] => {
                let cost: u32 = params.strip_prefix("v=2,t=2b,r=")?.parse().ok()?;
                bcrypt(format!("$2b${cost:02}${salt}{hash}"), Before::HmacSha256)
            }
            ["", "scrypt", params, salt, hash] => {
                let (log_n, rest) = params.strip_prefix("ln=")?.split_once(",r=")?;
                let (r, p) = rest.split_once(",p=")?;
                let scheme = Scheme::Scrypt { log_n: number(log_n)?, r: number(r)?, p: number(p)? };
                let (salt, hash) = (STANDARD_NO_PAD.decode(salt).ok()?, STANDARD_NO_PAD.decode(hash).ok()?);
                scrypt(scheme, Typed::AsItIs, salt, hash, SCRYPT.0)
            }
            ["scrypt", n, salt, r, p, hash] => {
                let scheme = Scheme::Scrypt { log_n: log_2(n)?, r: number(r)?, p: number(p)? };
                scrypt(scheme, Typed::AsItIs, salt.as_bytes().to_vec(), STANDARD.decode(hash).ok()?, SCRYPT.1)
            }
            ["", name, rounds, salt, hash] => {
                let prf = match *name {
                    "pbkdf2" => Prf::Sha1,
                    "pbkdf2-sha256" => Prf::Sha256,
                    "pbkdf2-sha512" => Prf::Sha512,
                    _ => return None,
                };
                pbkdf2(prf, rounds, adapted(salt)?, adapted(hash)?)
            }
            [name @ ("pbkdf2_sha1" | "pbkdf2_sha256"), rounds, salt, hash] => {
                let prf = if *name == "pbkdf2_sha1" { Prf::Sha1 } else { Prf::Sha256 };
                pbkdf2(prf, rounds, salt.as_bytes().to_vec(), STANDARD.decode(hash).ok()?)
            }
            [method, salt, hash] => werkzeug(method, salt, hash),
            [hash, salt] => tutorial(hash, salt),
            [text] => better_auth(text),
            _ => None,
        }
    }

    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether it is the hash of this password.
    pub(super) fn is_of(&self, password: &str) -> bool {
        match &self.kind {
            Kind::Pbkdf2 { rounds, salt, hash } => {
                let algorithm = match self.scheme {
                    Scheme::Pbkdf2 { prf: Prf::Sha1, .. } => pbkdf2::PBKDF2_HMAC_SHA1,
                    Scheme::Pbkdf2 { prf: Prf::Sha256, .. } => pbkdf2::PBKDF2_HMAC_SHA256,
                    _ => pbkdf2::PBKDF2_HMAC_SHA512,
                };
                pbkdf2::verify(algorithm, *rounds, salt, password.as_bytes(), hash).is_ok()
            }
            Kind::Scrypt { typed, salt, hash } => {
                let Scheme::Scrypt { log_n, r, p } = self.scheme else { return false };
                let Ok(params) = scrypt::Params::new(log_n, r, p) else { return false };
                let password = match typed {
                    Typed::AsItIs => Zeroizing::new(password.to_owned()),
                    Typed::Nfkc => Zeroizing::new(password.nfkc().collect()),
                };
                let mut out = vec![0; hash.len()];
                scrypt::scrypt(password.as_bytes(), salt, &params, &mut out).is_ok() && equal(&out, hash)
            }
            Kind::Bcrypt { text, before } => {
                let password = before.apply(password, text);
                bcrypt::verify(password.as_bytes(), text).unwrap_or(false)
            }
        }
    }
}

impl Before {
    fn apply(&self, password: &str, text: &str) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Nothing => password.to_owned(),
            Self::HexSha256 => hex(digest::digest(&digest::SHA256, password.as_bytes()).as_ref()),
            Self::HmacSha256 => {
                let salt = text.get(7..29).unwrap_or_default();
                let key = hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes());
                STANDARD.encode(hmac::sign(&key, password.as_bytes()))
            }
        })
    }
}

fn bcrypt(text: String, before: Before) -> Option<Foreign> {
    let cost = text.get(4..6)?.parse().ok()?;
    text.parse::<bcrypt::HashParts>().ok()?;
    bearable(Scheme::Bcrypt { cost }, Kind::Bcrypt { text, before })
}

fn pbkdf2(prf: Prf, rounds: &str, salt: Vec<u8>, hash: Vec<u8>) -> Option<Foreign> {
    let rounds: NonZeroU32 = number(rounds)?;
    // All systems keep one block of the hash function.
    (is_salt(&salt) && hash.len() == prf.len()).then_some(())?;
    bearable(Scheme::Pbkdf2 { prf, rounds: rounds.get() }, Kind::Pbkdf2 { rounds, salt, hash })
}

fn scrypt(scheme: Scheme, typed: Typed, salt: Vec<u8>, hash: Vec<u8>, bytes: usize) -> Option<Foreign> {
    (is_salt(&salt) && hash.len() == bytes).then_some(())?;
    bearable(scheme, Kind::Scrypt { typed, salt, hash })
}

fn werkzeug(method: &str, salt: &str, hash: &str) -> Option<Foreign> {
    let (salt, hash) = (salt.as_bytes().to_vec(), unhex(hash)?);
    match *method.split(':').collect::<Vec<_>>().as_slice() {
        ["scrypt", n, r, p] => {
            let scheme = Scheme::Scrypt { log_n: log_2(n)?, r: number(r)?, p: number(p)? };
            scrypt(scheme, Typed::AsItIs, salt, hash, SCRYPT.1)
        }
        ["pbkdf2", "sha1", rounds] => pbkdf2(Prf::Sha1, rounds, salt, hash),
        ["pbkdf2", "sha256", rounds] => pbkdf2(Prf::Sha256, rounds, salt, hash),
        ["pbkdf2", "sha512", rounds] => pbkdf2(Prf::Sha512, rounds, salt, hash),
        _ => None,
    }
}

fn tutorial(hash: &str, salt: &str) -> Option<Foreign> {
    // 64 bytes of hash are 88 characters. What is longer is not even decoded.
    let short = hash.len() == 88 && salt.len() <= MOST_SALT && STANDARD.decode(salt).is_ok();
    let hash = short.then(|| STANDARD.decode(hash).ok()).flatten().filter(|bytes| bytes.len() == 64)?;
    let salt = salt.as_bytes().to_vec();
    bearable(Scheme::Tutorial, Kind::Pbkdf2 { rounds: TUTORIAL_ROUNDS, salt, hash })
}

fn better_auth(text: &str) -> Option<Foreign> {
    let (salt, hash) = text.split_once(':')?;
    unhex(salt).filter(|bytes| bytes.len() == 16)?;
    let (scheme, salt) = (Scheme::Scrypt { log_n: 14, r: 16, p: 1 }, salt.as_bytes().to_vec());
    scrypt(scheme, Typed::Nfkc, salt, unhex(hash)?, SCRYPT.1)
}

/// Only what can be waited for is taken for a hash.
fn bearable(scheme: Scheme, kind: Kind) -> Option<Foreign> {
    scheme.is_bearable().then_some(Foreign { scheme, kind })
}

fn is_salt(salt: &[u8]) -> bool {
    (1..=MOST_SALT).contains(&salt.len())
}

/// A number as it is written by programs: no sign, no leading zero.
fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten()
}

fn log_2(text: &str) -> Option<u8> {
    let n: u32 = number(text)?;
    n.is_power_of_two().then(|| n.trailing_zeros()).and_then(|log| u8::try_from(log).ok())
}

/// passlib's base64: `.` for `+`, no padding.
fn adapted(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text.replace('.', "+")).ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "blue kettle 9 가나";

    /// Each made by the library that is named, of [`PASSWORD`], and verified by it.
    const SAMPLES: &[(&str, &str, &str)] = &[
        (
            "Django 5.2",
            "pbkdf2-sha256:1000",
            "pbkdf2_sha256$1000$lSzgXkRrcFhT8GYeJP6iQa$WFWMa+DciEy8TYxECyXrMecJI9T15T+DZr6hCS+eG60=",
        ),
        ("Django 5.2", "pbkdf2-sha1:1000", "pbkdf2_sha1$1000$lSzgXkRrcFhT8GYeJP6iQa$sB68yhxpV1Q2dcNCo7umtwNZYK4="),
        (
            "Django 5.2",
            "scrypt:ln=10,r=8,p=5",
            "scrypt$1024$lSzgXkRrcFhT8GYeJP6iQa$8$5$rAW4J+HJZrP1T+RFdsSyxOQdkPj3AmjkqZGHmaHhb91ywPyJEf94G8ja7xEBbYE6m4A6H6HeekLnJpPlD5jjiQ==",
        ),
        (
            "Django 5.2",
            "argon2id:m=64,t=1,p=1",
            "argon2$argon2id$v=19$m=64,t=1,p=1$MzYxRHEwU0l5ZHBRTGg3eTgwTE1sMg$m2VBId0gzJBiaam/86oyNGR0Yumgw8QqueLFP22PgHA",
        ),
        ("Django 5.2", "bcrypt:4", "bcrypt_sha256$$2b$04$e4Czsq9FPNCxOKQjbtxaRuSelyJmOiXLvt2j0.vZ0nZC0I/0HwD8S"),
        ("Django 5.2", "bcrypt:4", "bcrypt$$2b$04$ubLjAefMXl3Lkf1k.qIYYukjRqmmAVMtBLqcGs9KDLNDoIl/hMKs2"),
        (
            "Werkzeug 3.1",
            "scrypt:ln=10,r=8,p=1",
            "scrypt:1024:8:1$ucfB0MrwLUAxUgTc$9a8bf41dea9f4f2ef76305754a6799cf118a011dd85aa07e5a0273ff7d8fa2c3e80eb9daf3490637f082fb820bd64cf45751210121964af3332a536f957d0fd0",
        ),
        (
            "Werkzeug 3.1",
            "pbkdf2-sha256:1000",
            "pbkdf2:sha256:1000$cd1w6eCTlpJT2xWh$f0753b906d6186284cca65b725ef8f1f01da8a0ad93c6a4cddc4b7d6528af296",
        ),
        (
            "Werkzeug 3.1",
            "pbkdf2-sha512:1000",
            "pbkdf2:sha512:1000$DfGxitlIPcbkHQep$dc8e2925f8e32258c1923462f9ac2ddbf9402d10416cfff6487c6645bc2fe8d79215966fcdda985458ba6d799eab0fbdfeda0d23e38e9c536d58ca6743996a5c",
        ),
        (
            "Werkzeug 3.1",
            "pbkdf2-sha1:1000",
            "pbkdf2:sha1:1000$AdHmcXrL8DHkyvOy$29b77a157dd020fc178f89dd6b5e61a826472eab",
        ),
        ("passlib 1.7", "pbkdf2-sha1:1000", "$pbkdf2$1000$HON8z7n3XssZw7gXwhjjHA$xx/qKa1Df1AWGRO0sKBjZ0XhaBU"),
        (
            "passlib 1.7",
            "pbkdf2-sha256:1000",
            "$pbkdf2-sha256$1000$KCWktPZ.7x2DcI7x3nvPuQ$whYi5uX/niBZrovn56UfdMTUUZqLSIFHXnVSChUqPsA",
        ),
        (
            "passlib 1.7",
            "pbkdf2-sha512:1000",
            "$pbkdf2-sha512$1000$EGLM2ZuT0jqn1JqT0tpbqw$MdlgBxTZYaiPPJj3FvOuiHUyW6LCy3pUeGrrkuLibh6j/DQP71GXpUo.1GQ6Td93cYNNnMF6BLkSKivLGOg8Sg",
        ),
        (
            "passlib 1.7",
            "scrypt:ln=10,r=8,p=1",
            "$scrypt$ln=10,r=8,p=1$/L8X4lzLOcc4ZyzF2BujlA$6BobKQX5JVVFQnGSNsW3Buo6mZ/c4WbjNEB+2bsNiWg",
        ),
        (
            "passlib 1.7",
            "argon2id:m=64,t=1,p=1",
            "$argon2id$v=19$m=64,t=1,p=1$zLn33ltL6Z1zbo3xnnMuhQ$zGM+QnfQZbYdAV2YXlXGHS77ODFIhtZsMpdRDaSzYuY",
        ),
        ("passlib 1.7", "bcrypt:4", "$2b$04$Vw4g8myWnvOyt5KuE2X5lOgDrXZfVvBEJvXwsc5sT7E0BvNZFwv/."),
        (
            "passlib 1.7",
            "bcrypt:4",
            "$bcrypt-sha256$v=2,t=2b,r=4$bnjRc4sclMHH1k4PqZ41Y.$MbWkscRFbefQuY0hMOwgIBEdQXx2W8O",
        ),
        (
            "Better Auth 1",
            "scrypt:ln=14,r=16,p=1",
            "ffbe6063d13e15d6d058a5594680910a:68e0f205cfd15965e1526e858c00c409f6bf17d9205efdd05a09aa315e91b23129d3adb418dd452a15f92de9b3e7760f8fb29dd3ad35edeb39e769ad26d6efec",
        ),
        (
            "Node's pbkdf2Sync",
            "tutorial",
            "WVkavmOk430pcD4ICCTm70LIqfrYSvHcC7E0xJKPKdzT0AHkj++U+B0S/ZM95zKZhcKzLWWe54iwokOMGVUbVw==$AQIDBAUGBwgJCgsMDQ4PEA==",
        ),
    ];

    fn verify(text: &str, typed: &str) -> bool {
        let scheme = Scheme::detect(text).unwrap();
        let hash = munjigi_store::StoredHash { scheme: scheme.to_string(), text: text.to_owned() };
        scheme.verify(&hash, typed, &mut super::super::Memory::default())
    }

    #[test]
    fn a_hash_that_another_library_made_verifies_and_no_other_password_does() {
        let decomposed: String = PASSWORD.nfd().collect();
        assert_ne!(decomposed, PASSWORD);
        for (library, scheme, text) in SAMPLES {
            assert_eq!(
                Scheme::detect(text).map(|found| found.to_string()).as_deref(),
                Some(*scheme),
                "{library}: {text}"
            );
            assert!(verify(text, PASSWORD), "{library}: {text}");
            assert!(verify(text, &decomposed), "{library}, typed on another keyboard: {text}");
            for wrong in ["", "blue kettle 9", "blue kettle 9 가나 ", "Blue kettle 9 가나"] {
                assert!(!verify(text, wrong), "{library}: {wrong}: {text}");
            }
        }
    }

    #[test]
    fn a_changed_hash_or_salt_verifies_no_more() {
        for (library, _, text) in SAMPLES {
            let (at, _) = text.char_indices().rev().find(|(_, c)| c.is_ascii_alphanumeric()).unwrap();
            // The last character of a base64 text may hold bits that nobody reads: the one three before it does not.
            for at in [at - 3, at - 9] {
                let other = if text[at..].starts_with('0') { "1" } else { "0" };
                let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                assert!(Scheme::detect(&changed).is_none() || !verify(&changed, PASSWORD), "{library}: {changed}");
            }
        }
    }

    #[test]
    fn what_is_cut_short_empty_or_costs_too_much_is_no_hash() {
        let hash = "A".repeat(43);
        let hex = "ab".repeat(64);
        for odd in [
            "pbkdf2_sha256$1000$salt$".to_owned(),
            "pbkdf2_sha256$1000$salt$AAAA".to_owned(),
            format!("pbkdf2_sha256$1000$${hash}="),
            format!("pbkdf2_sha256$0$salt${hash}="),
            format!("pbkdf2_sha256$+1000$salt${hash}="),
            format!("pbkdf2_sha256$01000$salt${hash}="),
            format!("pbkdf2_sha256$4000001$salt${hash}="),
            format!("pbkdf2_sha256$4294967297$salt${hash}="),
            format!("pbkdf2_sha256$1000${}${hash}=", "s".repeat(257)),
            format!("pbkdf2_md5$1000$salt${hash}="),
            // Cut off, or longer than any system keeps.
            format!("pbkdf2:sha256:1000$salt${}", "ab".repeat(31)),
            format!("pbkdf2:sha256:1000$salt${}", "ab".repeat(64)),
            format!("scrypt:1024:8:1$salt${}", "ab".repeat(32)),
            format!("$scrypt$ln=10,r=8,p=1$AAAA${}", "A".repeat(22)),
            format!("pbkdf2:sha256:1000$salt${}", "zz".repeat(32)),
            format!("scrypt:1000:8:1$salt${hex}"),
            format!("scrypt:1048576:8:1$salt${hex}"),
            format!("scrypt:32768:8:64$salt${hex}"),
            format!("scrypt:32768:0:1$salt${hex}"),
            format!("$scrypt$ln=40,r=8,p=1$AAAA${hash}"),
            format!("$scrypt$ln=31,r=8,p=1$AAAA${hash}"),
            format!("$scrypt$ln=10,r=4294967295,p=4294967295$AAAA${hash}"),
            // Little memory for each lane, and too many of them.
            format!("scrypt:2:1:1073741823$salt${hex}"),
            format!("scrypt:2:7:100000000$salt${hex}"),
            format!("scrypt:1:1:1$salt${hex}"),
            format!("{}:{}", "ab".repeat(16), "ab".repeat(63)),
            "bcrypt_sha256$$2b$17$e4Czsq9FPNCxOKQjbtxaRuSelyJmOiXLvt2j0.vZ0nZC0I/0HwD8S".to_owned(),
            "!fzBgJNWLVfrQzi3XGJ47bxQqEwLFhUa1733DtEFU".to_owned(),
            "blue kettle 9".to_owned(),
        ] {
            assert_eq!(Scheme::detect(&odd), None, "{odd}");
        }
        let most = format!("pbkdf2_sha256$4000000$salt${hash}=");
        assert_eq!(Scheme::detect(&most), Some(Scheme::Pbkdf2 { prf: Prf::Sha256, rounds: 4_000_000 }));
    }
}
