//! How often the gate came to which verdict: atomics, for whoever counts requests. A good token costs one addition here.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::decide::Verdict;
use crate::layer::Refusal;
use crate::visitor::{Reason, Visitor};

/// What a request turned out to be, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nobody, and there was no log-in that is no longer good.
    Anonymous,
    /// Somebody, by a good access token.
    SignedIn,
    /// Somebody, by a refresh token that was traded in on this very request.
    Renewed,
    /// Nobody: the tokens have expired.
    Expired,
    /// Nobody: the session was ended.
    Ended,
    /// Nobody: a superseded refresh token was shown, and the session has ended.
    Reused,
    /// 401: a bearer token was no good, or somebody has to be signed in.
    Unauthorized,
    /// 429: renewals come too often.
    RateLimited,
    /// 503: a store does not answer, or the revocations were not read.
    Unavailable,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Anonymous,
        Self::SignedIn,
        Self::Renewed,
        Self::Expired,
        Self::Ended,
        Self::Reused,
        Self::Unauthorized,
        Self::RateLimited,
        Self::Unavailable,
    ];

    /// As metrics name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::SignedIn => "signed_in",
            Self::Renewed => "renewed",
            Self::Expired => "expired",
            Self::Ended => "ended",
            Self::Reused => "reused",
            Self::Unauthorized => "unauthorized",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
        }
    }

    pub(crate) const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Pass(Visitor::SignedIn(identity), _) if identity.renewed => Self::Renewed,
            Verdict::Pass(Visitor::SignedIn(_), _) => Self::SignedIn,
            Verdict::Pass(Visitor::Anonymous { reason }, _) => match reason {
                None => Self::Anonymous,
                Some(Reason::Expired) => Self::Expired,
                Some(Reason::Ended) => Self::Ended,
                Some(Reason::Reused) => Self::Reused,
            },
            Verdict::RefuseBearer | Verdict::Refuse(Refusal::Unauthorized | Refusal::LogInTooOld { .. }) => {
                Self::Unauthorized
            }
            Verdict::Refuse(Refusal::RateLimited { .. }) => Self::RateLimited,
            Verdict::Refuse(Refusal::Unavailable { .. }) => Self::Unavailable,
        }
    }
}

/// How many requests had which outcome since the gate was made.
#[derive(Debug, Default)]
pub struct Outcomes([AtomicU64; Outcome::ALL.len()]);

impl Outcomes {
    pub(crate) fn note(&self, outcome: Outcome) {
        if let Some(count) = self.0.get(outcome as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many had this one.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.0.get(outcome as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_a_counter_of_its_own() {
        let outcomes = Outcomes::default();
        for (times, outcome) in Outcome::ALL.into_iter().enumerate() {
            (0..times).for_each(|_| outcomes.note(outcome));
        }
        assert_eq!(Outcome::ALL.map(|outcome| outcomes.count(outcome)), std::array::from_fn(|n| n as u64));
    }
}
