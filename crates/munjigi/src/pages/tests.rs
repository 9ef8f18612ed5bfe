//! The pages as a whole: every page in every state and language, and the messages against what uses them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::samples::states;
use super::sources::{LOCALES, TEMPLATES, Template};
use super::*;

/// Keys that the server asks for by name; the other keys belong to templates, times and problem documents.
const FROM_CODE: &[&str] = &[
    "account-disabled",
    "ago-days",
    "ago-hours",
    "ago-minutes",
    "ago-now",
    "date",
    "datetime",
    "device-on",
    "device-unknown",
    "field-name-characters",
    "field-name-length",
    "field-password-common",
    "field-password-contains-username",
    "field-password-site-name",
    "field-password-breached",
    "field-password-differs",
    "field-password-long",
    "field-password-short",
    "field-password-wrong",
    "field-required",
    "field-username-characters",
    "field-username-length",
    "field-username-reserved",
    "field-username-taken",
    "language-name",
    "registration-closed",
    "strength-refused",
    "strength-weak",
    "strength-fair",
    "strength-good",
    "strength-strong",
    "strength-advice-common",
    "strength-advice-digits",
    "strength-advice-repeats",
    "strength-advice-rows",
    "strength-advice-known",
    "strength-advice-longer",
];

const CODES: &[&str] = &[
    "validation_failed",
    "malformed",
    "username_taken",
    "invalid_credentials",
    "login_required",
    "session_ended",
    "cross_origin",
    "forbidden",
    "not_found",
    "method_not_allowed",
    "too_large",
    "unsupported_media_type",
    "rate_limited",
    "internal",
    "unavailable",
];

const HOSTILE: &str = "\"><script>alert('1')</script>&amp;{{ base }}";

fn site() -> Site {
    Site { name: "Munjigi".into(), base_path: "/user".into(), ..Site::default() }
}

fn pages() -> Pages {
    Pages::new(site()).unwrap()
}

fn each_page(text: &str, mut look: impl FnMut(&str, &str)) {
    let pages = pages();
    for (page, state, context) in states(text) {
        for (lang, language) in pages.languages().iter() {
            let here = format!("/user/{page}?return_to=%2Fapp");
            let html =
                pages.render(page, lang, &here, &context).unwrap_or_else(|error| panic!("{page} {state}: {error:?}"));
            look(&format!("{page} {state} {}", language.tag), &html);
        }
    }
    assert!(pages.messages().reported().is_empty(), "{:?}", pages.messages().reported());
}

#[test]
fn every_page_renders_in_every_state_and_language() {
    each_page("mina", |page, html| {
        let tag = page.rsplit(' ').next().unwrap();
        assert!(html.starts_with(&format!("<!doctype html>\n<html lang=\"{tag}\"")), "{page}");
        assert_eq!(html.matches("<h1").count(), 1, "{page}");
        assert_eq!(html.matches("<main").count(), 1, "{page}");
        assert!(html.len() < 16 * 1024, "{page}: {} bytes", html.len());
    });
}

#[test]
fn pages_keep_to_the_content_security_policy() {
    each_page("mina", |page, html| {
        let module = format!("<script type=\"module\" src=\"{}\"></script>", asset_url("munjigi.js"));
        assert!(html.contains(&module), "{page}");
        let html = html.replace(&module, "");
        for forbidden in ["<script", "<style", " style=", " onclick=", "javascript:", "http:", "https:"] {
            assert!(!html.contains(forbidden), "{page}: {forbidden}");
        }
    });
}

#[test]
fn what_a_client_sends_is_never_markup() {
    let shape = |html: &str| ["<", ">", "\"", "'"].map(|mark| html.matches(mark).count());
    let mut harmless = Vec::new();
    each_page("mina", |_, html| harmless.push(shape(html)));
    let mut harmless = harmless.into_iter();
    each_page(HOSTILE, |page, html| {
        assert_eq!(Some(shape(html)), harmless.next(), "{page}");
    });
}

#[test]
fn every_input_has_a_label_and_every_reference_a_target() {
    each_page("mina", |page, html| {
        let ids: BTreeSet<&str> = attributes(html, "id").collect();
        assert_eq!(ids.len(), attributes(html, "id").count(), "{page}: an id is there twice");
        let described =
            ["for", "aria-describedby", "aria-labelledby"].into_iter().flat_map(|name| attributes(html, name));
        for id in described.flat_map(str::split_whitespace) {
            assert!(ids.contains(id), "{page}: nothing has the id {id}");
        }
        for input in html.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap()) {
            if input.contains("type=\"hidden\"") || input.contains(" hidden") {
                continue;
            }
            let id = attributes(input, "id").next().unwrap();
            assert!(html.contains(&format!("<label for=\"{id}\"")), "{page}: {id} has no label");
        }
        assert!(html.matches(" autofocus").count() <= 1, "{page}");
    });
}

fn asset_url(name: &str) -> String {
    format!("/user/static/{}", Assets::built_in().hashed_name(name).unwrap())
}

/// The values of an attribute, in order.
fn attributes<'a>(html: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    html.split(&format!(" {name}=\"")).skip(1).filter_map(|rest| rest.split('"').next()).collect::<Vec<_>>().into_iter()
}

fn page(name: &str, state: &str, tag: &str, text: &str) -> String {
    let pages = pages();
    let (_, _, context) = states(text).into_iter().find(|(n, s, _)| (*n, *s) == (name, state)).unwrap();
    let lang = pages.languages().find(tag).unwrap();
    pages.render(name, lang, "/user/login?return_to=%2Fapp%3Fx%3D1&lang=en", context).unwrap()
}

fn plain(html: &str) -> String {
    html.replace("&amp;", "&")
}

#[test]
fn a_refused_input_is_tied_to_its_error_and_has_the_focus() {
    let html = page("register", "wrong", "en", "no good");
    let input = html.split("<input").find(|rest| rest.contains("id=\"username\"")).unwrap().split('>').next().unwrap();
    assert!(input.contains("aria-invalid=\"true\"") && input.contains("autofocus"), "{input}");
    assert!(input.contains("aria-describedby=\"username-error username-hint\""), "{input}");
    assert!(html.contains("role=\"alert\"") && html.contains("href=\"#confirmPassword\""));
    assert!(html.contains("<title>Error: Create an account"), "{html}");
    assert!(page("register", "fresh", "en", "").contains("<title>Create an account"));
}

#[test]
fn the_password_that_was_typed_never_comes_back() {
    for (name, state) in [("login", "refused"), ("register", "wrong"), ("account", "refused")] {
        let html = page(name, state, "ko", "x");
        let inputs = html.split("<input").skip(1).filter_map(|rest| rest.split('>').next());
        assert!(
            inputs.filter(|input| input.contains("type=\"password\"")).all(|input| !input.contains("value=")),
            "{name}"
        );
    }
}

#[test]
fn where_one_was_going_is_kept_by_form_link_and_language_switch() {
    let html = plain(&page("register", "wrong", "en", "mina"));
    assert!(html.contains("name=\"return_to\" value=\"/app?a=1&b=2\""), "{html}");
    assert!(html.contains("href=\"/user/login?return_to=%2Fapp%3Fa%3D1%26b%3D2\""), "{html}");
    let switch = "form=\"main\" formaction=\"/user/login?return_to=%2Fapp%3Fx%3D1&lang=ko\" formnovalidate name=\"keep\" value=\"ko\"";
    assert!(html.contains(switch), "{html}");
    assert!(!html.contains("lang=\"ko\" aria-current"), "{html}");
    assert!(html.contains("lang=\"en\" aria-current=\"true\""), "{html}");
}

#[test]
fn ending_all_others_is_offered_only_where_there_are_others() {
    let end_others = "/user/account/sessions/end-others";
    assert!(!plain(&page("account", "alone", "en", "x")).contains(end_others));
    let several = plain(&page("account", "several", "en", "laptop"));
    assert!(several.contains(end_others) && several.contains("/user/account/sessions/laptop/end"));
    assert!(several.contains("Log out here") && several.contains("5 minutes ago"));
}

#[test]
fn a_page_names_the_static_files_that_are_served() {
    let html = plain(&page("closed", "", "en", ""));
    let named: Vec<_> = attributes(&html, "href").chain(attributes(&html, "src")).collect();
    for file in named.iter().filter_map(|href| href.strip_prefix("/user/static/")) {
        assert!(pages().asset(file).is_some_and(|asset| asset.immutable), "{file}");
    }
    assert_eq!(html.matches("/user/static/").count(), 3);
}

#[test]
fn pages_can_be_mounted_at_the_root() {
    let pages = Pages::new(Site { name: "문지기".into(), ..Site::default() }).unwrap();
    let html = plain(&pages.render("closed", Lang::DEFAULT, "/register", json!({})).unwrap());
    assert!(html.contains("href=\"/login\"") && html.contains("href=\"/static/style."), "{html}");
}

#[test]
fn a_page_that_is_not_there_or_lacks_a_field_is_an_error() {
    let pages = pages();
    for page in ["nope", "error", "../error", ""] {
        let error = pages.render(page, Lang::DEFAULT, "/", json!({})).unwrap_err();
        assert!(matches!(error, PagesError::Render { .. }), "{page}");
    }
}

#[test]
fn a_broken_template_is_named_at_start() {
    let broken = Template { name: "x.html".into(), source: "{% if %}".into() };
    let error = Loaded::new(&site(), Sources { templates: vec![broken], ..Sources::built_in() }).unwrap_err();
    assert!(matches!(&error, PagesError::Template { name, .. } if name == "x.html"), "{error}");
}

#[test]
fn every_key_exists_in_every_language_with_the_same_variables() {
    let (default, others) = LOCALES.split_first().unwrap();
    let expected = keys(default.1);
    assert!(expected.len() > 100, "the file was not read");
    for (tag, source) in others {
        let found = keys(source);
        for (key, variables) in &expected {
            assert_eq!(found.get(key), Some(variables), "{tag}: {key}");
        }
        let surplus: Vec<_> = found.keys().filter(|key| !expected.contains_key(*key)).collect();
        assert!(surplus.is_empty(), "{tag}: {surplus:?}");
    }
}

#[test]
fn every_key_that_is_used_exists_and_every_key_is_used() {
    let mut used: BTreeSet<String> = TEMPLATES.iter().flat_map(|(_, source)| keys_in_template(source)).collect();
    used.extend(FROM_CODE.iter().map(ToString::to_string));
    for code in CODES {
        used.extend(["title", "detail"].map(|part| format!("problem-{}-{part}", code.replace('_', "-"))));
    }
    let defined: BTreeSet<String> = keys(LOCALES[0].1).into_keys().collect();
    assert_eq!(used.difference(&defined).collect::<Vec<_>>(), [""; 0], "used, not defined");
    assert_eq!(defined.difference(&used).collect::<Vec<_>>(), [""; 0], "defined, not used");
}

/// What the server says by name is written in its source as it stands in the list above, and nothing like a key is there besides.
#[test]
fn every_key_that_the_code_names_is_in_the_list() {
    fn files(folder: &std::path::Path, found: &mut Vec<String>) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                files(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("tests.rs") {
                let text = std::fs::read_to_string(path).unwrap();
                found.push(text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned());
            }
        }
    }
    let mut sources = Vec::new();
    files(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut sources);
    let defined: BTreeSet<String> = keys(LOCALES[0].1).into_keys().collect();
    let kinds: BTreeSet<&str> = FROM_CODE.iter().filter_map(|key| key.split('-').next()).collect();
    let literals: BTreeSet<&str> = sources.iter().flat_map(|source| source.split('"')).collect();
    for key in FROM_CODE {
        assert!(literals.contains(key), "{key} is in the list and nowhere in the code");
    }
    let looks_like_one = |text: &str| {
        text.contains('-')
            && text.split('-').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()))
            && kinds.contains(text.split('-').next().unwrap())
    };
    for key in literals.iter().filter(|text| looks_like_one(text)) {
        assert!(defined.contains(*key), "{key} is named in the code and is no message");
    }
}

/// The keys of a message file with the variables that each needs, its own and those of messages that it refers to.
fn keys(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut bodies: BTreeMap<&str, String> = BTreeMap::new();
    let mut key = "";
    for line in source.lines().filter(|line| !line.starts_with('#')) {
        let body = match line.split_once(" =") {
            Some((name, body)) if line.starts_with(|c: char| c.is_ascii_lowercase()) => {
                key = name;
                body
            }
            _ => line,
        };
        bodies.entry(key).or_default().push_str(body);
    }
    let variables = |body: &str| -> BTreeSet<String> {
        body.split('$').skip(1).map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric()).collect()).collect()
    };
    let all = bodies.iter().filter(|(key, _)| !key.is_empty()).map(|(key, body)| {
        let mut needed = variables(body);
        needed.extend(
            bodies.iter().filter(|(other, _)| body.contains(&format!("{{ {other} }}"))).flat_map(|(_, b)| variables(b)),
        );
        ((*key).to_owned(), needed)
    });
    all.collect()
}

/// The first argument of every `t(…)` in a template. All are literals, so that this finds them.
fn keys_in_template(source: &str) -> Vec<String> {
    let calls = source
        .match_indices("t(")
        .filter(|(at, _)| !source[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
    calls
        .map(|(at, _)| {
            let rest = source[at + 2..]
                .strip_prefix('"')
                .unwrap_or_else(|| panic!("a key that is no literal: {:.40}", &source[at..]));
            rest.split('"').next().unwrap().to_owned()
        })
        .collect()
}
