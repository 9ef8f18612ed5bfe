//! The table of section 3: what a request's tokens make of its visitor.
//!
//! ```text
//!            bearer? ──yes──► verify ──► signed in │ 401 │ 503
//!               │no
//!               ▼                      not revoked ─────► signed in │ 503
//!  access ► verify ── verifies ──────┬ sid revoked ─────► anonymous, ended; clear
//!               │                    ├ epoch revoked ┐
//!               │                    └ expired ──────┤
//!               └ absent, or does not verify ────────┤
//!                                                    ▼
//!                                     refresh? ──no──► anonymous (expired if it verified)
//!                                        │yes
//!                                        ▼
//!                                      renew ────────► renewed; set │ expired, ended or reused; clear
//!                                                      │ anonymous │ 429 │ 503
//! ```

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use munjigi_rules::Timestamp;

use crate::claims::AccessClaims;
use crate::jws::Refused;
use crate::layer::{Gate, GateParts, Mode, Refusal, WhenStale};
use crate::order::{CookieOrder, Issued};
use crate::renew::Renewal;
use crate::verify::Verified;
use crate::visitor::{Identity, Presented, Reason, Via, Visitor};

/// When to come again while the revocations have not been read.
const SOON: Duration = Duration::from_secs(1);

/// What becomes of a request.
pub(crate) enum Verdict {
    /// The inner service answers it, and the gate's own order about the cookies holds unless a handler says otherwise.
    Pass(Visitor, CookieOrder),
    /// The gate answers it.
    Refuse(Refusal),
    /// The gate answers it: a bearer token was no good.
    RefuseBearer,
}

/// What can be said without waiting.
pub(crate) enum First {
    Settled(Verdict),
    Pending(Pending),
}

/// What takes longer: keys to read, or a refresh token to trade in.
pub(crate) struct Pending {
    access: PendingAccess,
    refresh: Option<String>,
    via: Via,
}

enum PendingAccess {
    Judged(Access),
    /// Its key is unknown so far.
    Token(String),
}

/// What an access token amounts to.
enum Access {
    Good(Arc<AccessClaims>),
    /// Verifies, but its session was revoked.
    SessionEnded,
    /// Verifies, but its epoch was revoked; only a renewal can tell whether this very session was kept.
    EpochEnded,
    Expired,
    /// Absent, or does not verify: nothing of it was read.
    Nothing,
}

/// Where a request's tokens are.
enum Source<'h> {
    Bearer(&'h str),
    /// More than one `Authorization`, or a bearer that is no text.
    Confused,
    Cookies,
}

/// The tokens as a request shows them.
pub(crate) fn presented(gate: &Gate, headers: &HeaderMap) -> Presented {
    let cookies = &gate.parts().cookies;
    let (access, refresh, via) = match source(headers) {
        Source::Bearer(token) => (Some(token), None, Via::Bearer),
        Source::Confused => (None, None, Via::Bearer),
        Source::Cookies => {
            let shown = cookies.read(headers);
            (shown.access(), shown.refresh(), Via::Cookie)
        }
    };
    let complete = via == Via::Cookie && access.is_some() && refresh.is_some();
    let unused = cookies.every(headers).filter(|token| Some(*token) != access && Some(*token) != refresh);
    let unused = if complete { Vec::new() } else { unused.map(str::to_owned).collect() };
    let device = if via == Via::Cookie { cookies.device(headers).map(str::to_owned) } else { None };
    Presented { access: access.map(str::to_owned), refresh: refresh.map(str::to_owned), unused, device, via }
}

/// Looks at a request without waiting for anything.
pub(crate) fn first(gate: &GateParts, mode: Mode, headers: &HeaderMap) -> First {
    let now = gate.clock.now();
    match source(headers) {
        Source::Confused => First::Settled(bearer(gate, mode, Access::Nothing, now)),
        Source::Bearer(token) => match gate.verifier.verify(token, now) {
            Err(Refused::UnknownKey) => {
                let access = PendingAccess::Token(token.to_owned());
                First::Pending(Pending { access, refresh: None, via: Via::Bearer })
            }
            outcome => First::Settled(bearer(gate, mode, judge(gate, outcome), now)),
        },
        Source::Cookies => {
            let shown = gate.cookies.read(headers);
            let outcome = shown.access().map(|token| (token, gate.verifier.verify(token, now)));
            let access = match outcome {
                Some((token, Err(Refused::UnknownKey))) => {
                    let access = PendingAccess::Token(token.to_owned());
                    let refresh = shown.refresh().map(str::to_owned);
                    return First::Pending(Pending { access, refresh, via: Via::Cookie });
                }
                Some((_, outcome)) => judge(gate, outcome),
                None => Access::Nothing,
            };
            match cookies(gate, mode, access, || shown.refresh().is_some(), now) {
                Ok(verdict) => First::Settled(verdict),
                Err(access) => {
                    let refresh = shown.refresh().map(str::to_owned);
                    First::Pending(Pending { access: PendingAccess::Judged(access), refresh, via: Via::Cookie })
                }
            }
        }
    }
}

/// The rest of it, where waiting is needed.
pub(crate) async fn later(gate: Gate, mode: Mode, pending: Pending) -> Verdict {
    let gate = gate.parts();
    let access = match pending.access {
        PendingAccess::Judged(access) => access,
        PendingAccess::Token(token) => match gate.verifier.verify_or_reload(&token, gate.clock.now()).await {
            // No key was ever read: it is not for the token to answer for that.
            Err(Refused::UnknownKey) if gate.verifier.generation() == 0 && mode == Mode::Renew => {
                return Verdict::Refuse(Refusal::Unavailable { retry_after: SOON });
            }
            outcome => judge(gate, outcome),
        },
    };
    let now = gate.clock.now();
    if pending.via == Via::Bearer {
        return bearer(gate, mode, access, now);
    }
    let access = match cookies(gate, mode, access, || pending.refresh.is_some(), now) {
        Ok(verdict) => return verdict,
        Err(access) => access,
    };
    match pending.refresh {
        Some(refresh) => renewed(gate, &access, gate.renew.renew(&refresh).await),
        None => anonymous(expired_if_known(&access), CookieOrder::Keep),
    }
}

impl Gate {
    /// Trades in a refresh token that did not come as a cookie, on the same conditions: for callers that keep their tokens
    /// by themselves.
    pub async fn trade(&self, refresh_token: &str) -> Renewal {
        let gate = self.parts();
        if !may_accept(gate, gate.clock.now()) {
            return Renewal::Unavailable { retry_after: SOON };
        }
        match gate.renew.renew(refresh_token).await {
            // The session may have ended while its token was traded in.
            Renewal::Renewed(issued) if gate.revoked.session_ended(issued.claims.sid) => Renewal::Ended,
            outcome => outcome,
        }
    }
}

fn source(headers: &HeaderMap) -> Source<'_> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let Some(line) = lines.next() else { return Source::Cookies };
    if lines.next().is_some() {
        return Source::Confused;
    }
    let line = line.as_bytes();
    let scheme = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Source::Cookies;
    }
    match line.get(scheme.len()..).map(std::str::from_utf8) {
        Some(Ok(token)) => Source::Bearer(token.trim_matches(' ')),
        _ => Source::Confused,
    }
}

/// Revocation is asked here, for every token on every request, however well it is cached.
fn judge(gate: &GateParts, outcome: Result<Verified, Refused>) -> Access {
    let verified = match outcome {
        Ok(verified) => verified,
        // What the key is not known of may be a token of last month; all else nobody has by accident.
        Err(reason @ Refused::UnknownKey) => {
            tracing::debug!(%reason, "access_token_refused");
            return Access::Nothing;
        }
        Err(reason) => {
            tracing::info!(%reason, "access_token_refused");
            return Access::Nothing;
        }
    };
    let claims = &verified.claims;
    if gate.revoked.session_ended(claims.sid) {
        Access::SessionEnded
    } else if gate.revoked.epoch_ended(claims.sub, claims.sep) {
        Access::EpochEnded
    } else if verified.expired {
        Access::Expired
    } else {
        Access::Good(verified.claims)
    }
}

fn bearer(gate: &GateParts, mode: Mode, access: Access, now: Timestamp) -> Verdict {
    match (access, mode) {
        (Access::Good(claims), _) => signed_in(gate, mode, claims, Via::Bearer, now),
        (_, Mode::Renew) => Verdict::RefuseBearer,
        (Access::SessionEnded | Access::EpochEnded, Mode::Peek) => anonymous(Some(Reason::Ended), CookieOrder::Keep),
        (access @ (Access::Expired | Access::Nothing), Mode::Peek) => {
            anonymous(expired_if_known(&access), CookieOrder::Keep)
        }
    }
}

/// What cookies amount to; `Err` where it is for a renewal to say.
fn cookies(
    gate: &GateParts,
    mode: Mode,
    access: Access,
    has_refresh: impl FnOnce() -> bool,
    now: Timestamp,
) -> Result<Verdict, Access> {
    match access {
        Access::Good(claims) => Ok(signed_in(gate, mode, claims, Via::Cookie, now)),
        Access::SessionEnded => {
            let order = if mode == Mode::Renew { CookieOrder::Clear } else { CookieOrder::Keep };
            Ok(anonymous(Some(Reason::Ended), order))
        }
        Access::EpochEnded | Access::Expired | Access::Nothing => {
            if mode == Mode::Peek || !has_refresh() {
                Ok(anonymous(expired_if_known(&access), CookieOrder::Keep))
            } else if may_accept(gate, now) {
                Err(access)
            } else {
                Ok(Verdict::Refuse(Refusal::Unavailable { retry_after: SOON }))
            }
        }
    }
}

fn renewed(gate: &GateParts, access: &Access, outcome: Renewal) -> Verdict {
    match outcome {
        // The session may have ended while its token was traded in.
        Renewal::Renewed(issued) if gate.revoked.session_ended(issued.claims.sid) => {
            anonymous(Some(Reason::Ended), CookieOrder::Clear)
        }
        Renewal::Renewed(issued) => signed_in_anew(issued),
        Renewal::NotOurs => anonymous(expired_if_known(access), CookieOrder::Keep),
        Renewal::Ended => {
            let reason = if matches!(access, Access::EpochEnded) { Reason::Ended } else { Reason::Expired };
            anonymous(Some(reason), CookieOrder::Clear)
        }
        Renewal::Reused => anonymous(Some(Reason::Reused), CookieOrder::Clear),
        Renewal::Unavailable { retry_after } => Verdict::Refuse(Refusal::Unavailable { retry_after }),
        Renewal::Limited { retry_after } => Verdict::Refuse(Refusal::RateLimited { retry_after }),
    }
}

fn signed_in(gate: &GateParts, mode: Mode, claims: Arc<AccessClaims>, via: Via, now: Timestamp) -> Verdict {
    if may_accept(gate, now) {
        Verdict::Pass(Visitor::SignedIn(Identity { claims, via, renewed: false }), CookieOrder::Keep)
    } else if mode == Mode::Peek {
        anonymous(None, CookieOrder::Keep)
    } else {
        Verdict::Refuse(Refusal::Unavailable { retry_after: SOON })
    }
}

fn signed_in_anew(issued: Box<Issued>) -> Verdict {
    let claims = Arc::clone(&issued.claims);
    let visitor = Visitor::SignedIn(Identity { claims, via: Via::Cookie, renewed: true });
    Verdict::Pass(visitor, CookieOrder::Set(issued))
}

const fn anonymous(reason: Option<Reason>, order: CookieOrder) -> Verdict {
    Verdict::Pass(Visitor::Anonymous { reason }, order)
}

/// Says "expired" only of a token that verified; of another no claim is ever read.
const fn expired_if_known(access: &Access) -> Option<Reason> {
    match access {
        Access::Expired | Access::EpochEnded => Some(Reason::Expired),
        Access::Good(_) | Access::SessionEnded | Access::Nothing => None,
    }
}

/// Whether this node knows enough of what has ended to accept a token (section 6).
fn may_accept(gate: &GateParts, now: Timestamp) -> bool {
    match gate.when_stale {
        WhenStale::Serve => gate.revoked.is_ready(),
        WhenStale::Refuse => gate.revoked.is_ready() && gate.revoked.staleness(now) <= gate.max_staleness,
    }
}
