//! How long a session lives, and how it begins.

use std::time::Duration;

use crate::ids::{Epoch, Generation, Nonce};
use crate::refresh::{Record, Successor, Terms};
use crate::time::Timestamp;

/// At most so many sessions a user; one more ends the one that was used longest ago. It bounds what a store holds and
/// what a renewal of the user can cost.
pub const MOST_PER_USER: usize = 100;

/// The three lifetimes of the configuration (`tokens.*_ttl`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// How long an access token is good: minutes.
    pub access: Duration,
    /// How long a session may be unused: days.
    pub idle: Duration,
    /// How long a session may last in any case: months.
    pub absolute: Duration,
}

impl Lifetimes {
    /// The terms of a rotation for a user whose lowest acceptable epoch is `min_epoch`.
    #[must_use]
    pub const fn terms(&self, min_epoch: Epoch) -> Terms {
        Terms { access_ttl: self.access, idle_ttl: self.idle, min_epoch }
    }
}

/// A new session: what the store is to keep and what its first refresh token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// For the store.
    pub record: Record,
    /// For the first refresh token: generation 1.
    pub first: Successor,
}

/// Opens a session under the epoch that was read together with the password hash. `spent` and `nonce` are random.
#[must_use]
pub fn open(lifetimes: &Lifetimes, epoch: Epoch, spent: Nonce, nonce: Nonce, now: Timestamp) -> Opening {
    let until = now.plus(lifetimes.absolute);
    let idle_until = now.plus(lifetimes.idle).min(until);
    let record = Record { generation: Generation(0), spent, rotated_at: now, idle_until, until, epoch };
    let first = Successor { generation: Generation(1), nonce, parent: spent, expires: idle_until };
    Opening { record, first }
}
