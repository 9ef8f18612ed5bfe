//! The secret where nobody else has to know it: a file in the data directory, made at the first start.
//!
//! ```text
//! secret            the present one
//! secret.previous   former ones, a line each: when it was replaced (seconds since 1970), and what it was
//! ```

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use munjigi_rules::Timestamp;
use rustix::fs::{FlockOperation, flock};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::config::values::SECRET_MIN;
use crate::random;

/// Where the secret is kept.
pub struct SecretFile {
    dir: PathBuf,
    /// `server.previous_secrets`, which are former ones too.
    configured: Vec<SecretString>,
}

impl SecretFile {
    /// In this data directory, with `server.previous_secrets`.
    #[must_use]
    pub fn new(dir: &Path, configured: Vec<SecretString>) -> Self {
        Self { dir: dir.to_owned(), configured }
    }

    /// The present secret, made if there is none, and then former ones. Two processes that start at once get the same one: the
    /// file appears whole or not at all.
    pub(super) fn read_or_make(&self) -> anyhow::Result<Vec<SecretString>> {
        let path = self.present();
        if !path.exists() {
            self.make().with_context(|| format!("cannot make the secret {}", path.display()))?;
        }
        // In this order: the file of former ones is the first to be written.
        let present = read(&path)?.context("the secret has just been there")?;
        let present = present.trim_end();
        if present.len() < SECRET_MIN {
            bail!("{}: a secret has at least 32 bytes; restore the file from a backup", path.display());
        }
        let former = self.former()?.into_iter().map(|(_, secret)| secret);
        let all = std::iter::once(present.to_owned().into()).chain(former).chain(self.configured.iter().cloned());
        Ok(all.collect())
    }

    /// Puts a new secret in the place of the present one, which verifies and decrypts for `keep` from now on: as long as a
    /// refresh token that it signed can be shown. Processes that run learn of it by [`super::Secrets::reread`].
    ///
    /// # Errors
    /// If a file cannot be written; the message names it. What was kept before is still there then.
    pub fn replace(&self, keep: Duration, now: Timestamp) -> anyhow::Result<()> {
        let dir = fs::File::open(&self.dir).with_context(|| format!("cannot open {}", self.dir.display()))?;
        // One at a time; the lock goes with the file handle.
        flock(&dir, FlockOperation::LockExclusive)?;
        let path = self.present();
        let present = read(&path)?.with_context(|| format!("there is no secret {}", path.display()))?;
        let former = self.former()?.into_iter().filter(|(replaced, _)| replaced.plus(keep) > now);
        let mut lines = Zeroizing::new(String::new());
        for (replaced, secret) in std::iter::once((now, present.trim_end().to_owned().into())).chain(former) {
            lines.push_str(&format!("{} {}\n", replaced.as_secs(), secret.expose_secret()));
        }
        for (path, text) in [(self.previous(), &lines), (path, &new_secret())] {
            let draft = self.draft(text).with_context(|| format!("cannot write {}", path.display()))?;
            fs::rename(&draft, &path).with_context(|| format!("cannot write {}", path.display()))?;
            dir.sync_all()?;
        }
        Ok(())
    }

    /// Forgets the former secrets.
    ///
    /// # Errors
    /// If the file of them cannot be removed; the message names it.
    pub fn forget(&self) -> anyhow::Result<()> {
        let path = self.previous();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    fn present(&self) -> PathBuf {
        self.dir.join("secret")
    }

    fn previous(&self) -> PathBuf {
        self.dir.join("secret.previous")
    }

    fn former(&self) -> anyhow::Result<Vec<(Timestamp, SecretString)>> {
        let path = self.previous();
        let text = read(&path)?.unwrap_or_default();
        let line = |line: &str| {
            let (seconds, secret) = line.split_once(' ')?;
            Some((Timestamp::from_secs(seconds.parse().ok()?), secret.to_owned().into()))
        };
        let lines: Option<Vec<_>> = text.lines().map(line).collect();
        lines.with_context(|| format!("{}: a line is not a moment and a secret; restore the file", path.display()))
    }

    fn make(&self) -> anyhow::Result<()> {
        let draft = self.draft(&new_secret())?;
        let linked = fs::hard_link(&draft, self.present());
        fs::remove_file(&draft)?;
        match linked {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.into()),
            _ => Ok(fs::File::open(&self.dir)?.sync_all()?),
        }
    }

    /// A file for its owner only, on the disk before anybody looks for it under its right name.
    fn draft(&self, text: &str) -> std::io::Result<PathBuf> {
        let draft = self.dir.join(format!("secret.{:016x}", u64::from_be_bytes(random::bytes())));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(draft)
    }
}

/// What is in a file, if it is there.
fn read(path: &Path) -> anyhow::Result<Option<Zeroizing<String>>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read the secret {}", path.display())),
    }
}

/// 256 random bits as a line of text.
fn new_secret() -> Zeroizing<String> {
    let [number, more] = [(); 2].map(|()| u128::from_be_bytes(random::bytes()));
    Zeroizing::new(format!("{number:032x}{more:032x}\n"))
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const LONG: Duration = Duration::from_secs(1_000);

    fn all(file: &SecretFile) -> Vec<String> {
        file.read_or_make().unwrap().iter().map(|secret| secret.expose_secret().to_owned()).collect()
    }

    #[test]
    fn processes_that_start_at_once_agree_on_one_secret() {
        let dir = tempfile::tempdir().unwrap();
        let made: Vec<Vec<String>> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| all(&SecretFile::new(dir.path(), vec![])))).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(made.iter().all(|secrets| *secrets == made[0] && secrets.len() == 1 && secrets[0].len() == 64));
        let file = fs::metadata(dir.path().join("secret")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_replaced_secret_is_kept_as_long_as_a_token_of_it_lives() {
        let dir = tempfile::tempdir().unwrap();
        let file = SecretFile::new(dir.path(), vec!["configured beside it".to_owned().into()]);
        let first = all(&file).remove(0);
        file.replace(LONG, NOW).unwrap();
        let second = all(&file).remove(0);
        assert_eq!(all(&file)[1..], [first.clone(), "configured beside it".to_owned()]);
        file.replace(LONG, NOW.plus(LONG / 2)).unwrap();
        assert_eq!(all(&file)[1..3], [second.clone(), first]);
        file.replace(LONG, NOW.plus(LONG)).unwrap();
        let kept = all(&file);
        assert!(kept.contains(&second) && kept.len() == 4, "the first one's time is over");
        let mode = fs::metadata(dir.path().join("secret.previous")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        file.forget().unwrap();
        file.forget().unwrap();
        assert_eq!(all(&file).len(), 2, "the present one and the configured one");
    }

    #[test]
    fn a_damaged_file_of_former_secrets_is_named_and_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let file = SecretFile::new(dir.path(), vec![]);
        all(&file);
        fs::write(dir.path().join("secret.previous"), "topsecret").unwrap();
        let error = format!("{:#}", file.read_or_make().unwrap_err());
        assert!(error.contains("secret.previous") && !error.contains("topsecret"), "{error}");
    }
}
