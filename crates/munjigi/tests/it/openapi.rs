//! `/openapi.json` says what is so: answers of every route are held against it, member by member.

use std::collections::BTreeSet;

use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::harness::{Browser, OTHER_PASSWORD, PASSWORD, Reply, Site, application};

/// Whether a value fits a schema exactly: every member is described, and every member that must be there is. Only as much of
/// JSON Schema as the document uses.
fn misfit(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        return misfit(document, document.pointer(name.strip_prefix('#')?)?, value, at);
    }
    if let Some(either) = schema["oneOf"].as_array() {
        let misfits: Vec<_> = either.iter().filter_map(|one| misfit(document, one, value, at)).collect();
        return (misfits.len() == either.len()).then(|| misfits.join(" and "));
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let takes = |named: &Value| named == kind || named.as_array().is_some_and(|all| all.iter().any(|one| one == kind));
    if !takes(&schema["type"]) {
        return Some(format!("{at} is {kind}, not {}", schema["type"]));
    }
    match value {
        Value::Array(items) => {
            items.iter().find_map(|item| misfit(document, &schema["items"], item, &format!("{at}[]")))
        }
        Value::Object(members) => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let missing =
                required.filter(|name| !members.contains_key(*name)).map(|name| format!("{at} has no {name}"));
            let wrong = members.iter().filter_map(|(name, value)| {
                let known = schema["properties"].get(name).or(schema.get("additionalProperties"));
                known.map_or(Some(format!("{at}.{name} is not described")), |known| {
                    misfit(document, known, value, &format!("{at}.{name}"))
                })
            });
            missing.chain(wrong).next()
        }
        _ => None,
    }
}

/// What the document says of an answer; fails if it says nothing.
#[track_caller]
fn hold(document: &Value, operation: &str, reply: &Reply) {
    let (method, path) = operation.split_once(' ').unwrap();
    let operation_said = &document["paths"][path][method];
    assert!(operation_said.is_object(), "{operation} is not described");
    let responses = &operation_said["responses"];
    let status = reply.status.as_str();
    let response = responses.get(status).unwrap_or_else(|| panic!("{operation} {status} is not described"));
    let kind = reply.header("content-type").unwrap().split(';').next().unwrap();
    let content = response["content"].get(kind);
    let content = content.unwrap_or_else(|| panic!("{operation} {status} {kind} is not described"));
    if kind.ends_with("json") && operation != "get /openapi.json" {
        assert_eq!(misfit(document, &content["schema"], &reply.json(), operation), None, "{}", reply.body);
    }
}

/// The path of the document that an address belongs to.
fn template(path: &str) -> String {
    let path = path.split('?').next().unwrap();
    let parts: Vec<_> = path.split('/').collect();
    match parts.as_slice() {
        [_, _, "account", "sessions", _, "end"] => "/user/account/sessions/{sid}/end".to_owned(),
        ["", "api", "v1", "sessions", sid] if *sid != "refresh" => "/api/v1/sessions/{sid}".to_owned(),
        _ => path.to_owned(),
    }
}

/// Somebody who holds every answer that they get against the document.
struct Reader {
    document: Value,
    held: BTreeSet<String>,
}

impl Reader {
    async fn of(site: &Site) -> Self {
        let document = site.browser().get("/openapi.json").await.expect(200).json();
        assert_eq!(document["openapi"], "3.1.0");
        Self { document, held: BTreeSet::new() }
    }

    async fn ask(&mut self, browser: &mut Browser, asked: &str, accept: &str, body: Option<Value>) -> Reply {
        let (method, path) = asked.split_once(' ').unwrap();
        let mut request = browser.request(Method::from_bytes(method.as_bytes()).unwrap(), path).header(ACCEPT, accept);
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let text = body.map(|body| body.to_string()).unwrap_or_default();
        let reply = browser.send(request.body(text).unwrap()).await;
        let operation = format!("{} {}", method.to_lowercase(), template(path));
        hold(&self.document, &operation, &reply);
        let kind = reply.header("content-type").unwrap().split(';').next().unwrap();
        self.held.insert(format!("{operation} {} {kind}", reply.status.as_str()));
        reply
    }

    async fn json(&mut self, browser: &mut Browser, asked: &str, body: Option<Value>) -> Reply {
        self.ask(browser, asked, "application/json", body).await
    }
}

async fn everybody_looks_and_logs_in(site: &Site, reader: &mut Reader) -> Browser {
    let pages =
        ["/user/info", "/user/login", "/user/register", "/user/logout", "/user/account", "/user/account/sessions"];
    let credentials = json!({ "username": "mina", "password": PASSWORD });
    let mut mina = site.browser();
    reader.json(&mut mina, "POST /user/register", Some(application("mina"))).await.expect(201);
    reader.json(&mut site.browser(), "POST /user/register", Some(application("mina"))).await.expect(409);
    reader.json(&mut site.browser(), "POST /user/register", Some(json!({}))).await.expect(422);
    reader.json(&mut site.browser(), "POST /user/check", Some(application("mina"))).await.expect(200);
    let tokens = reader.json(&mut site.browser(), "POST /api/v1/sessions", Some(credentials.clone())).await.expect(200);
    let tokens = tokens.json();
    let shown = json!({ "refreshToken": tokens["refreshToken"] });
    reader.json(&mut site.browser(), "POST /api/v1/sessions/refresh", Some(shown)).await.expect(200);
    let line = format!("Bearer {}", tokens["accessToken"].as_str().unwrap());
    let program = site.browser().with("authorization", &line);
    let bad = site.browser().with("authorization", "Bearer rubbish");
    let part = mina.clone().with("sec-fetch-dest", "image");
    let gone = {
        let mut browser = site.logged_in("mina").await;
        let copy = browser.clone();
        browser.log_out().await;
        copy
    };
    for visitor in [&mina, &site.browser(), &program, &bad, &part, &gone] {
        for path in pages {
            for accept in ["application/json", "text/html"] {
                reader.ask(&mut visitor.clone(), &format!("GET {path}"), accept, None).await;
            }
        }
        for path in ["/api/v1/me", "/api/v1/sessions"] {
            reader.ask(&mut visitor.clone(), &format!("GET {path}"), "*/*", None).await;
        }
        reader.json(&mut visitor.clone(), "POST /user/refresh", None).await;
    }
    for path in ["/", "/healthz", "/readyz", "/openapi.json", "/.well-known/jwks.json", "/.well-known/change-password"]
    {
        reader.ask(&mut site.browser(), &format!("GET {path}"), "*/*", None).await;
    }
    let (call, _) = site.app.core.doctor_calls.sign(site.app.core.now()).unwrap();
    for visitor in [site.browser(), site.browser().with("x-munjigi-doctor", &call)] {
        reader.json(&mut visitor.clone(), "GET /user/doctor", None).await;
    }
    let evil = mina.clone().with("origin", "https://evil.example");
    for path in ["/user/login", "/user/register", "/api/v1/sessions", "/api/v1/sessions/refresh"] {
        for body in [json!({}), json!([]), json!({ "username": "mina", "password": "wrong-one", "refreshToken": "x" })]
        {
            for visitor in [&site.browser(), &evil] {
                reader.json(&mut visitor.clone(), &format!("POST {path}"), Some(body.clone())).await;
            }
        }
    }
    mina
}

/// And one of them changes what they have.
async fn somebody_changes_their_account(site: &Site, reader: &mut Reader, mut mina: Browser) {
    let evil = mina.clone().with("origin", "https://evil.example");
    for path in ["/user/account/name", "/user/account/password"] {
        for visitor in [&mina, &site.browser(), &evil] {
            reader.json(&mut visitor.clone(), &format!("POST {path}"), Some(json!({}))).await;
            reader.json(&mut visitor.clone(), &format!("POST {path}"), Some(json!([]))).await;
        }
    }
    reader.json(&mut mina, "POST /user/account/name", Some(json!({ "name": "Minah" }))).await.expect(200);
    for asked in ["POST /user/account/sessions/nobody/end", "DELETE /api/v1/sessions/nobody"] {
        reader.json(&mut mina, asked, None).await.expect(404);
    }
    let mut other = site.logged_in("mina").await;
    let id = other.session_id().await;
    reader.json(&mut mina, &format!("POST /user/account/sessions/{id}/end"), None).await.expect(200);
    let id = site.logged_in("mina").await.session_id().await;
    reader.json(&mut mina, &format!("DELETE /api/v1/sessions/{id}"), None).await.expect(200);
    reader.json(&mut mina, "POST /user/account/sessions/end-others", None).await.expect(200);
    reader.json(&mut mina, "DELETE /api/v1/sessions", None).await.expect(200);
    let change =
        json!({ "currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD, "confirmPassword": OTHER_PASSWORD });
    reader.json(&mut mina, "POST /user/account/password", Some(change)).await.expect(200);
    let credentials = json!({ "username": "mina", "password": OTHER_PASSWORD });
    reader.json(&mut mina, "POST /user/login", Some(credentials)).await.expect(200);
    reader.json(&mut mina, "POST /user/logout", None).await.expect(200);
}

#[tokio::test]
async fn every_answer_is_as_it_is_described() {
    let site = Site::embedded().await;
    let mut reader = Reader::of(&site).await;
    let mina = everybody_looks_and_logs_in(&site, &mut reader).await;
    somebody_changes_their_account(&site, &mut reader, mina).await;
    site.database().execute_batch("ALTER TABLE users RENAME TO gone_users").unwrap();
    reader.ask(&mut site.browser(), "GET /readyz", "*/*", None).await.expect(503);
    // Every success for programs that is described was seen.
    for (path, item) in reader.document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                for kind in response["content"].as_object().into_iter().flat_map(|content| content.keys()) {
                    let success = status.starts_with('2') && kind.ends_with("json");
                    let seen = reader.held.contains(&format!("{method} {path} {status} {kind}"));
                    assert!(!success || seen, "{method} {path} {status} {kind} was never seen");
                }
            }
        }
    }
    assert!(reader.held.len() >= 90, "{}: {:#?}", reader.held.len(), reader.held);
}

/// The comparison itself.
#[test]
fn an_answer_that_is_not_as_described_is_noticed() {
    let schema = json!({
        "type": "object", "required": ["id", "reason"],
        "properties": { "id": { "type": "string" }, "reason": { "type": ["string", "null"] }, "all": { "type": "array", "items": { "$ref": "#/x" } } },
    });
    let document = json!({ "x": { "oneOf": [{ "type": "null" }, { "type": "boolean" }] } });
    let fits = |value: Value| misfit(&document, &schema, &value, "").is_none();
    assert!(
        fits(json!({ "id": "a", "reason": null })) && fits(json!({ "id": "a", "reason": "b", "all": [true, null] }))
    );
    for wrong in [
        json!({ "id": "a" }),
        json!({ "id": 1, "reason": null }),
        json!({ "id": "a", "reason": false }),
        json!({ "id": "a", "reason": null, "more": 1 }),
        json!({ "id": "a", "reason": null, "all": [1] }),
        json!([]),
    ] {
        assert!(!fits(wrong.clone()), "{wrong}");
    }
}

#[tokio::test]
async fn the_document_names_this_installations_paths_and_cookies_and_every_reference_leads_somewhere() {
    let settings = [("server.base_path", "/members"), ("server.public_url", "https://auth.example.com")];
    let site = Site::with(&settings).await;
    let reply = site.browser().get("/openapi.json").await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let document = reply.json();
    assert!(document["paths"]["/members/login"]["post"].is_object() && document["paths"]["/user/login"].is_null());
    assert_eq!(document["components"]["securitySchemes"]["cookie"]["name"], "__Host-accessToken");
    let named = reply.body.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    assert!(named.clone().count() > 40);
    for pointer in named {
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}
