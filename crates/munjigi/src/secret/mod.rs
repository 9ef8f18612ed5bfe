//! `server.secret`, and everything that is derived from it.
//!
//! Nothing uses the secret itself. Each purpose has a key of its own, derived with HKDF-SHA-256 (RFC 5869): sealing signing
//! keys, signing refresh tokens and device tokens, and the check value by which a node with another secret is noticed before it
//! does harm.

mod file;

use std::fmt;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

pub use file::{Former, Locked, SecretFile, make_data_dir};

/// 32 derived bytes for one purpose.
pub type DerivedKey = Zeroizing<[u8; 32]>;

/// The secret of the installation, and former ones. A clone is the same: where the secret is in a file that another process
/// replaces, all of them have the new one after [`Secrets::reread`].
#[derive(Clone)]
pub struct Secrets(Arc<Shared>);

struct Shared {
    /// None: it was configured, and stays as it is.
    file: Option<SecretFile>,
    now: ArcSwap<Now>,
}

/// The secrets of a moment.
struct Now {
    generation: u64,
    /// The present one first.
    all: Vec<Held>,
}

/// A secret, and what it is still good for.
#[derive(Clone)]
struct Held {
    secret: SecretString,
    worth: Worth,
}

/// What a secret is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Worth {
    /// Everything.
    Verifies,
    /// Its time is over, or somebody may know it: what is sealed with it has to be sealed with the present one.
    Decrypts,
}

impl Held {
    fn verifying(secret: SecretString) -> Self {
        Self { secret, worth: Worth::Verifies }
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.worth == other.worth && self.secret.expose_secret() == other.secret.expose_secret()
    }
}

/// Which secret something was encrypted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Under {
    /// The present one.
    Present,
    /// A former one: it is to be encrypted again, before that one is forgotten.
    Former,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Secrets {
    /// From the configuration.
    #[must_use]
    pub fn configured(current: SecretString, previous: Vec<SecretString>) -> Self {
        Self::holding(None, std::iter::once(current).chain(previous).map(Held::verifying).collect())
    }

    /// From a file, which is made if it is not there.
    ///
    /// # Errors
    /// If it can be neither read nor made; the message names it.
    pub fn from_file(file: SecretFile) -> anyhow::Result<Self> {
        file.make_if_absent()?;
        Self::from_existing_file(file)
    }

    /// From a file that is there; none is made.
    ///
    /// # Errors
    /// If it cannot be read; the message names it.
    pub fn from_existing_file(file: SecretFile) -> anyhow::Result<Self> {
        let all = file.read()?;
        Ok(Self::holding(Some(file), all))
    }

    fn holding(file: Option<SecretFile>, all: Vec<Held>) -> Self {
        Self(Arc::new(Shared { file, now: ArcSwap::from_pointee(Now { generation: 0, all }) }))
    }

    /// The file that it is in, if it is in one of ours.
    #[must_use]
    pub fn file(&self) -> Option<&SecretFile> {
        self.0.file.as_ref()
    }

    /// Rises whenever other secrets are held than before, or one of them is good for less.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.now.load().generation
    }

    /// Reads the file again, if there is one.
    ///
    /// # Errors
    /// If it cannot be read; what was read before stays in use.
    pub fn reread(&self) -> anyhow::Result<()> {
        let Some(file) = self.file() else { return Ok(()) };
        let all = file.read()?;
        self.0.now.rcu(|now| {
            let changed = || Arc::new(Now { generation: now.generation + 1, all: all.clone() });
            if now.all == all { Arc::clone(now) } else { changed() }
        });
        Ok(())
    }

    /// The key of the present secret for `purpose`.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> DerivedKey {
        self.derive_all(purpose).swap_remove(0)
    }

    /// The keys of all secrets that still verify for `purpose`, the present one's first.
    #[must_use]
    pub fn derive_verifying(&self, purpose: &str) -> Vec<DerivedKey> {
        let now = self.0.now.load();
        let verifying = now.all.iter().filter(|held| held.worth == Worth::Verifies);
        verifying.map(|held| derive(&held.secret, purpose)).collect()
    }

    /// The keys of all secrets for `purpose`, the present one's first.
    fn derive_all(&self, purpose: &str) -> Vec<DerivedKey> {
        self.0.now.load().all.iter().map(|held| derive(&held.secret, purpose)).collect()
    }

    /// Encrypts `plain` with AES-256-GCM under the present secret; `name` is bound to it.
    ///
    /// # Errors
    /// If the cipher refuses, which it has no reason to.
    pub fn seal(&self, name: &str, plain: &[u8]) -> anyhow::Result<Vec<u8>> {
        let key = sealing_key(&self.derive(SEALING))?;
        let mut text = plain.to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(name), &mut text).ok().context("AES-256-GCM refused")?;
        Ok([nonce.as_ref().as_slice(), &text].concat())
    }

    /// Decrypts what [`Secrets::seal`] wrote, under any of the secrets, and says whether it was the present one.
    ///
    /// # Errors
    /// If it was sealed under another name or secret, or changed.
    pub fn unseal(&self, name: &str, sealed: &[u8]) -> anyhow::Result<(Zeroizing<Vec<u8>>, Under)> {
        for (number, derived) in self.derive_all(SEALING).iter().enumerate() {
            let Some((nonce, text)) = sealed.split_at_checked(aws_lc_rs::aead::NONCE_LEN) else { break };
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok().context("a nonce has 12 bytes")?;
            let mut text = Zeroizing::new(text.to_vec());
            if let Ok(plain) = sealing_key(derived)?.open_in_place(nonce, Aad::from(name), &mut text) {
                let under = if number == 0 { Under::Present } else { Under::Former };
                return Ok((Zeroizing::new(plain.to_vec()), under));
            }
        }
        bail!("signing key {name} cannot be decrypted with server.secret or any of server.previous_secrets")
    }
}

const SEALING: &str = "munjigi signing keys v1";
const CHECK: &str = "munjigi check value v1";

impl Secrets {
    /// What the database keeps of the secret: enough to tell whether a node has the same one, and nothing else.
    #[must_use]
    pub fn check_value(&self) -> DerivedKey {
        self.derive(CHECK)
    }

    /// Whether `kept` is the check value of the present secret.
    #[must_use]
    pub fn matches(&self, kept: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.check_value().as_ref(), kept).is_ok()
    }
}

impl Secrets {
    /// Whether `kept` is the check value of a former secret.
    #[must_use]
    pub fn matched_before(&self, kept: &[u8]) -> bool {
        self.derive_all(CHECK)
            .iter()
            .skip(1)
            .any(|check| aws_lc_rs::constant_time::verify_slices_are_equal(check.as_ref(), kept).is_ok())
    }
}

fn sealing_key(derived: &DerivedKey) -> anyhow::Result<RandomizedNonceKey> {
    RandomizedNonceKey::new(&AES_256_GCM, derived.as_ref()).ok().context("AES-256-GCM takes 32 bytes")
}

/// HKDF output length, as the library wants to have it said.
struct Len32;

impl KeyType for Len32 {
    fn len(&self) -> usize {
        32
    }
}

#[expect(clippy::expect_used, reason = "HKDF can always give 32 bytes")]
fn derive(secret: &SecretString, purpose: &str) -> DerivedKey {
    let prk = Salt::new(HKDF_SHA256, b"munjigi").extract(secret.expose_secret().as_bytes());
    let mut out = Zeroizing::new([0; 32]);
    let info = [purpose.as_bytes()];
    prk.expand(&info, Len32).and_then(|okm| okm.fill(out.as_mut())).expect("32 bytes are within HKDF's bounds");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(current: &str, previous: &[&str]) -> Secrets {
        Secrets::configured(current.to_owned().into(), previous.iter().map(|s| (*s).to_owned().into()).collect())
    }

    #[test]
    fn what_was_sealed_opens_under_its_own_name_and_secret_only() {
        let ours = secrets("one secret of thirty-two bytes....", &[]);
        let sealed = ours.seal("kid", b"key").unwrap();
        let (plain, under) = ours.unseal("kid", &sealed).unwrap();
        assert_eq!((plain.as_slice(), under), (&b"key"[..], Under::Present));
        assert!(ours.unseal("other", &sealed).is_err());
        assert!(secrets("another secret of thirty-two bytes", &[]).unseal("kid", &sealed).is_err());
        let rotated = secrets("another secret of thirty-two bytes", &["one secret of thirty-two bytes...."]);
        let (plain, under) = rotated.unseal("kid", &sealed).unwrap();
        assert_eq!((plain.as_slice(), under), (&b"key"[..], Under::Former));
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(ours.unseal("kid", &changed).is_err() && ours.unseal("kid", b"").is_err());
    }

    #[test]
    fn each_purpose_has_a_key_of_its_own() {
        let ours = secrets("one secret of thirty-two bytes....", &[]);
        assert_ne!(ours.derive("a").as_ref(), ours.derive("b").as_ref());
        assert!(ours.matches(ours.check_value().as_ref()));
        assert!(!ours.matches(ours.derive("b").as_ref()));
    }
}
