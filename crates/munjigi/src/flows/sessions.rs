//! A user looks at their sessions and ends some.

use std::collections::HashMap;

use munjigi_gate::Identity;
use munjigi_rules::{SessionId, Timestamp, UserId};
use munjigi_store::LogIn;

use super::end::{after_raise, end_session, raise};
use super::{FlowError, TooMany, limits};
use crate::core::Core;

/// A session, as its user sees it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its log-in.
    pub log_in: LogIn,
    /// When it was last renewed; at first, the log-in.
    pub last_used: Timestamp,
}

/// The live sessions of a user, the one used last first.
///
/// # Errors
/// A store cannot be reached.
pub async fn list(core: &Core, user: UserId) -> Result<Vec<Seen>, FlowError> {
    let now = core.now();
    let live: HashMap<_, _> =
        core.sessions.list(user, now).await?.into_iter().map(|live| (live.session, live.record)).collect();
    let log_ins = core.users.log_ins(user, now).await?;
    let seen = log_ins.into_iter().filter_map(|log_in| {
        let last_used = live.get(&log_in.session)?.rotated_at;
        Some(Seen { log_in, last_used })
    });
    let mut seen: Vec<_> = seen.collect();
    seen.sort_by_key(|seen| std::cmp::Reverse(seen.last_used));
    Ok(seen)
}

/// What became of an end that somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is done.
    Ended,
    /// They have no such session.
    NotTheirs,
    /// Too many changes.
    TooMany(TooMany),
}

/// Ends one of the user's sessions. The one at hand can always be ended: that is logging out.
///
/// # Errors
/// The row could not be written.
pub async fn end_one(core: &Core, who: &Identity, session: SessionId) -> Result<Ending, FlowError> {
    let user = who.user_id();
    if session != who.session_id()
        && let Some(too_many) = take(core, who).await?
    {
        return Ok(Ending::TooMany(too_many));
    }
    // Only one's own: knowing the id of somebody else's session is worth nothing.
    let Some(log_in) = core.users.log_in(session).await? else { return Ok(Ending::NotTheirs) };
    if log_in.user != user {
        tracing::warn!(%user, %session, "foreign_session_refused");
        return Ok(Ending::NotTheirs);
    }
    end_session(core, user, session).await?;
    tracing::info!(%user, %session, "session_ended");
    Ok(Ending::Ended)
}

/// Ends all of the user's sessions but the one at hand.
///
/// # Errors
/// The row could not be written.
pub async fn end_others(core: &Core, who: &Identity) -> Result<Ending, FlowError> {
    if let Some(too_many) = take(core, who).await? {
        return Ok(Ending::TooMany(too_many));
    }
    let (user, keep) = (who.user_id(), who.session_id());
    if let Some(epoch) = core.users.end_sessions(raise(core, user, Some(keep)).await?).await? {
        after_raise(core, user, epoch, Some(keep)).await;
    }
    tracing::info!(%user, kept = %keep, "other_sessions_ended");
    Ok(Ending::Ended)
}

async fn take(core: &Core, who: &Identity) -> Result<Option<TooMany>, FlowError> {
    let too_many = limits::account_change(core, who.session_id()).take(core).await?;
    if too_many.is_some() {
        tracing::warn!(user = %who.user_id(), "account_limited");
    }
    Ok(too_many)
}
