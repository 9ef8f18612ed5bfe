//! `…/account`: a user's own page, name and password.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{FromRequest as _, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::Method;
use munjigi_gate::{CookieOrder, Identity, Presented, SignedIn, Via, Visitor};
use munjigi_rules::name;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::register::ADVISED_LENGTH;
use super::sessions::{self, SessionSeen};
use super::view::{Done, DoneTo, UserView, idle_expiry, known_again, known_now, rfc3339, saved};
use crate::app::App;
use crate::flows::account::{self, Change, Changing, Renaming};
use crate::http::answer::Answer;
use crate::http::error::{Code, Problem, Text};
use crate::http::fields;
use crate::http::input::{Asked, Input, Keep};
use crate::http::negotiate::{Form, Reader};

/// Lets signed-in users through; leads everybody else to log-in and back.
pub async fn only_signed_in(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let reason = match extensions.get::<Visitor>() {
        Some(Visitor::SignedIn(_)) => return next.run(request).await,
        Some(Visitor::Anonymous { reason }) => *reason,
        None => None,
    };
    let page = extensions.get::<Reader>().is_some_and(|reader| reader.form == Form::Page);
    if !page {
        return Problem::new(Code::LoginRequired).into_response();
    }
    tracing::info!(code = Code::LoginRequired.name(), "refused");
    let here = match *request.method() {
        Method::GET | Method::HEAD => request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
        _ => unsaved(&app, request).await,
    };
    let here = utf8_percent_encode(&here, NON_ALPHANUMERIC);
    let reason = reason.map(|reason| format!("&reason={}", reason.as_str())).unwrap_or_default();
    Answer::see_other(format!("{}/login?return_to={here}{reason}", app.site.base_path)).into_response()
}

/// After a form, the page it stood on; with what was typed, if that may stand in an address. Passwords may not.
async fn unsaved(app: &Arc<App>, request: Request) -> String {
    let page = format!("{}/account", app.site.base_path);
    let path = request.uri().path();
    if path == format!("{page}/password") {
        return format!("{page}?unsaved=password");
    }
    if path != format!("{page}/name") {
        return page;
    }
    let typed =
        Input::<NewName>::from_request(request, app).await.ok().and_then(|Input(typed)| typed.name.or(typed.nick_name));
    // What is longer is no name.
    let name = typed.filter(|name| !name.is_empty() && name.chars().count() <= name::MAX);
    name.map_or(page.clone(), |name| {
        format!("{page}?unsaved=name&name={}", utf8_percent_encode(&name, NON_ALPHANUMERIC))
    })
}

/// What may follow the address of the page.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Way {
    saved: Option<String>,
    /// Which form was sent when its session had ended.
    unsaved: Option<String>,
    /// What had been typed into it: it stands there again, and is not saved.
    name: Option<String>,
}

/// The user as they are today, and where they are signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub(super) struct AccountView<'a> {
    user: &'a UserView,
    sessions: &'a [SessionSeen],
}

/// The page: name, password, sessions.
pub async fn show(
    State(app): State<Arc<App>>,
    SignedIn(who): SignedIn,
    Extension(reader): Extension<Reader>,
    Asked(way): Asked<Way>,
) -> Result<Answer, Problem> {
    let known = ["name", "password", "session", "sessions"];
    let saved = known.into_iter().find(|known| way.saved.as_deref() == Some(known));
    let unsaved = ["name", "password"].into_iter().find(|known| way.unsaved.as_deref() == Some(known));
    let mut page = AccountPage { saved, unsaved, ..page(&app, &who, &reader).await? };
    if let (Some("name"), Some(name)) = (unsaved, way.name.filter(|name| name.chars().count() <= name::MAX)) {
        page.fields = json!({ "name": name });
    }
    Ok(Answer::json(AccountView { user: &page.user, sessions: &page.sessions }).or_page("account", page))
}

/// A new name.
#[derive(Deserialize, ToSchema)]
pub struct NewName {
    #[schema(value_type = String, required, min_length = 1, max_length = 64)]
    name: Option<String>,
    /// What the tutorial's front end calls it.
    #[schema(ignore)]
    #[serde(rename = "nickName")]
    nick_name: Option<String>,
    /// Not to be saved yet: the page is wanted in another language.
    #[schema(ignore)]
    #[serde(default)]
    keep: Keep,
}

/// Changes the name. The answer brings an access token that says the new one.
pub async fn rename(
    State(app): State<Arc<App>>,
    SignedIn(who): SignedIn,
    Extension(reader): Extension<Reader>,
    Extension(tokens): Extension<Presented>,
    Input(typed): Input<NewName>,
) -> Result<Answer, Problem> {
    let name = typed.name.or(typed.nick_name).unwrap_or_default();
    let page =
        async || Ok::<_, Problem>(AccountPage { fields: json!({ "name": name }), ..page(&app, &who, &reader).await? });
    if typed.keep.is_asked(&app, &reader) {
        let page = page().await?;
        return Ok(Answer::json(AccountView { user: &page.user, sessions: &page.sessions }).or_page("account", page));
    }
    let problem = match account::rename(&app.core, &who, &name).await? {
        Renaming::Renamed(user, token, persistence) => {
            let answer = Answer::json(DoneTo::user(&*user));
            let answer = answer.or_go(saved(&app, "name"));
            let expires = idle_expiry(&app, &who, &tokens);
            let order = CookieOrder::SetAccess { token, persistence, expires };
            return Ok(if who.via == Via::Cookie { answer.cookies(order) } else { answer });
        }
        Renaming::Invalid(why) => Problem::validation(vec![("name", fields::display_name(why))]),
        Renaming::TooMany(too_many) => too_many.into(),
        Renaming::Gone => return Err(Problem::new(Code::SessionEnded)),
    };
    Err(problem.on("account", page().await?))
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewPassword {
    #[schema(value_type = String, format = Password, required, min_length = 1)]
    current_password: Option<Zeroizing<String>>,
    #[schema(value_type = String, format = Password, required, min_length = 1)]
    new_password: Option<Zeroizing<String>>,
    /// The same once more.
    #[schema(value_type = String, format = Password, required, min_length = 1)]
    confirm_password: Option<Zeroizing<String>>,
}

/// Changes the password; every other session ends.
pub async fn change_password(
    State(app): State<Arc<App>>,
    SignedIn(who): SignedIn,
    Extension(reader): Extension<Reader>,
    Extension(tokens): Extension<Presented>,
    Input(typed): Input<NewPassword>,
) -> Result<Answer, Problem> {
    let current = typed.current_password.unwrap_or_default();
    let (new, confirm) = (typed.new_password.unwrap_or_default(), typed.confirm_password.unwrap_or_default());
    let change = Change { current: &current, new: &new, confirm: &confirm };
    let device = known_now(&app, &who, &tokens).await?;
    let problem = match account::change_password(&app.core, &who, &change).await? {
        Changing::Changed => {
            let answer = Answer::json(Done::new()).or_go(saved(&app, "password"));
            return Ok(known_again(&app, &who, device, answer).await);
        }
        Changing::Missing => Problem::validation(vec![("currentPassword", Text::new("field-required"))]),
        Changing::WrongCurrent => Problem::validation(vec![("currentPassword", Text::new("field-password-wrong"))]),
        Changing::Weak(why) => Problem::validation(vec![("newPassword", fields::password(why))]),
        Changing::Differs => Problem::validation(vec![("confirmPassword", fields::passwords_differ())]),
        Changing::TooMany(too_many) => too_many.into(),
        Changing::Gone => return Err(Problem::new(Code::SessionEnded)),
    };
    Err(problem.on("account", page(&app, &who, &reader).await?))
}

/// What the page shows; `errors` and `problem` are filled in where a form comes back.
#[derive(Serialize)]
struct AccountPage {
    user: UserView,
    now: String,
    sessions: Vec<SessionSeen>,
    saved: Option<&'static str>,
    unsaved: Option<&'static str>,
    fields: Value,
    errors: Value,
    problem: Value,
    min_length: usize,
    advised_length: usize,
}

async fn page(app: &App, who: &Identity, reader: &Reader) -> Result<AccountPage, Problem> {
    // The name as it is today, which may be newer than the token's.
    let user = app.core.users.find(who.user_id()).await.map_err(crate::flows::FlowError::from)?;
    let user = user.ok_or_else(|| Problem::new(Code::SessionEnded))?;
    Ok(AccountPage {
        now: rfc3339(app.core.now()),
        sessions: sessions::views(app, who, reader.lang).await?,
        saved: None,
        unsaved: None,
        fields: json!({ "name": user.name.as_str() }),
        errors: json!({}),
        problem: Value::Null,
        min_length: app.core.policy.min,
        advised_length: ADVISED_LENGTH.max(app.core.policy.min),
        user: UserView::from(&user),
    })
}
