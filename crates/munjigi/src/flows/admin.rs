//! What the operator does, with the command line, beside a running server.

use munjigi_rules::password::WeakPassword;
use munjigi_rules::register::{Applicant, Form, Problems, decide};
use munjigi_rules::{SessionId, UserId, Username};
use munjigi_store::{Credentials, StoredHash, User};

use super::FlowError;
use super::end::{after_raise, end_session, raise, ring};
use super::register::{breached, make};
use crate::core::Core;
use crate::passwords::Scheme;

/// What became of an account that the operator makes.
#[derive(Debug)]
pub enum Added {
    /// It exists.
    Added(Box<User>),
    /// Something about it is wrong.
    Invalid(Problems),
    /// Somebody has, or once had, that username.
    Taken,
}

/// Makes an account. Reserved usernames are the operator's to give away.
///
/// # Errors
/// The store cannot be reached.
pub async fn add(core: &Core, username: &str, name: &str, password: &str) -> Result<Added, FlowError> {
    let form = Form { username, password, confirm_password: password, name };
    let registration = match decide(&form, Applicant::Operator, &core.policy) {
        Ok(registration) => registration,
        Err(problems) => return Ok(Added::Invalid(problems)),
    };
    if core.passwords.is_breached(&registration.password).await? {
        return Ok(Added::Invalid(breached()));
    }
    Ok(make(core, registration).await?.map_or(Added::Taken, |user| Added::Added(Box::new(user))))
}

/// The user of that username.
///
/// # Errors
/// The store cannot be reached.
pub async fn find(core: &Core, username: &str) -> Result<Option<Credentials>, FlowError> {
    match Username::parse(username) {
        Ok(username) => Ok(core.users.credentials(&username).await?),
        Err(_) => Ok(None),
    }
}

/// Disables the account: nobody logs in, and every session ends within a second.
///
/// # Errors
/// The store cannot be reached.
pub async fn disable(core: &Core, user: UserId) -> Result<(), FlowError> {
    if let Some(epoch) = core.users.disable(raise(core, user, None).await?).await? {
        after_raise(core, user, epoch, None).await;
    }
    tracing::info!(%user, "user_disabled");
    Ok(())
}

/// Enables the account again.
///
/// # Errors
/// The store cannot be reached.
pub async fn enable(core: &Core, user: UserId) -> Result<(), FlowError> {
    core.users.enable(user).await?;
    tracing::info!(%user, "user_enabled");
    Ok(())
}

/// Removes the account: every session ends within a second, and the username stays taken.
///
/// # Errors
/// The store cannot be reached.
pub async fn delete(core: &Core, user: UserId) -> Result<(), FlowError> {
    if let Some(epoch) = core.users.delete(raise(core, user, None).await?).await? {
        after_raise(core, user, epoch, None).await;
    }
    tracing::info!(%user, "user_deleted");
    Ok(())
}

/// What the operator sets for a password.
pub enum NewSecret<'a> {
    /// A password, held to the policy.
    Password(&'a str),
    /// The hash that another system kept, to be verified as it is and replaced at the next log-in.
    Hash(&'a str),
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub enum SetPassword {
    /// It is set, and every session has ended.
    Done,
    /// It may not be set.
    Weak(WeakPassword),
    /// Not a hash that we verify.
    UnknownHash,
}

/// Sets a password and ends every session of the user.
///
/// # Errors
/// The store cannot be reached.
pub async fn set_password(core: &Core, user: &User, new: NewSecret<'_>) -> Result<SetPassword, FlowError> {
    let hash = match new {
        NewSecret::Password(password) => match core.policy.check(password, user.username.as_str()) {
            Ok(password) if core.passwords.is_breached(&password).await? => {
                return Ok(SetPassword::Weak(WeakPassword::Breached));
            }
            Ok(password) => core.passwords.hash(password).await?,
            Err(why) => return Ok(SetPassword::Weak(why)),
        },
        NewSecret::Hash(text) => match Scheme::detect(text) {
            Some(scheme) => StoredHash { scheme: scheme.to_string(), text: text.to_owned() },
            None => return Ok(SetPassword::UnknownHash),
        },
    };
    if let Some(epoch) = core.users.set_password(raise(core, user.id, None).await?, None, &hash).await? {
        after_raise(core, user.id, epoch, None).await;
    }
    tracing::info!(user = %user.id, "password_set");
    Ok(SetPassword::Done)
}

/// Ends every session of the user.
///
/// # Errors
/// The store cannot be reached.
pub async fn end_sessions(core: &Core, user: UserId) -> Result<(), FlowError> {
    if let Some(epoch) = core.users.end_sessions(raise(core, user, None).await?).await? {
        after_raise(core, user, epoch, None).await;
    }
    tracing::info!(%user, "sessions_ended");
    Ok(())
}

/// Ends one session, whoever's it is, and says whose. `None`: no such session is known, or it had ended before.
///
/// # Errors
/// The store cannot be reached.
pub async fn end_one(core: &Core, session: SessionId) -> Result<Option<UserId>, FlowError> {
    let Some(log_in) = core.users.log_in(session).await? else { return Ok(None) };
    end_session(core, log_in.user, session).await?;
    tracing::info!(user = %log_in.user, %session, "session_ended");
    Ok(Some(log_in.user))
}

/// Ends every session of everybody. Returns how many users had one.
///
/// # Errors
/// The store cannot be reached.
pub async fn end_everything(core: &Core) -> Result<u64, FlowError> {
    let now = core.now();
    let users = core.users.end_all_sessions(now, core.feed_until(now).await?).await?;
    ring(core).await;
    tracing::info!(users, "all_sessions_ended");
    Ok(users)
}
