//! Pages of one's own: what settings and a folder make of them, and what keeps the server from starting.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use munjigi::pages::{Pages, Report};
use tempfile::TempDir;

use crate::harness::{PASSWORD, Place, Site};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").canonicalize().unwrap()
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        put(dir.path(), name, text);
    }
    dir
}

fn put(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A site with this folder.
async fn site(dir: &Path) -> Site {
    Site::with(&[("pages.folder", text(dir))]).await
}

fn check(dir: &Path) -> Report {
    let folder = Some(dir.to_owned());
    Pages::check(&munjigi::pages::Site { base_path: "/user".into(), folder, ..Default::default() })
}

/// Everything that a check of these files says.
fn findings(files: &[(&str, &str)]) -> Vec<String> {
    let dir = folder(files);
    check(dir.path()).findings.iter().map(ToString::to_string).collect()
}

/// Address of a static file that a page names, by the beginning of its name.
fn named<'a>(page: &'a str, stem: &str) -> &'a str {
    let at = page.find(&format!("/user/static/{stem}.")).unwrap_or_else(|| panic!("no {stem}: {page}"));
    page[at..].split('"').next().unwrap()
}

#[tokio::test]
async fn a_third_language_is_one_file_and_no_code() {
    let languages = examples().join("languages");
    let site = site(&languages).await;
    let mut reader = site.browser().with("accept-language", "ja-JP,ja;q=0.9,en;q=0.8");
    let page = reader.get("/user/register").await.expect(200).body;
    assert!(page.contains("<html lang=\"ja\" dir=\"ltr\">") && page.contains("アカウントを作成"), "{page}");
    let refused = reader.log_in("nobody").await.problem(401, "invalid_credentials");
    assert_eq!(refused["msg"], "ユーザー名またはパスワードが正しくありません。");
    let english = site.browser().get("/user/login?lang=ja").await.expect(200);
    assert!(english.body.contains("<html lang=\"ja\"") && english.body.contains(">日本語<"));
    // It is complete: nothing of it would be in English.
    assert_eq!(check(&languages).findings, []);
}

#[tokio::test]
async fn what_is_in_the_folder_takes_the_place_of_what_is_built_in_and_the_rest_stays() {
    let dir = folder(&[
        (
            "templates/closed.html",
            "{% extends \"layout.html\" %}{% block title %}!{% endblock %}{% block content %}<h1>Ours</h1>{% endblock %}",
        ),
        (
            "templates/login.html",
            "{% extends \"builtin/login.html\" %}{% block content %}{{ super() }}{% include \"_more.html\" %}{% endblock %}",
        ),
        ("templates/_more.html", "<p>{{ t(\"own-more\", site=site.name) }}</p>"),
        (
            "locales/en.ftl",
            "login-title = Step inside\nown-more = More of { $site }\nlogin-extra = <b>Mind</b> the step",
        ),
        ("locales/ko.ftl", "own-more = { $site } 더 보기"),
    ]);
    let site = Site::with(&[("pages.folder", text(dir.path())), ("accounts.registration", "closed")]).await;
    let mut browser = site.browser();
    assert!(browser.get("/user/register").await.body.contains("<h1>Ours</h1>"));
    let page = browser.get("/user/login").await.expect(200).body;
    assert!(page.contains("<h1>Step inside</h1>") && page.contains("More of Munjigi"), "{page}");
    assert!(page.contains("&lt;b&gt;Mind&lt;/b&gt; the step"), "a message is text and never markup: {page}");
    assert!(page.contains("name=\"username\"") && page.contains("name=\"keep\""), "what it builds on is there: {page}");
    let korean = browser.get("/user/login?lang=ko").await.body;
    assert!(korean.contains("<h1>로그인</h1>") && korean.contains("Munjigi 더 보기"), "{korean}");
}

#[tokio::test]
async fn files_are_served_by_a_name_that_follows_what_is_in_them() {
    let dir = folder(&[("static/theme.css", "h1 { color: red }"), ("static/favicon.svg", "<svg xmlns='x'/>")]);
    let accent = [("pages.folder", text(dir.path())), ("pages.accent", "#5b2a86")];
    let site = Site::with(&accent).await;
    let mut browser = site.browser();
    let page = browser.get("/user/login").await.body;
    assert!(page.find("static/style.").unwrap() < page.find("static/theme.").unwrap(), "laid over it: {page}");
    let theme = browser.get(named(&page, "theme")).await.expect(200);
    assert!(theme.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(theme.header("content-type"), Some("text/css; charset=utf-8"));
    assert!(theme.body.starts_with(":root { --accent: #5b2a86; --on-accent: #ffffff; }"), "{}", theme.body);
    assert!(theme.body.contains("(prefers-color-scheme: dark)") && theme.body.ends_with("h1 { color: red }"));
    assert_eq!(browser.get(named(&page, "favicon")).await.body, "<svg xmlns='x'/>");
    let plain = browser.get("/user/static/theme.css").await.expect(200);
    assert!(!plain.header("cache-control").unwrap().contains("immutable"));
    for path in ["..%2ftheme.css", "%2e%2e/munjigi.db", "templates%2flogin.html", "..%5cx", "theme.css%00"] {
        assert_eq!(browser.get(&format!("/user/static/{path}")).await.status, 404, "{path}");
    }
    let without = Site::embedded().await.browser().get("/user/login").await.body;
    assert!(!without.contains("theme."), "nothing is linked where there is nothing");
}

#[tokio::test]
async fn a_script_in_a_logo_cannot_run() {
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"><script>alert(2)</script></svg>";
    let dir = folder(&[("logo.svg", svg), ("dark.svg", "<?xml version=\"1.0\"?><svg/>")]);
    let (logo, dark) = (dir.path().join("logo.svg"), dir.path().join("dark.svg"));
    let settings = [("pages.logo", text(&logo)), ("pages.logo_dark", text(&dark)), ("pages.name", "A \"B\" & C")];
    let site = Site::with(&settings).await;
    let mut browser = site.browser();
    let page = browser.get("/user/login").await.body;
    let address = named(&page, "logo");
    assert!(
        page.contains(&format!("<img class=\"logo\" src=\"{address}\" alt=\"A &quot;B&quot; &amp; C\">")),
        "{page}"
    );
    assert!(page.contains(&format!("srcset=\"{}\"", named(&page, "logo-dark"))) && !page.contains("<object"), "{page}");
    // Opened by itself it is a document: then this holds it.
    let logo = browser.get(address).await.expect(200);
    assert_eq!(logo.header("content-type"), Some("image/svg+xml"));
    assert_eq!(logo.header("x-content-type-options"), Some("nosniff"));
    let policy = logo.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn terms_and_privacy_are_linked_at_the_bottom_and_where_one_registers() {
    let site =
        Site::with(&[("pages.terms_url", "https://example.com/terms?a=1&b=2"), ("pages.privacy_url", "/privacy")])
            .await;
    let mut browser = site.browser();
    let (register, login) = (browser.get("/user/register").await.body, browser.get("/user/login").await.body);
    for (link, times) in [("href=\"https://example.com/terms?a=1&amp;b=2\"", 2), ("href=\"/privacy\"", 2)] {
        assert_eq!((register.matches(link).count(), login.matches(link).count()), (times, 1), "{link}");
    }
    assert!(!Site::embedded().await.browser().get("/user/register").await.body.contains("agree"));
    for wrong in ["http://example.com", "javascript:alert(1)", "//example.com", "terms", "https://a@example.com/"] {
        Place::new().set("pages.terms_url", wrong).run(&["config", "check"]).complains(3, &["pages.terms_url"]);
    }
}

#[tokio::test]
async fn fonts_are_allowed_where_there_are_some() {
    let dir = folder(&[("static/sans.woff2", "wOF2")]);
    let policy = async |site: Site| {
        site.browser().get("/user/login").await.header("content-security-policy").unwrap().to_owned()
    };
    assert!(policy(site(dir.path()).await).await.contains("font-src 'self'; "));
    assert!(!policy(Site::embedded().await).await.contains("font-src"));
}

/// What is wrong, and what is said of it: place, line, what to do.
const WRONG: &[(&str, &str, &str)] = &[
    ("templates/login.html", "{% if %}", "templates/login.html: line 1: syntax error"),
    ("templates/logn.html", "", "templates/logn.html: no page has that name; do you mean login.html?"),
    ("templates/login.txt", "", "templates/login.txt: templates end in .html"),
    ("templates/info.html", "<p>\n{{ usr }}", "templates/info.html: line 2: there is no usr; docs/pages.md lists"),
    (
        "templates/info.html",
        "{% if user == 7 %}\n{{ gone }}{% endif %}",
        "templates/info.html: line 2: there is no gone",
    ),
    (
        "templates/info.html",
        "\n{{ t(\"info-titel\") }}",
        "line 2: there is no message info-titel; do you mean info-title?",
    ),
    (
        "templates/info.html",
        "\n{{ t(\"info-title\") }}",
        "line 2: info-title in en: Resolver error: Unknown variable: $name",
    ),
    ("templates/info.html", "{{ user.age }}", "line 1: undefined value"),
    ("templates/info.html", "{{ asset(\"x.css\") }}", "there is no static file 'x.css'"),
    ("templates/info.html", "{{ base|safe }}", "line 1: unknown filter: filter safe is unknown"),
    ("templates/info.html", "{% include \"../../etc/passwd\" %}", "template not found"),
    ("templates/login.html", "<p>hi", "page login: the form that posts to /user/login is missing"),
    (
        "templates/login.html",
        "<form method=\"post\" action=\"{{ base }}/login\"><input name=\"username\" required></form>",
        "page login: the input password is missing from the form that posts to /user/login",
    ),
    (
        "locales/ko.ftl",
        "login-title = { $who }",
        "locales/ko.ftl: line 1: login-title: there is no variable $who; there is none",
    ),
    ("locales/ko.ftl", "\ninfo-title = { $who }", "line 2: info-title: there is no variable $who; there is $name"),
    ("locales/ko.ftl", "info-title = { WHO($name) }", "there is no function WHO"),
    ("locales/ko.ftl", "info-title = { JOSA($name) }", "JOSA takes 2 arguments"),
    ("locales/ko.ftl", "go-home = { other }", "there is no message other"),
    ("locales/ko.ftl", "go-home = { go-home }", "refers to itself"),
    ("locales/ko.ftl", "date = { datetime }", "locales/ko.ftl: datetime in ko: Resolver error: Cyclical"),
    ("locales/ko.ftl", "go-home = a\ngo-home = b", "locales/ko.ftl: line 2: go-home: stands here twice"),
    ("locales/ko.ftl", "go-home = a\nthis is none", "locales/ko.ftl: line 2: Expected a token"),
    ("locales/KO.ftl", "go-home = a", "for example ko.ftl"),
    ("locales/no such.ftl", "go-home = a", "is called as its language"),
    ("locales/fr.ftl", "go-home = a", "locales/fr.ftl: language-name is missing"),
    ("static/page.html", "", "static/page.html: such files are not served; these are: css"),
    ("static/munjigi.js", "", "the script goes with the server"),
    ("static/a b.css", "", "name it with up to 64 of"),
    ("template/login.html", "", "template: not a folder of pages; there may be templates, locales and static"),
];

#[test]
fn what_is_wrong_is_named_with_its_place_and_what_to_do() {
    for (file, source, said) in WRONG {
        let found = findings(&[(file, source)]);
        assert!(found.iter().any(|finding| finding.contains(said)), "{file} {source}: {said}\n{found:#?}");
        let dir = folder(&[(file, source)]);
        assert!(check(dir.path()).faults().count() > 0, "{file} {source}: the server would start");
    }
    assert_eq!(findings(&[]), [""; 0]);
}

/// What works all the same: an upgrade must not keep people from logging in.
#[test]
fn what_only_should_be_looked_at_is_a_warning() {
    let old = "{#- Copied from munjigi 0.0.9, 0123456789abcdef -#}\n{% extends \"builtin/closed.html\" %}";
    for (file, source, said) in [
        ("templates/closed.html", old, "templates/closed.html: line 1: the built-in template has changed"),
        ("templates/_part.html", "\n<p style=\"x\">", "templates/_part.html: line 2: an inline style"),
        (
            "locales/ko.ftl",
            "login-titel = a",
            "locales/ko.ftl: line 1: login-titel: nothing says this; do you mean login-title?",
        ),
        (
            "locales/fr.ftl",
            "language-name = Français\nlanguage-direction = ltr",
            "messages are missing, and English stands in for them",
        ),
        ("static/theme.css", ":root { --accent: #ffff00; }", "static/theme.css: #ffff00 as text has a contrast of 1"),
    ] {
        let dir = folder(&[(file, source)]);
        let report = check(dir.path());
        assert_eq!(report.faults().count(), 0, "{file}: {:?}", report.findings);
        assert!(report.warnings().any(|finding| finding.to_string().contains(said)), "{file}: {:?}", report.findings);
    }
}

#[test]
fn what_is_not_inside_the_folder_is_not_read() {
    let secret = folder(&[("secret.css", "secret"), ("static/more.css", "secret")]);
    let dir = folder(&[("static/real.css", "x")]);
    symlink(secret.path().join("secret.css"), dir.path().join("static/linked.css")).unwrap();
    symlink(dir.path().join("static/real.css"), dir.path().join("static/inside.css")).unwrap();
    symlink("/nowhere", dir.path().join("static/dangling.css")).unwrap();
    symlink(secret.path(), dir.path().join("locales")).unwrap();
    put(dir.path(), "static/.hidden.exe", "");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        dir.path().join("static/pipe.css"),
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    fs::write(dir.path().join("static/big.png"), vec![0; 600 * 1024]).unwrap();
    let found: Vec<_> = check(dir.path()).findings.iter().map(ToString::to_string).collect();
    for said in [
        "static/linked.css: leads out of the folder",
        "locales: leads out of the folder",
        "static/dangling.css: No such file",
        "static/pipe.css: is no file",
        "static/big.png: 614400 bytes, and more than 524288 are not served",
    ] {
        assert!(found.iter().any(|finding| finding.contains(said)), "{said}: {found:?}");
    }
    assert_eq!(found.len(), 5, "{found:?}");
}

#[test]
fn the_server_does_not_start_with_what_is_wrong() {
    let dir = folder(&[
        ("templates/login.html", "<p>"),
        ("locales/fr.ftl", "x = {"),
        ("logo.png", "GIF89a"),
        ("logo.svg", "hi"),
    ]);
    let place = Place::new().set("pages.folder", text(dir.path())).set("pages.accent", "#fee500");
    let place = place.set("pages.logo", text(&dir.path().join("logo.png")));
    let said = [
        "templates/login.html: page login: the form",
        "locales/fr.ftl: line 1",
        "logo.png: a logo is an svg, png or webp",
    ];
    let colour =
        "pages.accent: #fee500 as text has a contrast of 1.18 to 1 with what is behind it, and people need 4.5 to 1: #";
    for command in [&["serve"][..], &["config", "check"], &["pages", "check"]] {
        let ran = place.run(command).complains(3, &said);
        assert!(ran.stderr.contains(colour) && ran.stderr.contains(" would do"), "{}", ran.stderr);
    }
    let no_folder = Place::new().set("pages.folder", "/nowhere");
    no_folder.run(&["serve"]).complains(3, &["pages.folder: /nowhere"]);
    for (key, value) in [("pages.accent", "green"), ("pages.accent_dark", "#12345"), ("pages.logo_dark", "x.svg")] {
        Place::new().set(key, value).run(&["config", "check"]).complains(3, &[key]);
    }
}

/// The colour that is offered is one that is taken.
#[test]
fn a_colour_that_cannot_be_read_is_told_one_that_can() {
    let first = Place::new().set("pages.accent", "#fee500").run(&["config", "check"]);
    let offered = first.stderr.split("to 1: ").nth(1).unwrap().split(' ').next().unwrap();
    Place::new().set("pages.accent", offered).run(&["config", "check"]).expect(0);
    Place::new().set("pages.accent", "#ffffff").run(&["config", "check"]).expect(3);
    Place::new().set("pages.accent", "#0f6b5c").set("pages.accent_dark", "#0f6b5c").run(&["config", "check"]).expect(3);
}

#[tokio::test]
async fn whoever_works_on_the_pages_sees_each_change_and_each_mistake_at_once() {
    let dir = folder(&[("locales/en.ftl", "login-title = One")]);
    let settings = [("pages.folder", text(dir.path())), ("pages.development", "true")];
    let site = Site::with(&settings).await;
    let mut browser = site.browser();
    assert!(browser.get("/user/login").await.body.contains("<h1>One</h1>"));
    put(dir.path(), "locales/en.ftl", "login-title = Two");
    assert!(browser.get("/user/login").await.body.contains("<h1>Two</h1>"));
    put(dir.path(), "templates/login.html", "\n{{ nobody }}");
    let broken = browser.get("/user/login").await.expect(500);
    assert_eq!(broken.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(broken.body.contains("templates/login.html: line 2"), "{}", broken.body);
    fs::remove_file(dir.path().join("templates/login.html")).unwrap();
    put(dir.path(), "static/theme.css", "h1{}");
    let page = browser.get("/user/login").await.expect(200).body;
    assert_eq!(browser.get(named(&page, "theme")).await.expect(200).body, "h1{}");
    browser.get("/user/style").await.expect(200);
}

#[tokio::test]
async fn otherwise_what_was_read_at_start_stays() {
    let dir = folder(&[("locales/en.ftl", "login-title = One")]);
    let site = site(dir.path()).await;
    put(dir.path(), "locales/en.ftl", "login-title = Two");
    put(dir.path(), "templates/login.html", "{% broken");
    assert!(site.browser().get("/user/login").await.expect(200).body.contains("<h1>One</h1>"));
    site.browser().get("/user/style").await.expect(404);
}

#[tokio::test]
async fn development_is_for_ones_own_machine_and_said_loudly() {
    let place = Place::new().set("pages.development", "true");
    let away = Place::new().set("pages.development", "true").set("server.public_url", "https://auth.example.com");
    away.run(&["serve"]).complains(3, &["pages.development", "is not on this machine"]);
    let server = place.serve().await;
    server.browser().get("/user/style").await.expect(200);
    assert!(fs::read_to_string(place.path().join("log")).unwrap().contains("WARN pages_development"));
}

#[test]
fn what_is_built_in_is_written_to_begin_from_and_never_over_something() {
    let place = Place::new();
    place.run(&["pages", "export", "own"]).expect(0);
    assert!(place.path().join("own/static/style.css").exists() && place.path().join("own/locales/ko.ftl").exists());
    assert!(
        place.run(&["pages", "check", "--folder", "own", "--strict"]).expect(0).stdout.contains("the pages are right")
    );
    let login = place.path().join("own/templates/login.html");
    fs::write(&login, "mine").unwrap();
    place
        .run(&["pages", "export", "own", "--only", "login.html"])
        .complains(1, &["login.html is there already", "--force"]);
    assert_eq!(fs::read_to_string(&login).unwrap(), "mine");
    place.run(&["pages", "export", "own", "--only", "login.html", "--force"]).expect(0);
    assert!(fs::read_to_string(&login).unwrap().starts_with("{#- Copied from munjigi"));
    place.run(&["pages", "export", "one", "--only", "ko.ftl"]).expect(0);
    assert!(place.path().join("one/locales/ko.ftl").exists() && !place.path().join("one/templates").exists());
    place.run(&["pages", "export", "x", "--only", "nope.html"]).complains(1, &["there is no nope.html", "login.html"]);
    assert!(place.run(&["pages", "check"]).expect(0).stdout.contains("built-in"));
    let strict = folder(&[("locales/ko.ftl", "nope = 1")]);
    place.run(&["pages", "check", "--folder", text(strict.path())]).expect(0);
    place
        .run(&["pages", "check", "--strict", "--folder", text(strict.path())])
        .complains(3, &["warning: locales/ko.ftl"]);
}

#[tokio::test]
async fn people_register_and_log_in_through_the_themes_that_are_shown() {
    for theme in ["paper", "sunflower"] {
        let dir = examples().join("themes").join(theme);
        assert_eq!(check(&dir).findings, [], "{theme}");
        let site = site(&dir).await;
        let form = [("username", "mina"), ("name", "Mina"), ("password", PASSWORD), ("confirmPassword", PASSWORD)];
        site.browser().post_form("/user/register", &form).await.expect(303);
        site.browser().post_form("/user/login", &[form[0], form[2]]).await.expect(303);
        // The settings beside it name files of the repository, as somebody there would.
        let toml: toml::Table = fs::read_to_string(dir.join("munjigi.toml")).unwrap().parse().unwrap();
        let pages = toml["pages"].as_table().unwrap();
        let mut place = Place::new();
        for (key, value) in pages {
            let value = value.as_str().unwrap();
            let here = examples().parent().unwrap().join(value);
            place =
                place.set(&format!("pages.{key}"), if value.starts_with("examples/") { text(&here) } else { value });
        }
        place.run(&["config", "check"]).expect(0);
    }
}
