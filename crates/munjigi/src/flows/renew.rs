//! A browser is renewed without noticing: the refresh token earns a new access token.
//!
//! ```text
//!  refresh token --- not ours ---> nothing is touched, no store is asked
//!       |
//!   user's row: gone, disabled, session revoked ---> Ended
//!       |
//!   rotate (rules::refresh, atomically in the store)
//!       |-- Gone ------------------------------> Ended
//!       |-- Kept, Rotated, Repeated, Adopted --> Renewed: new access token, refresh token as the rule says
//!       '-- Reused: revoke first, then --------> Reused
//! ```

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use munjigi_gate::{Issued, Refused, Renew, Renewal};
use munjigi_rules::refresh::Rotation;
use munjigi_rules::{Epoch, Nonce};
use munjigi_store::{LogIn, Standing, User};

use super::end::end_session;
use super::open_session::{Refresh, issue, refuse_if_clock_is_off};
use super::{FlowError, TooMany, limits};
use crate::core::Core;
use crate::random;
use crate::refresh_tokens::RefreshToken;

/// How long to wait before trying again when a store cannot be reached.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Fills the gate's seam for renewal.
pub struct Renewer {
    core: Arc<Core>,
}

impl Renewer {
    /// Renews with these stores.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

#[async_trait]
impl Renew for Renewer {
    async fn renew(&self, refresh_token: &str) -> Renewal {
        let token = match self.core.refresh_tokens.verify(refresh_token, self.core.now()) {
            Ok(token) => token,
            // After a new secret every old browser has one of these, once.
            Err(refused @ Refused::UnknownKey) => {
                tracing::debug!(reason = %refused, "refresh_token_refused");
                return Renewal::NotOurs;
            }
            Err(refused) => {
                tracing::info!(reason = %refused, "refresh_token_refused");
                return Renewal::NotOurs;
            }
        };
        match renew(&self.core, &token, refresh_token).await {
            Ok(renewal) => renewal,
            Err(error) => {
                let error = crate::telemetry::chain(&error);
                tracing::error!(user = %token.user, session = %token.session, error, "renewal_unavailable");
                Renewal::Unavailable { retry_after: RETRY_AFTER }
            }
        }
    }
}

async fn renew(core: &Core, token: &RefreshToken, text: &str) -> Result<Renewal, FlowError> {
    // First: a clock that is ahead would take every token for expired, and sign everybody out.
    refuse_if_clock_is_off(core)?;
    if core.now() >= token.expires {
        return Ok(Renewal::Ended);
    }
    let standing = core.users.standing(token.user, token.session).await?;
    let Some((user, log_in, min_epoch)) = standing.and_then(good) else { return Ok(Renewal::Ended) };
    if let Some(TooMany { retry_after }) = limits::renewal(core, token.session).take(core).await? {
        tracing::warn!(user = %token.user, session = %token.session, "renewal_limited");
        return Ok(Renewal::Limited { retry_after });
    }
    let (now, fresh) = (core.now(), Nonce::from_bytes(random::bytes()));
    let terms = core.lifetimes.terms(min_epoch);
    let rotation = core.sessions.rotate(token.user, token.session, token.presented, terms, fresh, now).await?;
    core.metrics.rotations.note(&rotation);
    let next = match rotation {
        Rotation::Gone => return Ok(Renewal::Ended),
        Rotation::Reused => return reused(core, token).await,
        Rotation::Kept => Refresh { token: text.to_owned(), expires: token.expires },
        Rotation::Rotated { next, .. } => Refresh::sign(core, &log_in, &next, now)?,
        Rotation::Repeated { next, late } => {
            if late {
                tracing::warn!(user = %token.user, session = %token.session, "refresh_repeated_late");
            }
            Refresh::sign(core, &log_in, &next, now)?
        }
        Rotation::Adopted { next, lost, .. } => {
            tracing::warn!(user = %token.user, session = %token.session, lost, "refresh_adopted");
            Refresh::sign(core, &log_in, &next, now)?
        }
    };
    let issued: Issued = issue(core, &user, &log_in, next, now)?;
    Ok(Renewal::Renewed(Box::new(issued)))
}

/// The user, the log-in, and the lowest epoch that is good for this session; or the session has ended.
pub(super) fn good(standing: Standing) -> Option<(User, LogIn, Epoch)> {
    let Standing { user, log_in, revoked, kept } = standing;
    let log_in = log_in.filter(|_| user.enabled && !revoked)?;
    let min_epoch = if kept { Epoch(0) } else { user.epoch };
    Some((user, log_in, min_epoch))
}

/// Two holders have diverged. Which of them is the thief nobody can tell, so the session ends for both.
async fn reused(core: &Core, token: &RefreshToken) -> Result<Renewal, FlowError> {
    end_session(core, token.user, token.session).await?;
    tracing::warn!(user = %token.user, session = %token.session, note = "the session was ended", "refresh_reused");
    Ok(Renewal::Reused)
}
