//! Spellings: a token is three parts of strict base64url and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use munjigi_gate::Refused;
use serde_json::json;

use super::keys::hex;
use super::mint::{b64, un_b64};
use super::{Because, Cases};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) fn respelt(cases: &mut Cases<'_>) {
    parts(cases);
    shapes(cases);
    stray_bits(cases);
    serialisations(cases);
    nested(cases);
}

/// What may stand where a part ends, or begins.
const SPOILS: [&str; 24] = [
    "=", "==", "===", "%3D", "\n", "\r\n", " ", "\t", "\u{b}", "\u{a0}", "\u{feff}", "\0", "+", "/", ",", ";", "\"",
    "'", "ü", "!", "#", "?", "~", "%",
];

fn parts(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let good = mint.good();
    let split: Vec<&str> = good.split('.').collect();
    let (header, payload) = (split[0], split[1]);
    for (at, name) in ["header", "payload", "signature"].into_iter().enumerate() {
        for spoil in SPOILS {
            let middle = split[at].len() / 2;
            let spoilt = [
                format!("{}{spoil}", split[at]),
                format!("{spoil}{}", split[at]),
                format!("{}{spoil}{}", &split[at][..middle], &split[at][middle..]),
            ];
            for (spoilt, place) in spoilt.into_iter().zip(["after", "before", "in"]) {
                let mut parts = split.clone();
                parts[at] = &spoilt;
                // A header or a signature that cannot be read is refused as such, a payload only after its signature.
                let refused = if at == 1 { Refused::Signature } else { Refused::Shape };
                cases.add(format!("{spoil:?} {place} the {name}"), parts.join("."), refused);
                if at < 2 {
                    let token = mint.signed_text(&format!("{}.{}", parts[0], parts[1]));
                    cases.add(format!("{spoil:?} {place} the {name}, signed"), token, Refused::Shape);
                }
            }
        }
    }
    // A payload whose base64 differs between the alphabets, and one that needs padding.
    let odd = format!(r#"{},"x":"~~~???>>>"}}"#, mint.payload.strip_suffix('}').unwrap());
    let wrong = [
        ("the other alphabet", STANDARD_NO_PAD.encode(&odd)),
        ("the other alphabet, padded", STANDARD.encode(format!("{odd} "))),
        ("padded", URL_SAFE.encode(format!("{} ", mint.payload.trim_end())) + "="),
        ("plain JSON", mint.payload.replace('.', "\\u002e")),
        ("percent-encoded", payload.replace('J', "%4A")),
        ("a length that base64 cannot have", b64("abc") + "A"),
    ];
    for (what, text) in wrong {
        let token = mint.signed_text(&format!("{header}.{text}"));
        cases.add(format!("a payload, {what}, signed"), token, Refused::Shape);
    }
    cases.add("a payload with dots, signed", mint.signed_text(&format!("{header}.a.b")), Refused::Shape);
    cases.add("a payload, base64 twice, signed", mint.signed(mint.header(), b64(&mint.payload)), Refused::Claims);
}

fn shapes(cases: &mut Cases<'_>) {
    let good = cases.mint.good();
    let split: Vec<&str> = good.split('.').collect();
    let (h, p, s) = (split[0], split[1], split[2]);
    let shapes = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "....".to_owned(),
        h.to_owned(),
        format!("{h}."),
        format!("{h}.."),
        format!("{h}.{p}"),
        format!("{h}.{p}."),
        format!("{h}.{p}.."),
        format!(".{p}.{s}"),
        format!("..{s}"),
        format!(".{p}."),
        format!("{h}..{s}"),
        format!("{p}.{s}"),
        format!("{h}.{s}"),
        format!("{h}{p}.{s}"),
        format!("{h}{p}{s}"),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{s}"),
        format!("{h}.{good}"),
        format!("{h}.{p}..{s}"),
        format!("{h}...{p}.{s}"),
        format!("{h}.{p}.{s}.{s}.{s}"),
        format!("{h}.{p}.{p}.{s}"),
        format!("{good}.{good}"),
        format!("{good}{good}"),
        format!("{good},{good}"),
        format!("{good} {good}"),
        format!("{good};{good}"),
        format!("{h}:{p}:{s}"),
        format!("{h}%2E{p}%2E{s}"),
        format!("{h}。{p}。{s}"),
        format!("{p}.{h}.{s}"),
        format!("{s}.{p}.{h}"),
        format!("{h}.{h}.{s}"),
        format!("{p}.{p}.{s}"),
        format!("Bearer {good}"),
        format!("\"{good}\""),
        format!("'{good}'"),
        format!("[{good}]"),
        format!("{good}\0"),
        format!("\u{feff}{good}"),
        good.to_lowercase(),
        good.chars().rev().collect(),
        b64(&good),
        hex(good.as_bytes()),
        good.replace('.', "/"),
    ];
    for shape in shapes {
        let what = shape.chars().take(30).collect::<String>();
        cases.add(format!("{what:?}… of {} bytes", shape.len()), shape, Because::Any);
    }
}

/// The last character of a part may carry bits that mean nothing: they must be zero, or there were more spellings.
fn stray_bits(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let strays = |part: &str| -> Vec<String> {
        let (rest, last) = part.split_at(part.len() - 1);
        let value = ALPHABET.iter().position(|c| *c == last.as_bytes()[0]).unwrap();
        let stray = match part.len() % 4 {
            2 => 16,
            3 => 4,
            _ => 1,
        };
        (1..stray).map(|n| format!("{rest}{}", char::from(ALPHABET[value + n]))).collect()
    };
    let good = mint.good();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    for spelt in strays(signature) {
        debug_assert_eq!(un_b64(signature).len(), signature.len() * 3 / 4);
        cases.add("stray bits in the signature", format!("{signed}.{spelt}"), Refused::Shape);
    }
    // White space after the object, so that payloads of every length modulo 3 are there.
    for blanks in 0..3 {
        let payload = b64(format!("{}{}", mint.payload, " ".repeat(blanks)));
        for spelt in strays(&payload) {
            let token = mint.signed_text(&format!("{}.{spelt}", b64(mint.header())));
            cases.add("stray bits in the payload, signed", token, Refused::Shape);
        }
        let header = b64(format!("{}{}", mint.header(), " ".repeat(blanks)));
        for spelt in strays(&header) {
            let token = mint.signed_text(&format!("{spelt}.{}", b64(&mint.payload)));
            cases.add("stray bits in the header, signed", token, Refused::Shape);
        }
    }
}

/// The JSON forms of JWS (RFC 7515 section 7.2), detached and unencoded payloads (RFC 7797), and JWE's five parts.
fn serialisations(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let good = mint.good();
    let split: Vec<&str> = good.split('.').collect();
    let (h, p, s) = (split[0], split[1], split[2]);
    let header: serde_json::Value = serde_json::from_str(&mint.header()).unwrap();
    let flattened = json!({ "payload": p, "protected": h, "signature": s });
    let flattened_open = json!({ "payload": p, "protected": h, "header": { "alg": "none" }, "signature": s });
    let unprotected = json!({ "payload": p, "header": header, "signature": s });
    let general = json!({ "payload": p, "signatures": [{ "protected": h, "signature": s }] });
    let two = json!({ "payload": p, "signatures": [
        { "header": { "alg": "none" }, "signature": "" }, { "protected": h, "signature": s },
    ] });
    let unsigned = json!({ "payload": p, "signatures": [] });
    for form in [flattened, flattened_open, unprotected, general, two, unsigned] {
        let form = form.to_string();
        cases.add("a JSON serialisation", form.clone(), Because::Any);
        cases.add("a JSON serialisation in base64url", b64(&form), Because::Any);
        cases.add("a JSON serialisation as the header", format!("{}.{p}.{s}", b64(&form)), Because::Any);
        cases.add("a JSON serialisation as the payload, signed", mint.saying(form), Refused::Claims);
    }
    let raw = mint.payload.replace('.', "\\u002e");
    let open = format!(
        r#"{{"alg":"{}","typ":"{}","kid":"{}","b64":false,"crit":["b64"]}}"#,
        mint.alg(),
        mint.typ,
        mint.key.kid()
    );
    cases.add("an unencoded payload, signed", mint.signed_text(&format!("{}.{raw}", b64(open))), Refused::Header);
    cases.add("an unencoded payload without saying so", mint.signed_text(&format!("{h}.{raw}")), Refused::Shape);
    let detached = mint.signed_text(&format!("{h}.{p}")).replace(&format!(".{p}."), "..");
    cases.add("a detached payload", detached, Refused::Shape);
    cases.add("an empty payload, signed", mint.signed_text(&format!("{h}.")), Refused::Shape);
    let jwe = b64(r#"{"alg":"dir","enc":"A256GCM"}"#);
    cases.add("five parts", format!("{jwe}..{p}.{p}.{s}"), Refused::Shape);
    cases.add("five full parts", format!("{jwe}.{h}.{p}.{p}.{s}"), Refused::Shape);
}

/// A good token within another one, and payloads that are not what they are said to be.
fn nested(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let good = mint.good();
    let header =
        |more: &str| format!(r#"{{"alg":"{}","typ":"{}","kid":"{}"{more}}}"#, mint.alg(), mint.typ, mint.key.kid());
    let outside = format!("{}.{}.", b64(r#"{"alg":"none","cty":"JWT"}"#), b64(&good));
    cases.add("a token in an unsigned token", outside, Because::Any);
    for (what, payload) in [
        ("a token", good.clone()),
        ("a token as a JSON string", json!(good).to_string()),
        ("a token in an object", json!({ "jwt": good }).to_string()),
        ("a token in a list", json!([good]).to_string()),
        ("the claims in an object", format!(r#"{{"claims":{}}}"#, mint.payload)),
        ("the claims as a string", json!(mint.payload).to_string()),
        ("the claims as a string in base64url", json!(b64(&mint.payload)).to_string()),
    ] {
        cases.add(format!("{what} as the payload, signed"), mint.signed(header(""), &payload), Refused::Claims);
        let typed = mint.signed(header(r#","cty":"JWT""#), &payload);
        cases.add(format!("{what} as the payload and cty, signed"), typed, Refused::Header);
    }
    // Deflate, stored: one block that holds the text as it is (RFC 1951 section 3.2.4).
    let length = u16::try_from(mint.payload.len()).unwrap();
    let head = [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
    let deflated = [head, mint.payload.clone().into_bytes()].concat();
    cases.add("a compressed payload", mint.signed(header(r#","zip":"DEF""#), &deflated), Refused::Header);
    let silent = mint.signed(header(""), &deflated);
    cases.add("a compressed payload without saying so", silent, Refused::Claims);
}
