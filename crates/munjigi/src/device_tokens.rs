//! Device tokens: by one of them a browser is known from which somebody has logged in to an account before. It signs nobody
//! in. It is what keeps strangers, who have used up an account's failures, from locking its owner out (section 8). It is good for as
//! long as the sessions that were opened with it could be: a new password ends it, so that who knew the old one has no failures
//! of their own to guess with.

use std::time::Duration;

use munjigi_gate::DeviceToken;
use munjigi_rules::{Epoch, Timestamp};
use serde::{Deserialize, Serialize};

use crate::derived_keys::DerivedKeys;
use crate::random;
use crate::secret::Secrets;

const TYP: &str = "dt+jwt";
const PURPOSE: &str = "munjigi device tokens v1";
/// How long a browser is remembered after a log-in.
const REMEMBERED: Duration = Duration::from_secs(180 * 86_400);
/// Most accounts that one browser is known for: a family's.
const MOST_ACCOUNTS: usize = 4;

/// What a device token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Names the device among others: 128 random bits.
    did: String,
    /// The accounts that somebody has logged in to from it, the last one first, as [`super::flows::limits`] calls them, each with
    /// the user's epoch then.
    accounts: Vec<(String, Epoch)>,
    exp: i64,
}

impl Device {
    /// What names this device.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.did
    }

    /// The user's epoch when somebody last logged in to `account` from it.
    #[must_use]
    pub fn known_for(&self, account: &str) -> Option<Epoch> {
        self.accounts.iter().find(|(known, _)| known == account).map(|(_, epoch)| *epoch)
    }
}

/// Signs and verifies device tokens.
pub struct DeviceTokens(DerivedKeys);

impl DeviceTokens {
    /// With the keys of all secrets; the present one signs.
    ///
    /// # Errors
    /// Never with derived keys, which are long enough.
    pub fn new(secrets: Secrets) -> anyhow::Result<Self> {
        Ok(Self(DerivedKeys::new(secrets, PURPOSE, TYP)?))
    }

    /// The device that a token names, if it is ours and its time is not over.
    #[must_use]
    pub fn read(&self, token: &str, now: Timestamp) -> Option<Device> {
        self.0.open(token, now).ok().filter(|device: &Device| now.as_secs() < device.exp)
    }

    /// The token for a browser from which somebody has just logged in to `account`, a user of this epoch.
    ///
    /// # Errors
    /// If signing fails, which it has no reason to.
    pub fn issue(
        &self,
        before: Option<Device>,
        account: String,
        epoch: Epoch,
        now: Timestamp,
    ) -> anyhow::Result<DeviceToken> {
        let (did, before) = before.map_or_else(
            || (format!("{:032x}", u128::from_be_bytes(random::bytes())), vec![]),
            |device| (device.did, device.accounts),
        );
        let others = before.into_iter().filter(|(known, _)| *known != account).take(MOST_ACCOUNTS - 1);
        let accounts = std::iter::once((account.clone(), epoch)).chain(others).collect();
        let token = self.0.sign(&Device { did, accounts, exp: now.plus(REMEMBERED).as_secs() })?;
        Ok(DeviceToken { token, max_age: REMEMBERED })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn tokens(secret: &str) -> DeviceTokens {
        DeviceTokens::new(Secrets::configured(secret.to_owned().into(), vec![])).unwrap()
    }

    #[test]
    fn a_device_is_known_for_the_accounts_that_were_last_logged_in_to_from_it() {
        let tokens = tokens("one secret of thirty-two bytes....");
        let mut device = None;
        let mut ids = std::collections::HashSet::new();
        for (number, account) in ["a", "b", "c", "b", "d", "e"].into_iter().enumerate() {
            let epoch = Epoch(u32::try_from(number).unwrap());
            let issued = tokens.issue(device.take(), account.to_owned(), epoch, NOW).unwrap();
            device = tokens.read(&issued.token, NOW);
            ids.extend(device.as_ref().map(|device| device.id().to_owned()));
        }
        let device = device.unwrap();
        let known = ["a", "b", "c", "d", "e"].map(|account| device.known_for(account));
        assert_eq!(known, [None, Some(3), Some(2), Some(4), Some(5)].map(|epoch| epoch.map(Epoch)));
        assert!(ids.len() == 1 && device.id().len() == 32);
    }

    #[test]
    fn a_device_token_is_good_for_its_time_and_under_its_own_secret() {
        let ours = tokens("one secret of thirty-two bytes....");
        let issued = ours.issue(None, "a".to_owned(), Epoch::default(), NOW).unwrap();
        let over = NOW.plus(issued.max_age);
        assert!(ours.read(&issued.token, over.minus(Duration::from_secs(1))).is_some());
        assert!(ours.read(&issued.token, over).is_none());
        assert!(tokens("another secret of thirty-two bytes").read(&issued.token, NOW).is_none());
        assert!(ours.read("", NOW).is_none() && ours.read("a.b.c", NOW).is_none());
    }
}
