//! Tries templates of one's own before the server starts: every page in every state and language, with made-up people. And what
//! a page must have, so that a copy from long ago cannot take the log-in away: the forms, and in them what has to be filled in.

use std::collections::{BTreeMap, BTreeSet};

use super::folder::OwnTemplate;
use super::render::GLOBALS;
use super::report::{Report, line_of, nearest};
use super::sources::{BUILT_IN, TEMPLATES};
use super::{Lang, Loaded, PagesError, samples};

/// What the Content-Security-Policy keeps browsers from doing, as it would stand in a template.
const BLOCKED: [(&str, &str); 5] = [
    ("<style", "an inline style"),
    (" style=", "an inline style"),
    ("<script>", "an inline script"),
    ("javascript:", "an inline script"),
    ("src=\"http", "a file from elsewhere"),
];

/// What can be seen without rendering: messages that are not there, what browsers will not do, copies that are old.
pub(super) fn read(template: &OwnTemplate, keys: &BTreeSet<String>, report: &mut Report) {
    let (place, source) = (&template.place, template.source.as_str());
    for (at, key) in keys_in(source).filter(|(_, key)| !keys.contains(*key)) {
        let meant = nearest(key, keys.iter().map(String::as_str))
            .map(|meant| format!("; do you mean {meant}?"))
            .unwrap_or_default();
        report.fault(place, line_of(source, at), format!("there is no message {key}{meant}"));
    }
    for (mark, what) in BLOCKED {
        for (at, _) in source.match_indices(mark) {
            report.warn(
                place,
                line_of(source, at),
                format!("{what}: browsers refuse it by the Content-Security-Policy. Put it into a file in static"),
            );
        }
    }
    if let Some((_, built_in)) = TEMPLATES.iter().find(|(name, _)| *name == template.name)
        && super::export::is_outdated(source, built_in)
    {
        report.warn(place, Some(1), "the built-in template has changed since this copy was made: `munjigi pages export` writes the present one, to compare");
    }
}

/// The first argument of every `t("…")`, with where it stands.
pub(super) fn keys_in(source: &str) -> impl Iterator<Item = (usize, &str)> {
    source.match_indices("t(\"").filter_map(|(at, mark)| {
        let before = source.get(..at)?;
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            return None;
        }
        Some((at, source.get(at + mark.len()..)?.split('"').next()?))
    })
}

/// Renders everything, and holds it against what is built in.
pub(super) fn render(own: &Loaded, built_in: &Loaded, templates: &[OwnTemplate], base: &str, report: &mut Report) {
    for (page, state, context) in samples::states("Mina & 민아") {
        let here = format!("{base}/{page}");
        let needed = built_in.render(page, Lang::DEFAULT, &here, &context).map(|html| forms(&html)).unwrap_or_default();
        for (lang, language) in own.languages.iter() {
            let html = match own.render(page, lang, &here, &context) {
                Ok(html) => html,
                Err(error) => {
                    broken(&error, page, state, report);
                    continue;
                }
            };
            report.rendered += 1;
            let there = forms(&html);
            let place = place_of(page, templates);
            for (action, inputs) in &needed {
                let Some(found) = there.get(action) else {
                    report.fault(
                        &place,
                        None,
                        format!("page {page}: the form that posts to {action} is missing: nobody could send it"),
                    );
                    continue;
                };
                for input in inputs.difference(found) {
                    report.fault(
                        &place,
                        None,
                        format!("page {page}: the input {input} is missing from the form that posts to {action}"),
                    );
                }
            }
            if lang == Lang::DEFAULT && !html.contains(&format!("lang=\"{}\"", language.tag)) {
                report.warn(
                    &place,
                    None,
                    format!("page {page}: does not say its language: <html lang=\"{{{{ lang }}}}\">"),
                );
            }
        }
    }
    for (lang, key, what) in own.messages.reported() {
        let said = templates.iter().find_map(|template| {
            let (at, _) = keys_in(&template.source).find(|(_, said)| *said == key)?;
            Some((template.place.as_str(), line_of(&template.source, at)))
        });
        let tag = own.languages.tag(lang);
        let file = format!("locales/{tag}.ftl");
        let (place, line) = said.unwrap_or((&file, None));
        report.fault(place, line, format!("{key} in {tag}: {what}"));
    }
}

/// Names that nothing gives a template, also where no sample comes by.
pub(super) fn names(own: &Loaded, templates: &[OwnTemplate], report: &mut Report) {
    let states = samples::states("Mina");
    for template in templates {
        let page = template.name.trim_end_matches(".html");
        let of_page: Vec<_> = states.iter().filter(|(name, ..)| *name == page).collect();
        // What is no page stands in all of them.
        let all = if of_page.is_empty() { states.iter().collect() } else { of_page };
        let known: BTreeSet<&str> = all
            .iter()
            .filter_map(|(.., context)| context.as_object())
            .flat_map(|context| context.keys())
            .map(String::as_str)
            .collect();
        let Ok(names) = own.renderer.names_in(&template.name) else { continue };
        for name in names.iter().filter(|name| !known.contains(name.as_str()) && !GLOBALS.contains(&name.as_str())) {
            let line = template.source.lines().position(|line| line.contains(name.as_str())).map(|at| at + 1);
            if !report.knows(&template.place, line) {
                report.fault(&template.place, line, format!("there is no {name}; docs/pages.md lists what pages have"));
            }
        }
    }
}

/// The file of one's own that a page is made from, or the one around it.
fn place_of(page: &str, templates: &[OwnTemplate]) -> String {
    let of =
        |name: &str| templates.iter().find(|template| template.name == name).map(|template| template.place.clone());
    of(&format!("{page}.html"))
        .or_else(|| of("forms.html"))
        .or_else(|| of("layout.html"))
        .unwrap_or_else(|| "templates".to_owned())
}

/// What a template engine found, where it found it.
pub(super) fn broken(error: &PagesError, page: &str, state: &str, report: &mut Report) {
    let (PagesError::Render { source, .. } | PagesError::Template { source, .. }) = error else {
        return report.fault("templates", None, error.to_string());
    };
    let mut inner = source;
    // An error in what is included or called says most.
    while let Some(next) = std::error::Error::source(inner).and_then(|next| next.downcast_ref::<minijinja::Error>()) {
        if next.name().is_none() {
            break;
        }
        inner = next;
    }
    let name = inner.name().unwrap_or(page);
    let place =
        name.strip_prefix(BUILT_IN).map_or_else(|| format!("templates/{name}"), |name| format!("the built-in {name}"));
    let detail =
        inner.detail().map_or_else(|| inner.kind().to_string(), |detail| format!("{}: {detail}", inner.kind()));
    // Once is enough, in however many states it is seen.
    if report.knows(&place, inner.line()) {
        return;
    }
    let state = if page.is_empty() { String::new() } else { format!(" (page {page} {state})").replace(" )", ")") };
    let what = if inner.kind() == minijinja::ErrorKind::UndefinedError {
        format!("{detail}{state}; docs/pages.md lists what pages have")
    } else {
        format!("{detail}{state}")
    };
    report.fault(&place, inner.line(), what);
}

/// The forms that post, by where to, with the inputs that have to be sent: those that are required, and hidden ones.
fn forms(html: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for form in html.split("<form").skip(1) {
        let (tag, rest) = form.split_once('>').unwrap_or((form, ""));
        let body = rest.split("</form").next().unwrap_or_default();
        let (Some(action), Some("post")) = (attribute(tag, "action"), attribute(tag, "method")) else { continue };
        let inputs = body.split("<input").skip(1).filter_map(|input| input.split('>').next());
        let needed = inputs.filter(|input| input.contains(" required") || attribute(input, "type") == Some("hidden"));
        let names: BTreeSet<String> = needed.filter_map(|input| attribute(input, "name").map(str::to_owned)).collect();
        // A form that only is a button may be left out.
        if !names.is_empty() {
            all.entry(action.to_owned()).or_default().extend(names);
        }
    }
    all
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_templates_use_only_what_they_are_given() {
        let site = super::super::Site::default();
        let loaded = Loaded::new(&site, super::super::Sources::built_in()).unwrap();
        let own = |(name, source): &(&str, &str)| OwnTemplate {
            place: (*name).to_owned(),
            name: (*name).to_owned(),
            source: (*source).to_owned(),
        };
        let mut report = Report::default();
        names(&loaded, &TEMPLATES.iter().map(own).collect::<Vec<_>>(), &mut report);
        assert_eq!(report.findings, []);
    }

    /// Whatever page comes to be: what people change is tried on it.
    #[test]
    fn every_page_has_samples() {
        let states = samples::states("Mina");
        for (name, source) in TEMPLATES.iter().filter(|(_, source)| source.contains("extends \"layout.html\"")) {
            let page = name.trim_end_matches(".html");
            assert!(states.iter().any(|(known, ..)| *known == page), "{name}: {} bytes", source.len());
        }
    }

    #[test]
    fn a_form_is_known_by_where_it_posts_and_what_must_be_filled_in() {
        let html = "<form method=\"post\" action=\"/a\"><input name=\"x\" required><input name=\"y\">\
                    <input type=\"hidden\" name=\"z\" value=\"1\"></form><form method=\"post\" action=\"/b\"><button></form>\
                    <form method=\"get\" action=\"/c\"><input name=\"q\" required></form>";
        let forms = forms(html);
        assert_eq!(forms.keys().collect::<Vec<_>>(), ["/a"]);
        assert_eq!(forms["/a"].iter().collect::<Vec<_>>(), ["x", "z"]);
    }
}
