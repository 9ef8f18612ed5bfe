//! Web caches: nothing in which a user shows is kept by one, and no spelling of an address makes one take a page for a file
//! (web cache deception).

use http::header::ACCEPT;
use http::{Request, Uri};
use serde_json::json;

use super::table::{Route, routes};
use super::{html, tell};
use crate::harness::{Browser, Reply, Site, application};

/// Shows on whatever page is Mina's.
const CANARY: &str = "Canary Zq7x";

async fn stage() -> (Site, Browser) {
    let site = Site::with(&[("limits.enabled", "false")]).await;
    let mut mina = site.browser();
    let mut form = application("mina.zq7x");
    form["name"] = json!(CANARY);
    mina.post_json("/user/register", form).await.expect(201);
    (site, mina)
}

fn is_of_a_user(reply: &Reply) -> bool {
    reply.body.contains(CANARY)
        || reply.body.contains("mina.zq7x")
        || reply.body.contains("accessExpiresAt")
        || reply.body.contains("\"current\":true")
}

async fn get(browser: &Browser, target: &str, accept: &str) -> Option<Reply> {
    let uri = target.parse::<Uri>().ok()?;
    let request = Request::get(uri).header(ACCEPT, accept).body(String::new()).ok()?;
    Some(browser.clone().send(request).await)
}

/// What makes an address end like a file's, for one reader or another.
const ENDS: &[&str] = &[
    "/x.css",
    "/x.js",
    "/x.png",
    "/style.css",
    "/.css",
    "/..css",
    "/%2e%2e/style.css",
    "/static/style.css",
    "/robots.txt",
    "/favicon.ico",
    "/index.html",
    "x.css",
    ".css",
    ".js",
    ".json",
    ".svg",
    ".avif",
    ".woff2",
    "%2ecss",
    ";.css",
    ";x.js",
    ";/x.css",
    ";jsessionid=1.css",
    "%3bx.css",
    "%3b.css",
    ",.css",
    "!.css",
    "$.css",
    ":x.css",
    "~",
    "*",
    "%00",
    "%00.css",
    "%00x.js",
    "%0a.css",
    "%0d%0a.css",
    "%09.css",
    "%20",
    "%20.css",
    "%20/x.css",
    "%2fx.css",
    "%2f",
    "%2F%2e%2e%2fstatic%2fstyle.css",
    "%5cx.css",
    "%5c",
    "%23.css",
    "%23/x.css",
    "%3f.css",
    "%3fx.js",
    "%25.css",
    "%252fx.css",
    "%ff.css",
    "%c0%afx.css",
    "/",
    "//",
    "/./",
    "/.",
    "/..",
    "/../account/",
    "/%2e",
    "/%2e%2e",
    "/;",
    "/;.css",
    "/?x.css",
    "@x.css",
    "'.css",
    "\".css",
    "|.css",
    "^.css",
    "`.css",
    "{.css",
    "\u{20ac}.css",
];

/// Ways through a folder of files.
const BEFORE: &[&str] = &[
    "/static/..%2f",
    "/static/%2e%2e/",
    "/static/%2e%2e%2f",
    "/static/../",
    "/static/..;/",
    "/static/.%2e/",
    "/static//../",
    "/static/x/..%2f..%2f",
    "/static/style.css/..%2f..%2f",
    "/static/..%5c",
    "/static/..%252f",
    "//",
    "/./",
    "/%2e/",
    "/x/../",
    "/;/",
    "/%20/",
    "/%2f",
    "/STATIC/../",
];

#[tokio::test]
async fn no_spelling_of_an_address_makes_a_page_look_like_a_file() {
    let (_site, mina) = stage().await;
    let private = ["/user/account", "/user/account/sessions", "/user/info", "/user/logout"];
    let mut tried = 0;
    for page in private {
        assert!(
            is_of_a_user(&get(&mina, page, "application/json").await.unwrap()) || page == "/user/logout",
            "{page} shows nothing to steal"
        );
        let mut targets = Vec::new();
        for end in ENDS {
            targets.push(format!("{page}{end}"));
        }
        let (base, last) = page.rsplit_once('/').unwrap();
        for before in BEFORE {
            targets.push(format!("{base}{before}{last}"));
            targets.push(format!("/user{before}account"));
        }
        targets.extend([
            page.to_uppercase(),
            page.replace("user", "User"),
            page.replace("/user", "/user/user"),
            format!("/{page}"),
            format!("/x/..{page}"),
            page.replace('a', "%61x"),
            page.replace('/', "%2f"),
        ]);
        for target in targets.into_iter().filter(|target| target != page) {
            for accept in ["text/html", "application/json", "text/css,*/*;q=0.1", "image/avif,image/webp,*/*"] {
                let Some(reply) = get(&mina, &target, accept).await else { continue };
                // A query is no other page.
                let same = target == format!("{page}/?x.css");
                assert!(!is_of_a_user(&reply), "{target}: {}", reply.body);
                assert!(reply.status == 404 || same, "{target}: {}", reply.status);
                assert_eq!(reply.header("cache-control"), Some("no-store"), "{target}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 800, "{tried}");
    tell(&format!("cache deception: {tried} tried, 0 showed a user"));
}

/// What a query ends with makes no file of a page either: it is the page, and says that nobody shall keep it.
#[tokio::test]
async fn a_page_says_that_nobody_shall_keep_it_whatever_its_query() {
    let (_site, mina) = stage().await;
    for target in [
        "/user/account?x.css",
        "/user/info?.js",
        "/user/account?v=1.2.3/style.css",
        "/user/info?lang=ko&x.png",
        "/user/account?utm_source=x",
    ] {
        for accept in ["text/html", "application/json", "text/css"] {
            let reply = get(&mina, target, accept).await.unwrap().expect(200);
            assert!(is_of_a_user(&reply));
            assert_eq!(reply.header("cache-control"), Some("no-store"), "{target}");
        }
    }
}

/// Every route, by whoever: where somebody shows or a cookie is set, nothing is kept.
#[tokio::test]
async fn where_a_user_shows_or_a_cookie_is_set_nothing_is_kept() {
    let mut seen = 0;
    for Route { method, path, .. } in routes() {
        let (site, mina) = stage().await;
        site.let_access_expire();
        let stale = mina.clone();
        let awake = {
            let mut browser = site.browser();
            browser.log_in("mina.zq7x").await.expect(200);
            browser
        };
        for browser in [
            mina.clone().without("accessToken"),
            awake.as_bearer(),
            awake,
            stale,
            site.browser().with("if-none-match", "*"),
            site.browser().with("range", "bytes=0-10"),
        ] {
            for accept in ["text/html", "application/json"] {
                let request = Request::builder()
                    .method(&method)
                    .uri(&path)
                    .header(ACCEPT, accept)
                    .header("content-type", "application/json");
                let reply = browser.clone().send(request.body("{}".to_owned()).unwrap()).await;
                if is_of_a_user(&reply) || !reply.keeps_cookies() {
                    assert_eq!(reply.header("cache-control"), Some("no-store"), "{method} {path}: {:?}", reply.headers);
                    assert!(
                        ["etag", "last-modified", "expires", "age"].iter().all(|name| reply.header(name).is_none()),
                        "{method} {path}"
                    );
                    seen += 1;
                }
                let ours = reply.cookies().iter().any(|line| line.contains("Token"));
                let vary: Vec<_> = reply.headers.get_all("vary").iter().map(|line| line.to_str().unwrap()).collect();
                assert!(!ours || vary.join(",").contains("Cookie"), "{method} {path}: {vary:?}");
            }
        }
    }
    assert!(seen >= 60, "{seen}");
    tell(&format!("caches: {seen} answers with a user or a cookie, 0 may be kept"));
}

/// What may be kept is the same for everybody.
#[tokio::test]
async fn what_may_be_kept_is_the_same_for_everybody() {
    let (site, mina) = stage().await;
    let page = mina.clone().get("/user/info").await.expect(200);
    let files = html::addresses(&page.body).into_iter().filter(|address| address.contains("/static/"));
    let mut kept = 0;
    for path in files.chain(routes().into_iter().filter(|route| route.guard == "Open").map(|route| route.path)) {
        let plain = |mut reply: Reply| {
            reply.headers.remove("x-request-id");
            (reply.status, reply.headers, reply.body)
        };
        let stranger = plain(get(&site.browser(), &path, "text/css").await.unwrap());
        if stranger.1.get("cache-control").is_some_and(|value| value == "no-store") {
            continue;
        }
        for browser in [
            mina.clone(),
            mina.clone().without("accessToken"),
            mina.as_bearer(),
            site.browser().with("authorization", "Bearer rubbish"),
            site.browser().with("accept-language", "ko").holding("munjigi-language", "ko"),
            site.browser()
                .with("x-forwarded-host", "evil.example")
                .with("host", "evil.example")
                .with("x-forwarded-proto", "http"),
            site.browser().with("origin", "https://evil.example"),
            site.browser().with("x-http-method-override", "POST"),
        ] {
            for target in [path.clone(), format!("{path}?lang=ko&x=<y>")] {
                let Some(reply) = get(&browser, &target, "text/css").await else { continue };
                assert_eq!(plain(reply), stranger, "{target}");
                kept += 1;
            }
        }
    }
    assert!(kept >= 30, "{kept}");
}
