//! What holds for whatever comes in.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use munjigi_gate::cookies::strip;
use munjigi_gate::jws::{self, Algorithm};
use munjigi_gate::{CookieSettings, SameSite, SigningKey, VerifyingKey};
use proptest::prelude::*;

use crate::support::*;

static PUBLIC: LazyLock<VerifyingKey> = LazyLock::new(|| KEY.verifying_key());

fn opens(token: &str) -> bool {
    jws::open(token, "at+jwt", |kid| (kid == PUBLIC.kid()).then_some(&*PUBLIC)).is_ok()
}

/// A part of a `Cookie` line: one of ours in some disguise, or anything at all without a semicolon.
fn part() -> impl Strategy<Value = (bool, Vec<u8>)> {
    let name = prop_oneof![Just("accessToken"), Just("refreshToken")];
    let prefix = prop_oneof![Just(""), Just("__Host-"), Just("__Secure-")];
    let ours = (prefix, name, "[ ]{0,2}", "(=[A-Za-z0-9._\" -]{0,12})?")
        .prop_map(|(prefix, name, space, value)| (true, format!("{space}{prefix}{name}{value}").into_bytes()));
    let theirs = prop::collection::vec(prop_oneof![0x20u8..0x3b, 0x3cu8..0x7f, 0x80u8..], 0..24)
        .prop_map(|bytes| (false, bytes))
        .prop_filter("not ours by chance", |(_, bytes)| !String::from_utf8_lossy(bytes).contains("Token"));
    prop_oneof![1 => ours, 2 => theirs]
}

proptest! {
    #[test]
    fn stripping_takes_all_of_ours_and_never_changes_anything_else(
        lines in prop::collection::vec(prop::collection::vec(part(), 1..6), 0..4)
    ) {
        let mut headers = HeaderMap::new();
        let mut expected: Vec<Vec<u8>> = Vec::new();
        for line in &lines {
            let all: Vec<&[u8]> = line.iter().map(|(_, part)| part.as_slice()).collect();
            headers.append(COOKIE, HeaderValue::from_bytes(&all.join(&b';')).unwrap());
            expected.extend(
                line.iter().filter(|(ours, part)| !ours && !part.trim_ascii().is_empty())
                    .map(|(_, part)| part.trim_ascii().to_vec()),
            );
        }
        let before = headers.clone();
        let touched = lines.iter().flatten().any(|(ours, _)| *ours);
        strip(&mut headers);
        if !touched {
            prop_assert_eq!(&headers, &before);
        }
        let left: Vec<Vec<u8>> = headers
            .get_all(COOKIE)
            .iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b';').map(|part| part.trim_ascii().to_vec()))
            .filter(|part| !part.is_empty())
            .collect();
        prop_assert_eq!(left, expected);
        let shown = CookieSettings::new(false, None, SameSite::Lax);
        prop_assert!(shown.read(&headers).access().is_none() && shown.read(&headers).refresh().is_none());
    }

    #[test]
    fn no_text_is_a_token(text in any::<String>()) {
        prop_assert!(!opens(&text));
    }

    #[test]
    fn no_three_parts_of_anything_are_a_token(
        header in prop::collection::vec(any::<u8>(), 0..60),
        payload in prop::collection::vec(any::<u8>(), 0..60),
        signature in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let parts = [header, payload, signature].map(|part| URL_SAFE_NO_PAD.encode(part));
        prop_assert!(!opens(&parts.join(".")));
    }

    #[test]
    fn a_good_header_over_anything_is_no_token(
        payload in prop::collection::vec(any::<u8>(), 1..80),
        signature in prop::collection::vec(any::<u8>(), 64),
    ) {
        let header = r#"{"alg":"ES256","typ":"at+jwt","kid":"first"}"#.as_bytes().to_vec();
        let parts = [header, payload, signature].map(|part| URL_SAFE_NO_PAD.encode(part));
        prop_assert!(!opens(&parts.join(".")));
    }

    #[test]
    fn what_was_signed_is_what_opens(payload in "\\PC{0,200}") {
        let token = jws::sign(&KEY, "at+jwt", &payload).unwrap();
        let opened = jws::open(&token, "at+jwt", |_| Some(&*PUBLIC)).unwrap();
        prop_assert_eq!(serde_json::from_slice::<String>(&opened).unwrap(), payload);
    }
}

/// Every single character of a token, changed into every other one that could stand there.
fn no_change_of_one_character_opens(key: &SigningKey) {
    let public = key.verifying_key();
    let token = jws::sign(key, "at+jwt", &serde_json::json!({"sub": "somebody"})).unwrap();
    let opens = |token: &str| jws::open(token, "at+jwt", |kid| (kid == public.kid()).then_some(&public)).is_ok();
    assert!(opens(&token));
    for at in 0..token.len() {
        // All of them at the end, where stray bits hide; a few elsewhere, for the time it takes.
        let near_the_end = at + 3 >= token.len();
        for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n".chars() {
            let few = matches!(other, 'A' | 'B' | 'g' | '-' | '.' | '=');
            if (few || near_the_end) && !token[at..].starts_with(other) {
                let mut changed = token.clone();
                changed.replace_range(at..=at, other.encode_utf8(&mut [0; 4]));
                assert!(!opens(&changed), "{at} {other:?}");
            }
        }
        let mut shorter = token.clone();
        shorter.remove(at);
        assert!(!opens(&shorter), "without {at}");
    }
}

#[test]
fn a_token_with_one_character_changed_is_no_token() {
    no_change_of_one_character_opens(&KEY);
    for algorithm in [Algorithm::EdDsa, Algorithm::Hs256, Algorithm::Rs256] {
        no_change_of_one_character_opens(&SigningKey::generate(algorithm, "k").unwrap());
    }
}
