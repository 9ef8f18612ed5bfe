//! From a template and a context to HTML.
//!
//! There is one environment for each language, so that `t` and the filters know theirs wherever they are called, also
//! inside macros. Templates may use:
//!
//! | name | gives |
//! | --- | --- |
//! | `t("key", name=value)` | the message in the page's language |
//! | `asset("style.css")` | the address of a static file, with its hash |
//! | `moment \| datetime` | `<time>` with date and time, UTC |
//! | `moment \| ago(now)` | `<time>` with how long ago |
//! | `text \| query` | the text encoded as the value of a query parameter |

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, context, escape_formatter,
};
use munjigi_rules::{name, username};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::assets::{Assets, extension};
use super::sources::Template;
use super::{Lang, Languages, Messages, PagesError, Site, messages, time};

/// What every template has, besides what its page gives it; `keeps` is set by pages for the layout.
pub(super) const GLOBALS: [&str; 10] =
    ["lang", "site", "base", "limits", "languages", "t", "asset", "range", "namespace", "keeps"];

/// A link of the language switch.
#[derive(Debug, Serialize)]
pub(super) struct Choice<'a> {
    pub(super) tag: &'a str,
    pub(super) label: &'a str,
    pub(super) href: String,
    pub(super) current: bool,
}

#[derive(Debug)]
pub(super) struct Renderer {
    /// In the order of the languages: [`Lang`] is the index.
    environments: Vec<Environment<'static>>,
}

impl Renderer {
    pub(super) fn new(
        site: &Site,
        languages: &Languages,
        messages: &Arc<Messages>,
        templates: &[Template],
        assets: &Arc<Assets>,
    ) -> Result<Self, PagesError> {
        let environments = languages.iter().map(|(lang, language)| {
            let mut environment = environment(site, lang, &language.tag, messages, assets);
            for Template { name, source } in templates {
                environment
                    .add_template_owned(name.clone(), source.clone())
                    .map_err(|source| PagesError::Template { name: name.clone(), source })?;
            }
            Ok(environment)
        });
        Ok(Self { environments: environments.collect::<Result<_, _>>()? })
    }

    /// The names that a template uses and does not make itself.
    pub(super) fn names_in(&self, template: &str) -> Result<HashSet<String>, Error> {
        let environment = self.environments.first();
        let environment =
            environment.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "no language is loaded"))?;
        Ok(environment.get_template(template)?.undeclared_variables(false))
    }

    pub(super) fn render(
        &self,
        page: &str,
        lang: Lang,
        languages: &[Choice<'_>],
        context: impl Serialize,
    ) -> Result<String, Error> {
        let environment = self
            .environments
            .get(lang.0)
            .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "the language is not loaded"))?;
        let template = environment.get_template(&format!("{page}.html"))?;
        let languages = Value::from(Serde(languages));
        template.render(context! { languages, ..Value::from(Serde(context)) })
    }
}

fn environment(
    site: &Site,
    lang: Lang,
    tag: &str,
    messages: &Arc<Messages>,
    assets: &Arc<Assets>,
) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(write_escaped);
    // Lines that hold only a tag leave no trace. The builder fails on odd delimiters only, and these are the usual ones.
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().unwrap_or_default());

    environment.add_global("lang", tag);
    environment.add_global("site", about(site, assets));
    environment.add_global("base", site.base_path.as_str());
    let limits = context! { username_min => username::MIN, username_max => username::MAX, name_max => name::MAX };
    environment.add_global("limits", limits);
    environment.add_global("keeps", false);

    let texts = Arc::clone(messages);
    environment.add_function("t", move |key: &str, args: Kwargs| translate(&texts, lang, key, &args));
    let (base, files) = (site.base_path.clone(), Arc::clone(assets));
    environment.add_function("asset", move |name: &str| {
        asset_url(&base, &files, name)
            .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("there is no static file '{name}'")))
    });
    // Nothing that a page is given becomes markup, in whoever's template.
    environment.remove_filter("safe");
    let texts = Arc::clone(messages);
    environment
        .add_filter("datetime", move |moment: &str| time::datetime(&texts, lang, moment).map(Value::from_safe_string));
    let texts = Arc::clone(messages);
    environment.add_filter("ago", move |moment: &str, now: &str| {
        time::ago(&texts, lang, moment, now).map(Value::from_safe_string)
    });
    environment.add_filter("query", |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string());
    environment
}

/// Escapes text for HTML, in elements and in quoted attributes. (The engine's own way also turns every `/` of an address
/// into five characters, which no parser needs.)
fn write_escaped(output: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let Some(text) = value.as_str().filter(|_| !value.is_safe()) else {
        return escape_formatter(output, state, value);
    };
    let mut rest = text;
    while let Some((at, mark)) = rest.char_indices().find(|(_, c)| matches!(c, '&' | '<' | '>' | '"' | '\'')) {
        let (plain, tail) = rest.split_at(at);
        output.write_str(plain)?;
        output.write_str(match mark {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            _ => "&#39;",
        })?;
        rest = tail.get(mark.len_utf8()..).unwrap_or_default();
    }
    output.write_str(rest)?;
    Ok(())
}

fn translate(messages: &Messages, lang: Lang, key: &str, args: &Kwargs) -> Result<String, Error> {
    let mut values = Vec::new();
    for name in args.args() {
        let value: Value = args.get(name)?;
        if value.is_undefined() || value.is_none() {
            return Err(Error::new(ErrorKind::UndefinedError, format!("'{name}' of message '{key}' is nothing")));
        }
        let value = match i64::try_from(value.clone()) {
            Ok(number) if value.is_number() => messages::Value::from(number),
            _ => messages::Value::from(value.to_string()),
        };
        values.push((name, value));
    }
    Ok(messages.text(lang, key, &values))
}

fn asset_url(base: &str, assets: &Assets, name: &str) -> Option<String> {
    Some(format!("{base}/static/{}", assets.hashed_name(name)?))
}

/// What every template is told of the site.
fn about(site: &Site, assets: &Assets) -> Value {
    let url = |name: &str| asset_url(&site.base_path, assets, name);
    let picture = |stem: &str, file: &Path| url(&format!("{stem}.{}", extension(file)));
    context! {
        name => site.name.as_str(),
        logo => site.logo.as_deref().and_then(|file| picture("logo", file)),
        logo_dark => site.logo_dark.as_deref().and_then(|file| picture("logo-dark", file)),
        theme => url("theme.css"),
        terms => site.terms.as_deref(),
        privacy => site.privacy.as_deref(),
        development => site.development,
    }
}
