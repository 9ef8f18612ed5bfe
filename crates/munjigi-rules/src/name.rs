//! The name that is shown.

use std::fmt;

use serde::{Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

/// Most characters (code points after NFC) of a name.
pub const MAX: usize = 64;

/// A name to show: 1 to 64 characters, NFC, trimmed, without characters that hide or turn the text around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

/// Why a text cannot be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing, or only spaces.
    #[error("a name is missing")]
    Missing,
    /// Over [`MAX`] characters.
    #[error("a name has at most {MAX} characters")]
    Length,
    /// A control character, a bidirectional override or an invisible one.
    #[error("a name holds no control characters and none that hide or reverse text")]
    Characters,
}

impl DisplayName {
    /// Reads a name: normalises it to NFC and trims it.
    ///
    /// # Errors
    /// [`InvalidName`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let name: String = text.nfc().collect();
        let name = name.trim();
        if name.is_empty() {
            return Err(InvalidName::Missing);
        }
        if name.chars().any(is_forbidden) || !name.chars().any(is_visible) {
            return Err(InvalidName::Characters);
        }
        if name.chars().count() > MAX {
            return Err(InvalidName::Length);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, line and paragraph separators, bidirectional and other format controls, and invisible characters but
/// for the two joiners that scripts and emoji need.
fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

/// Something that leaves a mark: a name of fillers, joiners and variation selectors alone would look empty. Beside white space
/// and the blank Braille pattern these are Unicode's `Default_Ignorable_Code_Point`.
fn is_visible(c: char) -> bool {
    !c.is_whitespace()
        && !is_forbidden(c)
        && !matches!(c,
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200c}' | '\u{200d}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            | '\u{e0080}'..='\u{e0fff}')
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for DisplayName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_normalised_and_trimmed() {
        let parsed = |text: &str| DisplayName::parse(text).map(|n| n.as_str().to_owned());
        assert_eq!(parsed("  김미나 ").as_deref(), Ok("김미나"));
        assert_eq!(parsed("\u{1100}\u{1175}\u{11b7}").as_deref(), Ok("김"));
        assert_eq!(parsed("Zoë 👩‍🚀").as_deref(), Ok("Zoë 👩‍🚀"));
        assert!(parsed(&"한".repeat(64)).is_ok());
    }

    #[test]
    fn a_name_cannot_hide_or_reverse_what_stands_around_it() {
        for bad in [
            "a\u{0}b",
            "a\nb",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "\u{3164}",
            "\u{200d}\u{200d}",
            "a\u{feff}",
            "a\u{1d173}b",
            "\u{34f}",
            "\u{17b4}",
            "\u{e0100}",
        ] {
            assert_eq!(DisplayName::parse(bad), Err(InvalidName::Characters), "{bad:?}");
        }
        assert_eq!(DisplayName::parse(" \u{a0} "), Err(InvalidName::Missing));
        assert_eq!(DisplayName::parse(&"x".repeat(65)), Err(InvalidName::Length));
    }
}
