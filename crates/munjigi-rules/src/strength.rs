//! How strong a new password is, told while it is typed. It decides nothing: what may be set is for [`Policy`](crate::password::Policy)
//! to say. It explains: each answer comes with the one thing that would help most.
//!
//! What counts is length that a guesser could not leave out. What repeats what stood before, `aaa` or `abcabc`, is worth
//! nothing; what goes on in a row, `4567` or `qwer`, a quarter; a word that is known, as the username, or that everybody tries, one character; a syllable
//! of Hangul, which is typed with two or three keys, two.
//!
//! (The usual library for this was tried: 3.2 MiB of program, 8 MiB of memory, half a second for a hundred characters chosen
//! by an attacker, and full marks for Korean words typed on an English keyboard. docs/decisions/0011-strength.md has the figures.)

use std::collections::HashSet;

use zeroize::Zeroizing;

use crate::password::{is_listed, normalise};

/// A whole character; parts of one are told in quarters.
const WHOLE: usize = 4;
/// More than this is not looked at: nobody's password gets stronger after it.
const LONGEST: usize = 128;
/// Neighbours on keyboards, English and Korean.
const ROWS: [&str; 7] = [
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ",
    "ㅁㄴㅇㄹㅎㅗㅓㅏㅣ",
    "ㅋㅌㅊㅍㅠㅜㅡ",
];

/// What to say of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strength {
    /// 0 (may not be set) to 4 (as strong as one could ask).
    pub score: u8,
    /// What would help most.
    pub advice: Advice,
}

/// What would help most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// It may not be set; why is said elsewhere.
    Refused,
    /// A word that everybody tries, with something added.
    Common,
    /// Digits alone.
    Digits,
    /// The same over and over.
    Repeats,
    /// Rows of the keyboard or the alphabet.
    Rows,
    /// It is known who it belongs to.
    Known,
    /// It is good as far as it goes.
    Longer,
    /// Nothing.
    Nothing,
}

/// Estimates a password that the policy lets pass. `known` is what a guesser knows of its owner: username, name, site.
#[must_use]
pub fn estimate(password: &str, known: &[&str]) -> Strength {
    let mut folded = lower(password);
    if folded.chars().all(|c| c.is_ascii_digit()) {
        let score = if folded.len() < 12 { 1 } else { 2 };
        return Strength { score, advice: Advice::Digits };
    }
    let core = Zeroizing::new(folded.trim_matches(|c: char| !c.is_alphabetic()).to_owned());
    let is_common = !core.is_empty() && is_listed(&core);
    if is_common {
        folded = without(&folded, &core);
    }
    let before = folded.chars().count();
    for text in known.iter().map(|text| lower(text)) {
        // Somebody's whole name, and each part of it.
        let parts = text.split(|c: char| !c.is_alphanumeric());
        for word in std::iter::once(text.as_str()).chain(parts).filter(|word| word.chars().count() > 2) {
            folded = without(&folded, word);
        }
    }
    let is_known = folded.chars().count() < before;
    let worth = Worth::of(&folded);
    let score = match worth.total / WHOLE {
        0..8 => 1,
        8..11 => 2,
        11..15 => 3,
        _ => 4,
    };
    let advice = match score {
        4 => Advice::Nothing,
        _ if is_common => Advice::Common,
        _ if is_known => Advice::Known,
        _ if worth.lost_to_repeats.max(worth.lost_to_rows) < 2 * WHOLE => Advice::Longer,
        _ if worth.lost_to_rows > worth.lost_to_repeats => Advice::Rows,
        _ => Advice::Repeats,
    };
    Strength { score, advice }
}

fn lower(text: &str) -> Zeroizing<String> {
    Zeroizing::new(normalise(text).to_lowercase())
}

/// With one character for each time the word is there.
fn without(folded: &str, word: &str) -> Zeroizing<String> {
    Zeroizing::new(folded.replace(word, "\u{0}"))
}

/// In quarters of a character.
#[derive(Default)]
struct Worth {
    total: usize,
    lost_to_repeats: usize,
    lost_to_rows: usize,
}

impl Worth {
    fn of(folded: &str) -> Self {
        let mut worth = Self::default();
        let mut seen: HashSet<[char; 3]> = HashSet::new();
        let mut last: [Option<char>; 2] = [None, None];
        for c in folded.chars().take(LONGEST) {
            let full = if ('가'..='힣').contains(&c) { 2 * WHOLE } else { WHOLE };
            let triple = match last {
                [Some(a), Some(b)] => Some([a, b, c]),
                _ => None,
            };
            let again = last[1] == Some(c) || triple.is_some_and(|triple| !seen.insert(triple));
            let in_row = last[1].is_some_and(|before| are_neighbours(before, c));
            let part = match (again, in_row) {
                (true, _) => 0,
                (false, true) => full / 4,
                (false, false) => full,
            };
            worth.total += part;
            if again {
                worth.lost_to_repeats += full - part;
            } else {
                worth.lost_to_rows += full - part;
            }
            last = [last[1], Some(c)];
        }
        worth
    }
}

/// Beside each other in the alphabet or on a keyboard, in either direction.
fn are_neighbours(one: char, other: char) -> bool {
    let follow = |a: char, b: char| u32::from(a) + 1 == u32::from(b) && a.is_alphanumeric() && b.is_alphanumeric();
    let on_a_row = |a: char, b: char| {
        ROWS.iter().any(|row| row.chars().zip(row.chars().skip(1)).any(|(left, right)| (left, right) == (a, b)))
    };
    [(one, other), (other, one)].into_iter().any(|(a, b)| follow(a, b) || on_a_row(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_told_apart_as_a_guesser_would() {
        for (password, score, advice) in [
            ("password1!", 1, Advice::Common),
            ("2019201920", 1, Advice::Digits),
            ("829104756281", 2, Advice::Digits),
            ("aaaaaaaabbbbbbbb", 1, Advice::Repeats),
            ("zxcvbnmlkjhgfd", 1, Advice::Rows),
            ("hijklmno98765432", 1, Advice::Rows),
            ("kettlekettlekettle", 1, Advice::Repeats),
            ("password123456789", 1, Advice::Common),
            ("princess 8361 angler", 4, Advice::Nothing),
            ("minakim2019", 1, Advice::Known),
            ("holzmüller2019", 1, Advice::Known),
            ("Jose\u{301} 2019 20", 1, Advice::Known),
            ("blue kettle", 2, Advice::Longer),
            ("blue kettle 9 ducks", 4, Advice::Nothing),
            ("vnNkDwLDgMAX7Kq3", 4, Advice::Nothing),
            ("나는 매일 커피를 마신다", 4, Advice::Nothing),
            ("커피마시자", 2, Advice::Longer),
        ] {
            let told = estimate(password, &["minakim", "Jos\u{e9} Holzmüller", "Munjigi"]);
            assert_eq!((told.score, told.advice), (score, advice), "{password}");
        }
    }

    #[test]
    fn more_of_the_same_never_makes_a_password_strong_and_nothing_panics() {
        for password in ["a", "abc", "1q2w", "비밀", "\u{0}", "😀", "ㅁㄴㅇㄹ", "İ"] {
            let short = estimate(password, &["", "ab", "\u{0}"]).score;
            let long = estimate(&password.repeat(40), &[]).score;
            assert!(short <= long && long <= 4, "{password}: {short}, {long}");
        }
        assert_eq!(estimate(&"a".repeat(100), &[]).score, 1);
        assert_eq!(estimate("", &[]).score, 1);
    }
}
