//! A user looks at their sessions and ends some.

use std::collections::HashMap;

use munjigi_rules::{SessionId, Timestamp, UserId};
use munjigi_store::LogIn;

use super::FlowError;
use super::end::{after_raise, end_session, raise};
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

/// Ends one of the user's sessions. `false`: they have no such session.
///
/// # Errors
/// The row could not be written.
pub async fn end_one(core: &Core, user: UserId, session: SessionId) -> Result<bool, FlowError> {
    // Only one's own: knowing the id of somebody else's session is worth nothing.
    let Some(log_in) = core.users.log_in(session).await? else { return Ok(false) };
    if log_in.user != user {
        tracing::warn!(%user, %session, "foreign_session_refused");
        return Ok(false);
    }
    end_session(core, user, session).await?;
    tracing::info!(%user, %session, "session_ended");
    Ok(true)
}

/// Ends all of the user's sessions but `keep`.
///
/// # Errors
/// The row could not be written.
pub async fn end_others(core: &Core, user: UserId, keep: SessionId) -> Result<(), FlowError> {
    if let Some(epoch) = core.users.end_sessions(raise(core, user, Some(keep)).await?).await? {
        after_raise(core, user, epoch, Some(keep)).await;
    }
    tracing::info!(%user, kept = %keep, "other_sessions_ended");
    Ok(())
}
