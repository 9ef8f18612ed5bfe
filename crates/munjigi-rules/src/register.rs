//! Who may register, and with what.

use crate::name::{DisplayName, InvalidName};
use crate::password::{NewPassword, Policy, WeakPassword};
use crate::username::{InvalidUsername, Username};

/// Who may register (`accounts.registration`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Anybody.
    Open,
    /// Nobody but the operator, with the command line.
    Closed,
}

/// On whose behalf: the operator may give away reserved names, and needs no second typing of the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applicant {
    /// A visitor.
    Visitor,
    /// The operator.
    Operator,
}

/// What was typed. A field that was not sent is empty.
#[derive(Clone, Copy)]
pub struct Form<'a> {
    /// What they want to log in with.
    pub username: &'a str,
    /// The password.
    pub password: &'a str,
    /// The password once more.
    pub confirm_password: &'a str,
    /// What shall be shown.
    pub name: &'a str,
}

/// A registration that may go ahead, if the username is free.
#[derive(Debug)]
pub struct Registration {
    /// To log in with.
    pub username: Username,
    /// To be hashed.
    pub password: NewPassword,
    /// To show.
    pub name: DisplayName,
}

/// Everything that is wrong with a form, so that a visitor is told once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// Of the username.
    pub username: Option<UsernameProblem>,
    /// Of the password.
    pub password: Option<WeakPassword>,
    /// The two passwords differ.
    pub confirm_differs: bool,
    /// Of the name.
    pub name: Option<InvalidName>,
}

/// What is wrong with a username.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsernameProblem {
    /// Not a username.
    Invalid(InvalidUsername),
    /// Kept for the operator.
    Reserved,
}

/// Reads a username that somebody wants to have.
///
/// # Errors
/// [`UsernameProblem`] says why nobody may, or a visitor may not.
pub fn username(typed: &str, applicant: Applicant) -> Result<Username, UsernameProblem> {
    match Username::parse(typed) {
        Ok(name) if applicant == Applicant::Visitor && name.is_reserved() => Err(UsernameProblem::Reserved),
        Ok(name) => Ok(name),
        Err(why) => Err(UsernameProblem::Invalid(why)),
    }
}

/// Reads a registration. Whether the username is free only the store can say, at the moment it writes.
///
/// # Errors
/// [`Problems`] lists every field that is wrong.
pub fn decide(form: &Form<'_>, applicant: Applicant, policy: &Policy) -> Result<Registration, Problems> {
    let username = username(form.username, applicant);
    let password = policy.check(form.password, form.username);
    let name = DisplayName::parse(form.name);
    let confirm_differs = applicant == Applicant::Visitor && form.password != form.confirm_password;
    match (username, password, name) {
        (Ok(username), Ok(password), Ok(name)) if !confirm_differs => Ok(Registration { username, password, name }),
        (username, password, name) => {
            Err(Problems { username: username.err(), password: password.err(), confirm_differs, name: name.err() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy::new(8, 256, &[])
    }

    const GOOD: Form<'_> =
        Form { username: "mina", password: "blue kettle 9", confirm_password: "blue kettle 9", name: "김미나" };

    #[test]
    fn a_good_form_may_go_ahead() {
        let registration = decide(&GOOD, Applicant::Visitor, &policy()).unwrap();
        assert_eq!((registration.username.as_str(), registration.name.as_str()), ("mina", "김미나"));
    }

    #[test]
    fn a_visitor_is_told_everything_that_is_wrong_at_once() {
        let form = Form { username: "x", password: "short", confirm_password: "shorter", name: " " };
        assert_eq!(
            decide(&form, Applicant::Visitor, &policy()).unwrap_err(),
            Problems {
                username: Some(UsernameProblem::Invalid(InvalidUsername::Length)),
                password: Some(WeakPassword::TooShort { min: 8 }),
                confirm_differs: true,
                name: Some(InvalidName::Missing),
            }
        );
    }

    #[test]
    fn reserved_names_are_given_away_by_the_operator_only() {
        let form = Form { username: "Support", confirm_password: GOOD.password, ..GOOD };
        let problems = decide(&form, Applicant::Visitor, &policy()).unwrap_err();
        assert_eq!(problems.username, Some(UsernameProblem::Reserved));
        assert!(decide(&Form { confirm_password: "", ..form }, Applicant::Operator, &policy()).is_ok());
    }
}
