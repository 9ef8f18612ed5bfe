//! The gate as a [`tower_layer::Layer`] (section 3).

use std::sync::Arc;
use std::time::Duration;

use tower_layer::Layer;

use crate::clock::Clock;
use crate::cookies::CookieSettings;
use crate::outcomes::Outcomes;
use crate::renew::Renew;
use crate::revoked::RevokedSet;
use crate::service::GateService;
use crate::verify::Verifier;

/// What a node does that could not read the revocations for longer than [`GateParts::max_staleness`]
/// (`revocation.when_stale`, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenStale {
    /// Goes on: at worst a stale yes for as long as an access token lives.
    Serve,
    /// Answers 503 wherever it would accept a token.
    Refuse,
}

/// Everything that a gate is made of.
pub struct GateParts {
    /// Checks access tokens.
    pub verifier: Arc<Verifier>,
    /// What has ended; somebody must fill it and mark it read, or every token is answered with 503.
    pub revoked: Arc<RevokedSet>,
    /// Trades refresh tokens; [`crate::NoRenewal`] where that is done elsewhere.
    pub renew: Arc<dyn Renew>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How the cookies are called.
    pub cookies: CookieSettings,
    /// What to do when the revocations could not be read for a while.
    pub when_stale: WhenStale,
    /// How long that while is.
    pub max_staleness: Duration,
}

/// Turns a request into *anonymous*, *signed in* or *renewed*. A clone is a reference.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    parts: GateParts,
    outcomes: Outcomes,
}

impl Gate {
    /// A gate of these parts.
    #[must_use]
    pub fn new(parts: GateParts) -> Self {
        Self(Arc::new(Inner { parts, outcomes: Outcomes::default() }))
    }

    /// The gate before pages and calls that need to know who asks: it renews, refuses, sets and clears cookies. The inner
    /// service finds a [`crate::Visitor`] among the extensions of the request.
    #[must_use]
    pub fn layer(&self) -> GateLayer {
        GateLayer { gate: self.clone(), ways: Ways { mode: Mode::Renew, keep_tokens: false, keep_cookies: false } }
    }

    /// The gate before log-in, log-out and registration: it only says who asks. It never renews, never refuses, and
    /// touches the cookies only if a handler says so by a [`crate::CookieOrder`].
    #[must_use]
    pub fn peek_layer(&self) -> GateLayer {
        GateLayer { gate: self.clone(), ways: Ways { mode: Mode::Peek, keep_tokens: false, keep_cookies: false } }
    }

    /// What the gate is made of.
    #[must_use]
    pub fn parts(&self) -> &GateParts {
        &self.0.parts
    }

    /// How many requests had which outcome: of all its layers together.
    #[must_use]
    pub fn outcomes(&self) -> &Outcomes {
        &self.0.outcomes
    }
}

/// How a layer differs from another one of the same gate.
#[derive(Clone, Copy)]
pub(crate) struct Ways {
    pub(crate) mode: Mode,
    pub(crate) keep_tokens: bool,
    pub(crate) keep_cookies: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Renew,
    Peek,
}

/// Puts the gate before a service; made by [`Gate::layer`] and [`Gate::peek_layer`]. One gate before a service is enough:
/// a second one inside would find the cookies gone.
#[derive(Clone)]
pub struct GateLayer {
    gate: Gate,
    ways: Ways,
}

impl GateLayer {
    /// Passes the tokens on, as [`crate::Presented`] among the extensions of the request.
    #[must_use]
    pub const fn keep_tokens(mut self) -> Self {
        self.ways.keep_tokens = true;
        self
    }

    /// Leaves our cookies on the request. Otherwise the inner service never sees them, and cannot log or forward them.
    #[must_use]
    pub const fn keep_cookies(mut self) -> Self {
        self.ways.keep_cookies = true;
        self
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = GateService<S>;

    fn layer(&self, inner: S) -> GateService<S> {
        GateService::new(inner, self.gate.clone(), self.ways)
    }
}

/// Why the gate answered by itself: an extension of that response, so that a server can render its own page instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401 `login_required`.
    Unauthorized,
    /// 401 `login_required`: somebody is signed in, but logged in too long ago for what they want ([`Gate::demand`]).
    LogInTooOld {
        /// How long ago it may be.
        max_age: Duration,
    },
    /// 503 `unavailable`.
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// 429 `rate_limited`.
    RateLimited {
        /// When to try again.
        retry_after: Duration,
    },
}
