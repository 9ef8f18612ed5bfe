//! Username, password and name, as they are typed in: each on a line of its own.

use std::sync::LazyLock;

use munjigi_rules::password::{self, Policy};
use munjigi_rules::register::{Applicant, Form, decide};
use munjigi_rules::{DisplayName, Username};
use unicode_normalization::UnicodeNormalization as _;

use super::bytes::line;

static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::new(8, 256, &["Blue Shop"]));

/// Format controls that turn or hide what stands around them: general category Cf without what is itself seen, the joiners that
/// scripts need, and the separators of lines and paragraphs (Unicode 16.0).
const HIDING: &[(u32, u32)] = &[
    (0x00, 0x1f),
    (0x7f, 0x9f),
    (0xad, 0xad),
    (0x61c, 0x61c),
    (0x180e, 0x180e),
    (0x200b, 0x200b),
    (0x200e, 0x200f),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0xfeff, 0xfeff),
    (0xfff9, 0xfffb),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe007f),
];

/// What leaves no mark: `Default_Ignorable_Code_Point` of Unicode 16.0, white space, and the blank Braille pattern.
const UNSEEN: &[(u32, u32)] = &[
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x61c, 0x61c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfff8),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe0fff),
];

fn is_in(ranges: &[(u32, u32)], c: char) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(c)))
}

fn username_holds(typed: &str) {
    let right = |c: char| matches!(c, 'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' | '-');
    let plain = typed.chars().all(right) && (4..=32).contains(&typed.chars().count());
    let parsed = Username::parse(typed);
    assert_eq!(parsed.is_ok(), plain, "{typed:?}");
    let Ok(name) = parsed else { return };
    assert_eq!(name.as_str(), typed, "kept as typed");
    let folded = Username::parse(&name.folded()).expect("its lower case is a username");
    assert_eq!(folded.folded(), name.folded());
    assert_eq!(
        Username::parse(&typed.to_uppercase()).unwrap().folded(),
        name.folded(),
        "unique without regard to case"
    );
    assert_eq!(folded.is_reserved(), name.is_reserved());
}

fn name_holds(typed: &str) {
    let Ok(name) = DisplayName::parse(typed) else { return };
    let shown = name.as_str();
    assert_eq!(DisplayName::parse(shown).as_ref(), Ok(&name), "what is kept can be typed again");
    assert_eq!(shown, shown.nfc().collect::<String>(), "NFC");
    assert_eq!(shown, shown.trim());
    assert!((1..=64).contains(&shown.chars().count()), "{shown:?}");
    assert!(!shown.chars().any(|c| is_in(HIDING, c)), "{shown:?} hides or turns something");
    let seen = shown.chars().any(|c| !c.is_whitespace() && !is_in(UNSEEN, c));
    assert!(seen, "{shown:?} would look empty");
    let decomposed = DisplayName::parse(&typed.nfd().collect::<String>());
    assert_eq!(decomposed.as_ref(), Ok(&name), "another keyboard types the same name");
}

fn password_holds(typed: &str, username: &str) {
    let checked = POLICY.check(typed, username);
    let other_keyboard = POLICY.check(&typed.nfd().collect::<String>(), username);
    assert_eq!(other_keyboard, checked, "another keyboard types the same password");
    let Ok(password) = checked else { return };
    let kept = password.reveal();
    assert_eq!(kept, typed.nfc().collect::<String>());
    assert_eq!(password, password::known(typed), "log-in hashes the same");
    assert_eq!(POLICY.check(kept, username).as_ref(), Ok(&password));
    assert!((8..=256).contains(&kept.chars().count()));
    let taken = Username::parse(username).is_ok();
    assert!(!taken || !kept.to_ascii_lowercase().contains(&username.to_ascii_lowercase()));
    let shown = format!("{password:?}");
    assert_eq!(shown, "NewPassword(..)");
}

pub(super) fn holds(data: &[u8]) {
    let (username, rest) = line(data);
    let (password, name) = line(rest);
    let [username, password, name] = [username, password, name].map(String::from_utf8_lossy);
    username_holds(&username);
    name_holds(&name);
    password_holds(&password, &username);
    let form = Form { username: &username, password: &password, confirm_password: &password, name: &name };
    let parts = Username::parse(&username).is_ok()
        && POLICY.check(&password, &username).is_ok()
        && DisplayName::parse(&name).is_ok();
    assert_eq!(decide(&form, Applicant::Operator, &POLICY).is_ok(), parts);
    let differing = Form { confirm_password: "another", ..form };
    assert!(password == "another" || decide(&differing, Applicant::Visitor, &POLICY).is_err());
}
