//! The pages as a whole: every page in every state and language, and the messages against what uses them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

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

fn pages() -> Pages {
    Pages::new(Site { name: "Munjigi".into(), base_path: "/user".into() }).unwrap()
}

fn with(mut base: Json, changes: Json) -> Json {
    base.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    base
}

/// Every page in the states that matter: (page, state, context). `text` stands wherever a client or user has a say.
fn states(text: &str) -> Vec<(&'static str, &'static str, Json)> {
    let mut all = forms(text);
    let user = json!({"id": "0190", "username": text, "name": text});
    let session = json!({"id": "s", "expiresAt": "2026-12-07T10:15:00Z", "accessExpiresAt": "2026-11-23T10:25:00.5Z"});
    let nobody = json!({"user": null, "session": null, "reason": null, "registration_open": true});
    all.extend([
        ("closed", "", json!({})),
        ("info", "signed-in", with(nobody.clone(), json!({"user": user, "session": session}))),
        ("info", "anonymous", nobody.clone()),
        ("info", "reused", with(nobody, json!({"reason": "reused", "registration_open": false}))),
        ("welcome", "open", json!({"registration_open": true})),
        ("welcome", "closed", json!({"registration_open": false})),
        ("logout", "asks", json!({"user": user})),
        ("logout", "nobody", json!({"user": null})),
        (
            "error",
            "",
            json!({"status": 404, "title": "There’s nothing here", "detail": text, "request_id": "0190f3c2-7b1e"}),
        ),
    ]);
    all
}

fn forms(text: &str) -> Vec<(&'static str, &'static str, Json)> {
    let login = json!({
        "return_to": null, "reason": null, "registration_open": true,
        "fields": {"username": "", "remember": false}, "errors": {}, "problem": null,
    });
    let register = json!({
        "return_to": null, "fields": {"username": "", "name": ""}, "errors": {}, "problem": null,
        "min_length": 8, "advised_length": 15,
    });
    let device = |id: &str, current| {
        json!({
            "id": id, "device": text, "address": "2001:db8:85a3:8d3:1319:8a2e:370:7348", "current": current,
            "createdAt": "2026-11-02T08:00:00Z", "lastUsedAt": "2026-11-23T10:10:00Z",
        })
    };
    let account = json!({
        "user": {"id": "0190", "username": text, "name": text}, "now": "2026-11-23T10:15:00Z", "saved": null,
        "sessions": [device("s1", true)], "fields": {"name": text}, "errors": {}, "problem": null,
        "min_length": 8, "advised_length": 15,
    });
    let filled = json!({"return_to": text, "fields": {"username": text, "remember": true}, "problem": text});
    let wrong = json!({
        "return_to": "/app?a=1&b=2", "fields": {"username": text, "name": text}, "min_length": 15,
        "errors": {"username": text, "name": text, "password": text, "confirmPassword": text},
    });
    let several = json!({"sessions": [device("s1", true), device(text, false)], "saved": "name"});
    let refused = json!({"errors": {"currentPassword": text, "newPassword": text}});
    vec![
        ("login", "fresh", login.clone()),
        ("login", "expired", with(login.clone(), json!({"reason": "expired", "registration_open": false}))),
        ("login", "ended", with(login.clone(), json!({"reason": "ended"}))),
        ("login", "refused", with(login.clone(), filled)),
        ("login", "empty", with(login, json!({"errors": {"username": text, "password": text}}))),
        ("register", "fresh", register.clone()),
        ("register", "wrong", with(register, wrong)),
        ("account", "alone", account.clone()),
        ("account", "several", with(account.clone(), several)),
        ("account", "password-saved", with(account.clone(), json!({"saved": "password"}))),
        ("account", "session-ended", with(account.clone(), json!({"saved": "session"}))),
        ("account", "sessions-ended", with(account.clone(), json!({"saved": "sessions"}))),
        ("account", "refused", with(account, refused)),
    ]
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
    assert!(html.contains("href=\"/user/login?return_to=%2Fapp%3Fx%3D1&lang=ko\" lang=\"ko\""), "{html}");
    assert!(!html.contains("hreflang=\"ko\" aria-current"), "{html}");
    assert!(html.contains("hreflang=\"en\" aria-current=\"true\""), "{html}");
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
    for file in attributes(&html, "href").filter_map(|href| href.strip_prefix("/user/static/")) {
        assert!(asset(file).is_some_and(|asset| asset.immutable), "{file}");
    }
    assert_eq!(html.matches("/user/static/").count(), 2);
}

#[test]
fn pages_can_be_mounted_at_the_root() {
    let pages = Pages::new(Site { name: "문지기".into(), base_path: String::new() }).unwrap();
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
    let site = Site { name: String::new(), base_path: String::new() };
    let error = Pages::from_sources(site, LOCALES, &[("x.html", "{% if %}")]).unwrap_err();
    assert!(matches!(&error, PagesError::Template { name, .. } if name == "x.html"), "{error}");
}

#[test]
fn a_third_language_is_one_more_file() {
    let french = include_str!("../locales/en.ftl").replace("language-name = English", "language-name = Français");
    let locales = [LOCALES, &[("fr", french.as_str())]].concat();
    let site = Site { name: "Munjigi".into(), base_path: "/user".into() };
    let pages = Pages::from_sources(site, &locales, TEMPLATES).unwrap();
    let lang = pages.languages().negotiate(None, Some("fr-CH, ko;q=0.5"));
    let html = pages.render("closed", lang, "/user/register", json!({})).unwrap();
    assert!(html.contains("<html lang=\"fr\"") && html.contains(">Français</a>"), "{html}");
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
