//! `POST …/check`: what is wrong with what is being typed, by the rules and in the words of the forms themselves.
//!
//! No store is asked: whether a username is taken is said by a registration, which is counted, and not here, where a program
//! could ask for every name there is. For the same reason the list of breached passwords is left to the form: it is read from disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use munjigi_rules::DisplayName;
use munjigi_rules::register::{self, Applicant};
use munjigi_rules::strength::{self, Advice};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::app::App;
use crate::http::answer::Answer;
use crate::http::error::Text;
use crate::http::fields;
use crate::http::input::Json;
use crate::http::negotiate::Reader;

/// What has been typed so far; what is absent is not judged.
#[derive(Deserialize, ToSchema)]
#[schema(as = Typing)]
#[serde(rename_all = "camelCase")]
pub struct Typing {
    username: Option<String>,
    name: Option<String>,
    /// Of a registration.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Zeroizing<String>>,
    /// Of somebody who has one.
    #[schema(value_type = Option<String>, format = Password)]
    new_password: Option<Zeroizing<String>>,
    /// Either once more.
    #[schema(value_type = Option<String>, format = Password)]
    confirm_password: Option<Zeroizing<String>>,
}

/// What is to be said of it.
#[derive(Serialize, ToSchema)]
pub struct Checked {
    /// What is wrong with a member, by its name, in the reader's language.
    errors: BTreeMap<&'static str, String>,
    /// Of the password, if there is one.
    #[schema(required)]
    strength: Option<Strength>,
}

/// How strong a password is.
#[derive(Serialize, ToSchema)]
pub struct Strength {
    /// 0 (may not be set) to 4.
    #[schema(maximum = 4)]
    score: u8,
    /// A word or two, in the reader's language.
    label: String,
    /// What would make it stronger; empty if nothing would.
    advice: String,
}

/// Says what is wrong so far.
pub async fn check(
    State(app): State<Arc<App>>,
    Extension(reader): Extension<Reader>,
    Json(typing): Json<Typing>,
) -> Answer {
    let say = |text: Text| app.pages.messages().text(reader.lang, text.key, &text.values());
    let username = typing.username.as_deref().unwrap_or_default();
    let (field, password) = match (&typing.password, &typing.new_password) {
        (Some(password), _) => ("password", Some(password)),
        (None, new) => ("newPassword", new.as_ref()),
    };
    let policy = &app.core.policy;
    let weak = password.and_then(|password| policy.check(password, username).err());
    let wrong_name = typing.name.as_deref().and_then(|name| DisplayName::parse(name).err());
    let wrong_username = typing.username.as_deref().and_then(|name| register::username(name, Applicant::Visitor).err());
    let differs = password.zip(typing.confirm_password.as_ref()).is_some_and(|(one, other)| one != other);
    let errors = [
        wrong_username.map(|why| ("username", fields::username(why))),
        wrong_name.map(|why| ("name", fields::display_name(why))),
        weak.map(|why| (field, fields::password(why))),
        differs.then(|| ("confirmPassword", fields::passwords_differ())),
    ];
    let errors = errors.into_iter().flatten().map(|(field, text)| (field, say(text))).collect();
    let known = [username, typing.name.as_deref().unwrap_or_default(), app.site.name.as_str()];
    let estimate = password.map(|password| match weak {
        Some(_) => strength::Strength { score: 0, advice: Advice::Refused },
        None => strength::estimate(password, &known),
    });
    let strength = estimate.map(|told| {
        let (label, advice) = fields::strength(told);
        Strength { score: told.score, label: say(label), advice: advice.map(say).unwrap_or_default() }
    });
    Answer::json(Checked { errors, strength })
}
