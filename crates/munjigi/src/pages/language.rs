//! Which languages there are, and which one a reader gets.

use std::cmp::Reverse;

use fluent_langneg::{LanguageIdentifier, NegotiationStrategy, negotiate_languages};

use super::PagesError;
use super::messages::Messages;
use super::sources::Locale;

/// More of an `Accept-Language` header than this is not looked at, in bytes. Browsers send under 200.
const HEADER_MAX: usize = 1_024;
/// More entries of an `Accept-Language` header than this are not looked at.
const ENTRIES_MAX: usize = 32;

/// A language that is loaded. Only [`Languages`] makes one, so that it always names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lang(pub(super) usize);

impl Lang {
    /// The first language of the list: what readers get who ask for none that is here.
    pub const DEFAULT: Self = Self(0);
}

/// What is known of a language.
#[derive(Clone, Debug)]
pub struct Language {
    /// The BCP 47 tag, for `lang` attributes and the cookie of the switch.
    pub tag: String,
    /// What the language calls itself.
    pub name: String,
    id: LanguageIdentifier,
}

/// The languages that are loaded, the default first.
#[derive(Clone, Debug)]
pub struct Languages(Vec<Language>);

impl Languages {
    pub(super) fn load(locales: &[Locale], messages: &Messages) -> Result<Self, PagesError> {
        if locales.is_empty() {
            return Err(PagesError::NoLanguage);
        }
        let known = locales.iter().enumerate().map(|(index, Locale { tag, .. })| {
            let id = tag.parse().map_err(|_| PagesError::Tag { tag: tag.clone() })?;
            Ok(Language { tag: tag.clone(), name: messages.text(Lang(index), "language-name", &[]), id })
        });
        known.collect::<Result<_, _>>().map(Self)
    }

    /// All of them, in the order of the switch.
    pub fn iter(&self) -> impl Iterator<Item = (Lang, &Language)> {
        self.0.iter().enumerate().map(|(index, language)| (Lang(index), language))
    }

    /// The language with this tag, written in any case.
    #[must_use]
    pub fn find(&self, tag: &str) -> Option<Lang> {
        self.iter().find(|(_, language)| language.tag.eq_ignore_ascii_case(tag)).map(|(lang, _)| lang)
    }

    /// The tag of a language.
    #[must_use]
    pub fn tag(&self, lang: Lang) -> &str {
        self.0.get(lang.0).map_or("und", |language| &language.tag)
    }

    /// The language for a reader: the one chosen by the switch (`sticky`: a cookie's value or `?lang=`) if it is here, else
    /// the best of `Accept-Language`, else the default. Nothing that a client sends is an error.
    #[must_use]
    pub fn negotiate(&self, sticky: Option<&str>, accept_language: Option<&str>) -> Lang {
        sticky
            .and_then(|tag| self.find(tag))
            .or_else(|| accept_language.and_then(|header| self.accepted(header)))
            .unwrap_or(Lang::DEFAULT)
    }

    fn accepted(&self, header: &str) -> Option<Lang> {
        let requested = preferences(header);
        let available: Vec<&LanguageIdentifier> = self.0.iter().map(|language| &language.id).collect();
        let best = negotiate_languages(&requested, &available, None, NegotiationStrategy::Lookup).into_iter().next()?;
        self.iter().find(|(_, language)| &language.id == *best).map(|(lang, _)| lang)
    }
}

/// The languages of an `Accept-Language` header (RFC 9110, section 12.5.4), the most wanted first. What is malformed, or
/// refused by `q=0`, is left out; so is `*`, which the default language answers.
fn preferences(header: &str) -> Vec<LanguageIdentifier> {
    let end = header.floor_char_boundary(HEADER_MAX);
    let head = header.get(..end).unwrap_or_default();
    let mut wanted: Vec<(u16, LanguageIdentifier)> = head
        .split(',')
        .take(ENTRIES_MAX)
        .filter_map(|entry| {
            let (tag, parameters) = entry.split_once(';').unwrap_or((entry, ""));
            let weight = weight(parameters)?;
            Some((weight, tag.trim().parse().ok()?))
        })
        .filter(|(weight, _)| *weight > 0)
        .collect();
    wanted.sort_by_key(|(weight, _)| Reverse(*weight));
    wanted.into_iter().map(|(_, tag)| tag).collect()
}

/// `q=0.8` in thousandths; 1,000 if there is no parameter; `None` if it is no weight.
fn weight(parameters: &str) -> Option<u16> {
    let parameters = parameters.trim();
    if parameters.is_empty() {
        return Some(1_000);
    }
    let number = parameters.strip_prefix("q=").or_else(|| parameters.strip_prefix("Q="))?.trim();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sources::{LOCALES, locales};
    use super::*;

    fn languages() -> Languages {
        let locales = locales(LOCALES);
        Languages::load(&locales, &Messages::load(&locales).unwrap()).unwrap()
    }

    fn chosen(sticky: Option<&str>, accept: Option<&str>) -> String {
        let languages = languages();
        languages.tag(languages.negotiate(sticky, accept)).to_owned()
    }

    #[test]
    fn the_best_of_accept_language_is_chosen_by_weight() {
        for (accept, tag) in [
            (None, "en"),
            (Some(""), "en"),
            (Some("*"), "en"),
            (Some("ko"), "ko"),
            (Some("KO-kr"), "ko"),
            (Some("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7"), "ko"),
            (Some("en-GB,en;q=0.9,ko;q=0.8"), "en"),
            (Some("en;q=0.3, ko;q=0.8"), "ko"),
            (Some("ja, ko;q=0.1"), "ko"),
            (Some("ko;q=0, en"), "en"),
            (Some("ko;q=0.000"), "en"),
            (Some("fr-CH, fr;q=0.9, *;q=0.5"), "en"),
            (Some("ko ; q=1.0"), "ko"),
            (Some("en;q=0.5,ko;q=0.501"), "ko"),
        ] {
            assert_eq!(chosen(None, accept), tag, "{accept:?}");
        }
    }

    #[test]
    fn the_choice_that_sticks_wins_if_it_is_a_language_that_is_here() {
        assert_eq!(chosen(Some("ko"), Some("en")), "ko");
        assert_eq!(chosen(Some("EN"), Some("ko")), "en");
        for not_here in ["", "xx", "ko\0", "../ko", "한국어", &"k".repeat(10_000)] {
            assert_eq!(chosen(Some(not_here), Some("ko")), "ko", "{not_here:?}");
        }
    }

    #[test]
    fn hostile_headers_are_harmless() {
        for header in [
            "ko;q=1.5",
            "ko;q=-1",
            "ko;q=1.0000",
            "ko;q=NaN",
            "ko;level=1",
            ";;;,,,;q=,=",
            "\u{0}\u{202e}ko",
            "en-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            &"가".repeat(2_000),
            &format!("{}ko", "x,".repeat(100_000)),
            &format!("{}ko", " ".repeat(5_000)),
        ] {
            assert_eq!(chosen(None, Some(header)), "en", "{:.40}", header);
        }
    }

    #[test]
    fn languages_are_listed_with_the_names_they_call_themselves() {
        let names: Vec<_> = languages().iter().map(|(_, l)| (l.tag.clone(), l.name.clone())).collect();
        assert_eq!(names, [("en".into(), "English".into()), ("ko".into(), "한국어".into())]);
    }

    #[test]
    fn a_tag_that_is_none_is_refused_by_name() {
        let locales = locales(&[("not a tag", "language-name = X")]);
        assert!(Messages::load(&locales).is_err_and(|error| error.to_string().contains("not a tag")));
    }
}
