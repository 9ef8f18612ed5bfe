//! Colours of one's own, and whether they can be read (WCAG 2.2, success criterion 1.4.3).

use std::fmt;
use std::str::FromStr;

/// The least contrast of text and what is behind it.
pub(super) const LEAST: f64 = 4.5;

/// A colour, `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// A text is not `#rrggbb`.
#[derive(Debug, thiserror::Error)]
#[error("not a colour such as #0f6b5c")]
pub struct NoColour;

impl FromStr for Colour {
    type Err = NoColour;

    fn from_str(text: &str) -> Result<Self, NoColour> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(NoColour)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NoColour);
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).map_err(|_| NoColour)?.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([red, green, blue]) = self;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Colour {
    const BLACK: Self = Self([0; 3]);
    const WHITE: Self = Self([255; 3]);

    /// Relative luminance, as WCAG defines it.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast ratio, from 1 to 21.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// So many hundredths of `other` mixed in.
    fn mixed(self, other: Self, hundredths: u16) -> Self {
        let mut parts = self.0;
        for (part, other) in parts.iter_mut().zip(other.0) {
            let sum = u16::from(*part) * (100 - hundredths) + u16::from(other) * hundredths;
            *part = u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX);
        }
        Self(parts)
    }
}

/// By day or by night.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Light,
    Dark,
}

/// Style sheets of which each is laid over those before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheets<'a>(pub(super) &'a [&'a str]);

impl Sheets<'_> {
    /// The colour of a token (`--card`); `None` where none of them has it as `#rrggbb`.
    pub(super) fn token(self, name: &str, scheme: Scheme) -> Option<Colour> {
        self.0.iter().rev().find_map(|sheet| {
            let (light, dark) = sheet.split_once("@media (prefers-color-scheme: dark)").unwrap_or((sheet, ""));
            // What is said for the dark stands after what is said for both.
            let parts = if scheme == Scheme::Light { [light, ""] } else { [dark, light] };
            parts
                .into_iter()
                .find_map(|part| part.split_once(&format!("{name}:"))?.1.split([';', '}']).next()?.trim().parse().ok())
        })
    }
}

/// The grounds on which the accent stands as text, as style sheets have them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grounds {
    card: Colour,
    page: Colour,
}

impl Grounds {
    /// The tokens `--card` and `--page`.
    pub(super) fn of(sheets: Sheets<'_>, scheme: Scheme) -> Option<Self> {
        Some(Self { card: sheets.token("--card", scheme)?, page: sheets.token("--page", scheme)? })
    }

    /// The least contrast of `accent` with a ground: the card, the page, and the card with a little of the accent in it.
    pub(super) fn contrast(self, accent: Colour) -> f64 {
        let soft = self.card.mixed(accent, 11);
        [self.card, self.page, soft].into_iter().map(|ground| accent.contrast(ground)).fold(f64::INFINITY, f64::min)
    }

    /// What is written on the accent: the ground from which it stands off most. A readable accent makes that readable too.
    pub(super) fn on(self, accent: Colour) -> Colour {
        if accent.contrast(self.card) > accent.contrast(self.page) { self.card } else { self.page }
    }

    /// The colour nearest to `accent`, darker or lighter of the same hue, that can be read here.
    pub(super) fn readable(self, accent: Colour) -> Colour {
        let towards = if self.card.luminance() > 0.18 { Colour::BLACK } else { Colour::WHITE };
        let steps = (0..=100).map(|hundredths| accent.mixed(towards, hundredths));
        steps.into_iter().find(|colour| self.contrast(*colour) >= LEAST).unwrap_or(towards)
    }
}

/// The tokens that follow from a colour.
pub(super) fn tokens(accent: Colour, grounds: Grounds) -> String {
    format!("--accent: {accent}; --on-accent: {};", grounds.on(accent))
}

#[cfg(test)]
mod tests {
    use super::super::assets::BUILT_IN;
    use super::*;

    fn style() -> &'static str {
        std::str::from_utf8(BUILT_IN[0].1).unwrap()
    }

    fn grounds(scheme: Scheme) -> Grounds {
        Grounds::of(Sheets(&[style()]), scheme).unwrap()
    }

    #[test]
    fn a_colour_is_six_digits_and_nothing_else() {
        assert_eq!("#0F6b5c".parse::<Colour>().unwrap().to_string(), "#0f6b5c");
        for wrong in ["", "#fff", "0f6b5c", "#0f6b5", "#0f6b5cc", "#0f6b5g", "#+f6b5c", "red", "#가나"] {
            assert!(wrong.parse::<Colour>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        let colour = |text: &str| text.parse::<Colour>().unwrap();
        for (one, two, ratio) in [
            ("#000000", "#ffffff", 21.0),
            ("#ffffff", "#ffffff", 1.0),
            ("#767676", "#ffffff", 4.54),
            ("#ff0000", "#ffffff", 4.0),
        ] {
            assert!((colour(one).contrast(colour(two)) - ratio).abs() < 0.01, "{one} {two}");
        }
    }

    #[test]
    fn the_colours_that_are_built_in_can_be_read() {
        for scheme in [Scheme::Light, Scheme::Dark] {
            let token = |name: &str| Sheets(&[style()]).token(name, scheme).unwrap();
            let accent = token("--accent");
            assert!(grounds(scheme).contrast(accent) >= LEAST, "{scheme:?}");
            assert!(accent.contrast(token("--on-accent")) >= LEAST, "{scheme:?}");
        }
    }

    #[test]
    fn a_token_is_that_of_the_last_sheet_as_browsers_see_it() {
        let base = ":root { --card: #111111; --page: #222222; } @media (prefers-color-scheme: dark) { :root { --card: #333333; } }";
        let over =
            ":root { --page: #444444 } @media (prefers-color-scheme: dark) { :root { --card:#555555; --page: red; } }";
        let seen = |sheets: &[&str], name, scheme| Sheets(sheets).token(name, scheme).map(|colour| colour.to_string());
        for (sheets, name, light, dark) in [
            (&[base][..], "--card", "#111111", "#333333"),
            (&[base], "--page", "#222222", "#222222"),
            (&[base, over], "--card", "#111111", "#555555"),
            (&[base, over], "--page", "#444444", "#444444"),
        ] {
            assert_eq!(seen(sheets, name, Scheme::Light).as_deref(), Some(light), "{name}");
            assert_eq!(seen(sheets, name, Scheme::Dark).as_deref(), Some(dark), "{name}");
        }
        assert_eq!(seen(&[base], "--none", Scheme::Light), None);
    }

    /// Whatever colour somebody has: the one that is offered can be read on every ground, and what stands on it too.
    #[test]
    fn every_colour_has_a_readable_one_near_it_and_what_is_written_on_it_can_be_read() {
        let parts = [0, 17, 51, 85, 119, 153, 187, 221, 255];
        for scheme in [Scheme::Light, Scheme::Dark] {
            let grounds = grounds(scheme);
            for accent in parts.iter().flat_map(|r| parts.iter().flat_map(move |g| parts.map(|b| Colour([*r, *g, b]))))
            {
                let near = grounds.readable(accent);
                assert!(grounds.contrast(near) >= LEAST, "{accent} {near}");
                assert!(near.contrast(grounds.on(near)) >= LEAST, "{accent} {near}");
                assert!(grounds.contrast(accent) < LEAST || near == accent, "{accent} is good as it is");
            }
        }
    }
}
