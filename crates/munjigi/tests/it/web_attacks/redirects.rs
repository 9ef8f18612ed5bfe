//! Open redirects (CWE-601): whatever `return_to` says, in whatever spelling, a browser ends up on our own origin or exactly
//! on a trusted one. Judged by where a browser would go, which resolves what it is told against the page it is on.
//! `redirects.json` is the list; a journey drives a real browser through the same one (`e2e/attacks.test.js`).

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request};
use serde_json::{Value, json};
use url::Url;

use super::{html, tell};
use crate::harness::{Browser, PASSWORD, Reply, Site};

const OWN: &str = "http://auth.example.com:8080";
const TRUSTED: &str = "http://app.example.com";
const FORM: &str = "application/x-www-form-urlencoded";

async fn site() -> Site {
    let settings = [("server.public_url", OWN), ("server.trusted_origins", TRUSTED), ("limits.enabled", "false")];
    let site = Site::with(&settings).await;
    site.registered("mina").await;
    site
}

/// A part of the list, with what stands in for our own address and the trusted one.
fn list(part: &str) -> Vec<Value> {
    let places = [
        ("{own}", OWN),
        ("{own_host}", "auth.example.com:8080"),
        ("{own_name}", "auth.example.com"),
        ("{trusted}", TRUSTED),
        ("{trusted_host}", "app.example.com"),
        ("{long}", &"a".repeat(2048)),
    ];
    let text = include_str!("redirects.json");
    let read: Value = serde_json::from_str(text).unwrap();
    let fill = |text: &str| places.iter().fold(text.to_owned(), |text, (place, value)| text.replace(place, value));
    let filled = |value: &Value| match value {
        Value::Array(pair) => pair.iter().map(|text| fill(text.as_str().unwrap())).collect(),
        text => Value::from(fill(text.as_str().unwrap())),
    };
    read[part].as_array().unwrap().iter().map(filled).collect()
}

fn attacks() -> Vec<String> {
    list("attacks").iter().map(|attack| attack.as_str().unwrap().to_owned()).collect()
}

fn encoded(text: &str) -> String {
    serde_urlencoded::to_string([("return_to", text)]).unwrap().split_once('=').unwrap().1.to_owned()
}

/// What counts and complains.
#[derive(Default)]
struct Judge {
    tried: usize,
    led_away: Vec<String>,
}

impl Judge {
    /// Holds everything in an answer that leads anywhere against where a browser on `page` would go.
    fn judge(&mut self, way: &str, attack: &str, page: &str, reply: &Reply) {
        self.tried += 1;
        assert!(!reply.status.is_server_error(), "{way} {attack:?}: {}", reply.status);
        let page = Url::parse(OWN).unwrap().join(page).unwrap();
        let mut targets: Vec<String> = Vec::new();
        for line in reply.headers.get_all("location") {
            let line = line.to_str().expect("a Location of visible ASCII").to_owned();
            // Not every client resolves as browsers do: what leads to a path of ours shows it to the simplest of them.
            let path = line.split(['?', '#']).next().unwrap();
            assert!(path.starts_with('/') && !path.starts_with("//"), "{way} {attack:?}: {line}");
            assert!(!path.contains(['\\', '\t', ' ']), "{way} {attack:?}: {line}");
            targets.push(line);
        }
        for name in ["refresh", "content-location", "link"] {
            assert!(reply.header(name).is_none(), "{way} {attack:?}");
        }
        if let Ok(Value::Object(members)) = serde_json::from_str(&reply.body) {
            targets.extend(members.get("returnTo").and_then(Value::as_str).map(str::to_owned));
        } else {
            targets.extend(html::addresses(&reply.body));
        }
        for target in targets {
            if !page.join(&target).is_ok_and(|there| there.origin() == page.origin()) {
                self.led_away.push(format!("{way}: {attack:?} led to {target:?}"));
            }
        }
    }
}

async fn post(browser: &Browser, path: &str, kind: &str, body: String) -> Reply {
    let mut browser = browser.clone();
    browser.send(Request::post(path).header(CONTENT_TYPE, kind).body(body).unwrap()).await
}

async fn get(browser: &Browser, target: &str, accept: &str) -> Option<Reply> {
    let mut browser = browser.clone();
    let request = browser.request(Method::GET, target).header(ACCEPT, accept);
    Some(browser.send(request.body(String::new()).ok()?).await)
}

/// Everything that takes `return_to` or carries it along, for one attack that stands in the query or form as it is.
async fn every_way(judge: &mut Judge, attack: &str, raw: &str, stranger: &Browser, mina: &Browser) {
    let password = serde_urlencoded::to_string([("password", PASSWORD)]).unwrap();
    let body = format!("username=mina&{password}&return_to={raw}");
    judge.judge("form", attack, "/user/login", &post(stranger, "/user/login", FORM, body).await);
    let again = post(stranger, "/user/login", FORM, format!("username=mina&password=wrong-one&return_to={raw}")).await;
    judge.judge("form that comes back", attack, "/user/login", &again);
    let short = post(stranger, "/user/register", FORM, format!("username=x&return_to={raw}")).await;
    judge.judge("registration that comes back", attack, "/user/register", &short);
    for page in ["/user/login", "/user/register"] {
        for (way, browser, accept) in [
            ("page for a stranger", stranger, "text/html"),
            ("page for mina", mina, "text/html"),
            ("JSON for mina", mina, "application/json"),
        ] {
            if let Some(reply) = get(browser, &format!("{page}?return_to={raw}"), accept).await {
                judge.judge(way, attack, page, &reply);
            }
        }
    }
    for page in ["/user/login", "/user/info", "/user/logout", "/nowhere"] {
        if let Some(reply) = get(stranger, &format!("{page}?lang=ko&return_to={raw}&x={raw}"), "text/html").await {
            judge.judge("language switch", attack, page, &reply);
        }
    }
}

#[tokio::test]
async fn no_spelling_of_return_to_leads_a_browser_away() {
    let site = site().await;
    let (stranger, mina) = (site.browser(), site.logged_in("mina").await);
    let mut judge = Judge::default();
    let attacks = attacks();
    for attack in &attacks {
        every_way(&mut judge, attack, &encoded(attack), &stranger, &mina).await;
        let body = json!({ "username": "mina", "password": PASSWORD, "returnTo": attack }).to_string();
        let reply = post(&stranger, "/user/login", "application/json", body).await.expect(200);
        assert!(reply.json()["returnTo"].is_string());
        judge.judge("JSON", attack, "/user/login", &reply);
    }
    for raw in list("encoded") {
        let raw = raw.as_str().unwrap();
        every_way(&mut judge, raw, raw, &stranger, &mina).await;
        for (query, body) in [(format!("return_to={raw}"), String::new()), (String::new(), format!("&returnTo={raw}"))]
        {
            // In the query of a POST it has no say.
            let body = format!("username=mina&password={}{body}", PASSWORD.replace(' ', "+"));
            if let Ok(request) = Request::post(format!("/user/login?{query}")).header(CONTENT_TYPE, FORM).body(body) {
                judge.judge("query of a POST", raw, "/user/login", &stranger.clone().send(request).await);
            }
        }
    }
    assert!(attacks.len() >= 100 && judge.tried >= 4_500, "{}", judge.tried);
    tell(&format!("redirects: {} tried, {} led away", judge.tried, judge.led_away.len()));
    assert_eq!(judge.led_away, [""; 0]);
}

#[tokio::test]
async fn a_registration_leads_nobody_away_either() {
    let site = site().await;
    let mut judge = Judge::default();
    for (number, attack) in attacks().iter().enumerate() {
        let user = format!("visitor{number}");
        let fields = [
            ("username", user.as_str()),
            ("password", PASSWORD),
            ("confirmPassword", PASSWORD),
            ("name", "Visitor"),
            ("return_to", attack),
        ];
        let body = serde_urlencoded::to_string(fields).unwrap();
        let reply = post(&site.browser(), "/user/register", FORM, body).await.expect(303);
        judge.judge("registration", attack, "/user/register", &reply);
    }
    tell(&format!("redirects of registrations: {} tried, {} led away", judge.tried, judge.led_away.len()));
    assert_eq!(judge.led_away, [""; 0]);
}

/// The path itself as the attack: pages that say where they are, in the language switch and on the way to log-in.
#[tokio::test]
async fn the_address_of_a_page_leads_nobody_away() {
    let site = site().await;
    let mina = site.logged_in("mina").await;
    let mut judge = Judge::default();
    for attack in attacks().iter().flat_map(|attack| [attack.clone(), encoded(attack)]) {
        for target in [
            attack.clone(),
            format!("/{attack}"),
            format!("//evil.example/user/login?{attack}"),
            format!("/user/account?{attack}"),
        ] {
            for browser in [&site.browser(), &mina] {
                let uri = target.parse::<http::Uri>().ok().filter(|uri| uri.scheme().is_none() && uri.host().is_none());
                if uri.is_some_and(|uri| uri.path().starts_with('/'))
                    && let Some(reply) = get(browser, &target, "text/html").await
                {
                    judge.judge("path", &target, "/", &reply);
                }
            }
        }
    }
    assert!(judge.tried >= 1_000, "{}", judge.tried);
    tell(&format!("redirects of addresses: {} tried, {} led away", judge.tried, judge.led_away.len()));
    assert_eq!(judge.led_away, [""; 0]);
}

#[tokio::test]
async fn no_header_says_where_we_are() {
    let site = site().await;
    let (stranger, mina) = (site.browser(), site.logged_in("mina").await);
    let mut judge = Judge::default();
    for name in [
        "host",
        "x-forwarded-host",
        "x-forwarded-server",
        "x-forwarded-prefix",
        "x-forwarded-scheme",
        "x-forwarded-proto",
        "x-original-url",
        "x-rewrite-url",
        "x-original-host",
        "x-host",
        "x-http-host-override",
        "forwarded",
        "referer",
        "origin",
        "base-url",
    ] {
        for value in [
            "evil.example",
            "evil.example:8080",
            "auth.example.com@evil.example",
            "http://evil.example/",
            "host=evil.example",
        ] {
            for page in ["/", "/user/login", "/user/account", "/.well-known/change-password", "/nowhere"] {
                for browser in [&stranger, &mina] {
                    let browser = browser.clone().with(name, value);
                    let reply = get(&browser, page, "text/html").await.unwrap();
                    assert!(
                        !reply.body.contains("evil") && !format!("{:?}", reply.headers).contains("evil"),
                        "{name}: {value}"
                    );
                    judge.judge(name, value, page, &reply);
                }
            }
        }
        let browser = stranger.clone().with("host", "evil.example").with("x-forwarded-host", "evil.example");
        let body = format!("username=mina&password={}", PASSWORD.replace(' ', "+"));
        judge.judge(name, "log-in", "/user/login", &post(&browser, "/user/login", FORM, body).await.expect(303));
    }
    tell(&format!("redirects by headers: {} tried, {} led away", judge.tried, judge.led_away.len()));
    assert_eq!(judge.led_away, [""; 0]);
}

#[tokio::test]
async fn what_may_be_followed_is() {
    let site = site().await;
    let mina = site.logged_in("mina").await;
    for pair in list("followed") {
        let (typed, led) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        let fields = [("username", "mina"), ("password", PASSWORD), ("return_to", typed)];
        let body = serde_urlencoded::to_string(fields).unwrap();
        let reply = post(&site.browser(), "/user/login", FORM, body).await.expect(303);
        assert_eq!(reply.location(), led, "{typed}");
        let on = get(&mina, &format!("/user/login?return_to={}", encoded(typed)), "text/html").await.unwrap();
        assert_eq!(on.expect(303).location(), led, "{typed}");
        let body = json!({ "username": "mina", "password": PASSWORD, "returnTo": typed }).to_string();
        let told = post(&site.browser(), "/user/login", "application/json", body).await.expect(200).json();
        assert_eq!(told["returnTo"], led, "{typed}");
    }
}

/// The judge itself: what leads away is seen.
#[test]
fn this_judge_knows_what_leads_away() {
    let page = Url::parse(OWN).unwrap();
    for away in
        ["//evil.example", "/\\evil.example", "\t//evil.example", "javascript:alert(1)", "http://auth.example.com"]
    {
        assert!(!page.join(away).is_ok_and(|there| there.origin() == page.origin()), "{away}");
    }
    let log_in = Url::parse(&format!("{OWN}/user/login")).unwrap();
    let leads_away = |attack: &&String| log_in.join(attack).is_ok_and(|there| there.origin() != page.origin());
    let away = attacks().iter().filter(leads_away).count();
    assert!(away >= 100, "only {away} of the attacks would lead away if they were followed");
}
