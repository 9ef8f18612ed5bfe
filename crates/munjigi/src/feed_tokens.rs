//! The feed token: whoever shows it may follow the feed of revocations (docs/feed.md).
//!
//! It is derived from `server.secret`, so that every node knows it and none stores it, and so that it is replaced together with
//! the secret: the tokens of former secrets are good for as long as those are.

use std::sync::atomic::{AtomicI64, Ordering};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use munjigi_rules::Timestamp;
use zeroize::Zeroizing;

use crate::secret::{DerivedKey, Secrets};

const PURPOSE: &str = "munjigi feed token v1";
/// What it begins with, so that whoever finds one knows what it is.
const PREFIX: &str = "munjigi-feed-";
/// A token that is not known causes the secret to be read again at most once in this time, in milliseconds.
const REREAD_EVERY: u64 = 1_000;

/// Knows the feed tokens.
pub struct FeedTokens {
    secrets: Secrets,
    last_reread: AtomicI64,
}

/// Somebody has shown a feed token; it is good for as long as the same secrets are held as then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission(u64);

impl FeedTokens {
    /// Those of these secrets.
    #[must_use]
    pub const fn new(secrets: Secrets) -> Self {
        Self { secrets, last_reread: AtomicI64::new(i64::MIN) }
    }

    /// The token of the present secret.
    #[must_use]
    pub fn present(&self) -> Zeroizing<String> {
        written(&self.secrets.derive(PURPOSE))
    }

    /// Whether `shown` is the token of the present secret or of a former one. One that is not known may be of a secret that
    /// another process has just put in the place of ours: it is read again.
    pub fn admit(&self, shown: &str, now: Timestamp) -> Option<Admission> {
        self.known(shown).or_else(|| {
            if !self.may_reread(now) {
                return None;
            }
            if let Err(error) = self.secrets.reread() {
                tracing::warn!(error = format!("{error:#}"), "secret_unreadable");
            }
            self.known(shown)
        })
    }

    /// Whether nothing has become of the secrets since.
    #[must_use]
    pub fn still_admits(&self, admission: Admission) -> bool {
        self.secrets.generation() == admission.0
    }

    fn known(&self, shown: &str) -> Option<Admission> {
        let admission = Admission(self.secrets.generation());
        // All of them are compared, so that nothing can be timed but how many there are.
        let fits =
            |derived: &DerivedKey| verify_slices_are_equal(written(derived).as_bytes(), shown.as_bytes()).is_ok();
        let known = self.secrets.derive_verifying(PURPOSE).iter().fold(false, |known, derived| fits(derived) | known);
        known.then_some(admission)
    }

    fn may_reread(&self, now: Timestamp) -> bool {
        let last = self.last_reread.load(Ordering::Relaxed);
        let due = now.millis_since(Timestamp::from_millis(last)).unsigned_abs() >= REREAD_EVERY;
        due && self.last_reread.compare_exchange(last, now.as_millis(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

fn written(derived: &DerivedKey) -> Zeroizing<String> {
    let digits = Zeroizing::new(URL_SAFE_NO_PAD.encode(derived.as_ref()));
    Zeroizing::new([PREFIX, &digits].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn tokens(current: &str, previous: &[&str]) -> FeedTokens {
        let previous = previous.iter().map(|secret| (*secret).to_owned().into()).collect();
        FeedTokens::new(Secrets::configured(current.to_owned().into(), previous))
    }

    #[test]
    fn the_tokens_of_present_and_former_secrets_are_good_and_no_others() {
        let (old, new) = ("one secret of thirty-two bytes....", "another secret of thirty-two bytes");
        let token = tokens(old, &[]).present();
        assert!(token.len() == 56 && token.starts_with("munjigi-feed-"), "{}", token.len());
        assert!(tokens(old, &[]).admit(&token, NOW).is_some());
        assert!(tokens(new, &[old]).admit(&token, NOW).is_some());
        assert!(tokens(new, &[]).admit(&token, NOW).is_none());
        assert_ne!(tokens(new, &[old]).present(), token);
        let mut almost = token.to_string();
        almost.pop();
        for wrong in ["", "munjigi-feed-", &almost, &format!("{}A", *token), &token.to_uppercase()] {
            assert!(tokens(old, &[]).admit(wrong, NOW).is_none(), "{wrong}");
        }
    }
}
