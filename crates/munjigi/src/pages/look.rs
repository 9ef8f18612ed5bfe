//! The logo and the colours of the settings.

use std::path::Path;

use super::Site;
use super::assets::{Assets, extension};
use super::colours::{Colour, Grounds, LEAST, Scheme, Sheets, tokens};
use super::folder::read_file;
use super::report::Report;

/// Most bytes of a logo: it comes with the first page that somebody sees.
const MOST_LOGO: u64 = 64 * 1024;

/// Reads the logos, and makes the style sheet that says the colours, followed by `theme`.
pub(super) fn look(site: &Site, theme: Option<&str>, assets: &mut Assets, report: &mut Report) {
    for (setting, stem, path) in [("pages.logo", "logo", &site.logo), ("pages.logo_dark", "logo-dark", &site.logo_dark)]
    {
        if let Some(path) = path {
            match logo(path) {
                Ok((extension, bytes)) => assets.put(&format!("{stem}.{extension}"), bytes.into()),
                Err(what) => report.fault(setting, None, format!("{}: {what}", path.display())),
            }
        }
    }
    if site.logo_dark.is_some() && site.logo.is_none() {
        report.fault("pages.logo_dark", None, "only with a pages.logo, which it stands in for in the dark");
    }
    let style = assets.find("style.css").map(|style| String::from_utf8_lossy(&style.bytes).into_owned());
    let (style, theme_text) = (style.unwrap_or_default(), theme.unwrap_or_default());
    let colours = colours(site, Sheets(&[&style, theme_text]), report);
    if !colours.is_empty() || theme.is_some() {
        assets.put("theme.css", (colours + theme_text).into());
    }
}

/// Its kind, which its content says, and its bytes.
fn logo(path: &Path) -> Result<(&'static str, Vec<u8>), String> {
    let bytes = read_file(path, MOST_LOGO)?;
    let head = String::from_utf8_lossy(bytes.get(..2_048).unwrap_or(&bytes)).into_owned();
    let is = match bytes.as_slice() {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => "png",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "webp",
        _ if head.trim_start_matches('\u{feff}').trim_start().starts_with('<') && head.contains("<svg") => "svg",
        _ => return Err("a logo is an svg, png or webp; its content is none of them".to_owned()),
    };
    if extension(path) != is {
        return Err(format!("what is in it is {is}: name it so"));
    }
    Ok((is, bytes))
}

/// The tokens of the accent, as a style sheet. Without a colour of its own for the dark, the accent is made light enough for it.
fn colours(site: &Site, sheets: Sheets<'_>, report: &mut Report) -> String {
    let (Some(light), Some(dark)) = (Grounds::of(sheets, Scheme::Light), Grounds::of(sheets, Scheme::Dark)) else {
        report.warn(
            "static/style.css",
            None,
            "has no tokens --card and --page as #rrggbb, so that no accent can be held against them",
        );
        return String::new();
    };
    let mut sheet = String::new();
    if let Some(accent) = site.accent {
        sheet += &format!(":root {{ {} }}\n", tokens(accent, light));
    }
    if let Some(accent) = site.accent_dark.or_else(|| site.accent.map(|accent| dark.readable(accent))) {
        sheet += &format!("@media (prefers-color-scheme: dark) {{ :root {{ {} }} }}\n", tokens(accent, dark));
    }
    for (setting, accent, scheme, grounds) in [
        ("pages.accent", site.accent, Scheme::Light, light),
        ("pages.accent_dark", site.accent_dark, Scheme::Dark, dark),
    ] {
        if let Some(what) = accent.and_then(|accent| unreadable(accent, grounds)) {
            report.fault(setting, None, what);
        }
        // A style sheet may do as it likes: the accent may be no text in it.
        let own = sheets.token("--accent", scheme).filter(|_| accent.is_none() && sheet.is_empty());
        if let Some(what) = own.and_then(|accent| unreadable(accent, grounds)) {
            report.warn("static/theme.css", None, what);
        }
    }
    sheet
}

/// What to say of a colour that cannot be read as text.
fn unreadable(accent: Colour, grounds: Grounds) -> Option<String> {
    let ratio = grounds.contrast(accent);
    // Rounded down: 4.499 is not 4.5.
    let (shown, near) = ((ratio * 100.0).floor() / 100.0, grounds.readable(accent));
    (ratio < LEAST).then(|| {
        format!("{accent} as text has a contrast of {shown} to 1 with what is behind it, and people need {LEAST} to 1: {near} would do")
    })
}
