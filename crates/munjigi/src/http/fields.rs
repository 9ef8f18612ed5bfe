//! What is wrong with a field, as a message.

use munjigi_rules::name::{self, InvalidName};
use munjigi_rules::password::WeakPassword;
use munjigi_rules::register::{Problems, UsernameProblem};
use munjigi_rules::username::{self, InvalidUsername};

use super::error::Text;

/// A field and what is wrong with it.
pub type FieldError = (&'static str, Text);

/// Of a registration.
#[must_use]
pub fn registration(problems: &Problems) -> Vec<FieldError> {
    let differs = problems.confirm_differs.then(|| ("confirmPassword", Text::new("field-password-differs")));
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

/// Of a name.
#[must_use]
pub fn display_name(why: InvalidName) -> Text {
    match why {
        InvalidName::Missing => Text::new("field-required"),
        InvalidName::Length => Text::new("field-name-length").with("max", name::MAX),
        InvalidName::Characters => Text::new("field-name-characters"),
    }
}
