//! The seam to whoever keeps the sessions (section 5).

use std::time::Duration;

use async_trait::async_trait;

use crate::order::Issued;

/// Trades a refresh token for new tokens. The server fills this from its stores.
#[async_trait]
pub trait Renew: Send + Sync {
    /// What becomes of this refresh token. The caller may give up waiting at any moment; a rotation that has begun must
    /// then be either done or not done at the store, never half.
    async fn renew(&self, refresh_token: &str) -> Renewal;
}

/// The outcome of a renewal, as the table of section 3 tells them apart.
#[derive(Debug)]
pub enum Renewal {
    /// Accepted: new tokens, to be set as cookies on this very response.
    Renewed(Box<Issued>),
    /// Does not verify as a refresh token of ours. The cookies are left alone: a node with a wrong key must not sign
    /// everybody out.
    NotOurs,
    /// Ours, but expired, or its session is gone. The cookies are cleared.
    Ended,
    /// Ours, but superseded: somebody copied it. The session has been revoked by now, and the cookies are cleared.
    Reused,
    /// The store cannot be reached, or this node must not rotate now. 503, and the cookies are kept.
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// Ours, but it comes too often. 429, and the cookies are kept.
    Limited {
        /// When to try again.
        retry_after: Duration,
    },
}

/// For services that only check tokens: nothing is ever renewed. Cookies are cleared only where the session is known to
/// have been revoked.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRenewal;

#[async_trait]
impl Renew for NoRenewal {
    async fn renew(&self, _: &str) -> Renewal {
        Renewal::NotOurs
    }
}
