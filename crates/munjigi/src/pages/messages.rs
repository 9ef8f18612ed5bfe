//! Every sentence, from the message files (Project Fluent).
//!
//! | function | in a message | gives |
//! | --- | --- | --- |
//! | `JOSA` | `{ JOSA($name, "은/는") }` | the value with the Korean particle that its last sound asks for |
//! | `MINUTES` | `{ MINUTES($seconds) -> … }` | whole minutes, rounded up; 0 under a minute |
//!
//! Names of keys: `problem-<code>-title` and `problem-<code>-detail` for the codes of problem documents with hyphens for
//! underscores ([`Messages::problem`]); `field-…` for what is wrong with an input; `device-…` for devices; the rest
//! belongs to the templates.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentError, FluentResource};
use unic_langid::LanguageIdentifier;

use super::sources::Locale;
use super::{Lang, PagesError, josa};

/// What a message takes for its variables: numbers and texts.
pub use fluent_bundle::FluentValue as Value;

/// What went wrong, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A few words: a heading.
    pub title: String,
    /// A sentence or two: what to do.
    pub detail: String,
}

/// The messages of all languages.
pub struct Messages {
    /// In the order of the languages: [`Lang`] is the index.
    bundles: Vec<FluentBundle<FluentResource>>,
    /// Faults that were logged, so that a busy page logs each once: the language, the key and what is wrong.
    reported: Mutex<BTreeSet<(Lang, String, String)>>,
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("languages", &self.bundles.len()).finish_non_exhaustive()
    }
}

impl Messages {
    pub(super) fn load(locales: &[Locale]) -> Result<Self, PagesError> {
        let bundles = locales.iter().map(bundle).collect::<Result<_, _>>()?;
        Ok(Self { bundles, reported: Mutex::default() })
    }

    /// The text of `key` in `lang`. A fault (no such key, a variable that was not given) is logged once and shows as the
    /// key in brackets; tests keep it from happening.
    #[must_use]
    pub fn text(&self, lang: Lang, key: &str, args: &[(&str, Value<'_>)]) -> String {
        let bundle = self.bundles.get(lang.0);
        let pattern = bundle.and_then(|bundle| Some((bundle, bundle.get_message(key)?.value()?)));
        let Some((bundle, pattern)) = pattern else {
            return self.fault(lang, key, "there is no such message");
        };
        let args: FluentArgs<'_> = args.iter().map(|(name, value)| (*name, value.clone())).collect();
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&args), &mut errors);
        match errors.first() {
            None => text.into_owned(),
            Some(error) => self.fault(lang, key, &error.to_string()),
        }
    }

    /// Title and detail for a code of a problem document: `not_found` is `problem-not-found-title` and
    /// `problem-not-found-detail`. `rate_limited` takes `seconds`.
    #[must_use]
    pub fn problem(&self, lang: Lang, code: &str, args: &[(&str, Value<'_>)]) -> Problem {
        let code = code.replace('_', "-");
        Problem {
            title: self.text(lang, &format!("problem-{code}-title"), args),
            detail: self.text(lang, &format!("problem-{code}-detail"), args),
        }
    }

    /// The faults so far.
    pub(super) fn reported(&self) -> Vec<(Lang, String, String)> {
        self.reported.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn fault(&self, lang: Lang, key: &str, what: &str) -> String {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.insert((lang, key.to_owned(), what.to_owned())) {
            tracing::error!(key, language = lang.0, what, "message_missing");
        }
        format!("[{key}]")
    }
}

fn bundle(locale: &Locale) -> Result<FluentBundle<FluentResource>, PagesError> {
    let tag = &locale.tag;
    let broken = |what: String| PagesError::Messages { tag: tag.clone(), what };
    let id: LanguageIdentifier = tag.parse().map_err(|_| PagesError::Tag { tag: tag.clone() })?;
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // The isolation marks around variables are for mixed directions; they would end up in JSON and in e-mail subjects.
    bundle.set_use_isolating(false);
    let twice = |error: FluentError| broken(error.to_string());
    bundle.add_function("JOSA", |args, _| josa_function(args)).map_err(twice)?;
    bundle.add_function("MINUTES", |args, _| minutes_function(args)).map_err(twice)?;
    for (index, source) in locale.layers.iter().enumerate() {
        let resource = FluentResource::try_new(source.clone().into_owned())
            .map_err(|(_, errors)| broken(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
        if index > 0 {
            bundle.add_resource_overriding(resource);
            continue;
        }
        bundle
            .add_resource(resource)
            .map_err(|errors| broken(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
    }
    Ok(bundle)
}

fn josa_function<'a>(args: &[Value<'a>]) -> Value<'a> {
    match args {
        [Value::String(word), Value::String(pair)] => josa::attach(word, pair).into(),
        [Value::Number(number), Value::String(pair)] => josa::attach(&number.as_string(), pair).into(),
        _ => Value::Error,
    }
}

fn minutes_function<'a>(args: &[Value<'a>]) -> Value<'a> {
    match args {
        [Value::Number(seconds)] if seconds.value < 60.0 => 0.into(),
        [Value::Number(seconds)] => (seconds.value / 60.0).ceil().into(),
        _ => Value::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sources::{LOCALES, locales};
    use super::*;

    const EN: Lang = Lang(0);
    const KO: Lang = Lang(1);

    #[test]
    fn a_text_is_given_in_the_language_with_its_variables() {
        let messages = Messages::load(&locales(LOCALES)).unwrap();
        assert_eq!(
            messages.text(EN, "field-username-length", &[("min", 4.into()), ("max", 32.into())]),
            "Use 4 to 32 characters."
        );
        assert_eq!(
            messages.text(KO, "device-on", &[("browser", "Chrome".into()), ("system", "macOS".into())]),
            "macOS의 Chrome"
        );
    }

    #[test]
    fn a_missing_key_and_a_missing_variable_show_as_the_key_in_brackets() {
        let messages = Messages::load(&locales(LOCALES)).unwrap();
        assert_eq!(messages.text(EN, "no-such-key", &[]), "[no-such-key]");
        assert_eq!(messages.text(EN, "field-password-short", &[]), "[field-password-short]");
        assert_eq!(messages.text(Lang(99), "language-name", &[]), "[language-name]");
        assert_eq!(messages.reported().len(), 3);
    }

    #[test]
    fn a_wait_is_told_in_seconds_under_a_minute_and_in_minutes_above() {
        let messages = Messages::load(&locales(LOCALES)).unwrap();
        let wait = |lang, seconds: u64| messages.problem(lang, "rate_limited", &[("seconds", seconds.into())]).detail;
        for (seconds, en, ko) in [
            (1, "1 second", "1초"),
            (59, "59 seconds", "59초"),
            (60, "1 minute", "1분"),
            (61, "2 minutes", "2분"),
            (900, "15 minutes", "15분"),
        ] {
            assert_eq!(wait(EN, seconds), format!("Please try again in {en}."));
            assert_eq!(wait(KO, seconds), format!("{ko} 뒤에 다시 시도해 주세요."));
        }
    }

    #[test]
    fn broken_message_files_are_refused_with_their_language() {
        for source in ["language-name = {", "a = 1\na = 2"] {
            let error = Messages::load(&locales(&[("ko", source)])).unwrap_err();
            assert!(matches!(&error, PagesError::Messages { tag, .. } if tag == "ko"), "{error}");
        }
    }
}
