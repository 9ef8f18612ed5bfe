//! A user changes their name or their password.

use munjigi_gate::{AccessClaims, Identity, Persistence};
use munjigi_rules::DisplayName;
use munjigi_rules::log_in::Password;
use munjigi_rules::name::InvalidName;
use munjigi_rules::password::WeakPassword;
use munjigi_store::User;

use super::end::{after_raise, raise};
use super::open_session::token_id;
use super::renew::good;
use super::{FlowError, TooMany, limits};
use crate::core::Core;

/// What became of a new name.
#[derive(Debug)]
pub enum Renaming {
    /// The new name, and an access token that says it.
    Renamed(Box<User>, String, Persistence),
    /// Not a name.
    Invalid(InvalidName),
    /// Too many changes.
    TooMany(TooMany),
    /// There is no such user any more.
    Gone,
}

/// Changes the shown name.
///
/// # Errors
/// The store cannot be reached.
pub async fn rename(core: &Core, who: &Identity, name: &str) -> Result<Renaming, FlowError> {
    let name = match DisplayName::parse(name) {
        Ok(name) => name,
        Err(why) => return Ok(Renaming::Invalid(why)),
    };
    if let Some(too_many) = limits::account_change(core, who.session_id()).take(core).await? {
        tracing::warn!(user = %who.user_id(), "account_limited");
        return Ok(Renaming::TooMany(too_many));
    }
    core.users.rename(who.user_id(), &name).await?;
    let standing = core.users.standing(who.user_id(), who.session_id()).await?;
    let Some((user, log_in, _)) = standing.and_then(good) else { return Ok(Renaming::Gone) };
    tracing::info!(user = %who.user_id(), "renamed");
    // The same token with another name: neither its expiry nor its epoch may move, or a stolen access token could be kept
    // alive for ever by renaming.
    let claims = AccessClaims { name: user.name.to_string(), jti: token_id(), ..AccessClaims::clone(&who.claims) };
    let token = core.keys.sign(&claims).map_err(FlowError::Broken)?;
    let persistence = if log_in.remembered { Persistence::Remembered } else { Persistence::Browser };
    Ok(Renaming::Renamed(Box::new(user), token, persistence))
}

/// What was typed to change a password.
pub struct Change<'a> {
    /// The present one.
    pub current: &'a str,
    /// The new one.
    pub new: &'a str,
    /// The new one once more.
    pub confirm: &'a str,
}

/// What became of a new password.
#[derive(Debug, PartialEq, Eq)]
pub enum Changing {
    /// It is the new one; every other session has ended.
    Changed,
    /// The present one was not typed.
    Missing,
    /// The present one is wrong.
    WrongCurrent,
    /// The new one may not be set.
    Weak(WeakPassword),
    /// The two new ones differ.
    Differs,
    /// Too many failures.
    TooMany(TooMany),
    /// There is no such user any more, or somebody else was faster.
    Gone,
}

/// Changes the password, and ends every session but the one at hand. Asked twice, it is done twice, and no failure: what was
/// sent again is not told that the present password is wrong, because it is the new one by now.
///
/// # Errors
/// A store cannot be reached, or too many passwords wait; the old password stands then, as far as is known.
pub async fn change_password(core: &Core, who: &Identity, change: &Change<'_>) -> Result<Changing, FlowError> {
    if let Some(outcome) = change_once(core, who, change).await? {
        return Ok(outcome);
    }
    // Another change was faster. If it was the same one, this is its second half.
    Ok(change_once(core, who, change).await?.unwrap_or(Changing::Gone))
}

/// `None`: the password changed in the meantime.
async fn change_once(core: &Core, who: &Identity, change: &Change<'_>) -> Result<Option<Changing>, FlowError> {
    let (user, session) = (who.user_id(), who.session_id());
    let Some(known) = core.users.credentials_by_id(user).await? else { return Ok(Some(Changing::Gone)) };
    if change.current.is_empty() {
        return Ok(Some(Changing::Missing));
    }
    if change.new != change.confirm {
        return Ok(Some(Changing::Differs));
    }
    let new = match core.policy.check(change.new, known.user.username.as_str()) {
        Ok(new) => new,
        Err(why) => return Ok(Some(Changing::Weak(why))),
    };
    if core.passwords.is_breached(&new).await? {
        return Ok(Some(Changing::Weak(WeakPassword::Breached)));
    }
    let counters = limits::password_change(core, session);
    if let Some(too_many) = counters.take(core).await? {
        tracing::warn!(%user, "password_change_limited");
        return Ok(Some(Changing::TooMany(too_many)));
    }
    let held = counters.hold(core);
    // Twice the guesses for one try, if somebody guesses: still few, and none that the policy would not let pass.
    let verify = |typed| core.passwords.verify(Some(known.hash.clone()), typed, vec![], held.begun());
    let verified = match verify(change.current).await {
        Ok(Password::Wrong) => verify(change.new).await,
        verified => verified,
    };
    match &verified {
        Ok(Password::Wrong) => held.failed(),
        _ => held.give_back().await,
    }
    if verified? == Password::Wrong {
        tracing::info!(%user, %session, "password_change_failed");
        return Ok(Some(Changing::WrongCurrent));
    }
    let hash = core.passwords.hash(new).await?;
    let raise = raise(core, user, Some(session)).await?;
    let Some(epoch) = core.users.set_password(raise, Some(&known.hash), &hash).await? else {
        return Ok(None);
    };
    after_raise(core, user, epoch, Some(session)).await;
    tracing::info!(%user, kept = %session, "password_changed");
    Ok(Some(Changing::Changed))
}
