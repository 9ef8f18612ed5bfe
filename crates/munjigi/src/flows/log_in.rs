//! A visitor logs in.

use munjigi_gate::{Issued, Persistence};
use munjigi_rules::log_in::{Account, Decision, decide};
use munjigi_rules::{Username, password};
use munjigi_store::{Credentials, User};

use super::open_session::{Previous, open_session, refuse_if_clock_is_off};
use super::{Client, FlowError, TooMany, known_browser, limits};
use crate::core::Core;
use crate::passwords::Begun;

/// What a visitor typed, and what their browser had.
pub struct Attempt<'a> {
    /// What they typed for a username.
    pub username: &'a str,
    /// The password.
    pub password: &'a str,
    /// Whether to stay signed in.
    pub persistence: Persistence,
    /// What the browser had.
    pub previous: &'a Previous,
}

/// What became of a log-in.
#[derive(Debug)]
pub enum LogIn {
    /// Come in.
    Welcome(Box<User>, Box<Issued>),
    /// Unknown user or wrong password; nobody is told which.
    Refused,
    /// The password is right, but the account is disabled.
    Disabled,
    /// Too many failures.
    TooMany(TooMany),
}

/// Logs in.
///
/// # Errors
/// A store cannot be reached, or too many passwords wait: nothing was decided about the password then.
pub async fn log_in(core: &Core, attempt: &Attempt<'_>, client: &Client) -> Result<LogIn, FlowError> {
    let outcome = attempted(core, attempt, client).await;
    core.metrics.log_ins.note(&outcome);
    outcome
}

async fn attempted(core: &Core, attempt: &Attempt<'_>, client: &Client) -> Result<LogIn, FlowError> {
    refuse_if_clock_is_off(core)?;
    // First, so that under a flood a refusal costs nothing: no try is taken, and none has to be given back.
    core.passwords.room()?;
    let account = core.account_names.of(attempt.username);
    let device = known_browser::known(core, attempt.previous.device.as_ref(), attempt.username).await?;
    let counters = limits::log_in(core, &account, client, device);
    if let Some(too_many) = counters.take(core).await? {
        tracing::warn!(from = %client, "log_in_limited");
        return Ok(LogIn::TooMany(too_many));
    }
    // Counted first and given back, so that guesses made at once are all counted; what was no failure does not stay counted.
    let held = counters.hold(core);
    let tried = verify(core, attempt, held.begun()).await;
    match &tried {
        Ok((Decision::Refused, _)) => held.failed(),
        _ => held.give_back().await,
    }
    match tried? {
        (Decision::Welcome, Some(known)) => welcome(core, known, attempt, client).await,
        (Decision::Disabled, Some(known)) => {
            tracing::info!(user = %known.user.id, from = %client, "log_in_disabled");
            Ok(LogIn::Disabled)
        }
        (_, known) => {
            let user = known.map(|known| known.user.id.to_string());
            tracing::info!(user, from = %client, "log_in_failed");
            Ok(LogIn::Refused)
        }
    }
}

/// Looks the user up and verifies the password, at the same cost whoever it is.
async fn verify(
    core: &Core,
    attempt: &Attempt<'_>,
    begun: &Begun,
) -> Result<(Decision, Option<Credentials>), FlowError> {
    let known = find(core, attempt.username).await?;
    let account = known
        .as_ref()
        .map_or(Account::Unknown, |known| if known.user.enabled { Account::Enabled } else { Account::Disabled });
    let present = core.users.schemes().await?;
    let kept = known.as_ref().map(|known| known.hash.clone());
    let verified = core.passwords.verify(kept, attempt.password, present, begun).await?;
    Ok((decide(account, verified), known))
}

/// What can be no username belongs to nobody.
async fn find(core: &Core, username: &str) -> Result<Option<Credentials>, FlowError> {
    match Username::parse(username) {
        Ok(username) => Ok(core.users.credentials(&username).await?),
        Err(_) => Ok(None),
    }
}

async fn welcome(core: &Core, known: Credentials, attempt: &Attempt<'_>, client: &Client) -> Result<LogIn, FlowError> {
    let mut issued = open_session(core, &known.user, client, attempt.persistence).await?;
    issued.device = Some(known_browser::know(core, attempt.previous.device.as_ref(), &known.user)?);
    rehash(core, &known, attempt.password).await;
    attempt.previous.end(core).await?;
    let (user, session) = (known.user.id, issued.claims.sid);
    tracing::info!(%user, %session, from = %client, "logged_in");
    Ok(LogIn::Welcome(Box::new(known.user), Box::new(issued)))
}

/// Replaces a hash of another scheme by one of ours. A log-in does not fail because of it: the next one tries again.
async fn rehash(core: &Core, known: &Credentials, typed: &str) {
    if !core.passwords.is_outdated(&known.hash) {
        return;
    }
    let user = known.user.id;
    let outcome: Result<bool, FlowError> = async {
        let new = core.passwords.hash(password::known(typed)).await?;
        Ok(core.users.rehash(user, &known.hash, &new).await?)
    }
    .await;
    match outcome {
        Ok(replaced) => tracing::info!(%user, scheme = known.hash.scheme, replaced, "rehashed"),
        Err(error) => tracing::warn!(%user, error = crate::telemetry::chain(&error), "rehash_failed"),
    }
}
