//! A visitor logs out: at once and for good.

use munjigi_gate::Presented;
use munjigi_rules::{SessionId, UserId};

use super::FlowError;
use super::end::end_session;
use crate::core::Core;

/// Ends the session that the tokens name. Any token of ours whose signature verifies will do, even an expired one: somebody
/// who comes back after a month to log out means it.
///
/// # Errors
/// A revocation could not be written: that session goes on.
pub async fn log_out(core: &Core, tokens: &Presented) -> Result<(), FlowError> {
    for (user, session) in named(core, tokens).await {
        end_session(core, user, session).await?;
        tracing::info!(%user, %session, "logged_out");
    }
    Ok(())
}

/// The sessions that tokens name: usually one, two if the cookies are of two.
pub async fn named(core: &Core, tokens: &Presented) -> Vec<(UserId, SessionId)> {
    let mut sessions = Vec::new();
    if let Some(token) = &tokens.access
        && let Ok(verified) = core.verifier.verify_or_reload(token, core.now()).await
    {
        sessions.push((verified.claims.sub, verified.claims.sid));
    }
    if let Some(token) = &tokens.refresh
        && let Ok(verified) = core.refresh_tokens.verify(token)
    {
        sessions.push((verified.user, verified.session));
    }
    sessions.dedup();
    sessions
}
