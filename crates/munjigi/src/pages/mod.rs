//! The pages that people see, and every sentence that the server says, in the reader's language.
//!
//! ```text
//!   locales/*.ftl ──► Messages ─┬─► text(lang, key, …)          sentences for JSON, field errors, device words
//!                               └─► t("key", …) in templates ─► render(page, lang, here, context)
//!   static/*      ──► assets    ───► asset("style.css") in templates, asset(path) for the static route
//! ```
//!
//! A text lives in `locales/`, a colour or a size at the top of `static/style.css`, a page in `templates/`. A further
//! language is one `.ftl` file and its line in `LOCALES`.
//!
//! Pages run without scripts and without inline styles, under `default-src 'none'; style-src 'self'; img-src 'self';
//! form-action 'self'; base-uri 'none'; frame-ancestors 'none'`.

mod assets;
mod josa;
mod language;
mod messages;
mod render;
mod switch;
mod time;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::Serialize;

pub use assets::{Asset, asset};
pub use language::{Lang, Language, Languages};
pub use messages::{Messages, Problem, Value};
use render::Renderer;

/// The languages that are built in, the default first: tag and messages.
const LOCALES: &[(&str, &str)] =
    &[("en", include_str!("../locales/en.ftl")), ("ko", include_str!("../locales/ko.ftl"))];

/// The templates that are built in: file name and source.
const TEMPLATES: &[(&str, &str)] = &[
    ("account.html", include_str!("../templates/account.html")),
    ("closed.html", include_str!("../templates/closed.html")),
    ("error.html", include_str!("../templates/error.html")),
    ("forms.html", include_str!("../templates/forms.html")),
    ("info.html", include_str!("../templates/info.html")),
    ("layout.html", include_str!("../templates/layout.html")),
    ("login.html", include_str!("../templates/login.html")),
    ("logout.html", include_str!("../templates/logout.html")),
    ("mark.html", include_str!("../templates/mark.html")),
    ("register.html", include_str!("../templates/register.html")),
    ("welcome.html", include_str!("../templates/welcome.html")),
];

/// What the pages say about the installation.
#[derive(Clone, Debug)]
pub struct Site {
    /// Shown beside the mark and in titles.
    pub name: String,
    /// Where the routes for people are mounted: `/user`, or empty for the root. No slash at the end.
    pub base_path: String,
}

/// Why the pages could not be loaded, or one of them not be rendered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PagesError {
    /// A locale's tag is not a language tag.
    #[error("'{tag}' is not a language tag")]
    Tag {
        /// The tag as it was given.
        tag: String,
    },
    /// A locale's messages do not parse, or define a message twice.
    #[error("the messages of '{tag}' are broken: {what}")]
    Messages {
        /// The language.
        tag: String,
        /// What the parser found.
        what: String,
    },
    /// There is no language at all.
    #[error("no language is loaded")]
    NoLanguage,
    /// A template does not parse.
    #[error("template '{name}' is broken")]
    Template {
        /// The file name.
        name: String,
        /// What the template engine found.
        source: minijinja::Error,
    },
    /// A page could not be rendered: no such page, or its context lacks a field.
    #[error("page '{page}' could not be rendered")]
    Render {
        /// The page, as it was asked for.
        page: String,
        /// What the template engine found.
        source: minijinja::Error,
    },
}

/// The pages and texts of one installation; made once, shared by all requests.
#[derive(Debug)]
pub struct Pages {
    languages: Languages,
    messages: Arc<Messages>,
    renderer: Renderer,
}

impl Pages {
    /// Loads all messages and compiles all templates.
    ///
    /// # Errors
    /// [`PagesError`] names the message file or the template that is broken.
    pub fn new(site: Site) -> Result<Self, PagesError> {
        Self::from_sources(site, LOCALES, TEMPLATES)
    }

    fn from_sources(site: Site, locales: &[(&str, &str)], templates: &[(&str, &str)]) -> Result<Self, PagesError> {
        let messages = Arc::new(Messages::load(locales)?);
        let languages = Languages::load(locales, &messages)?;
        let renderer = Renderer::new(&site, &languages, &messages, templates)?;
        Ok(Self { languages, messages, renderer })
    }

    /// The languages that are loaded.
    #[must_use]
    pub fn languages(&self) -> &Languages {
        &self.languages
    }

    /// The texts, for answers that are not pages.
    #[must_use]
    pub fn messages(&self) -> &Messages {
        &self.messages
    }

    /// Renders `page` (a template's name without `.html`) in `lang`.
    ///
    /// `here` is the path and query of the page by GET, to which the language switch leads. Every template gets, besides
    /// the fields of `context`: `lang` (the tag), `site.name`, `base`, `languages` (`tag`, `label`, `href`, `current`) and
    /// `limits`; a field of `context` with one of these names is not seen.
    ///
    /// # Errors
    /// [`PagesError::Render`] if there is no such page or the context lacks a field that the page needs.
    pub fn render(&self, page: &str, lang: Lang, here: &str, context: impl Serialize) -> Result<String, PagesError> {
        let languages: Vec<_> = self
            .languages
            .iter()
            .map(|(other, language)| render::Choice {
                tag: &language.tag,
                label: &language.name,
                href: switch::href(here, &language.tag),
                current: other == lang,
            })
            .collect();
        self.renderer
            .render(page, lang, &languages, context)
            .map_err(|source| PagesError::Render { page: page.to_owned(), source })
    }
}
