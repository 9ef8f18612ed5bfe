//! The pages that people see, and every sentence that the server says, in the reader's language.
//!
//! ```text
//!   locales/*.ftl ──► Messages ─┬─► text(lang, key, …)          sentences for JSON, field errors, device words
//!                               └─► t("key", …) in templates ─► render(page, lang, here, context)
//!   static/*      ──► assets    ───► asset("style.css") in templates, asset(path) for the static route
//! ```
//!
//! A text lives in `locales/`, a colour or a size at the top of `static/style.css`, a page in `templates/`. A further
//! language is one `.ftl` file and its line in `sources.rs`, or the file alone in the folder that `pages.folder` names: what is there
//! is laid over all of these (`folder`) and tried at start (`check_messages`, `check_templates`).
//!
//! Pages work without scripts; one module of ours makes them kinder. Nothing is inline and nothing comes from elsewhere, under
//! `default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';
//! frame-ancestors 'none'`.

mod assets;
mod check_messages;
mod check_templates;
mod colours;
mod export;
mod folder;
mod josa;
mod language;
mod look;
mod messages;
mod render;
mod report;
mod samples;
mod sources;
mod switch;
mod time;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::Serialize;

pub use assets::Asset;
use assets::Assets;
pub use colours::{Colour, NoColour};
pub use export::{Exported, exported};
pub use language::{Lang, Language, Languages};
pub use messages::{Messages, Problem, Value};
use render::Renderer;
pub use report::{Finding, Own, Report, Weight};
use sources::Sources;

/// What the pages say about the installation, and what is its own about them.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Shown beside the mark and in titles.
    pub name: String,
    /// Where the routes for people are mounted: `/user`, or empty for the root. No slash at the end.
    pub base_path: String,
    /// A picture in the place of the mark and the name.
    pub logo: Option<PathBuf>,
    /// Another one where the reader likes it dark.
    pub logo_dark: Option<PathBuf>,
    /// The colour of buttons and links.
    pub accent: Option<Colour>,
    /// The same in the dark; without it, the accent made light enough.
    pub accent_dark: Option<Colour>,
    /// Where the terms are: `https://…` or a path.
    pub terms: Option<String>,
    /// Where it says what becomes of people's data: `https://…` or a path.
    pub privacy: Option<String>,
    /// Folder with templates, messages and files of one's own.
    pub folder: Option<PathBuf>,
    /// Somebody works on the pages: everything is read again for each request.
    pub development: bool,
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
    /// What is one's own about the pages is wrong.
    #[error("the pages are wrong:\n  {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))]
    Wrong(Vec<Finding>),
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
    site: Site,
    loaded: ArcSwap<Loaded>,
}

/// All that pages are rendered from.
#[derive(Debug)]
struct Loaded {
    languages: Arc<Languages>,
    messages: Arc<Messages>,
    renderer: Renderer,
    assets: Arc<Assets>,
}

impl Pages {
    /// Reads and checks everything: messages, templates, logo, colours, the folder of one's own pages. What should be looked at
    /// is said in the log.
    ///
    /// # Errors
    /// [`PagesError::Wrong`] names file, line and what to do of everything that would break a page.
    pub fn new(site: Site) -> Result<Self, PagesError> {
        let (loaded, report) = Loaded::read(&site);
        for finding in report.warnings() {
            tracing::warn!(finding = %finding, "pages_warning");
        }
        if !report.own.is_empty() {
            let files = report.own.iter().map(|own| own.file.as_str()).collect::<Vec<_>>().join(", ");
            tracing::info!(files, "pages_of_ones_own");
        }
        Ok(Self { site, loaded: ArcSwap::from_pointee(loaded?) })
    }

    /// What [`Pages::new`] would find, without loading anything.
    #[must_use]
    pub fn check(site: &Site) -> Report {
        Loaded::read(site).1
    }

    /// Reads everything again, where somebody works on the pages; else nothing.
    ///
    /// # Errors
    /// What would keep the server from starting; the pages stay as they were.
    pub fn refresh(&self) -> Result<(), PagesError> {
        if self.site.development {
            self.loaded.store(Arc::new(Loaded::read(&self.site).0?));
        }
        Ok(())
    }

    /// The languages that are loaded.
    #[must_use]
    pub fn languages(&self) -> Arc<Languages> {
        Arc::clone(&self.loaded.load().languages)
    }

    /// The texts, for answers that are not pages.
    #[must_use]
    pub fn messages(&self) -> Arc<Messages> {
        Arc::clone(&self.loaded.load().messages)
    }

    /// The file at `path` below the static route, by its hashed name or by its plain one.
    #[must_use]
    pub fn asset(&self, path: &str) -> Option<Asset> {
        self.loaded.load().assets.find(path)
    }

    /// Whether pages may ask for fonts from here.
    #[must_use]
    pub fn have_fonts(&self) -> bool {
        self.loaded.load().assets.have_fonts()
    }

    /// Renders `page` (a template's name without `.html`) in `lang`.
    ///
    /// `here` is the path and query of the page by GET, to which the language switch leads. Every template gets, besides
    /// the fields of `context`: `lang` (the tag), `site`, `base`, `languages` (`tag`, `label`, `href`, `current`) and
    /// `limits`; a field of `context` with one of these names is not seen.
    ///
    /// # Errors
    /// [`PagesError::Render`] if there is no such page or the context lacks a field that the page needs.
    pub fn render(&self, page: &str, lang: Lang, here: &str, context: impl Serialize) -> Result<String, PagesError> {
        self.loaded.load().render(page, lang, here, context)
    }
}

impl Loaded {
    fn new(site: &Site, sources: Sources) -> Result<Self, PagesError> {
        let messages = Arc::new(Messages::load(&sources.locales)?);
        let languages = Languages::load(&sources.locales, &messages)?;
        let assets = Arc::new(sources.assets);
        let renderer = Renderer::new(site, &languages, &messages, &sources.templates, &assets)?;
        Ok(Self { languages: Arc::new(languages), messages, renderer, assets })
    }

    /// What is built in, with what is one's own over it; and what was found on the way.
    fn read(site: &Site) -> (Result<Self, PagesError>, Report) {
        let (mut sources, mut report) = (Sources::built_in(), Report::default());
        let found =
            site.folder.as_deref().map(|folder| folder::read(folder, &mut sources, &mut report)).unwrap_or_default();
        look::look(site, found.theme.as_deref(), &mut sources.assets, &mut report);
        let mut keys: BTreeSet<String> = check_messages::known().into_keys().map(str::to_owned).collect();
        for file in found.messages {
            if let Some(own) = check_messages::check(&file, &mut report) {
                keys.extend(own);
                sources.put_messages(&file.tag, file.source);
            }
        }
        found.templates.iter().for_each(|template| check_templates::read(template, &keys, &mut report));
        let loaded = Self::new(site, sources);
        match &loaded {
            // Templates and messages that are built in were tried by the tests.
            Ok(own) if !report.own.is_empty() => {
                check_templates::names(own, &found.templates, &mut report);
                if let Ok(built_in) = Self::new(site, Sources::built_in()) {
                    check_templates::render(own, &built_in, &found.templates, &site.base_path, &mut report);
                }
            }
            Ok(_) => {}
            Err(error) => check_templates::broken(error, "", "", &mut report),
        }
        let faults: Vec<_> = report.faults().cloned().collect();
        (if faults.is_empty() { loaded } else { Err(PagesError::Wrong(faults)) }, report)
    }

    fn render(&self, page: &str, lang: Lang, here: &str, context: impl Serialize) -> Result<String, PagesError> {
        let choices: Vec<_> = self
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
            .render(page, lang, &choices, context)
            .map_err(|source| PagesError::Render { page: page.to_owned(), source })
    }
}
