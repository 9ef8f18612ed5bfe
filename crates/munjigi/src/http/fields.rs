//! What is wrong with a field, as a message.

use munjigi_rules::name::{self, InvalidName};
use munjigi_rules::password::WeakPassword;
use munjigi_rules::register::{Problems, UsernameProblem};
use munjigi_rules::strength::{Advice, Strength};
use munjigi_rules::username::{self, InvalidUsername};

use super::error::Text;

/// A field and what is wrong with it.
pub type FieldError = (&'static str, Text);

/// Of a registration.
#[must_use]
pub fn registration(problems: &Problems) -> Vec<FieldError> {
    let differs = problems.confirm_differs.then(|| ("confirmPassword", passwords_differ()));
    let fields = [
        problems.username.map(|why| ("username", username(why))),
        problems.password.map(|why| ("password", password(why))),
        differs,
        problems.name.map(|why| ("name", display_name(why))),
    ];
    fields.into_iter().flatten().collect()
}

/// Of a username.
#[must_use]
pub fn username(why: UsernameProblem) -> Text {
    match why {
        UsernameProblem::Reserved => Text::new("field-username-reserved"),
        UsernameProblem::Invalid(InvalidUsername::Missing) => Text::new("field-required"),
        UsernameProblem::Invalid(InvalidUsername::Characters) => Text::new("field-username-characters"),
        UsernameProblem::Invalid(InvalidUsername::Length) => {
            Text::new("field-username-length").with("min", username::MIN).with("max", username::MAX)
        }
    }
}

/// Of a new password.
#[must_use]
pub fn password(why: WeakPassword) -> Text {
    match why {
        WeakPassword::Missing => Text::new("field-required"),
        WeakPassword::TooShort { min } => Text::new("field-password-short").with("min", min),
        WeakPassword::TooLong { max } => Text::new("field-password-long").with("max", max),
        WeakPassword::Common => Text::new("field-password-common"),
        WeakPassword::ContainsUsername => Text::new("field-password-contains-username"),
        WeakPassword::SiteName => Text::new("field-password-site-name"),
        WeakPassword::Breached => Text::new("field-password-breached"),
    }
}

/// Of a password that was to be typed twice.
#[must_use]
pub const fn passwords_differ() -> Text {
    Text::new("field-password-differs")
}

/// How strong a password is, and what would make it stronger.
#[must_use]
pub const fn strength(told: Strength) -> (Text, Option<Text>) {
    let label = match told.score {
        0 => "strength-refused",
        1 => "strength-weak",
        2 => "strength-fair",
        3 => "strength-good",
        _ => "strength-strong",
    };
    let advice = match told.advice {
        Advice::Refused | Advice::Nothing => None,
        Advice::Common => Some("strength-advice-common"),
        Advice::Digits => Some("strength-advice-digits"),
        Advice::Repeats => Some("strength-advice-repeats"),
        Advice::Rows => Some("strength-advice-rows"),
        Advice::Known => Some("strength-advice-known"),
        Advice::Longer => Some("strength-advice-longer"),
    };
    match advice {
        Some(advice) => (Text::new(label), Some(Text::new(advice))),
        None => (Text::new(label), None),
    }
}

/// Of a name.
#[must_use]
pub fn display_name(why: InvalidName) -> Text {
    match why {
        InvalidName::Missing => Text::new("field-required"),
        InvalidName::Length => Text::new("field-name-length").with("max", name::MAX),
        InvalidName::Characters => Text::new("field-name-characters"),
    }
}
