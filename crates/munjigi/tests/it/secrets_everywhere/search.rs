//! Looks for secrets in bytes, in every spelling in which one could have got there.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Secrets and their spellings. Bytes are compared as Latin-1, one character a byte.
#[derive(Default)]
pub(crate) struct Vault {
    wanted: Vec<(String, String)>,
    secrets: usize,
}

impl Vault {
    /// Something that must not be found anywhere.
    pub(crate) fn keep(&mut self, what: &str, secret: impl AsRef<[u8]>) {
        let secret = secret.as_ref();
        assert!(secret.len() >= 8, "{what} is too short to be told from anything else");
        self.secrets += 1;
        for (spelling, text) in spellings(secret) {
            let named = format!("{what}, {spelling}");
            if !self.wanted.iter().any(|(_, known)| *known == text) {
                self.wanted.push((named, text));
            }
        }
    }

    /// A token, and the parts of it that nobody else may have.
    pub(crate) fn keep_token(&mut self, what: &str, token: &str) {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        self.keep(what, token);
        self.keep(&format!("{what}: its payload"), signed.rsplit_once('.').unwrap().1);
        self.keep(&format!("{what}: its signature"), signature);
        self.keep(&format!("{what}: its signature in bytes"), URL_SAFE_NO_PAD.decode(signature).unwrap());
    }

    /// How many secrets there are.
    pub(crate) fn secrets(&self) -> usize {
        self.secrets
    }

    /// How many spellings are looked for.
    pub(crate) fn spellings(&self) -> usize {
        self.wanted.len()
    }

    /// The first that is found.
    pub(crate) fn found_in(&self, bytes: impl AsRef<[u8]>) -> Option<&str> {
        let text = latin1(bytes.as_ref());
        self.wanted.iter().find(|(_, wanted)| text.contains(wanted.as_str())).map(|(what, _)| what.as_str())
    }

    #[track_caller]
    pub(crate) fn is_not_in(&self, place: &str, bytes: impl AsRef<[u8]>) {
        if let Some(what) = self.found_in(bytes.as_ref()) {
            panic!("{place} holds {what}:\n{}", String::from_utf8_lossy(bytes.as_ref()));
        }
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn spellings(secret: &[u8]) -> Vec<(&'static str, String)> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let percent = |upper: bool, plain: &[u8]| -> String {
        let each = |byte: &u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(*byte).to_string(),
            _ if plain.contains(byte) => char::from(*byte).to_string(),
            _ if upper => format!("%{byte:02X}"),
            _ => format!("%{byte:02x}"),
        };
        secret.iter().map(each).collect()
    };
    let mut found = vec![
        ("as it is", latin1(secret)),
        ("in hex", hex.clone()),
        ("in capital hex", hex.to_uppercase()),
        ("percent-encoded", percent(true, b"-._~")),
        ("percent-encoded in small letters", percent(false, b"-._~")),
        ("percent-encoded to the last sign", percent(true, b"")),
        ("as a form writes it", percent(true, b"*-._").replace("%20", "+")),
        // As a browser writes it into a path, a query, and the password of a URL.
        ("as in a path", percent(true, b"-._~!$&'()*+,;=:@/")),
        ("as in a query", percent(true, b"-._~!$&()*+,;=:@/?")),
        ("as in a URL", percent(true, b"-._~!$&'()*+,")),
        ("as Debug lists bytes", format!("{secret:?}").trim_matches(['[', ']']).to_owned()),
    ];
    if let Ok(text) = std::str::from_utf8(secret) {
        let json = serde_json::Value::from(text).to_string();
        found.push(("as JSON writes it", latin1(json.trim_matches('"').as_bytes())));
        found.push(("as Debug writes it", latin1(format!("{text:?}").trim_matches('"').as_bytes())));
    }
    for (engine, name) in [(STANDARD_NO_PAD, "in base64"), (URL_SAFE_NO_PAD, "in base64url")] {
        found.extend((0..3).map(|before| (name, within(&engine, before, secret))));
    }
    found
}

/// The characters of base64 that depend on the secret alone, when so many bytes stand before it.
fn within(engine: &base64::engine::GeneralPurpose, before: usize, secret: &[u8]) -> String {
    let encoded = engine.encode([&[0; 2][..before], secret].concat());
    let skipped = (before * 8).div_ceil(6);
    let whole = (before + secret.len()) * 8 / 6;
    encoded[skipped..whole].to_owned()
}

#[test]
fn a_secret_that_was_planted_is_found_in_every_spelling() {
    let secret = "a sécret/with+all=sorts\" of\\things ✓";
    let mut vault = Vault::default();
    vault.keep("it", secret);
    assert_eq!(vault.found_in("nothing is here, not even a secret of other sorts"), None);
    let mut planted = 0;
    for (spelling, text) in spellings(secret.as_bytes()) {
        let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let haystack = [b"2026-11-23 INFO before ", bytes.as_slice(), b" after"].concat();
        assert!(vault.found_in(&haystack).is_some(), "{spelling}");
        planted += 1;
    }
    for before in 0..7 {
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let encoded = engine.encode(format!("{}{secret} and what follows", "x".repeat(before)));
            assert!(vault.found_in(&encoded).is_some(), "{before}: {encoded}");
            planted += 1;
        }
    }
    let form = serde_urlencoded::to_string([("password", secret)]).unwrap();
    let json = serde_json::json!({ "password": secret }).to_string();
    for written in [form, json, format!("{:?}", Some(secret)), format!("{:?}", secret.as_bytes())] {
        assert!(vault.found_in(&written).is_some(), "{written}");
        planted += 1;
    }
    assert!(planted >= 30, "{planted}");
}
