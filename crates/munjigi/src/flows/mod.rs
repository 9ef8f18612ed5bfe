//! What people do, without HTTP: load facts, ask the rules, write atomically. Pages, JSON and the command line share them.

pub mod account;
pub mod admin;
pub mod device;
pub mod end;
pub mod import;
pub mod known_browser;
pub mod limits;
pub mod log_in;
pub mod log_out;
pub mod open_session;
pub mod register;
pub mod renew;
pub mod sessions;

use std::fmt;
use std::time::Duration;

use munjigi_store::StoreError;

use crate::passwords::{Busy, HashError};

/// Why a flow could not be gone through to its end. What a person did wrong is never here: that is an outcome.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many passwords wait to be hashed.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// This node's clock is off the database's: it issues nothing.
    #[error("this node's clock is off the database's by {0} ms")]
    ClockOff(i64),
    /// Something that has no reason to fail has failed.
    #[error("something failed that has no reason to")]
    Broken(#[source] anyhow::Error),
}

impl From<HashError> for FlowError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy(busy) => Self::Busy(busy),
            HashError::Broken(cause) => Self::Broken(cause),
        }
    }
}

/// Who is at the other end, for the list of sessions and the limits.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The address, where it is known.
    pub address: Option<std::net::IpAddr>,
    /// The address may be a proxy's that hides many people: limits by address do not apply.
    pub shared_address: bool,
    /// `User-Agent`, as sent.
    pub user_agent: String,
}

/// Too many tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// How long to wait.
    pub retry_after: Duration,
}

/// For the log.
impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => address.to_canonical().fmt(f),
            None => f.write_str("unknown"),
        }
    }
}

impl Client {
    /// What a limit by address counts: the address, of IPv6 the /64 that one subscriber has.
    #[must_use]
    pub fn limited_address(&self) -> Option<String> {
        let address = self.address.filter(|_| !self.shared_address)?;
        Some(match address.to_canonical() {
            std::net::IpAddr::V4(v4) => v4.to_string(),
            std::net::IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        })
    }
}
