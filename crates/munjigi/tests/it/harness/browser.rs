//! A visitor: a browser with its jar, or a program without one.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE};
use http::{HeaderMap, HeaderName, Method, Request};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{PASSWORD, Process, Reply};

/// How a visitor reaches the server.
#[derive(Clone)]
pub(crate) enum Door {
    Here(Router),
    There { client: reqwest::Client, url: String },
}

/// Keeps cookies as browsers do. A clone is a copy of the whole browser: a second tab at this moment, or a thief's; and a
/// request made on a clone that is then dropped is one whose answer was lost.
#[derive(Clone)]
pub(crate) struct Browser {
    door: Door,
    pub(crate) jar: BTreeMap<String, String>,
    headers: HeaderMap,
    peer: Option<SocketAddr>,
}

impl Browser {
    pub(crate) fn new(door: Door) -> Self {
        Self { door, jar: BTreeMap::new(), headers: HeaderMap::new(), peer: None }
    }

    /// The same browser, visiting this process.
    pub(crate) fn at(mut self, process: &Process) -> Self {
        self.door = process.door();
        self
    }

    /// With a header on every request.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        self
    }

    /// Coming from this address.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.peer = Some(SocketAddr::new(address.parse::<IpAddr>().unwrap(), 40_000));
        self
    }

    /// A program that shows this access token and has no cookies.
    pub(crate) fn as_bearer(&self) -> Self {
        let token = self.access();
        Self { jar: BTreeMap::new(), ..self.clone() }.with("authorization", &format!("Bearer {token}"))
    }

    /// The access token in the jar.
    #[track_caller]
    pub(crate) fn access(&self) -> String {
        self.jar.get("accessToken").expect("no access token in the jar").clone()
    }

    /// The refresh token in the jar.
    #[track_caller]
    pub(crate) fn refresh(&self) -> String {
        self.jar.get("refreshToken").expect("no refresh token in the jar").clone()
    }

    /// Whether the cookies of a session are there, either of them.
    pub(crate) fn has_tokens(&self) -> bool {
        ["accessToken", "refreshToken"].iter().any(|name| self.jar.keys().any(|key| key.ends_with(name)))
    }

    /// Without the cookie of that name.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.jar.remove(name);
        self
    }

    /// With this in the jar.
    pub(crate) fn holding(mut self, name: &str, value: impl Into<String>) -> Self {
        self.jar.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path).header(ACCEPT, "text/html").body(String::new()).unwrap()).await
    }

    pub(crate) async fn get_json(&mut self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path).header(ACCEPT, "application/json").body(String::new()).unwrap()).await
    }

    pub(crate) async fn post_json(&mut self, path: &str, body: Value) -> Reply {
        self.post(path, "application/json", body.to_string()).await
    }

    pub(crate) async fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.post(path, "application/x-www-form-urlencoded", serde_urlencoded::to_string(fields).unwrap()).await
    }

    pub(crate) async fn post(&mut self, path: &str, kind: &str, body: String) -> Reply {
        self.send(self.request(Method::POST, path).header(CONTENT_TYPE, kind).body(body).unwrap()).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(path)
    }

    /// Sends it with the headers and the jar of this browser, and keeps the cookies of the answer.
    pub(crate) async fn send(&mut self, mut request: Request<String>) -> Reply {
        for (name, value) in &self.headers {
            request.headers_mut().append(name, value.clone());
        }
        if !self.jar.is_empty() {
            let pairs: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.headers_mut().append(COOKIE, pairs.join("; ").parse().unwrap());
        }
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        let reply = self.door.send(request).await.expect("no answer");
        self.keep(&reply);
        reply
    }

    fn keep(&mut self, reply: &Reply) {
        for line in reply.cookies() {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.split(';').any(|attribute| attribute.trim() == "Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// What people do.
impl Browser {
    /// Registers; the name is the username with a capital letter.
    pub(crate) async fn register(&mut self, username: &str) -> Reply {
        self.post_json("/user/register", application(username)).await
    }

    pub(crate) async fn log_in(&mut self, username: &str) -> Reply {
        self.log_in_with(username, PASSWORD).await
    }

    pub(crate) async fn log_in_with(&mut self, username: &str, password: &str) -> Reply {
        self.post_json("/user/login", json!({ "username": username, "password": password })).await
    }

    pub(crate) async fn log_out(&mut self) -> Reply {
        self.post_json("/user/logout", json!({})).await
    }

    /// What `/user/info` says.
    pub(crate) async fn info(&mut self) -> Value {
        self.get_json("/user/info").await.expect(200).json()
    }

    pub(crate) async fn is_signed_in(&mut self) -> bool {
        self.info().await["loggedIn"] == true
    }

    /// Fails unless nobody is signed in, for this reason.
    #[track_caller]
    pub(crate) fn is_signed_out_because(&mut self, reason: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let info = self.info().await;
            assert_eq!((&info["loggedIn"], &info["reason"]), (&json!(false), &json!(reason)), "{caller}: {info}");
        }
    }

    /// The id of the session at hand.
    pub(crate) async fn session_id(&mut self) -> String {
        self.info().await["session"]["id"].as_str().expect("signed in").to_owned()
    }

    pub(crate) async fn change_password(&mut self, current: &str, new: &str) -> Reply {
        let body = json!({ "currentPassword": current, "newPassword": new, "confirmPassword": new });
        self.post_json("/user/account/password", body).await
    }
}

/// A registration that may go ahead.
pub(crate) fn application(username: &str) -> Value {
    let name = username[..1].to_uppercase() + &username[1..];
    json!({ "username": username, "password": PASSWORD, "confirmPassword": PASSWORD, "name": name })
}

impl Door {
    async fn send(&self, request: Request<String>) -> Result<Reply, reqwest::Error> {
        match self {
            Self::Here(router) => {
                let answer = router.clone().oneshot(request.map(Body::from)).await.unwrap();
                let (parts, body) = answer.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                let body = String::from_utf8_lossy(&body).into_owned();
                Ok(Reply { status: parts.status, headers: parts.headers, body })
            }
            Self::There { client, url } => {
                let (parts, body) = request.into_parts();
                let sent = client.request(parts.method, format!("{url}{}", parts.uri)).headers(parts.headers);
                let answer = sent.body(body).send().await?;
                let (status, headers) = (answer.status(), answer.headers().clone());
                Ok(Reply { status, headers, body: answer.text().await? })
            }
        }
    }
}
