//! Mass assignment (CWE-915): members that nobody asked for have no effect, at every route that writes. What a request does
//! with them is compared with what the same request does without.

use http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use super::table::{Route, unsafe_routes};
use super::{rows, tell};
use crate::harness::{Browser, OTHER_PASSWORD, PASSWORD, Site, claims_of};

/// What somebody might try to set. `OTHER` stands for another user's id, `SID` for another user's session.
const EXTRAS: &str = r#"{
    "admin": true, "isAdmin": true, "is_admin": true, "superuser": true, "verified": true, "emailVerified": true,
    "email_verified": true, "approved": true, "role": "admin", "roles": ["admin"], "groups": ["admin"],
    "permissions": {"all": true}, "scope": "admin", "enabled": false, "disabled": false, "epoch": 4000000000,
    "sep": 4000000000, "kept_session": "SID", "keptSession": "SID", "amr": ["pwd", "otp", "hwk"],
    "acr": "urn:highest", "auth_time": 4000000000, "exp": 4000000000, "iss": "https://evil.example",
    "aud": "https://evil.example", "sub": "OTHER", "user_id": "OTHER", "userId": "OTHER", "uid": "OTHER",
    "sid": "SID", "session": "SID", "sessionId": "SID",
    "user": {"id": "OTHER", "username": "victim", "role": "admin", "enabled": false},
    "users": [{"id": "OTHER", "name": "Gone"}], "created_at": "1999-01-01T00:00:00Z",
    "createdAt": "1999-01-01T00:00:00Z", "at": 1, "until": 18446744073709551615, "address": "192.0.2.1",
    "user_agent": "planted", "userAgent": "planted",
    "hash": "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAA", "hash_scheme": "plain", "passwordHash": "x",
    "password_hash": "x", "remembered": true, "persistence": "Remembered", "max_age": 18446744073709551615,
    "email": "x@evil.example", "keep": true, "success": true, "loggedIn": true, "reason": "expired",
    "return": "//evil.example", "next": "//evil.example", "redirect": "//evil.example",
    "location": "//evil.example", "_method": "DELETE", "__proto__": {"admin": true, "enabled": false},
    "constructor": {"prototype": {"admin": true}}, "prototype": {"admin": true}, "__class__": "Admin",
    "@type": "Admin", "$where": "1==1", "$set": {"enabled": false}, "username.": "victim",
    "username[]": "victim", "user[username]": "victim", "user.username": "victim", "Username": "victim",
    "USERNAME": "victim", "user name": "victim", "username\u0000": "victim", "Name": "Gone",
    "password[$ne]": "x", "current_password": "x", "new_password": "x", "": "empty"
}"#;

fn extras() -> Vec<(String, Value)> {
    let extras: Map<String, Value> = serde_json::from_str(EXTRAS).unwrap();
    extras.into_iter().collect()
}

/// What the route needs to do its work for `user`, who has the number of the turn in the name.
fn needed(route: &Route, user: &str) -> Map<String, Value> {
    let path = route.path.as_str();
    let members = if path.ends_with("/register") {
        json!({ "username": format!("{user}.new"), "password": PASSWORD, "confirmPassword": PASSWORD, "name": "Somebody" })
    } else if path.ends_with("/login") || (path == "/api/v1/sessions" && route.method == http::Method::POST) {
        json!({ "username": user, "password": PASSWORD })
    } else if path.ends_with("/name") {
        json!({ "name": "Somebody" })
    } else if path.ends_with("/password") {
        json!({ "currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD, "confirmPassword": OTHER_PASSWORD })
    } else {
        json!({})
    };
    members.as_object().unwrap().clone()
}

fn form(members: &Map<String, Value>) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs: Vec<(&String, String)> = members.iter().map(|(name, value)| (name, text(value))).collect();
    serde_urlencoded::to_string(pairs).unwrap()
}

/// A site with somebody whose id and session others try to name.
struct Stage {
    site: Site,
    other: String,
    sid: String,
    turn: usize,
}

impl Stage {
    async fn new() -> Self {
        let site = Site::with(&[("limits.enabled", "false")]).await;
        let mut victim = site.registered("victim").await;
        let info = victim.info().await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self { other: text(&info["user"]["id"]), sid: text(&info["session"]["id"]), site, turn: 0 }
    }

    fn meant(&self, value: &Value) -> Value {
        let text = value.to_string().replace("OTHER", &self.other).replace("SID", &self.sid);
        serde_json::from_str(&text).unwrap()
    }

    /// Everything that came of it, without what differs from turn to turn by itself.
    async fn outcome(&mut self, route: &Route, kind: &str, extras: &[(String, Value)]) -> String {
        let path = route.path.as_str();
        self.turn += 1;
        let user = format!("user{:06}", self.turn);
        let mut browser = self.site.registered(&user).await;
        let before = browser.info().await;
        let mut members = needed(route, &user);
        if path == "/api/v1/sessions/refresh" {
            members.insert("refreshToken".to_owned(), json!(browser.refresh()));
        }
        members.extend(extras.iter().map(|(name, value)| (name.clone(), self.meant(value))));
        let body = if kind == "application/json" { Value::Object(members).to_string() } else { form(&members) };
        let request =
            browser.request(route.method.clone(), path).header(CONTENT_TYPE, kind).header("accept", "application/json");
        let reply = browser.send(request.body(body).unwrap()).await;
        assert!(reply.status.is_success() || reply.status == 303, "{path} {extras:?}: {} {}", reply.status, reply.body);
        let database = self.site.database();
        let query = |table: &str, columns: &str| {
            rows(&database, &format!("SELECT {columns} FROM {table} WHERE username_folded LIKE '{user}%' ORDER BY 1"))
        };
        let log_ins =
            "log_ins JOIN users ON users.id = log_ins.user LEFT JOIN sessions ON sessions.session = log_ins.session";
        let text = format!(
            "{} {:?}\n{}\n{:?}\n{:?}\n{:?}\n{:?}",
            reply.status,
            reply.headers.get("location"),
            shape(&reply.json()),
            query(
                "users",
                "username, name, hash_scheme, length(hash), enabled, epoch, kept_session IS NULL, created_at"
            ),
            query(
                log_ins,
                "username, user_agent, address, remembered, at, log_ins.until, gen, sessions.until, sessions.epoch"
            ),
            said(&browser),
            reply.cookie_attributes(),
        );
        let ids = [before["user"]["id"].as_str().unwrap(), before["session"]["id"].as_str().unwrap()];
        ids.iter().fold(text.replace(&user, "USER").replace(&user.replacen('u', "U", 1), "User"), |text, id| {
            text.replace(id, "ID")
        })
    }

    /// The row and the log-ins of the victim.
    fn victim(&self) -> Vec<String> {
        let database = self.site.database();
        let mut found = rows(&database, "SELECT * FROM users WHERE username = 'victim'");
        found.extend(rows(
            &database,
            "SELECT log_ins.* FROM log_ins JOIN users ON users.id = user WHERE username = 'victim'",
        ));
        found.extend(rows(
            &database,
            "SELECT sessions.* FROM sessions JOIN users ON users.id = user WHERE username = 'victim'",
        ));
        found
    }
}

/// What differs each time.
fn drawn(name: &str) -> bool {
    ["id", "accessToken", "refreshToken"].contains(&name)
}

/// A JSON answer with every id and token as `ID`.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), if drawn(name) { json!("ID") } else { shape(value) }))
            .collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        other => other.clone(),
    }
}

/// What the tokens say, but for what is drawn for each.
fn said(browser: &Browser) -> Vec<Value> {
    let tokens = ["accessToken", "refreshToken"].iter().filter_map(|name| browser.jar.get(*name));
    let plain = |token: &String| {
        let mut claims = claims_of(token);
        for drawn in ["jti", "sid", "sub", "nonce", "parent"] {
            if let Some(claim) = claims.get_mut(drawn) {
                *claim = json!(claim.as_str().map(str::len));
            }
        }
        claims
    };
    tokens.map(plain).collect()
}

#[tokio::test]
async fn members_that_nobody_asked_for_have_no_effect() {
    let mut stage = Stage::new().await;
    let before = stage.victim();
    let (json, urlencoded) = ("application/json", "application/x-www-form-urlencoded");
    let mut tried = 0;
    for route in unsafe_routes() {
        let path = route.path.as_str();
        let usual = stage.outcome(&route, json, &[]).await;
        // One by one where a body is read; where none is, all at once will do.
        for extra in extras().into_iter().filter(|_| !needed(&route, "").is_empty()) {
            let what = format!("{path} {extra:?}");
            assert_eq!(stage.outcome(&route, json, &[extra]).await, usual, "{what}");
            tried += 1;
        }
        assert_eq!(stage.outcome(&route, json, &extras()).await, usual, "{path} with all of them");
        if !path.starts_with("/api/") && !path.ends_with("/check") {
            let usual_form = stage.outcome(&route, urlencoded, &[]).await;
            assert_eq!(stage.outcome(&route, urlencoded, &extras()).await, usual_form, "{path} with all of them");
        }
        let nested = [
            ("data".to_owned(), Value::Object(needed(&route, "victim"))),
            ("attributes".to_owned(), json!([{ "name": "Gone" }])),
        ];
        assert_eq!(stage.outcome(&route, json, &nested).await, usual, "{path} nested");
        assert_eq!(stage.victim(), before, "{path} did something to somebody else");
        tried += 3;
    }
    assert!(tried >= 250, "{tried}");
    tell(&format!("mass assignment: {tried} tried, 0 had an effect"));
}

/// The comparison itself: what does have an effect is seen.
#[tokio::test]
async fn this_comparison_sees_what_has_an_effect() {
    let mut stage = Stage::new().await;
    for (path, extra) in [
        ("/user/login", ("remember", json!(true))),
        ("/user/login", ("return_to", json!("/app"))),
        ("/user/register", ("name", json!("Another"))),
        ("/user/account/name", ("name", json!("Another"))),
    ] {
        let route = unsafe_routes().into_iter().find(|route| route.path == path).unwrap();
        let usual = stage.outcome(&route, "application/json", &[]).await;
        let extra = (extra.0.to_owned(), extra.1);
        assert_ne!(stage.outcome(&route, "application/json", &[extra]).await, usual, "{path}");
        assert_eq!(stage.outcome(&route, "application/json", &[]).await, usual, "{path}");
    }
}
