//! `GET, POST …/register`

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use http::StatusCode;
use munjigi_gate::{CookieOrder, Persistence, Presented, Visitor};
use munjigi_rules::register::{self, Mode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::log_in::{carried, come_in, target};
use super::view::DoneTo;
use crate::app::App;
use crate::flows::Client;
use crate::flows::log_in::Attempt;
use crate::flows::open_session::Previous;
use crate::flows::register::{Registration, is_new, register as flow};
use crate::http::answer::Answer;
use crate::http::error::{Code, Problem, Text};
use crate::http::fields;
use crate::http::input::{Asked, Input, Keep};
use crate::http::negotiate::{Form, Reader};

/// Length that the pages advise: NIST SP 800-63B-4's figure where the password is the only factor.
pub(super) const ADVISED_LENGTH: usize = 15;

/// What may follow the address of the page.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Way {
    return_to: Option<String>,
}

/// What is typed.
#[derive(Deserialize, ToSchema)]
#[schema(as = Registration)]
pub struct Typed {
    #[schema(value_type = String, required, min_length = 4, max_length = 32, pattern = "^[A-Za-z0-9._-]+$")]
    username: Option<String>,
    /// What the tutorial's front end calls it.
    #[schema(ignore)]
    id: Option<String>,
    #[schema(value_type = String, format = Password, required, min_length = 1)]
    password: Option<Zeroizing<String>>,
    /// The same once more.
    #[schema(value_type = String, format = Password, required, min_length = 1)]
    #[serde(rename = "confirmPassword")]
    confirm_password: Option<Zeroizing<String>>,
    #[schema(value_type = String, required, min_length = 1, max_length = 64)]
    name: Option<String>,
    /// What the tutorial's front end calls it.
    #[schema(ignore)]
    #[serde(rename = "nickName")]
    nick_name: Option<String>,
    #[serde(alias = "returnTo")]
    return_to: Option<String>,
    /// Not to be tried yet: the page is wanted in another language.
    #[schema(ignore)]
    #[serde(default)]
    keep: Keep,
}

/// Whether anybody may register.
#[derive(Serialize, ToSchema)]
#[schema(as = RegistrationAsks)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asks {
    registration_open: bool,
}

/// The page, or for somebody who is signed in, straight on.
pub async fn ask(State(app): State<Arc<App>>, visitor: Visitor, Asked(way): Asked<Way>) -> Answer {
    let open = app.core.registration == Mode::Open;
    let answer = Answer::json(Asks { registration_open: open });
    match (visitor.identity(), open) {
        (Some(_), _) => Answer::see_other(target(&app, way.return_to.as_deref())),
        (None, true) => answer.or_page("register", page(&app, "", "", way.return_to.as_deref())),
        (None, false) => answer.or_page("closed", json!({})),
    }
}

/// Registers, and signs in.
pub async fn register(
    State(app): State<Arc<App>>,
    client: Client,
    Extension(reader): Extension<Reader>,
    Extension(tokens): Extension<Presented>,
    Input(typed): Input<Typed>,
) -> Result<Answer, Problem> {
    let username = typed.username.or(typed.id).unwrap_or_default();
    let name = typed.name.or(typed.nick_name).unwrap_or_default();
    let password = typed.password.unwrap_or_default();
    let confirm_password = typed.confirm_password.unwrap_or_default();
    let page = page(&app, &username, &name, typed.return_to.as_deref());
    if typed.keep.is_asked(&app, &reader) && app.core.registration == Mode::Open {
        return Ok(Answer::json(Asks { registration_open: true }).or_page("register", page));
    }
    let again = |problem: Problem| problem.on("register", &page);

    let form =
        register::Form { username: &username, password: &password, confirm_password: &confirm_password, name: &name };
    let previous = Previous::of(&app.core, &tokens).await;
    match flow(&app.core, &form, &client, &previous).await.map_err(|error| again(error.into()))? {
        Registration::Welcome(user, issued) => {
            let answer = Answer::json(DoneTo::user(&*user));
            let answer = answer.status(StatusCode::CREATED).or_go(target(&app, typed.return_to.as_deref()));
            Ok(answer.cookies(CookieOrder::Set(issued)))
        }
        Registration::Invalid(problems) => Err(again(Problem::validation(fields::registration(&problems)))),
        Registration::Taken => {
            // A form that was sent twice, or again because its answer was lost: whoever made the account has the right password, and
            // goes on as by a log-in, at its limits. A program is told what became of its request.
            if reader.form == Form::Page && is_new(&app.core, &username).await.map_err(|error| again(error.into()))? {
                let persistence = Persistence::Browser;
                let attempt = Attempt { username: &username, password: &password, persistence, previous: &previous };
                if let Ok((_, issued)) = come_in(&app, &attempt, &client).await {
                    let target = target(&app, typed.return_to.as_deref());
                    return Ok(Answer::see_other(target).cookies(CookieOrder::Set(issued)));
                }
            }
            Err(again(Problem::new(Code::UsernameTaken).field("username", "field-username-taken")))
        }
        Registration::Closed => {
            Err(Problem::new(Code::Forbidden).saying(Text::new("registration-closed")).on("closed", json!({})))
        }
        Registration::TooMany(too_many) => Err(again(too_many.into())),
    }
}

fn page(app: &App, username: &str, name: &str, return_to: Option<&str>) -> Value {
    json!({
        "return_to": carried(app, return_to),
        "fields": { "username": username, "name": name },
        "errors": {},
        "problem": null,
        "min_length": app.core.policy.min,
        "advised_length": ADVISED_LENGTH.max(app.core.policy.min),
    })
}
