//! `server.secret`, and everything that is derived from it.
//!
//! Nothing uses the secret itself. Each purpose has a key of its own, derived with HKDF-SHA-256 (RFC 5869): sealing signing
//! keys, signing refresh tokens, and the check value by which a node with another secret is noticed before it does harm.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::random;

/// 32 derived bytes for one purpose.
pub type DerivedKey = Zeroizing<[u8; 32]>;

/// The secret of the installation, and former ones.
#[derive(Clone)]
pub struct Secrets {
    current: SecretString,
    previous: Vec<SecretString>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Secrets {
    /// From the configuration.
    #[must_use]
    pub fn new(current: SecretString, previous: Vec<SecretString>) -> Self {
        Self { current, previous }
    }

    /// The key of the present secret for `purpose`.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> DerivedKey {
        derive(&self.current, purpose)
    }

    /// The keys of all secrets for `purpose`, the present one's first.
    pub fn derive_all<'a>(&'a self, purpose: &'a str) -> impl Iterator<Item = DerivedKey> + 'a {
        std::iter::once(&self.current).chain(&self.previous).map(move |secret| derive(secret, purpose))
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

    /// Decrypts what [`Secrets::seal`] wrote, under any of the secrets.
    ///
    /// # Errors
    /// If it was sealed under another name or secret, or changed.
    pub fn unseal(&self, name: &str, sealed: &[u8]) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        for derived in self.derive_all(SEALING) {
            let Some((nonce, text)) = sealed.split_at_checked(aws_lc_rs::aead::NONCE_LEN) else { break };
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok().context("a nonce has 12 bytes")?;
            let mut text = Zeroizing::new(text.to_vec());
            if let Ok(plain) = sealing_key(&derived)?.open_in_place(nonce, Aad::from(name), &mut text) {
                return Ok(Zeroizing::new(plain.to_vec()));
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

/// Makes the data directory, for its owner only.
///
/// # Errors
/// If it cannot be made; the message names it.
pub fn make_data_dir(dir: &Path) -> anyhow::Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.with_context(|| format!("server.data_dir: cannot make the folder {}", dir.display()))?;
    let mode = fs::metadata(dir).map(|found| found.permissions().mode()).unwrap_or_default();
    if mode & 0o077 != 0 {
        let note = "others on this machine can look into the data directory; `chmod 700` it";
        tracing::warn!(dir = %dir.display(), mode = format!("{:o}", mode & 0o777), note, "open_data_dir");
    }
    Ok(())
}

/// The secret kept in the data directory, made at the first start. Two processes that start at once get the same one: the
/// file appears whole or not at all.
///
/// # Errors
/// If it can be neither read nor made; the message names the file.
pub fn load_or_make(dir: &Path) -> anyhow::Result<SecretString> {
    let path = dir.join("secret");
    if !path.exists() {
        make(dir, &path).with_context(|| format!("cannot make the secret {}", path.display()))?;
    }
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read the secret {}", path.display()))?;
    let text = Zeroizing::new(text);
    let secret = text.trim_end();
    if secret.len() < crate::config::values::SECRET_MIN {
        bail!("{}: a secret has at least 32 bytes; restore the file from a backup", path.display());
    }
    Ok(secret.to_owned().into())
}

fn make(dir: &Path, path: &Path) -> anyhow::Result<()> {
    let draft: PathBuf = dir.join(format!("secret.{:016x}", u64::from_be_bytes(random::bytes())));
    let number = u128::from_be_bytes(random::bytes());
    let more = u128::from_be_bytes(random::bytes());
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(file, "{number:032x}{more:032x}")?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(fs::File::open(dir)?.sync_all()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(current: &str, previous: &[&str]) -> Secrets {
        Secrets::new(current.to_owned().into(), previous.iter().map(|s| (*s).to_owned().into()).collect())
    }

    #[test]
    fn what_was_sealed_opens_under_its_own_name_and_secret_only() {
        let ours = secrets("one secret of thirty-two bytes....", &[]);
        let sealed = ours.seal("kid", b"key").unwrap();
        assert_eq!(ours.unseal("kid", &sealed).unwrap().as_slice(), b"key");
        assert!(ours.unseal("other", &sealed).is_err());
        assert!(secrets("another secret of thirty-two bytes", &[]).unseal("kid", &sealed).is_err());
        let rotated = secrets("another secret of thirty-two bytes", &["one secret of thirty-two bytes...."]);
        assert_eq!(rotated.unseal("kid", &sealed).unwrap().as_slice(), b"key");
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

    #[test]
    fn processes_that_start_at_once_agree_on_one_secret() {
        let dir = tempfile::tempdir().unwrap();
        let made: Vec<String> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| load_or_make(dir.path()).unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap().expose_secret().to_owned()).collect()
        });
        assert!(made.iter().all(|secret| *secret == made[0] && secret.len() == 64));
        let file = fs::metadata(dir.path().join("secret")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
