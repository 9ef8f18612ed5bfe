//! Signatures: cut, stretched, respelt, computed by rule, or of a neighbouring scheme.

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RsaEncoding,
};
use munjigi_gate::Refused;
use munjigi_gate::jws::Algorithm;

use super::keys::hex;
use super::mint::{b64, un_b64};
use super::{Because, Cases};

pub(super) fn mangled(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let good = mint.good();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let real = un_b64(signature);
    let mut list: Vec<(String, Vec<u8>)> = generic(cases, signed, &real);
    list.extend(match mint.key.algorithm() {
        Algorithm::Es256 => ecdsa(cases, signed, &real),
        Algorithm::EdDsa => eddsa(&real),
        Algorithm::Rs256 => rsa(cases, signed, &real),
        Algorithm::Hs256 => mac(cases, signed, &real),
    });
    for (what, mangled) in list.into_iter().filter(|(_, mangled)| *mangled != real) {
        let refused = if mangled.is_empty() { Refused::Shape } else { Refused::Signature };
        cases.add(what, format!("{signed}.{}", b64(mangled)), refused);
    }
    flipped(cases, &good);
}

fn generic(cases: &Cases<'_>, signed: &str, real: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mint = cases.mint;
    let (header, payload) = signed.split_once('.').unwrap();
    let len = real.len();
    let mut list = vec![
        ("of the header".to_owned(), mint.signature(header.as_bytes())),
        ("of the payload".to_owned(), mint.signature(payload.as_bytes())),
        ("of the claims, not their base64".to_owned(), mint.signature(mint.payload.as_bytes())),
        ("of the whole token".to_owned(), mint.signature(format!("{signed}.").as_bytes())),
        ("of nothing".to_owned(), mint.signature(b"")),
        ("of the digest".to_owned(), mint.signature(digest::digest(&SHA256, signed.as_bytes()).as_ref())),
        ("of another token".to_owned(), mint.signature(format!("{header}.{}", b64("{}")).as_bytes())),
        ("a digest and nothing else".to_owned(), digest::digest(&SHA256, signed.as_bytes()).as_ref().to_vec()),
        ("backwards".to_owned(), real.iter().rev().copied().collect()),
        ("its halves exchanged".to_owned(), [&real[len / 2..], &real[..len / 2]].concat()),
        ("doubled".to_owned(), real.repeat(2)),
        ("after a zero".to_owned(), [&[0], real].concat()),
        ("after two zeros".to_owned(), [&[0, 0], real].concat()),
        ("before a zero".to_owned(), [real, &[0]].concat()),
        ("before garbage".to_owned(), [real, b"garbage"].concat()),
        ("in hex".to_owned(), hex(real).into_bytes()),
        ("in base64url again".to_owned(), b64(real).into_bytes()),
        ("inverted".to_owned(), real.iter().map(|byte| !byte).collect()),
    ];
    for step in (0..len).step_by(cases.step(len)) {
        list.push((format!("cut to {step} bytes"), real[..step].to_vec()));
        list.push((format!("without its first {}", step + 1), real[step + 1..].to_vec()));
        list.push((format!("{step} zeros"), vec![0; step]));
    }
    for length in [1, 31, 32, 33, 63, 64, 65, 70, 71, 72, 96, 128, 132, 255, 256, 257, 512] {
        list.push((format!("{length} zeros"), vec![0; length]));
        list.push((format!("{length} ones"), vec![0xff; length]));
        list.push((format!("zeros and a one, {length} in all"), [vec![0; length - 1], vec![1]].concat()));
    }
    for bit in (0..len * 8).step_by(cases.step(len * 8)) {
        let mut flipped = real.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        list.push((format!("bit {bit} flipped"), flipped));
    }
    list
}

/// One bit of every byte of the header and of the payload.
fn flipped(cases: &mut Cases<'_>, good: &str) {
    let parts: Vec<&str> = good.split('.').collect();
    for (part, name) in [(0, "header"), (1, "payload")] {
        let bytes = un_b64(parts[part]);
        for at in (0..bytes.len()).step_by(cases.step(bytes.len())) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            parts[part] = b64(&changed);
            let because = if part == 1 { Because::Is(Refused::Signature) } else { Because::Any };
            cases.add(format!("byte {at} of the {name} changed"), parts.join("."), because);
        }
    }
}

/// The order of P-256 (FIPS 186-5) and the prime of its field.
const ORDER: [u8; 32] = [
    255, 255, 255, 255, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 188, 230, 250, 173, 167, 23, 158, 132, 243,
    185, 202, 194, 252, 99, 37, 81,
];
const PRIME: [u8; 32] = [
    255, 255, 255, 255, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255,
];

fn ecdsa(cases: &Cases<'_>, signed: &str, real: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (r, s) = real.split_at(32);
    let one = [vec![0; 31], vec![1]].concat();
    // With n added, a number needs a byte more.
    let more = |number: &[u8]| sum(&[&[0], number].concat(), &[&[0], ORDER.as_slice()].concat());
    let mut list = vec![
        ("the higher s".to_owned(), [r, &difference(&ORDER, s)].concat()),
        ("the negative r".to_owned(), [&difference(&ORDER, r), s].concat()),
        ("numbers of 33 bytes".to_owned(), [&[0], r, &[0], s].concat()),
        ("r + n".to_owned(), [more(r), [&[0], s].concat()].concat()),
        ("s + n".to_owned(), [[&[0], r].concat(), more(s)].concat()),
        ("r + n, s + n".to_owned(), [more(r), more(s)].concat()),
        ("r + 2^256, s".to_owned(), [&[1], r, &[0], s].concat()),
        ("r, s + 2^256".to_owned(), [&[0], r, &[1], s].concat()),
        ("numbers of 48 bytes".to_owned(), [&[0; 16], r, &[0; 16], s].concat()),
        ("numbers of 66 bytes".to_owned(), [&[0; 34], r, &[0; 34], s].concat()),
        ("little-endian".to_owned(), r.iter().rev().chain(s.iter().rev()).copied().collect()),
    ];
    let edges: [(&str, Vec<u8>); 9] = [
        ("0", vec![0; 32]),
        ("1", one.clone()),
        ("n-1", difference(&ORDER, &one)),
        ("n", ORDER.to_vec()),
        ("n+1", sum(&ORDER, &one)),
        ("p", PRIME.to_vec()),
        ("p-n", difference(&PRIME, &ORDER)),
        ("2^256-1", vec![255; 32]),
        ("the same", Vec::new()),
    ];
    for (first, a) in &edges {
        for (second, b) in &edges {
            let (a, b) = (if a.is_empty() { r } else { a }, if b.is_empty() { s } else { b });
            list.push((format!("r = {first}, s = {second}"), [a, b].concat()));
        }
    }
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &cases.mint.key.to_bytes()).unwrap();
    let random = aws_lc_rs::rand::SystemRandom::new();
    for n in 0..4 {
        let der = pair.sign(&random, signed.as_bytes()).unwrap();
        list.push((format!("in DER, {n}"), der.as_ref().to_vec()));
    }
    list
}

fn difference(from: &[u8], less: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let digits = from.iter().zip(less).rev().map(|(a, b)| {
        let digit = i16::from(*a) - i16::from(*b) - borrow;
        borrow = i16::from(digit < 0);
        u8::try_from(digit.rem_euclid(256)).unwrap()
    });
    let mut digits: Vec<u8> = digits.collect();
    digits.reverse();
    digits
}

fn sum(one: &[u8], two: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let digits = one.iter().zip(two).rev().map(|(a, b)| {
        let digit = u16::from(*a) + u16::from(*b) + carry;
        carry = digit >> 8;
        u8::try_from(digit & 255).unwrap()
    });
    let mut digits: Vec<u8> = digits.collect();
    digits.reverse();
    digits
}

/// The order of the group of Ed25519 (RFC 8032 section 5.1), little-endian.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Points of order 1, 2, 4, 4 and 8, and spellings of them that are not reduced.
const SMALL_ORDER: [&str; 11] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

fn un_hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).unwrap()).collect()
}

fn eddsa(real: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (r, s) = real.split_at(32);
    let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<_>>();
    let mut list = vec![
        ("S = 0".to_owned(), [r, &[0; 32]].concat()),
        ("S = L".to_owned(), [r, &L].concat()),
        ("R = 0".to_owned(), [&[0; 32], s].concat()),
        ("-S".to_owned(), [r, &reversed(&difference(&reversed(&L), &reversed(s)))].concat()),
        ("the sign of R".to_owned(), [&r[..31], &[r[31] ^ 0x80], s].concat()),
        ("numbers of 57 bytes".to_owned(), [r, &[0; 25], s, &[0; 25]].concat()),
    ];
    let mut more = s.to_vec();
    for times in 1..15 {
        more = reversed(&sum(&reversed(&more), &reversed(&L)));
        list.push((format!("S + {times} L"), [r, &more].concat()));
    }
    for bit in 253..256 {
        let mut high = s.to_vec();
        high[bit / 8] |= 1 << (bit % 8);
        list.push((format!("bit {bit} of S set"), [r, &high].concat()));
    }
    for point in SMALL_ORDER {
        list.push((format!("R = {point}"), [&un_hex(point), s].concat()));
        list.push((format!("R = {point}, S = 0"), [un_hex(point), vec![0; 32]].concat()));
    }
    list
}

fn rsa(cases: &Cases<'_>, signed: &str, real: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mint = cases.mint;
    let modulus = un_b64(mint.jwk().unwrap()["n"].as_str().unwrap());
    let one = [vec![0; 255], vec![1]].concat();
    let wider = |number: &[u8]| [&[0], number].concat();
    let mut list = vec![
        ("0".to_owned(), vec![0; 256]),
        ("1".to_owned(), one.clone()),
        ("n".to_owned(), modulus.clone()),
        ("n - 1".to_owned(), difference(&modulus, &one)),
        ("n + 1".to_owned(), sum(&modulus, &one)),
        ("n - s".to_owned(), difference(&modulus, real)),
        ("s + n".to_owned(), sum(&wider(real), &wider(&modulus))),
        ("s + n, its last 256 bytes".to_owned(), sum(real, &modulus)),
        ("s after 256 zeros".to_owned(), [vec![0; 256], real.to_vec()].concat()),
        ("the padded digest itself".to_owned(), padded(signed)),
    ];
    let schemes: [(&str, &'static dyn RsaEncoding); 4] = [
        ("PSS with SHA-256", &RSA_PSS_SHA256),
        ("PSS with SHA-384", &RSA_PSS_SHA384),
        ("PKCS #1 with SHA-384", &RSA_PKCS1_SHA384),
        ("PKCS #1 with SHA-512", &RSA_PKCS1_SHA512),
    ];
    list.extend(
        schemes
            .iter()
            .filter_map(|(what, scheme)| Some(((*what).to_owned(), mint.rsa_signature(*scheme, signed.as_bytes())?))),
    );
    list
}

/// What an RSA signature is the root of (RFC 8017 section 9.2): a signature for whoever forgets the exponent.
fn padded(signed: &str) -> Vec<u8> {
    const INFO: [u8; 19] = [48, 49, 48, 13, 6, 9, 96, 134, 72, 1, 101, 3, 4, 2, 1, 5, 0, 4, 32];
    let digest = digest::digest(&SHA256, signed.as_bytes());
    [&[0, 1][..], &[255; 202], &[0], &INFO, digest.as_ref()].concat()
}

fn mac(cases: &Cases<'_>, signed: &str, real: &[u8]) -> Vec<(String, Vec<u8>)> {
    let secret = cases.mint.key.to_bytes();
    let with = |algorithm| hmac::sign(&hmac::Key::new(algorithm, &secret), signed.as_bytes()).as_ref().to_vec();
    let plain = |parts: &[&[u8]]| digest::digest(&SHA256, &parts.concat()).as_ref().to_vec();
    vec![
        ("HMAC with SHA-512".to_owned(), with(hmac::HMAC_SHA512)),
        ("HMAC with SHA-512, cut to 256 bits".to_owned(), with(hmac::HMAC_SHA512)[..32].to_vec()),
        ("HMAC with SHA-384".to_owned(), with(hmac::HMAC_SHA384)),
        ("HMAC with SHA-1".to_owned(), with(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY)),
        ("a digest of secret and text".to_owned(), plain(&[&secret, signed.as_bytes()])),
        ("a digest of text and secret".to_owned(), plain(&[signed.as_bytes(), &secret])),
        ("cut to 128 bits".to_owned(), real[..16].to_vec()),
        ("cut to 80 bits".to_owned(), real[..10].to_vec()),
    ]
}
