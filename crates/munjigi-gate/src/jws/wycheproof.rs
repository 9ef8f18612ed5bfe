//! Project Wycheproof's signatures and tags against the very function that tokens are checked with, for each algorithm.
//!
//! Where our verdict differs from the expected one, the vector is named below with the reason; any other difference fails, and
//! so does a named one that is none any more. All differences are refusals of what others may accept.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify};

use super::{KeyError, SigningKey, VerifyingKey, es256};
use crate::jws::Algorithm;

/// (r, n − s) verifies as well as (r, s): we take the lower s only, so that a token has one spelling.
const HIGHER_S: &[usize] = &[
    64, 66, 67, 68, 71, 77, 78, 80, 81, 85, 86, 87, 94, 95, 96, 100, 102, 104, 105, 107, 110, 111, 114, 115, 117, 118,
    138, 139, 140, 141, 142, 171, 172, 175, 176, 177, 180, 183, 189, 190, 191, 192, 195, 196, 197, 199, 200, 204, 210,
    211, 216, 217, 226, 227, 229, 233, 234, 237, 240, 242, 243, 244, 246, 248, 249, 250, 252, 253, 257, 262,
];
/// DigestInfo without NULL, which Wycheproof calls acceptable: one spelling here, too (RFC 8017 section 9.2, note 1).
const MISSING_NULL: &[usize] = &[8];
/// A tag that is cut to 128 bits: HS256 has 256 (RFC 7518 section 3.2).
const CUT_TAG: &[usize] = &[
    82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107,
    108, 166, 167, 168, 172, 173, 174,
];
/// A secret of 128 bits, valid with a whole tag: a secret has at least 256 bits here (RFC 7518 section 3.2).
const SHORT_SECRET: &[usize] = &[163, 164, 165];

/// What is expected of vectors, beside what came out.
#[derive(Default)]
struct Verdicts {
    accepted: usize,
    refused: usize,
    differences: BTreeMap<&'static str, Vec<usize>>,
}

impl Verdicts {
    fn note(&mut self, id: usize, expected: TestResult, ours: bool, reason: impl FnOnce() -> Option<&'static str>) {
        if ours {
            self.accepted += 1
        } else {
            self.refused += 1
        }
        let theirs = expected != TestResult::Invalid;
        if ours != theirs {
            assert!(!ours, "{id} is accepted and must not be");
            let reason = reason().unwrap_or("unexplained");
            self.differences.entry(reason).or_default().push(id);
        }
    }

    #[expect(clippy::print_stdout, reason = "a suite of vectors says how many there were")]
    fn report(&self, name: &str, explained: &[(&'static str, &[usize])], at_least: usize) {
        let tried = self.accepted + self.refused;
        let different: usize = self.differences.values().map(Vec::len).sum();
        println!(
            "{name}: {tried} vectors, {} accepted, {} refused, of these {different} for reasons of ours",
            self.accepted, self.refused
        );
        let explained: BTreeMap<_, _> = explained.iter().map(|(reason, ids)| (*reason, ids.to_vec())).collect();
        assert_eq!(self.differences, explained, "{name}");
        assert!(tried >= at_least && self.accepted > 0, "{name}: {tried} vectors, {} accepted", self.accepted);
    }
}

fn public(jwk: Value) -> Result<VerifyingKey, KeyError> {
    VerifyingKey::from_jwk(&jwk)
}

/// As a JWK writes a number: without leading zeros, or of a fixed length.
fn number(bytes: &[u8], length: Option<usize>) -> String {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let bare = &bytes[start..];
    let zeros = length.map_or(0, |length| length - bare.len());
    URL_SAFE_NO_PAD.encode([vec![0; zeros], bare.to_vec()].concat())
}

#[test]
fn ecdsa_on_p256_with_sha256() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let mut verdicts = Verdicts::default();
    for group in set.test_groups {
        let (x, y) = (number(&group.key.affine_x, Some(32)), number(&group.key.affine_y, Some(32)));
        let jwk = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "k", "x": x, "y": y });
        let key = public(jwk).unwrap();
        for test in group.tests {
            // The reason holds only if the other spelling is accepted.
            let lower = || es256::lower(&test.sig);
            let higher = || (!es256::is_low(&test.sig) && key.verifies(&test.msg, &lower())).then_some("the higher s");
            verdicts.note(test.tc_id, test.result, key.verifies(&test.msg, &test.sig), higher);
        }
    }
    verdicts.report("Wycheproof ES256", &[("the higher s", HIGHER_S)], 250);
}

#[test]
fn ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut verdicts = Verdicts::default();
    for group in set.test_groups {
        let x = URL_SAFE_NO_PAD.encode(&*group.key.pk);
        let key = public(json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k", "x": x })).unwrap();
        for test in group.tests {
            verdicts.note(test.tc_id, test.result, key.verifies(&test.msg, &test.sig), || None);
        }
    }
    verdicts.report("Wycheproof EdDSA", &[], 150);
}

#[test]
fn rsa_with_sha256_of_every_size() {
    use rsa_pkcs1_verify::{TestFlag, TestName, TestSet};
    for (name, file) in [
        ("2048", TestName::Rsa2048Sha256),
        ("3072", TestName::Rsa3072Sha256),
        ("4096", TestName::Rsa4096Sha256),
        ("8192", TestName::Rsa8192Sha256),
    ] {
        let mut verdicts = Verdicts::default();
        for group in TestSet::load(file).unwrap().test_groups {
            let (n, e) = (number(&group.key.n, None), number(&group.key.e, None));
            let key = public(json!({ "kty": "RSA", "alg": "RS256", "kid": "k", "n": n, "e": e })).unwrap();
            for test in group.tests {
                let missing = || test.flags.contains(&TestFlag::MissingNull).then_some("no NULL");
                verdicts.note(test.tc_id, test.result, key.verifies(&test.msg, &test.sig), missing);
            }
        }
        verdicts.report(&format!("Wycheproof RS256, {name} bits"), &[("no NULL", MISSING_NULL)], 250);
    }
}

/// The library's other hashes under keys of ours: nothing of it may verify as RS256.
#[test]
fn rsa_with_another_hash_is_never_rs256() {
    use rsa_pkcs1_verify::{TestFlag, TestName, TestSet};
    let mut tried = 0;
    for file in [TestName::Rsa2048Sha224, TestName::Rsa2048Sha384, TestName::Rsa2048Sha512, TestName::Rsa2048Sha3_256] {
        for group in TestSet::load(file).unwrap().test_groups {
            let (n, e) = (number(&group.key.n, None), number(&group.key.e, None));
            let key = public(json!({ "kty": "RSA", "alg": "RS256", "kid": "k", "n": n, "e": e })).unwrap();
            for test in group.tests {
                // What is wrong there for being SHA-256's is right here.
                let ours = test.flags.contains(&TestFlag::WrongHash) && test.comment.contains("SHA-256");
                assert_eq!(key.verifies(&test.msg, &test.sig), ours, "{file:?} {}: {}", test.tc_id, test.comment);
                tried += 1;
            }
        }
    }
    assert!(tried > 900, "{tried}");
}

#[test]
fn hmac_with_sha256() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let mut verdicts = Verdicts::default();
    for group in set.test_groups {
        for test in group.tests {
            let key = SigningKey::from_bytes(Algorithm::Hs256, "k", &test.key).map(|key| key.verifying_key());
            let short = key.is_err();
            let ours = key.is_ok_and(|key| key.verifies(&test.msg, &test.tag));
            let reason = || match (group.tag_size, short) {
                (256, true) => Some("a short secret"),
                (128, _) => Some("a cut tag"),
                _ => None,
            };
            verdicts.note(test.tc_id, test.result, ours, reason);
        }
    }
    let explained = [("a cut tag", CUT_TAG), ("a short secret", SHORT_SECRET)];
    verdicts.report("Wycheproof HS256", &explained, 170);
}
