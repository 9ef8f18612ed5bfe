//! Ends sessions. The row in the database is what counts; then the bell rings, and the hot state is forgotten.

use munjigi_rules::{Epoch, SessionId, UserId};
use munjigi_store::{Raise, SessionEnd};

use super::FlowError;
use crate::core::Core;

/// Ends one session. `false`: it had ended before.
///
/// # Errors
/// The row could not be written, as far as is known: one that was given up for too slow may still be.
pub async fn end_session(core: &Core, user: UserId, session: SessionId) -> Result<bool, FlowError> {
    let now = core.now();
    let end = SessionEnd {
        session,
        user,
        feed_until: core.feed_until(now).await?,
        // An upper bound, for a session whose log-in is not known any more.
        keep_until: now.plus(core.lifetimes.absolute),
    };
    let ended = core.revocations.end_session(end).await?;
    ring(core).await;
    forgotten(core.sessions.end(user, session).await);
    Ok(ended)
}

/// What it takes to end everything of a user but `keep`.
///
/// # Errors
/// The database cannot be reached.
pub async fn raise(core: &Core, user: UserId, keep: Option<SessionId>) -> Result<Raise, FlowError> {
    let now = core.now();
    Ok(Raise { user, keep, now, feed_until: core.feed_until(now).await? })
}

/// Makes a raised epoch felt, once it is committed. Sessions that were opened under it in the meantime stay.
pub async fn after_raise(core: &Core, user: UserId, epoch: Epoch, keep: Option<SessionId>) {
    ring(core).await;
    forgotten(core.sessions.end_all(user, epoch, keep).await);
}

/// The periodic read catches up if this one fails, so that the end itself stands.
pub(super) async fn ring(core: &Core) {
    if let Err(error) = core.feed.ring().await {
        let error = crate::telemetry::chain(&error);
        tracing::warn!(error, note = "the periodic read goes on trying", "bell_failed");
    }
}

/// Best effort: the row in the database already keeps the session from renewing.
fn forgotten(outcome: Result<(), munjigi_store::StoreError>) {
    if let Err(error) = outcome {
        tracing::warn!(
            error = crate::telemetry::chain(&error),
            note = "the revocation stands all the same",
            "record_not_removed"
        );
    }
}
