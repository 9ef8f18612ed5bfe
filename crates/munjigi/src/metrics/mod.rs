//! What is counted and timed, for `GET /metrics` of the operations listener.
//!
//! A value like any other: it belongs to the [`Core`](crate::core::Core), and nothing is global. What has numbers of its own anyway (the
//! gate, the hashing threads, the feed) keeps them, and [`exposition`] gathers everything when somebody asks. Whoever counts does it by an
//! atomic that was looked up before; no lock lies on the way of a request with a good token.
//!
//! Labels come from lists in the source: never a user, an address, a token, or a path as it was typed.

pub mod exposition;
mod process;
mod requests;
mod stores;
mod timings;

use munjigi_rules::refresh::Rotation;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

pub use requests::{Requests, Routes};
pub use stores::Stores;
pub use timings::Timings;

use crate::flows::FlowError;
use crate::flows::log_in::LogIn;
use crate::flows::register::Registration;

/// A counter for each value of one label. All of them are there from the start, so that the first event is an increase.
macro_rules! counters {
    ($(#[$doc:meta])* $name:ident by $label:literal: $($value:ident)*) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        #[expect(missing_docs, reason = "the names are the values of the label, which docs/operations.md explains")]
        pub struct $name {
            $(pub $value: Counter,)*
        }

        impl $name {
            const LABEL: &str = $label;

            fn counts(&self) -> Vec<(String, u64)> {
                vec![$((stringify!($value).to_owned(), self.$value.get())),*]
            }
        }
    };
}

counters! {
    /// Log-ins.
    LogIns by "result": welcome refused disabled limited busy failed
}

counters! {
    /// Registrations.
    Registrations by "result": welcome invalid taken closed limited busy failed
}

counters! {
    /// Decisions of the rotation.
    Rotations by "decision": rotated kept repeated repeated_late adopted reused gone
}

counters! {
    /// Refusals by a limit.
    Limited by "limit": log_in registration renewal account password other
}

/// Connections to the public listener.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    /// Now.
    pub open: Gauge,
    /// Closed, while they waited for their client, so that another one had room.
    pub shed: Counter,
    /// Told 503 because the server was at work for all others.
    pub refused: Counter,
}

/// What flows, handlers and stores count.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Answers by route.
    pub requests: Requests,
    /// Log-ins by result.
    pub log_ins: LogIns,
    /// Registrations by result.
    pub registrations: Registrations,
    /// Rotations by decision.
    pub rotations: Rotations,
    /// Refusals by limit.
    pub limited: Limited,
    /// Calls of the stores.
    pub stores: Stores,
    /// Connections.
    pub connections: Connections,
}

impl LogIns {
    /// Counts what became of one.
    pub fn note(&self, outcome: &Result<LogIn, FlowError>) {
        match outcome {
            Ok(LogIn::Welcome(..)) => &self.welcome,
            Ok(LogIn::Refused) => &self.refused,
            Ok(LogIn::Disabled) => &self.disabled,
            Ok(LogIn::TooMany(_)) => &self.limited,
            Err(FlowError::Busy(_)) => &self.busy,
            Err(_) => &self.failed,
        }
        .inc();
    }
}

impl Registrations {
    /// Counts what became of one.
    pub fn note(&self, outcome: &Result<Registration, FlowError>) {
        match outcome {
            Ok(Registration::Welcome(..)) => &self.welcome,
            Ok(Registration::Invalid(_)) => &self.invalid,
            Ok(Registration::Taken) => &self.taken,
            Ok(Registration::Closed) => &self.closed,
            Ok(Registration::TooMany(_)) => &self.limited,
            Err(FlowError::Busy(_)) => &self.busy,
            Err(_) => &self.failed,
        }
        .inc();
    }
}

impl Limited {
    /// Counts a refusal by the limit whose counters' keys begin like this one (see [`limits`](crate::flows::limits)).
    pub fn note(&self, key: &str) {
        match key.split(':').next() {
            Some("log_in") => &self.log_in,
            Some("register") => &self.registration,
            Some("renew") => &self.renewal,
            Some("account") => &self.account,
            Some("password") => &self.password,
            _ => &self.other,
        }
        .inc();
    }
}

impl Rotations {
    /// Counts a decision.
    pub fn note(&self, decision: &Rotation) {
        match decision {
            Rotation::Rotated { .. } => &self.rotated,
            Rotation::Kept => &self.kept,
            Rotation::Repeated { late: false, .. } => &self.repeated,
            Rotation::Repeated { late: true, .. } => &self.repeated_late,
            Rotation::Adopted { .. } => &self.adopted,
            Rotation::Reused => &self.reused,
            Rotation::Gone => &self.gone,
        }
        .inc();
    }
}
