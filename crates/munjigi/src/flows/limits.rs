//! What is counted, and how often it may happen (section 8). One function for each thing that is limited.

use std::sync::Arc;

use munjigi_rules::throttle::Quota;
use munjigi_rules::{SessionId, Timestamp};
use munjigi_store::{LimitKey, Limits, StoreError, Take};

use super::{Client, TooMany};
use crate::config;
use crate::core::Core;
use crate::device_tokens::Device;
use crate::passwords::Begun;

/// Counters that one try is taken from: from all of them, or from none. None at all where limits are off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(Vec<(LimitKey, Quota)>);

/// Failed log-ins: of the account from this address, and from this address, whoever it is; and of the account from anywhere.
/// The last does not bind `device`, a browser from which somebody has logged in to the account before: that has a counter of its own.
/// So strangers can use up what they share, and the owner still comes in. Whether the account exists makes no difference.
#[must_use]
pub fn log_in(core: &Core, account: &str, client: &Client, device: Option<&Device>) -> Counters {
    let counters = |limits: config::Limits| {
        let mut counters = match device {
            Some(device) => vec![(format!("log_in:device:{account}:{}", device.id()), limits.log_in_account)],
            None => vec![(format!("log_in:anywhere:{account}"), limits.log_in_anywhere)],
        };
        if let Some(address) = client.limited_address() {
            counters.push((format!("log_in:account:{account}:{address}"), limits.log_in_account));
            counters.push((format!("log_in:address:{address}"), limits.log_in_address));
        }
        counters
    };
    Counters::of(core, counters)
}

/// Registrations from this address, where it is known.
#[must_use]
pub fn registration(core: &Core, client: &Client) -> Counters {
    let address = client.limited_address();
    Counters::of(core, |limits| {
        address
            .map(|address| (format!("register:address:{address}"), limits.registration_address))
            .into_iter()
            .collect()
    })
}

/// Renewals of this session.
#[must_use]
pub fn renewal(core: &Core, session: SessionId) -> Counters {
    Counters::of(core, |limits| vec![(format!("renew:session:{session}"), limits.renewal_session)])
}

/// Changes of the account by this session: each costs every node something.
#[must_use]
pub fn account_change(core: &Core, session: SessionId) -> Counters {
    Counters::of(core, |limits| vec![(format!("account:session:{session}"), limits.account_session)])
}

/// Wrong present passwords, typed by whoever holds this session. By session and not by account, so that nobody who holds one for
/// a moment can block the owner's others.
#[must_use]
pub fn password_change(core: &Core, session: SessionId) -> Counters {
    Counters::of(core, |limits| vec![(format!("password:session:{session}"), limits.log_in_account)])
}

impl Counters {
    fn of(core: &Core, counters: impl FnOnce(config::Limits) -> Vec<(String, Quota)>) -> Self {
        let counters = core.quotas.map(counters).unwrap_or_default();
        Self(counters.into_iter().map(|(key, quota)| (LimitKey(key), quota)).collect())
    }

    /// Takes one try from each, or from none: too many then.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub async fn take(&self, core: &Core) -> Result<Option<TooMany>, StoreError> {
        Ok(match self.take_at(core, core.now()).await? {
            Take::Allowed => None,
            Take::Refused { retry_after } => {
                core.metrics.limited.note(self.0.first().map_or("", |(LimitKey(key), _)| key));
                Some(TooMany { retry_after })
            }
        })
    }

    /// The same at a given moment.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub async fn take_at(&self, core: &Core, now: Timestamp) -> Result<Take, StoreError> {
        if self.0.is_empty() { Ok(Take::Allowed) } else { core.limits.take(&self.0, now).await }
    }

    /// Holds the try that was taken until it is known whether it was a failure.
    #[must_use]
    pub fn hold(self, core: &Core) -> Try {
        Try { counters: self, limits: Arc::clone(&core.limits), begun: Begun::default(), open: true }
    }
}

/// A try that was taken for a password, until the password is known to be wrong: then it stays taken. Whoever goes away while their
/// password waits has not failed. Once the verification has begun they may have: giving that back would make it free to keep the
/// hashing threads at work.
pub struct Try {
    counters: Counters,
    limits: Arc<dyn Limits>,
    begun: Begun,
    open: bool,
}

impl Try {
    /// For the verification to say that it has begun.
    #[must_use]
    pub const fn begun(&self) -> &Begun {
        &self.begun
    }

    /// It was a failure.
    pub fn failed(mut self) {
        self.open = false;
    }

    /// It was none. If it cannot be given back, it is lost and nothing else.
    pub async fn give_back(mut self) {
        give_back(&self.counters, &*self.limits).await;
        self.open = false;
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        if !self.open || self.begun.has() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (counters, limits) = (std::mem::take(&mut self.counters), Arc::clone(&self.limits));
            runtime.spawn(async move { give_back(&counters, &*limits).await });
        }
    }
}

async fn give_back(counters: &Counters, limits: &dyn Limits) {
    if counters.0.is_empty() {
        return;
    }
    if let Err(error) = limits.give_back(&counters.0).await {
        tracing::warn!(error = crate::telemetry::chain(&error), "give_back_failed");
    }
}
