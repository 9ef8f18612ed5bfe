//! Claims: really signed, but missing, doubled, of another type, out of time, or somebody else's.

use munjigi_gate::Refused;
use serde_json::{Map, Value, json};

use super::{Because, Cases};

pub(super) fn changed(cases: &mut Cases<'_>) {
    missing_and_doubled(cases);
    types(cases);
    payloads(cases);
    if cases.mint.is_access() {
        texts(cases);
        ids_and_lists(cases);
        times(cases);
        somebody_elses(cases);
    }
}

fn members(cases: &Cases<'_>) -> Map<String, Value> {
    cases.mint.claims().as_object().unwrap().clone()
}

/// The payload with this JSON text, whatever it is, as the value of a claim.
fn with_text(cases: &Cases<'_>, name: &str, text: &str) -> String {
    let written = members(cases).into_iter().map(|(known, value)| {
        let value = if known == name { text.to_owned() } else { value.to_string() };
        format!("{}:{value}", json!(known))
    });
    format!("{{{}}}", written.collect::<Vec<_>>().join(","))
}

fn with(cases: &Cases<'_>, changes: &[(&str, Value)]) -> String {
    let mut members = members(cases);
    for (name, value) in changes {
        members.insert((*name).to_owned(), value.clone());
    }
    Value::Object(members).to_string()
}

/// A value of the same type that says something else.
fn other(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() == 36 => json!(text.replace(|c: char| c.is_ascii_digit(), "7")),
        Value::String(text) if text.len() == 32 => json!("0".repeat(32)),
        Value::String(text) => json!(format!("{text}x")),
        Value::Number(number) => json!(number.as_i64().unwrap_or_default() + 1),
        Value::Array(_) => json!(["otp"]),
        other => other.clone(),
    }
}

fn missing_and_doubled(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    for (name, value) in members(cases) {
        let mut without = members(cases);
        without.remove(&name);
        cases.add(format!("no {name}"), mint.saying(Value::Object(without).to_string()), Refused::Claims);
        let renamed = mint.payload.replace(&format!("\"{name}\":"), &format!("\"{}\":", name.to_uppercase()));
        cases.add(format!("{name} in capitals"), mint.saying(renamed), Refused::Claims);
        let inside = &mint.payload[1..mint.payload.len() - 1];
        let escaped: String = name.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        let first = format!("\\u{:04x}{}", u32::from(name.chars().next().unwrap()), &name[1..]);
        for spelt in [name.clone(), first, escaped] {
            for twin in [value.clone(), other(&value), Value::Null, json!({})] {
                let before = format!("{{\"{spelt}\":{twin},{inside}}}");
                let after = format!("{{{inside},\"{spelt}\":{twin}}}");
                cases.add(format!("{spelt} = {twin} before {name}"), mint.saying(before), Refused::Claims);
                cases.add(format!("{spelt} = {twin} after {name}"), mint.saying(after), Refused::Claims);
            }
        }
    }
}

/// JSON that is no number of seconds and no counter.
const NO_NUMBERS: [&str; 24] = [
    "1e400",
    "-1e400",
    "1e18",
    "1E9",
    "18e8",
    "1800000000.0",
    "1800000000.5",
    "1.8e9",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775808",
    "-9223372036854775809",
    "340282366920938463463374607431768211456",
    "-0",
    "-0.0",
    "01800000000",
    "+1800000000",
    "0x6b49d200",
    "1_800_000_000",
    "NaN",
    "Infinity",
    r#""1800000000""#,
    r#"["1800000000"]"#,
    "1800000000,0",
];

/// JSON that is nothing of what a claim can be.
const NOTHINGS: [&str; 9] = ["null", "true", "false", "{}", "[[]]", r#"{"a":1}"#, "undefined", "", "[null]"];

fn types(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    for (name, value) in members(cases) {
        let wrong: &[&str] = match value {
            Value::String(_) => &["0", "1", "-1", "1.5", "[]", r#"["a"]"#, "'a'", "a", r#""a"#, r#""\x41""#, "\"\t\""],
            Value::Number(_) => &NO_NUMBERS,
            _ => &["0", r#""""#, r#""pwd""#, r#"{"0":"pwd"}"#, "[1]", r#"["pwd",1]"#, r#"["pwd""#, r#"["pwd",]"#],
        };
        for text in wrong.iter().chain(&NOTHINGS) {
            cases.add(format!("{name} = {text}"), mint.saying(with_text(cases, &name, text)), Refused::Claims);
        }
        if value.is_number() {
            let long = "9".repeat(400);
            cases.add(format!("{name} of 400 digits"), mint.saying(with_text(cases, &name, &long)), Refused::Claims);
        }
    }
    for (name, high) in [("sep", "4294967296"), ("gen", "4294967296")] {
        if members(cases).contains_key(name) {
            for text in [high, "-1", "-4294967295"] {
                cases.add(format!("{name} = {text}"), mint.saying(with_text(cases, name, text)), Refused::Claims);
            }
        }
    }
    let ids = [("sid", 32), ("nonce", 32), ("parent", 32), ("sub", 36)];
    for (name, length) in ids {
        let Some(real) = members(cases).get(name).and_then(Value::as_str).map(str::to_owned) else { continue };
        let odd = [
            "".to_owned(),
            "admin".to_owned(),
            "*".to_owned(),
            "../1".to_owned(),
            "' OR 1=1 --".to_owned(),
            "0".repeat(length - 1),
            "0".repeat(length + 1),
            format!("+{}", "0".repeat(length - 1)),
            format!(" {real}"),
            format!("{real} "),
            format!("{real}\0"),
            format!("0x{real}"),
            format!("{{{real}}}"),
            format!("urn:uuid:{real}"),
            if length == 36 { real.replace('-', "") } else { real.to_uppercase() + "A" },
            "０".repeat(length),
        ];
        for text in odd {
            let token = mint.saying(with(cases, &[(name, json!(text))]));
            cases.add(format!("{name} = {text:?}"), token, Refused::Claims);
        }
        let shouting = real.to_uppercase();
        if shouting != real {
            let token = mint.saying(with(cases, &[(name, json!(shouting))]));
            cases.add(format!("{name} in capitals"), token, Refused::Claims);
        }
    }
}

fn payloads(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let good = mint.payload.clone();
    let values = Value::Array(members(cases).values().cloned().collect());
    let pairs: Vec<Value> = members(cases).into_iter().map(|(name, value)| json!([name, value])).collect();
    let inside = &good[1..good.len() - 1];
    let texts = [
        values.to_string(),
        Value::Array(pairs).to_string(),
        format!("[{good}]"),
        format!("{good}{good}"),
        format!("{good},{good}"),
        format!("{good}x"),
        format!("{good}\0"),
        format!(" {good}"),
        format!("\n{good}"),
        format!("\u{feff}{good}"),
        format!("{{{inside},}}"),
        format!("{{,{inside}}}"),
        format!("{{{inside}"),
        format!("{{{inside}]"),
        format!("{good}}}"),
        format!("{{/* */{inside}}}"),
        format!("{good}//"),
        format!("({good})"),
        good.replace('"', "'"),
        good.replace("\":", "\"="),
        "null".to_owned(),
        "true".to_owned(),
        "0".to_owned(),
        "\"\"".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "{\"\":{}}".to_owned(),
        " ".to_owned(),
        "x".to_owned(),
        json!(good).to_string(),
    ];
    for text in texts {
        let what = text.chars().take(40).collect::<String>();
        cases.add(format!("the payload {what:?}"), mint.saying(text), Refused::Claims);
    }
}

/// Spellings of the issuer or audience that are not it.
fn texts(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    for (name, refused) in [("iss", Refused::Issuer), ("aud", Refused::Audience)] {
        let real = members(cases)[name].as_str().unwrap().to_owned();
        let (scheme, host) = real.split_once("://").unwrap();
        let spellings = [
            String::new(),
            " ".to_owned(),
            "*".to_owned(),
            "null".to_owned(),
            "https://evil.example".to_owned(),
            format!("{real}/"),
            format!("{real}/."),
            format!("{real}?"),
            format!("{real}#"),
            format!("{real}:443"),
            format!("{real}.evil.example"),
            format!("{real}@evil.example"),
            format!("https://evil.example/{real}"),
            format!("https://evil.example?{real}"),
            format!("{real} {real}"),
            format!("{real},https://evil.example"),
            format!(" {real}"),
            format!("{real} "),
            format!("{real}\0"),
            format!("{real}\n"),
            real[..real.len() - 1].to_owned(),
            real[1..].to_owned(),
            host.to_owned(),
            format!("//{host}"),
            format!("{}://{host}", scheme.to_uppercase()),
            format!("{scheme}://{}", host.to_uppercase()),
            format!("{scheme}://user@{host}"),
            format!("ftp://{host}"),
            real.replacen('e', "е", 1),
            real.replacen('o', "о", 1),
            "x".repeat(1500),
        ];
        for text in spellings {
            if text != real {
                cases.add(format!("{name} = {text:?}"), mint.saying(with(cases, &[(name, json!(text))])), refused);
            }
        }
        for list in [json!([real]), json!([real, "https://evil.example"]), json!({ "0": real }), json!([])] {
            cases.add(format!("{name} = {list}"), mint.saying(with(cases, &[(name, list)])), Refused::Claims);
        }
    }
}

fn ids_and_lists(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let claims = mint.claims();
    let swapped = with(cases, &[("sub", claims["sid"].clone()), ("sid", claims["sub"].clone())]);
    cases.add("user and session exchanged", mint.saying(swapped), Refused::Claims);
    for amr in [json!([["pwd"]]), json!([{ "a": 1 }]), json!([true]), json!(["pwd", null])] {
        cases.add(format!("amr = {amr}"), mint.saying(with(cases, &[("amr", amr)])), Refused::Claims);
    }
}

/// Times around `iat`, which is now.
fn times(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let now = mint.claims()["iat"].as_i64().unwrap();
    let expired = [
        (now - 1, now),
        (now - 600, now),
        (now - 600, now - 1),
        (now - 600, now - 599),
        (0, 1),
        (-1, 0),
        (-2, -1),
        (i64::MIN, i64::MIN + 1),
        (i64::MIN, -1),
        (0, now),
        (i64::MIN, now),
    ];
    for (iat, exp) in expired {
        let token = mint.saying(with(cases, &[("iat", json!(iat)), ("exp", json!(exp))]));
        cases.add(format!("from {iat} until {exp}"), token, Because::Expired);
    }
    let backwards = [
        (now, now),
        (now, now - 1),
        (now, 0),
        (now, -1),
        (now, i64::MIN),
        (now + 600, now + 600),
        (now + 600, now),
        (i64::MAX, i64::MAX),
        (i64::MAX, i64::MIN),
        (i64::MIN, i64::MIN),
        (0, 0),
    ];
    for (iat, exp) in backwards {
        let token = mint.saying(with(cases, &[("iat", json!(iat)), ("exp", json!(exp))]));
        cases.add(format!("from {iat} until {exp}"), token, Refused::Claims);
    }
    for iat in [now + 61, now + 600, now + 86_400, i64::MAX - 1] {
        let token = mint.saying(with(cases, &[("iat", json!(iat)), ("exp", json!(i64::MAX))]));
        cases.add(format!("from {iat}"), token, Refused::NotYet);
        // Milliseconds where seconds are meant are far in the future, too.
        let nbf = mint.saying(with(cases, &[("nbf", json!(iat))]));
        cases.add(format!("not before {iat}"), nbf, Refused::NotYet);
    }
    let millis = [("iat", json!(now * 1000)), ("exp", json!(now * 1000 + 600_000))];
    cases.add("milliseconds", mint.saying(with(cases, &millis)), Refused::NotYet);
    for nbf in ["null", "true", r#""0""#, "0.5", "1e400", "18446744073709551616", "[0]", "{}"] {
        let inside = &mint.payload[1..];
        cases.add(format!("nbf = {nbf}"), mint.saying(format!("{{\"nbf\":{nbf},{inside}")), Refused::Claims);
    }
    for (one, two) in [("nbf", "nbf"), ("nbf", "\\u006ebf"), ("n\\u0062f", "nbf")] {
        let doubled = format!("{{\"{one}\":0,\"{two}\":{},{}", i64::MAX, &mint.payload[1..]);
        cases.add(format!("{one} and {two}"), mint.saying(doubled), Refused::Claims);
    }
}

/// Everything right but for the claims that name us: a token of another service with which the key is shared.
fn somebody_elses(cases: &mut Cases<'_>) {
    let mint = cases.mint;
    let claims = mint.claims();
    let (iss, aud) = (claims["iss"].clone(), claims["aud"].clone());
    if iss != aud {
        let exchanged = mint.saying(with(cases, &[("iss", aud.clone()), ("aud", iss.clone())]));
        cases.add("issuer and audience exchanged", exchanged, Refused::Issuer);
        cases.add("the issuer as the audience", mint.saying(with(cases, &[("aud", iss)])), Refused::Audience);
        cases.add("the audience as the issuer", mint.saying(with(cases, &[("iss", aud)])), Refused::Issuer);
    }
    // What a refresh token says, signed as an access token.
    let refresh = json!({
        "sub": claims["sub"], "sid": claims["sid"], "gen": 1, "nonce": "0".repeat(32), "parent": "1".repeat(32),
        "iat": claims["iat"], "exp": claims["exp"],
    });
    cases.add("a refresh token's claims", mint.saying(refresh.to_string()), Refused::Claims);
    let id_token = json!({ "iss": claims["iss"], "sub": claims["sub"], "aud": claims["aud"], "iat": claims["iat"],
        "exp": claims["exp"], "nonce": "n", "email": "keeper@example.com" });
    cases.add("an id token's claims", mint.saying(id_token.to_string()), Refused::Claims);
}
