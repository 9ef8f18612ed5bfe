//! Counters of tries, by [`munjigi_rules::throttle`].

use std::time::Duration;

use async_trait::async_trait;
use munjigi_rules::Timestamp;
use munjigi_rules::throttle::Quota;

use crate::StoreError;

mod redis;
mod sqlite;

#[cfg(test)]
pub(crate) use sqlite::STATEMENTS as SQLITE_STATEMENTS;

/// What is counted, for example `login:account+address:…`: at most 200 bytes; what a person typed goes in hashed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LimitKey(pub String);

/// Whether the tries may go ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// All of them; all are counted.
    Allowed,
    /// At least one counter is full; none is counted.
    Refused {
        /// The longest wait of those that are full.
        retry_after: Duration,
    },
}

/// The counters. Each expires by itself once it is empty again.
#[async_trait]
pub trait Limits: Send + Sync {
    /// Takes one try from every counter, or from none.
    async fn take(&self, counters: &[(LimitKey, Quota)], now: Timestamp) -> Result<Take, StoreError>;

    /// Gives one try back to every counter that still exists.
    async fn give_back(&self, counters: &[(LimitKey, Quota)]) -> Result<(), StoreError>;
}
