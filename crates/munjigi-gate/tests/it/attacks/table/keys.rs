//! Keys: another algorithm's, another installation's, and what everybody knows taken for a secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use munjigi_gate::Refused;
use munjigi_gate::jws::{Algorithm, SigningKey, sign};
use serde_json::{Value, json};

use super::Cases;
use super::header::OURS;
use super::mint::{Mint, b64, hmac_token, un_b64};

pub(super) fn confused(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    for (what, secret) in well_known(mint).into_iter().chain(public_forms(mint)) {
        let claimed = if mint.key.algorithm() == Algorithm::Hs256 { Refused::Signature } else { Refused::Algorithm };
        let symmetric = hmac_token(&secret, mint.header_of(r#""HS256""#), &mint.payload);
        cases.add(format!("HMAC with {what}"), symmetric, claimed);
        if mint.key.algorithm() != Algorithm::Hs256 {
            let disguised = hmac_token(&secret, mint.header(), &mint.payload);
            cases.add(format!("HMAC with {what}, as {}", mint.alg()), disguised, Refused::Signature);
        }
    }
    for algorithm in OURS {
        let same = algorithm == mint.key.algorithm();
        let elsewhere = SigningKey::generate(algorithm, mint.key.kid()).unwrap();
        let theirs = Mint::new(&elsewhere, mint.typ, &mint.claims());
        let what = format!("{algorithm} key of another installation under our key's name");
        cases.add(&what, theirs.good(), if same { Refused::Signature } else { Refused::Algorithm });
        if !same {
            let disguised = theirs.signed(mint.header(), &mint.payload);
            cases.add(format!("{what}, as {}", mint.alg()), disguised, Refused::Signature);
        }
        let stranger = SigningKey::generate(algorithm, "stranger").unwrap();
        let token = sign(&stranger, mint.typ, &mint.claims()).unwrap();
        cases.add(format!("{algorithm} key that nobody knows"), token, Refused::UnknownKey);
    }
    for peer in &mint.peers {
        let theirs = Mint::new(peer, mint.typ, &mint.claims());
        let same = peer.algorithm() == mint.key.algorithm();
        let refused = if same { Refused::Signature } else { Refused::Algorithm };
        let (alg, typ, kid) = (theirs.alg(), mint.typ, peer.kid());
        let under_ours = format!(r#"{{"alg":"{alg}","typ":"{typ}","kid":"{}"}}"#, mint.key.kid());
        cases.add(format!("{kid} under our key's name"), theirs.signed(under_ours, &mint.payload), refused);
        let token = theirs.signed(mint.header(), &mint.payload);
        cases.add(format!("{kid} under our key's name and algorithm"), token, Refused::Signature);
        let ours_under = format!(r#"{{"alg":"{}","typ":"{typ}","kid":"{kid}"}}"#, mint.alg());
        let refused = if mint.one_ring { refused } else { Refused::UnknownKey };
        cases.add(format!("our key under the name of {kid}"), mint.signed(ours_under, &mint.payload), refused);
    }
}

/// Secrets that programs have been known to use.
fn well_known(mint: &Mint) -> Vec<(String, Vec<u8>)> {
    let kid = mint.key.kid();
    let texts = ["", "secret", "password", "null", "undefined", "your-256-bit-secret", "changeme", "munjigi", kid];
    let mut secrets: Vec<_> = texts.iter().map(|text| (format!("{text:?}"), text.as_bytes().to_vec())).collect();
    secrets.push(("32 zeros".to_owned(), vec![0; 32]));
    secrets.push(("64 zeros".to_owned(), vec![0; 64]));
    secrets.push(("32 ones".to_owned(), vec![0xff; 32]));
    secrets.push(("the payload".to_owned(), mint.payload.clone().into_bytes()));
    secrets
}

/// The public key in every form in which a program may hold it.
fn public_forms(mint: &Mint) -> Vec<(String, Vec<u8>)> {
    let (Some(jwk), Some(der)) = (mint.jwk(), mint.public_der()) else { return Vec::new() };
    let mut forms: Vec<(String, Vec<u8>)> = Vec::new();
    let mut form = |what: &str, bytes: &[u8]| forms.push((what.to_owned(), bytes.to_vec()));
    let pem = pem("PUBLIC KEY", &der);
    form("the public key in DER", &der);
    form("the public key in base64", STANDARD.encode(&der).as_bytes());
    form("the public key in base64url", b64(&der).as_bytes());
    form("the public key in PEM", pem.as_bytes());
    form("the public key in PEM without its last newline", pem.trim_end().as_bytes());
    form("the public key in PEM of Windows", pem.replace('\n', "\r\n").as_bytes());
    form("the public key in PEM on one line", pem.replace('\n', "").as_bytes());
    form("the public key in PEM with a NUL", format!("{pem}\0").as_bytes());
    form("the JWK", jwk.to_string().as_bytes());
    form("the JWK on many lines", serde_json::to_string_pretty(&jwk).unwrap().as_bytes());
    form("the JWK's thumbprint input", thumbprint(&jwk).as_bytes());
    form("the key set", json!({ "keys": [jwk] }).to_string().as_bytes());
    for member in ["x", "y", "n", "e"] {
        let Some(text) = jwk[member].as_str() else { continue };
        form(&format!("{member} as it is written"), text.as_bytes());
        form(&format!("{member} in bytes"), &un_b64(text));
        form(&format!("{member} in bytes after a zero"), &[&[0], un_b64(text).as_slice()].concat());
        form(&format!("{member} in hex"), hex(&un_b64(text)).as_bytes());
    }
    if let (Some(x), Some(y)) = (jwk["x"].as_str(), jwk["y"].as_str()) {
        let (x, y) = (un_b64(x), un_b64(y));
        form("the point, uncompressed", &[&[4], x.as_slice(), y.as_slice()].concat());
        form("the point, compressed", &[&[2 + (y[31] & 1)], x.as_slice()].concat());
        form("the point without its mark", &[x, y].concat());
    }
    // The RSA key as PKCS #1 writes it: what is left of the other form without its head.
    if jwk["kty"] == "RSA"
        && let Some(pkcs1) = der.get(24..)
    {
        form("the public key in DER of PKCS #1", pkcs1);
        form("the public key in PEM of PKCS #1", self::pem("RSA PUBLIC KEY", pkcs1).as_bytes());
    }
    forms
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The required members in their order (RFC 7638 section 3).
fn thumbprint(jwk: &Value) -> String {
    let members = ["crv", "e", "kty", "n", "x", "y"];
    let written: Vec<_> = members.iter().filter_map(|name| Some(format!("\"{name}\":{}", jwk.get(name)?))).collect();
    format!("{{{}}}", written.join(","))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
