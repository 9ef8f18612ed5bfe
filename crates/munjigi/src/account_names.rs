//! What an account is called in counters and device tokens: what was typed for a username, under a key of the installation. It may be
//! anything, also a password, and whoever reads a counter or a token must not be able to try names on it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::hmac;

use crate::secret::Secrets;

const PURPOSE: &str = "munjigi account names v1";

/// Names accounts.
pub struct AccountNames {
    secrets: Secrets,
    /// Of which generation of the secrets it is, and the key.
    key: ArcSwap<(u64, hmac::Key)>,
}

impl AccountNames {
    /// With the key of the present secret: a new one begins all counters anew.
    #[must_use]
    pub fn new(secrets: Secrets) -> Self {
        let key = ArcSwap::from_pointee(derive(&secrets));
        Self { secrets, key }
    }

    /// What the account of this username is called, whether or not there is one: 128 bits, in hex. The same without regard to case.
    #[must_use]
    pub fn of(&self, username: &str) -> String {
        if self.key.load().0 != self.secrets.generation() {
            self.key.store(Arc::new(derive(&self.secrets)));
        }
        let name = hmac::sign(&self.key.load().1, username.to_lowercase().as_bytes());
        name.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn derive(secrets: &Secrets) -> (u64, hmac::Key) {
    let generation = secrets.generation();
    (generation, hmac::Key::new(hmac::HMAC_SHA256, secrets.derive(PURPOSE).as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(secret: &str) -> AccountNames {
        AccountNames::new(Secrets::configured(secret.to_owned().into(), vec![]))
    }

    #[test]
    fn a_name_says_nothing_without_the_secret() {
        let ours = names("one secret of thirty-two bytes....");
        assert_eq!(ours.of("Mina"), ours.of("mina"));
        assert!(ours.of("mina") != ours.of("mino") && ours.of("mina").len() == 32);
        assert_ne!(ours.of("mina"), names("another secret of thirty-two bytes").of("mina"));
        let plain = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"mina");
        let plain: String = plain.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        assert_ne!(ours.of("mina"), plain);
    }
}
