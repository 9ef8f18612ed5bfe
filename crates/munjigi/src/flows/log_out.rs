//! A visitor logs out: at once and for good.

use munjigi_gate::Presented;
use munjigi_rules::{SessionId, UserId};

use super::FlowError;
use super::end::end_session;
use crate::core::Core;

/// Ends the sessions that the tokens name. Any token of ours whose signature verifies will do, even an expired one: somebody
/// who comes back after a month to log out means it.
///
/// # Errors
/// A revocation could not be written: that session goes on; the others have ended.
pub async fn log_out(core: &Core, tokens: &Presented) -> Result<(), FlowError> {
    let mut outcome = Ok(());
    for (user, session) in named(core, tokens).await {
        match end_session(core, user, session).await {
            Ok(_) => tracing::info!(%user, %session, "logged_out"),
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

/// The sessions that tokens name: usually one, two if the cookies are of two. Also those that the gate did not look at, so
/// that nobody can make a log-out void by planting a cookie.
pub async fn named(core: &Core, tokens: &Presented) -> Vec<(UserId, SessionId)> {
    let mut sessions = Vec::new();
    for token in tokens.access.iter().chain(&tokens.refresh).chain(&tokens.unused) {
        let named = match core.verifier.verify_or_reload(token, core.now()).await {
            Ok(verified) => Some((verified.claims.sub, verified.claims.sid)),
            Err(_) => {
                core.refresh_tokens.verify(token, core.now()).ok().map(|verified| (verified.user, verified.session))
            }
        };
        if let Some(named) = named.filter(|named| !sessions.contains(named)) {
            sessions.push(named);
        }
    }
    sessions
}
