//! `GET, POST …/login`

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use munjigi_gate::{CookieOrder, Issued, Persistence, Presented, Visitor};
use munjigi_rules::register::Mode;
use munjigi_rules::return_to;
use munjigi_store::User;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::view::UserView;
use crate::app::App;
use crate::flows::Client;
use crate::flows::log_in::{self, Attempt, LogIn};
use crate::flows::open_session::Previous;
use crate::http::answer::Answer;
use crate::http::error::{Code, Problem, Text};
use crate::http::input::{Asked, Input, Keep, Ticked};
use crate::http::negotiate::Reader;

/// What may follow the address of the page.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Way {
    return_to: Option<String>,
    reason: Option<String>,
    /// In seconds: whoever logged in longer ago is asked all the same.
    max_age: Option<u64>,
}

/// What is typed.
#[derive(Deserialize, ToSchema)]
#[schema(as = LogIn)]
pub struct Typed {
    #[schema(value_type = String, required, min_length = 1)]
    username: Option<String>,
    /// What the tutorial's front end calls it.
    #[schema(ignore)]
    id: Option<String>,
    #[schema(value_type = String, format = Password, required, min_length = 1)]
    password: Option<Zeroizing<String>>,
    /// Whether the cookies outlive the browser.
    #[schema(value_type = bool)]
    #[serde(default)]
    remember: Ticked,
    #[serde(alias = "returnTo")]
    return_to: Option<String>,
    /// Not to be tried yet: the page is wanted in another language.
    #[schema(ignore)]
    #[serde(default)]
    keep: Keep,
}

/// Nobody is signed in, or somebody is whose log-in is older than was asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = LogInAsks)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asks {
    logged_in: bool,
    /// Why somebody who was signed in is no longer: `expired`, `ended` or `reused`.
    #[schema(required)]
    reason: Option<&'static str>,
}

/// Come in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Welcome<'a> {
    success: bool,
    user: UserView,
    /// Where to go on.
    return_to: &'a str,
}

/// The page, or for somebody who is signed in, straight on.
pub async fn ask(State(app): State<Arc<App>>, visitor: Visitor, Asked(way): Asked<Way>) -> Answer {
    let return_to = way.return_to.as_deref();
    if let Some(who) = visitor.identity() {
        let since = who.since_log_in(app.gate.parts().clock.now());
        if way.max_age.is_none_or(|max_age| since <= Duration::from_secs(max_age)) {
            return Answer::see_other(target(&app, return_to));
        }
        let page = page(&app, who.username(), Ticked(false), return_to).because(Some("again"));
        return Answer::json(Asks { logged_in: true, reason: None }).or_page("login", page);
    }
    let reason = visitor.reason().map(munjigi_gate::Reason::as_str).or(way.reason());
    let page = page(&app, "", Ticked(false), return_to).because(reason);
    Answer::json(Asks { logged_in: false, reason }).or_page("login", page)
}

impl Way {
    /// Why somebody is no longer signed in, if it is one of the reasons that there are.
    fn reason(&self) -> Option<&'static str> {
        ["expired", "ended", "reused"].into_iter().find(|known| self.reason.as_deref() == Some(known))
    }
}

/// Logs in.
pub async fn log_in(
    State(app): State<Arc<App>>,
    client: Client,
    (visitor, Extension(tokens)): (Visitor, Extension<Presented>),
    Extension(reader): Extension<Reader>,
    Asked(way): Asked<Way>,
    Input(typed): Input<Typed>,
) -> Result<Answer, Problem> {
    let username = typed.username.or(typed.id).unwrap_or_default();
    let password = typed.password.unwrap_or_default();
    let page = page(&app, &username, typed.remember, typed.return_to.as_deref());
    if typed.keep.is_asked(&app, &reader) {
        // It is the page that they could not read. Whoever still has cookies after it was shown is signed in.
        let signed_in = visitor.identity().is_some() || visitor.reason().is_some();
        let reason = if signed_in && way.max_age.is_some() { Some("again") } else { way.reason() };
        return Ok(Answer::json(Asks { logged_in: signed_in, reason }).or_page("login", page.because(reason)));
    }
    let again = |problem: Problem| problem.on("login", page);

    let persistence = if typed.remember.0 { Persistence::Remembered } else { Persistence::Browser };
    let previous = Previous::of(&app.core, &tokens).await;
    let attempt = Attempt { username: &username, password: &password, persistence, previous: &previous };
    let (user, issued) = come_in(&app, &attempt, &client).await.map_err(again)?;
    let target = target(&app, typed.return_to.as_deref());
    let answer = Welcome { success: true, user: UserView::from(&*user), return_to: &target };
    Ok(Answer::json(answer).or_go(target.clone()).cookies(CookieOrder::Set(issued)))
}

/// The log-in itself, the same for people and for programs.
pub(super) async fn come_in(
    app: &App,
    attempt: &Attempt<'_>,
    client: &Client,
) -> Result<(Box<User>, Box<Issued>), Problem> {
    let required = |field, value: &str| value.is_empty().then(|| (field, Text::new("field-required")));
    let missing = [required("username", attempt.username), required("password", attempt.password)];
    let missing: Vec<_> = missing.into_iter().flatten().collect();
    if !missing.is_empty() {
        return Err(Problem::validation(missing));
    }
    match log_in::log_in(&app.core, attempt, client).await? {
        LogIn::Welcome(user, issued) => Ok((user, issued)),
        LogIn::Refused => Err(Problem::new(Code::InvalidCredentials)),
        LogIn::Disabled => Err(Problem::new(Code::Forbidden).saying(Text::new("account-disabled"))),
        LogIn::TooMany(too_many) => Err(too_many.into()),
    }
}

/// Where to go on: as asked, if that is a place of ours or one that we trust.
pub(super) fn target(app: &App, asked: Option<&str>) -> String {
    asked.and_then(|asked| followed(app, asked)).unwrap_or_else(|| app.site.after_login.clone())
}

fn followed(app: &App, asked: &str) -> Option<String> {
    return_to::follow(asked, &app.site.log_in_page, &app.site.trusted_origins)
}

/// What goes along with a form and its links: nothing that would not be followed.
pub(super) fn carried<'a>(app: &App, return_to: Option<&'a str>) -> Option<&'a str> {
    return_to.filter(|asked| followed(app, asked).is_some())
}

/// What the page shows; `errors` and `problem` are filled in where the form comes back.
#[derive(Serialize)]
struct LogInPage<'a> {
    return_to: Option<&'a str>,
    reason: Option<&'static str>,
    registration_open: bool,
    fields: Value,
    errors: Value,
    problem: Value,
}

impl LogInPage<'_> {
    /// The same for somebody who is asked for a reason. Whoever is signed in needs no account.
    fn because(self, reason: Option<&'static str>) -> Self {
        Self { reason, registration_open: self.registration_open && reason != Some("again"), ..self }
    }
}

fn page<'a>(app: &App, username: &str, remember: Ticked, return_to: Option<&'a str>) -> LogInPage<'a> {
    LogInPage {
        return_to: carried(app, return_to),
        reason: None,
        registration_open: app.core.registration == Mode::Open,
        fields: json!({ "username": username, "remember": remember.0 }),
        errors: json!({}),
        problem: Value::Null,
    }
}
