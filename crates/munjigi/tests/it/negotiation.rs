//! Pages for people, JSON for programs, and what becomes of requests that are neither (section 8).

use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE};
use serde_json::json;

use crate::harness::{Browser, Reply, Site, application};

async fn get(browser: &mut Browser, path: &str, accept: &str) -> Reply {
    let mut request = browser.request(Method::GET, path);
    if !accept.is_empty() {
        request = request.header(ACCEPT, accept);
    }
    let request = request.body(String::new()).unwrap();
    browser.send(request).await
}

#[tokio::test]
async fn a_get_is_a_page_unless_json_is_preferred() {
    let site = Site::embedded().await;
    for (accept, is_json) in [
        ("", false),
        ("*/*", false),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false),
        ("application/json", true),
        ("application/json, text/plain, */*", true),
        ("application/json;q=0.5, text/html", false),
        ("text/html;q=0.5, application/json", true),
    ] {
        for path in ["/user/info", "/user/login", "/user/register", "/user/logout"] {
            let kind = get(&mut site.browser(), path, accept).await.expect(200);
            let expected = if is_json { "application/json" } else { "text/html; charset=utf-8" };
            assert_eq!(kind.header("content-type"), Some(expected), "{path} {accept}");
        }
    }
}

#[tokio::test]
async fn a_post_is_answered_in_the_kind_of_its_body_unless_accept_names_the_other() {
    let site = Site::embedded().await;
    let (form, json) = ("application/x-www-form-urlencoded", "application/json");
    for (kind, accept, is_json) in [
        (form, "", false),
        (form, "text/html", false),
        (form, "*/*", false),
        (form, "application/json", true),
        (json, "", true),
        (json, "*/*", true),
        (json, "text/html", false),
    ] {
        let mut browser = site.browser();
        let mut request = browser.request(Method::POST, "/user/logout").header(CONTENT_TYPE, kind);
        if !accept.is_empty() {
            request = request.header(ACCEPT, accept);
        }
        let body = if kind == json { "{}" } else { "" };
        let reply = browser.send(request.body(body.to_owned()).unwrap()).await;
        assert_eq!(reply.status, if is_json { 200 } else { 303 }, "{kind} {accept}");
    }
}

#[tokio::test]
async fn places_for_programs_are_always_json() {
    let site = Site::embedded().await;
    for path in
        ["/healthz", "/readyz", "/.well-known/jwks.json", "/.well-known/nothing", "/api/nothing", "/auth/nothing"]
    {
        let kind = site.browser().get(path).await;
        assert!(kind.header("content-type").unwrap().contains("json"), "{path}: {:?}", kind.headers);
    }
}

#[tokio::test]
async fn unknown_members_have_no_effect() {
    let site = Site::embedded().await;
    let mut form = application("mina");
    form["isAdmin"] = json!(true);
    form["user"] = json!({ "id": 1 });
    site.browser().post_json("/user/register", form).await.expect(201);
    let fields = [("username", "mina"), ("password", crate::harness::PASSWORD), ("admin", "1"), ("utf8", "✓")];
    site.browser().post_form("/user/login", &fields).await.expect(303);
}

#[tokio::test]
async fn a_body_that_is_not_what_its_type_says_is_malformed_and_not_repeated() {
    let site = Site::embedded().await;
    let secret = "hunter2-was-here";
    for body in [
        format!(r#"{{"username":"mina","password":"{secret}""#),
        format!(r#"{{"username":"mina","password":"{secret}",}}"#),
        format!(r#"{{"username":"mina","password":["{secret}"]}}"#),
        format!(r#"{{"username":17,"password":"{secret}"}}"#),
        format!(r#"{{"username":"a","username":"mina","password":"{secret}"}}"#),
        format!(r#"{{"username":"mina","password":"{secret}","remember":[]}}"#),
        format!(r#"{{"username":"mina","password":"{secret}","returnTo":1}}"#),
        format!(r#""{secret}""#),
        format!("username=mina&password={secret}"),
        secret.to_owned(),
        "null".to_owned(),
        String::new(),
    ] {
        let refused = site.browser().post("/user/login", "application/json", body.clone()).await;
        assert_eq!(refused.status, 400, "{body}: {}", refused.body);
        refused.problem(400, "malformed");
        assert!(!refused.body.contains(secret) && !format!("{:?}", refused.headers).contains(secret));
    }
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    site.browser().post("/user/login", "application/json", deep).await.problem(400, "malformed");
    for body in [format!("username=a&username=b&password={secret}"), format!("password=%ff{secret}&username=%ff")] {
        let refused = site.browser().post("/user/login", "application/x-www-form-urlencoded", body.clone()).await;
        if refused.status == 400 {
            assert!(!refused.body.contains(secret));
        } else {
            // Bytes that are no text are a wrong password like any other.
            assert!(refused.status == 401 && body.contains("%ff"), "{body}: {}", refused.status);
        }
    }
}

#[tokio::test]
async fn an_array_is_no_object_in_the_order_of_its_members() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    let password = crate::harness::PASSWORD;
    for body in [json!(["mina", null, password]), json!(["mina", password]), json!([])] {
        site.browser().post_json("/user/login", body).await.problem(400, "malformed");
    }
    let form = json!(["jiho", null, password, password, "Jiho"]);
    site.browser().post_json("/user/register", form).await.problem(400, "malformed");
    browser.post_json("/user/account/name", json!(["Minah"])).await.problem(400, "malformed");
}

#[tokio::test]
async fn doubled_members_are_malformed_under_either_name() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    for body in [
        r#"{"username":"mina","password":"a","password":"b"}"#,
        r#"{"username":"mina","password":"a","return_to":"/a","returnTo":"/b"}"#,
    ] {
        site.browser().post("/user/login", "application/json", body.to_owned()).await.problem(400, "malformed");
    }
}

#[tokio::test]
async fn other_kinds_of_body_are_refused() {
    let site = Site::embedded().await;
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/xml", "application/jsonp", "json", ""] {
        let refused = site.browser().post("/user/login", kind, "{}".to_owned()).await;
        refused.problem(415, "unsupported_media_type");
    }
    let mut browser = site.browser();
    let bare = browser.request(Method::POST, "/user/login").body("{}".to_owned()).unwrap();
    browser.send(bare).await.problem(415, "unsupported_media_type");
    let twice = browser.request(Method::POST, "/user/login").header(CONTENT_TYPE, "application/json");
    let twice = twice.header(CONTENT_TYPE, "text/plain").body("{}".to_owned()).unwrap();
    browser.send(twice).await.problem(415, "unsupported_media_type");
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        site.browser().post("/user/login", kind, "{}".to_owned()).await.problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn a_body_has_at_most_64_kib() {
    let site = Site::embedded().await;
    let body = |bytes: usize| {
        let empty = r#"{"username":"mina","password":""}"#.len();
        format!(r#"{{"username":"mina","password":"{}"}}"#, "x".repeat(bytes - empty))
    };
    let fits = site.browser().post("/user/login", "application/json", body(65_536)).await;
    fits.problem(401, "invalid_credentials");
    let over = site.browser().post("/user/login", "application/json", body(65_537)).await;
    over.problem(413, "too_large");
    let form = format!("username={}", "x".repeat(70_000));
    site.browser().post("/user/login", "application/x-www-form-urlencoded", form).await.expect(413);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    for path in
        ["/nowhere", "/user", "/user/", "/user/info/", "/user/infos", "/USER/info", "/user/account/nowhere", "//"]
    {
        browser.get_json(path).await.problem(404, "not_found");
        let page = browser.get(path).await.expect(404);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
    }
    browser.post_json("/nowhere", json!({})).await.problem(404, "not_found");
}

#[tokio::test]
async fn another_method_is_said_to_be_the_wrong_one() {
    let site = Site::embedded().await;
    let mut browser = site.registered("mina").await;
    for (method, path, allowed) in [
        ("POST", "/user/info", "GET,HEAD"),
        ("DELETE", "/user/login", "GET,HEAD,POST"),
        ("PUT", "/user/register", "GET,HEAD,POST"),
        ("GET", "/user/refresh", "POST"),
        ("GET", "/user/account/password", "POST"),
        ("POST", "/healthz", "GET,HEAD"),
        ("POST", "/.well-known/jwks.json", "GET,HEAD"),
    ] {
        let request = browser.request(method.parse().unwrap(), path).header(ACCEPT, "application/json");
        let refused = browser.send(request.body(String::new()).unwrap()).await;
        refused.problem(405, "method_not_allowed");
        let mut methods: Vec<_> = refused.header("allow").expect("Allow").split(',').map(str::trim).collect();
        methods.sort_unstable();
        assert_eq!(methods.join(","), allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn a_base_path_moves_all_pages() {
    let site = Site::with(&[("server.base_path", "/members")]).await;
    let mut browser = site.browser();
    assert_eq!(browser.get("/").await.expect(303).location(), "/members/info");
    let welcome = browser.post_json("/members/register", application("mina")).await.expect(201);
    assert!(welcome.sets_cookies());
    assert_eq!(
        site.browser().get("/members/account").await.location(),
        "/members/login?return_to=%2Fmembers%2Faccount"
    );
    browser.get_json("/user/info").await.problem(404, "not_found");
    assert!(browser.get("/members/info").await.expect(200).body.contains("/members/logout"));
}
