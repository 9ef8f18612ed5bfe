//! What pages are made of, before they are: messages, templates and files, built in or of one's own.

use std::borrow::Cow;

use super::assets::Assets;

/// The languages that are built in, the default first: tag and messages.
pub(super) const LOCALES: &[(&str, &str)] =
    &[("en", include_str!("../locales/en.ftl")), ("ko", include_str!("../locales/ko.ftl"))];

/// The templates that are built in: file name and source.
pub(super) const TEMPLATES: &[(&str, &str)] = &[
    ("account.html", include_str!("../templates/account.html")),
    ("closed.html", include_str!("../templates/closed.html")),
    ("error.html", include_str!("../templates/error.html")),
    ("forms.html", include_str!("../templates/forms.html")),
    ("info.html", include_str!("../templates/info.html")),
    ("layout.html", include_str!("../templates/layout.html")),
    ("legal.html", include_str!("../templates/legal.html")),
    ("login.html", include_str!("../templates/login.html")),
    ("logout.html", include_str!("../templates/logout.html")),
    ("mark.html", include_str!("../templates/mark.html")),
    ("parts.html", include_str!("../templates/parts.html")),
    ("register.html", include_str!("../templates/register.html")),
    ("style.html", include_str!("../templates/style.html")),
    ("welcome.html", include_str!("../templates/welcome.html")),
];

/// What the built-in template is called for one that takes its place and builds on it.
pub(super) const BUILT_IN: &str = "builtin/";

/// A language: its messages, in files of which each goes before those in front of it.
#[derive(Clone, Debug)]
pub(super) struct Locale {
    pub(super) tag: String,
    pub(super) layers: Vec<Cow<'static, str>>,
}

/// A template by its name.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) name: String,
    pub(super) source: Cow<'static, str>,
}

#[derive(Clone, Debug)]
pub(super) struct Sources {
    /// The default first.
    pub(super) locales: Vec<Locale>,
    pub(super) templates: Vec<Template>,
    pub(super) assets: Assets,
}

impl Sources {
    pub(super) fn built_in() -> Self {
        Self { locales: locales(LOCALES), templates: templates(TEMPLATES), assets: Assets::built_in() }
    }

    /// Puts a template in the place of the built-in one, which then has another name, or beside them all.
    pub(super) fn put_template(&mut self, name: &str, source: String) {
        if let Some(built_in) = self.templates.iter_mut().find(|template| template.name == name) {
            built_in.name = format!("{BUILT_IN}{name}");
        }
        self.templates.push(Template { name: name.to_owned(), source: source.into() });
    }

    /// Lays messages over those of a language, or adds a language: the default one stands in for what it lacks.
    pub(super) fn put_messages(&mut self, tag: &str, source: String) {
        if let Some(known) = self.locales.iter_mut().find(|locale| locale.tag == tag) {
            known.layers.push(source.into());
            return;
        }
        let default = LOCALES.first().map(|(_, source)| Cow::Borrowed(*source));
        self.locales.push(Locale { tag: tag.to_owned(), layers: default.into_iter().chain([source.into()]).collect() });
    }
}

pub(super) fn locales(built_in: &[(&str, &'static str)]) -> Vec<Locale> {
    built_in
        .iter()
        .map(|(tag, source)| Locale { tag: (*tag).to_owned(), layers: vec![Cow::Borrowed(*source)] })
        .collect()
}

pub(super) fn templates(built_in: &[(&str, &'static str)]) -> Vec<Template> {
    built_in
        .iter()
        .map(|(name, source)| Template { name: (*name).to_owned(), source: Cow::Borrowed(*source) })
        .collect()
}
