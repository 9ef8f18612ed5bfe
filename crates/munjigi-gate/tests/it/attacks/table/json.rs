//! JSON that breaks parsers, really signed: around claims that are wrong in one other way, so that a parser that survives it
//! must still come to a refusal.

use munjigi_gate::Refused;
use serde_json::json;

use super::Cases;
use super::mint::b64;

pub(super) fn hostile(cases: &mut Cases<'_>) {
    bytes(cases);
    sizes(cases);
    too_long(cases);
}

/// Whatever a parser makes of these, it is not text.
fn bytes(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let payload = mint.payload.as_bytes();
    let texts = mint.claims();
    let strings =
        texts.as_object().unwrap().iter().filter(|(_, value)| value.is_string()).map(|(name, _)| name.clone());
    let mut places: Vec<String> = strings.collect();
    places.push("never-heard-of".to_owned());
    let bad: [(&str, &[u8]); 12] = [
        ("a byte that never is", &[0xff]),
        ("a lone continuation", &[0x80]),
        ("a cut character", &[0xe2, 0x82]),
        ("an overlong slash", &[0xc0, 0xaf]),
        ("an overlong NUL", &[0xc0, 0x80]),
        ("a surrogate in UTF-8", &[0xed, 0xa0, 0x80]),
        ("a pair of surrogates in UTF-8", &[0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]),
        ("beyond Unicode", &[0xf4, 0x90, 0x80, 0x80]),
        ("five bytes", &[0xf8, 0x88, 0x80, 0x80, 0x80]),
        ("Latin-1", &[0xe9]),
        ("UTF-16's mark", &[0xff, 0xfe]),
        ("a quote within an overlong", &[0xc0, 0xa2]),
    ];
    for place in &places {
        for (what, bytes) in bad {
            let member = [b"{\"", place.as_bytes(), b"\":\"", bytes, b"\","].concat();
            let twin = [member.as_slice(), &payload[1..]].concat();
            cases.add(format!("{what} in {place}"), mint.signed(mint.header(), &twin), Refused::Claims);
        }
    }
    for place in places.iter().filter(|place| *place != "never-heard-of") {
        for escape in ["\\ud800", "\\udc00", "\\ud800\\ud800", "\\udc00\\ud800", "\\ud800x", "\\u12", "\\x00", "\\"] {
            let mut claims = mint.claims();
            claims[place] = json!("HERE");
            let text = claims.to_string().replace("HERE", escape);
            cases.add(format!("{escape} in {place}"), mint.saying(text), Refused::Claims);
        }
        for control in ["\0", "\u{1}", "\n", "\t", "\u{1f}"] {
            let mut claims = mint.claims();
            claims[place] = json!("HERE");
            let text = claims.to_string().replace("HERE", control);
            cases.add(format!("{control:?} bare in {place}"), mint.saying(text), Refused::Claims);
        }
    }
    let wide = |units: Vec<[u8; 2]>| units.concat();
    let utf16: Vec<u16> = mint.payload.encode_utf16().collect();
    let little = wide(utf16.iter().map(|unit| unit.to_le_bytes()).collect());
    let big = wide(utf16.iter().map(|unit| unit.to_be_bytes()).collect());
    let marked = [&[0xff, 0xfe], little.as_slice()].concat();
    let utf32: Vec<u8> = mint.payload.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    for (what, bytes) in [
        ("UTF-16", little),
        ("UTF-16, big", big),
        ("UTF-16 with its mark", marked),
        ("UTF-32", utf32),
        ("UTF-8 with its mark", [&[0xef, 0xbb, 0xbf], payload].concat()),
        ("bytes of CBOR", vec![0xa1, 0x61, 0x61, 0x01]),
    ] {
        cases.add(what, mint.signed(mint.header(), bytes), Refused::Claims);
    }
}

/// As deep, long or many as fit, where a claim is expected and where none is.
fn sizes(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let room = 2900 - mint.payload.len() - mint.signature(b"").len();
    let pairs = |open: &str, close: &str, each: usize| {
        let times = room / each;
        format!("{}{}", open.repeat(times), close.repeat(times))
    };
    let hostile = [
        ("nested lists", pairs("[", "]", 2)),
        ("nested lists that never end", "[".repeat(room)),
        ("nested objects", pairs("{\"a\":", "}", 6).replace(":}", ":0}")),
        ("nested objects that never end", "{\"\":".repeat(room / 4)),
        ("nested both", pairs("[{\"a\":", "}]", 8).replace(":}", ":0}")),
        ("a long number", "1".repeat(room)),
        ("a long fraction", format!("0.{}", "1".repeat(room - 2))),
        ("a long exponent", format!("1e{}", "9".repeat(room - 2))),
        ("a number with a long negative exponent", format!("1e-{}", "9".repeat(room - 3))),
        ("a list of many", format!("[{}0]", "0,".repeat(room / 2 - 1))),
        ("a text of many escapes", format!("\"{}\"", "\\u0061".repeat(room / 6 - 1))),
        ("an object of one name", format!("{{{}\"a\":0}}", "\"a\":0,".repeat(room / 6 - 2))),
        ("a text that never ends", format!("\"{}", "a".repeat(room - 1))),
    ];
    let claims = mint.claims();
    let names: Vec<String> = claims.as_object().unwrap().keys().cloned().collect();
    for (what, text) in &hostile {
        for name in &names {
            // A text is what these claims may be.
            if what.starts_with("a text of") && claims[name].is_string() {
                continue;
            }
            let mut claims = claims.clone();
            claims[name] = json!("HERE");
            let payload = claims.to_string().replace("\"HERE\"", text);
            cases.add(format!("{what} as {name}"), mint.saying(payload), Refused::Claims);
        }
        let mut without = claims.clone();
        without.as_object_mut().unwrap().remove("sid");
        let payload = format!("{{\"more\":{text},{}", &without.to_string()[1..]);
        cases.add(format!("{what} as a claim that nobody knows"), mint.saying(payload), Refused::Claims);
    }
}

fn too_long(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    for length in [4097, 4098, 5000, 8192, 16_000] {
        // Room for what base64 adds.
        let blanks = " ".repeat(length * 3 / 4);
        cases.add(format!("{length} bytes"), mint.saying(format!("{}{blanks}", mint.payload)), Refused::TooLong);
        let header = format!("{}{blanks}", mint.header());
        cases.add(format!("a header of {length} bytes"), mint.signed(header, &mint.payload), Refused::TooLong);
        let good = mint.good();
        cases.add(format!("{length} bytes more of signature"), good + &b64(vec![0; length * 3 / 4]), Refused::TooLong);
    }
}
