//! What the inner service gets to see of a visitor.

use std::fmt;
use std::sync::Arc;

use munjigi_rules::{SessionId, UserId};

use crate::claims::AccessClaims;

/// Who is asking: a request extension that the gate puts there, always.
#[derive(Clone, Debug)]
pub enum Visitor {
    /// Somebody whom we know.
    SignedIn(Identity),
    /// Nobody whom we know.
    Anonymous {
        /// Why, where there was a log-in that is no longer good.
        reason: Option<Reason>,
    },
}

impl Visitor {
    /// Who is signed in, if anybody is.
    #[must_use]
    pub const fn identity(&self) -> Option<&Identity> {
        match self {
            Self::SignedIn(identity) => Some(identity),
            Self::Anonymous { .. } => None,
        }
    }

    /// Why an anonymous visitor is no longer signed in.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::SignedIn(_) => None,
            Self::Anonymous { reason } => *reason,
        }
    }
}

/// Why somebody who was signed in is no longer (section 8, `reason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Access and refresh token have expired, or the session is gone.
    Expired,
    /// The session was ended: by log-out, by its owner elsewhere, or by an administrator.
    Ended,
    /// A superseded refresh token was shown: somebody had copied it.
    Reused,
}

impl Reason {
    /// As JSON and links write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Ended => "ended",
            Self::Reused => "reused",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a token came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// As a cookie: requests of other sites may carry it, so unsafe methods need the same-origin check.
    Cookie,
    /// As `Authorization: Bearer`.
    Bearer,
}

/// Somebody who is signed in. A clone is a reference.
#[derive(Clone, Debug)]
pub struct Identity {
    /// What the access token says.
    pub claims: Arc<AccessClaims>,
    /// How it came in.
    pub via: Via,
    /// Whether the access token was earned on this very request.
    pub renewed: bool,
}

impl Identity {
    /// The account.
    #[must_use]
    pub fn user_id(&self) -> UserId {
        self.claims.sub
    }

    /// The session.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.claims.sid
    }

    /// The name that is shown.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.claims.name
    }

    /// The name that one logs in with.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.claims.username
    }
}

/// The tokens as they were shown, unverified, or as they were newly issued on a renewal. A request extension only where
/// the gate was told to keep them ([`crate::GateLayer::keep_tokens`]).
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    /// The access token: the bearer, or the cookie.
    pub access: Option<String>,
    /// The refresh token: the cookie.
    pub refresh: Option<String>,
    /// Cookies of ours that were not looked at: doubled ones, and those beside a bearer. Log-out ends what they name, too.
    pub unused: Vec<String>,
    /// The device token: the cookie.
    pub device: Option<String>,
    /// How they came in; cookies where there were none.
    pub via: Via,
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |token: &Option<String>| token.as_ref().map(|_| "..");
        f.debug_struct("Presented")
            .field("access", &hidden(&self.access))
            .field("refresh", &hidden(&self.refresh))
            .field("device", &hidden(&self.device))
            .finish_non_exhaustive()
    }
}
