//! What is built in, as files to begin from.

use super::assets::{self, fnv};
use super::sources::{LOCALES, TEMPLATES};

/// What stands before the version in the first line of a copy.
const MARK: &str = "Copied from munjigi ";

/// A file to begin from.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The folder it belongs in.
    pub folder: &'static str,
    /// Its name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// Every template, every message file and the style sheet. The first line of each says from which it was copied, so that a copy
/// is known to be old when the built-in one has changed.
#[must_use]
pub fn exported() -> Vec<Exported> {
    let templates = TEMPLATES.iter().map(|(name, source)| ("templates", (*name).to_owned(), "{#- ", source, " -#}"));
    let locales = LOCALES.iter().map(|(tag, source)| ("locales", format!("{tag}.ftl"), "# ", source, ""));
    let mut all: Vec<_> = templates
        .chain(locales)
        .map(|(folder, name, open, source, close)| Exported { folder, name, text: marked(open, source, close) })
        .collect();
    let styles = assets::BUILT_IN.iter().filter(|(name, _)| *name == "style.css");
    all.extend(styles.map(|(name, bytes)| Exported {
        folder: "static",
        name: (*name).to_owned(),
        text: marked("/* ", &String::from_utf8_lossy(bytes), " */"),
    }));
    all
}

fn marked(open: &str, source: &str, close: &str) -> String {
    format!("{open}{MARK}{}, {:016x}{close}\n{source}", env!("CARGO_PKG_VERSION"), fnv(source.as_bytes()))
}

/// Whether `copy` was made from another `built_in` than this one. What says nothing of it is nobody's copy.
pub(super) fn is_outdated(copy: &str, built_in: &str) -> bool {
    let first = copy.lines().next().unwrap_or_default();
    first.contains(MARK) && !first.contains(&format!("{:016x}", fnv(built_in.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_old_when_the_built_in_one_has_changed() {
        let copy = marked("{#- ", "<p>one</p>", " -#}");
        assert!(!is_outdated(&copy, "<p>one</p>"));
        assert!(is_outdated(&copy, "<p>two</p>"));
        assert!(!is_outdated("<p>mine</p>", "<p>two</p>"));
    }

    #[test]
    fn everything_that_can_be_replaced_is_there() {
        let names: Vec<_> = exported().into_iter().map(|file| file.name).collect();
        for name in ["login.html", "layout.html", "en.ftl", "ko.ftl", "style.css"] {
            assert!(names.contains(&name.to_owned()), "{name}");
        }
        assert!(!names.contains(&"munjigi.js".to_owned()));
    }
}
