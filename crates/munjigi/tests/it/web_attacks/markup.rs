//! Reflected and stored markup (CWE-79) and templates within templates (CWE-1336): whatever is typed anywhere comes back as
//! text. Each page with a hostile text is compared with the same page with a harmless one: no new tag, no new attribute, no
//! address that leads elsewhere; and the text itself comes back as it was typed.

use std::collections::{BTreeMap, BTreeSet};

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Request, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use url::Url;

use super::{html, tell};
use crate::harness::{Browser, PASSWORD, Reply, Site, application};

const OWN: &str = "http://localhost:3000";

/// Texts that would be markup, or a template, if they got through; a journey types the same ones in a real browser.
fn attacks() -> Vec<String> {
    serde_json::from_str(include_str!("markup.json")).unwrap()
}

/// What is compared with: taken, refused for its characters, refused for its length, no place to go.
const HARMLESS: [&str; 4] = [
    "harmless",
    "harm\u{202e}less",
    "harmlessharmlessharmlessharmlessharmlessharmlessharmlessharmlessharmless",
    "harmless:text",
];

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// One text at every place where a text can be typed or sent, and the pages on which it may show.
struct Tour<'a> {
    site: &'a Site,
    text: &'a str,
    number: usize,
    seen: Vec<(String, Reply)>,
}

impl Tour<'_> {
    async fn everything(mut self) -> Vec<(String, Reply)> {
        self.forms().await;
        self.queries().await;
        self.headers().await;
        self.names().await;
        self.seen
    }

    fn saw(&mut self, place: impl Into<String>, reply: Reply) {
        self.seen.push((place.into(), reply));
    }

    async fn forms(&mut self) {
        for (path, field) in [
            ("/user/login", "username"),
            ("/user/login", "return_to"),
            ("/user/login", "remember"),
            ("/user/register", "username"),
            ("/user/register", "name"),
            ("/user/register", "return_to"),
        ] {
            let others = [("username", "nobody here"), ("password", "wrong-one"), ("name", "Nobody")];
            let mut form: Vec<(&str, &str)> = others.into_iter().filter(|(name, _)| *name != field).collect();
            form.push((field, self.text));
            let page = self.site.browser().post_form(path, &form).await;
            assert!(page.status.is_client_error(), "{path}: {}", page.status);
            self.saw(format!("form {path} {field}"), page);
            // What the language switch sends, and from where.
            form.push(("keep", "ko"));
            let page = self.site.browser().post_form(&format!("{path}?lang=ko&x={}", encoded(self.text)), &form).await;
            self.saw(format!("form {path} {field} in another language"), page.expect(200));
        }
        // Names of fields are not shown, and neither are passwords.
        let page = self.site.browser().post_form("/user/login", &[(self.text, "x"), ("username", "y")]).await;
        self.saw("name of a field", page);
    }

    async fn queries(&mut self) {
        let mina = self.site.logged_in("mina").await;
        let text = encoded(self.text);
        for (path, field) in [
            ("/user/login", "return_to"),
            ("/user/login", "reason"),
            ("/user/login", "lang"),
            ("/user/login", "x"),
            ("/user/register", "return_to"),
            ("/user/info", "reason"),
            ("/user/logout", "x"),
            ("/user/account", "saved"),
            ("/user/account", "unsaved"),
            ("/user/account", "unsaved=name&name"),
            ("/nowhere", "x"),
        ] {
            for (who, mut browser) in [("stranger", self.site.browser()), ("mina", mina.clone())] {
                for target in
                    [format!("{path}?{field}={text}"), format!("{path}?{text}={field}"), format!("{path}?{text}")]
                {
                    let reply = browser.get(&target).await;
                    self.saw(format!("query {path} {field} {who}"), reply);
                }
                // As it is, where a request line can carry it.
                if let Ok(uri) = format!("{path}?{field}={}", self.text.replace([' ', '\t'], "+")).parse::<Uri>() {
                    let reply =
                        browser.send(Request::get(uri).header(ACCEPT, "text/html").body(String::new()).unwrap()).await;
                    self.saw(format!("query {path} {field} {who}"), reply);
                }
            }
        }
        mina.clone().log_out().await.expect(200);
        for target in
            [format!("/{text}"), format!("/user/{text}"), format!("/user/static/{text}"), format!("/user/info;{text}")]
        {
            let reply = self.site.browser().get(&target).await;
            self.saw("path", reply);
        }
    }

    async fn headers(&mut self) {
        let Ok(value) = HeaderValue::from_bytes(self.text.as_bytes()) else { return };
        for name in [
            "user-agent",
            "accept-language",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
            "forwarded",
            "referer",
            "origin",
            "host",
            "x-request-id",
            "x-original-url",
            "if-none-match",
            "range",
            "te",
            "x-real-ip",
            "via",
            "traceparent",
        ] {
            for (path, status) in [("/user/login", 200), ("/nowhere", 404)] {
                let request = Request::get(path).header(ACCEPT, "text/html").header(name, value.clone());
                let reply = self.site.browser().send(request.body(String::new()).unwrap()).await.expect(status);
                self.saw(format!("header {name} {path}"), reply);
            }
        }
        for cookie in ["munjigi-language", "accessToken", "refreshToken", "other"] {
            let line = [format!("{cookie}=").as_bytes(), value.as_bytes()].concat();
            let request = Request::get("/user/login")
                .header(ACCEPT, "text/html")
                .header("cookie", HeaderValue::from_bytes(&line).unwrap());
            let reply = self.site.browser().send(request.body(String::new()).unwrap()).await.expect(200);
            self.saw(format!("cookie {cookie}"), reply);
        }
        // Stored with the session, and listed.
        let body = json!({ "username": "lister", "password": PASSWORD }).to_string();
        let log_in = Request::post("/user/login").header(CONTENT_TYPE, "application/json").header("user-agent", value);
        let mut lister = self.site.browser();
        lister.send(log_in.body(body).unwrap()).await.expect(200);
        let page = lister.get("/user/account").await.expect(200);
        self.saw("list of sessions", page);
        lister.post_json("/user/logout", json!({})).await.expect(200);
    }

    async fn names(&mut self) {
        let mut form = application(&format!("user{:05}", self.number));
        form["name"] = json!(self.text);
        let mut browser = self.site.browser();
        if browser.post_json("/user/register", form).await.status == 201 {
            for path in ["/user/info", "/user/account", "/user/logout"] {
                let page = browser.get(path).await.expect(200);
                self.saw(format!("name on {path}"), page);
            }
        }
        let mut mina = self.site.logged_in("mina").await;
        let page = mina.post_form("/user/account/name", &[("name", self.text)]).await;
        if page.status == 422 {
            self.saw("new name", page);
        }
        mina.post_form("/user/account/name", &[("name", "Mina")]).await.expect(303);
        mina.log_out().await.expect(200);
    }
}

async fn site() -> Site {
    let site = Site::with(&[("limits.enabled", "false")]).await;
    for username in ["mina", "lister"] {
        // Lists of sessions shall have one entry, or their order would be chance.
        site.registered(username).await.log_out().await.expect(200);
    }
    site
}

async fn tour(site: &Site, number: usize, text: &str) -> Vec<(String, Reply)> {
    Tour { site, text, number, seen: Vec::new() }.everything().await
}

#[tokio::test]
async fn markup_stays_text_wherever_it_is_typed() {
    let site = site().await;
    let mut usual: BTreeMap<String, BTreeSet<Vec<String>>> = BTreeMap::new();
    for (number, text) in HARMLESS.iter().enumerate() {
        for (place, reply) in tour(&site, number, text).await {
            usual.entry(place).or_default().insert(html::skeleton(&reply.body));
        }
    }
    let page = Url::parse(OWN).unwrap().join("/user/login").unwrap();
    let (mut tried, mut echoed) = (0, 0);
    for (number, text) in attacks().iter().enumerate() {
        for (place, reply) in tour(&site, number + 100, text).await {
            assert!(!reply.status.is_server_error(), "{place} {text}");
            assert!(!format!("{:?}", reply.headers).contains("<x-canary"), "{place} {text}: {:?}", reply.headers);
            let skeleton = html::skeleton(&reply.body);
            assert!(usual[&place].contains(&skeleton), "{place}: {text}\n{}", reply.body);
            for address in html::addresses(&reply.body) {
                let there = page.join(&address).unwrap();
                assert_eq!(there.origin(), page.origin(), "{place}: {text} led to {address}");
            }
            let shows = [
                "form /user/login username",
                "form /user/register username",
                "form /user/register name",
                "name on /user/info",
            ];
            if shows.contains(&place.as_str()) {
                assert!(
                    html::unescaped(&reply.body).contains(text.trim()),
                    "{place}: {text} came back as something else\n{}",
                    reply.body
                );
                echoed += 1;
            }
            tried += 1;
        }
    }
    assert!(tried >= 5_000 && echoed >= 200, "{tried} {echoed}");
    tell(&format!("markup: {tried} tried, {echoed} shown as typed, 0 became markup"));
}

/// In JSON nothing is markup, and no browser takes it for any; what was typed comes back as it was.
#[tokio::test]
async fn json_is_json_whatever_is_in_it() {
    let site = site().await;
    let mut mina = site.logged_in("mina").await;
    let more = ["</script><script>alert(1)</script>", "\u{1f512}\"\\/", "a\\u0022b", "]}'\")", "\u{fffd}\u{10ffff}"];
    let mut tried = 0;
    let texts = attacks().into_iter().chain(more.map(str::to_owned));
    for text in texts.filter(|text| text.trim() == text && !text.contains('\t')) {
        let renamed = mina.post_json("/user/account/name", json!({ "name": text })).await.expect(200);
        assert_eq!(renamed.json()["user"]["name"], text);
        for path in ["/user/info", "/user/account"] {
            let reply = mina.get_json(path).await.expect(200);
            assert_eq!(reply.json()["user"]["name"], text, "{path}");
            is_no_page(&reply);
        }
        let refused = site.browser().log_in(&text).await.expect(401);
        is_no_page(&refused);
        tried += 3;
    }
    // They end a line for some readers of scripts, and are refused in names.
    for text in ["a\u{2028}b", "a\u{2029}b"] {
        mina.post_json("/user/account/name", json!({ "name": text })).await.problem(422, "validation_failed");
    }
    tell(&format!("markup in JSON: {tried} tried, 0 changed on the way"));
}

fn is_no_page(reply: &Reply) {
    assert!(reply.header("content-type").unwrap().contains("json"), "{:?}", reply.headers);
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
}

/// The language is chosen from a list, and a name of a language comes back from nowhere.
#[tokio::test]
async fn a_language_that_is_none_sets_no_cookie() {
    let site = site().await;
    let more = ["ko\r\nset-cookie: a=b", "ko; Domain=evil.example", "KO ", "ko,en"];
    for text in attacks().into_iter().chain(more.map(str::to_owned)) {
        let mut browser: Browser = site.browser();
        let page = browser.get(&format!("/user/login?lang={}", encoded(&text))).await.expect(200);
        assert_eq!(page.cookies().len(), 0, "{text}: {:?}", page.cookies());
    }
}
