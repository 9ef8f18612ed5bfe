//! The secret where nobody else has to know it: a file in the data directory, made at the first start.
//!
//! ```text
//! secret            the present one
//! secret.previous   former ones, a line each: when it was replaced (seconds since 1970; with `!` if somebody may know it), and
//!                   what it was
//! ```
//!
//! A former secret verifies for as long as a refresh token of it can be shown, and not at all if somebody may know it. It decrypts
//! for as long as its line is there: until every key was sealed with the present one.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use munjigi_gate::Clock;
use munjigi_rules::Timestamp;
use rustix::fs::{FlockOperation, flock};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::{Held, Worth};
use crate::config::values::SECRET_MIN;
use crate::random;

/// So long, in tenths of a second, a command waits for another one that works on the secret.
const PATIENCE: u32 = 100;

/// What becomes of a secret that is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Former {
    /// It verifies until the last refresh token that it signed has expired.
    Kept,
    /// Somebody may know it: it verifies nothing from now on.
    Known,
}

/// Where the secret is kept.
pub struct SecretFile {
    dir: PathBuf,
    /// `server.previous_secrets`, which are former ones too.
    configured: Vec<SecretString>,
    /// How long a former secret verifies: as long as a refresh token that it signed can be shown.
    keep: Duration,
    clock: Arc<dyn Clock>,
}

/// A line of `secret.previous`.
struct Line {
    replaced: Timestamp,
    former: Former,
    secret: SecretString,
}

impl SecretFile {
    /// In this data directory, with `server.previous_secrets`; a former secret verifies for `keep` after it was replaced.
    #[must_use]
    pub fn new(dir: &Path, configured: Vec<SecretString>, keep: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { dir: dir.to_owned(), configured, keep, clock }
    }

    /// Whether there is a secret.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.present().exists()
    }

    /// Makes a secret where there is none. Two processes that do it at once make the same one: the file appears whole or not at
    /// all.
    pub(super) fn make_if_absent(&self) -> anyhow::Result<()> {
        if self.exists() { Ok(()) } else { self.make() }
            .with_context(|| format!("cannot make the secret {}", self.present().display()))
    }

    /// The present secret, and then former ones. One that is gone is not made anew: nothing could be read with another.
    pub(super) fn read(&self) -> anyhow::Result<Vec<Held>> {
        let path = self.present();
        // In this order: the file of former ones is the first to be written.
        let present =
            read(&path)?.with_context(|| format!("there is no secret {}; restore it from a backup", path.display()))?;
        let present = present.trim_end();
        if present.len() < SECRET_MIN {
            bail!("{}: a secret has at least 32 bytes; restore the file from a backup", path.display());
        }
        let lines = self.lines()?.into_iter().map(|line| Held { worth: self.worth(&line), secret: line.secret });
        let configured = self.configured.iter().cloned().map(Held::verifying);
        Ok(std::iter::once(Held::verifying(present.to_owned().into())).chain(lines).chain(configured).collect())
    }

    fn worth(&self, line: &Line) -> Worth {
        let in_time = line.replaced.plus(self.keep) > self.clock.now();
        if in_time && line.former == Former::Kept { Worth::Verifies } else { Worth::Decrypts }
    }

    /// Sees to it that nobody else replaces the secret, or makes keys with it that it decrypts, until the answer is dropped.
    ///
    /// # Errors
    /// Another process holds it, and does not let go.
    pub async fn lock(&self) -> anyhow::Result<Locked<'_>> {
        let dir = File::open(&self.dir).with_context(|| format!("cannot open {}", self.dir.display()))?;
        for _ in 0..PATIENCE {
            // The lock goes with the file handle, also of a process that is killed.
            match flock(&dir, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Locked { file: self, dir }),
                Err(rustix::io::Errno::WOULDBLOCK) => tokio::time::sleep(Duration::from_millis(100)).await,
                Err(error) => return Err(error).with_context(|| format!("cannot lock {}", self.dir.display())),
            }
        }
        bail!(
            "{}: another munjigi command is at work on the secret or the keys; try again once it has ended",
            self.dir.display()
        )
    }

    fn present(&self) -> PathBuf {
        self.dir.join("secret")
    }

    fn previous(&self) -> PathBuf {
        self.dir.join("secret.previous")
    }

    fn lines(&self) -> anyhow::Result<Vec<Line>> {
        let path = self.previous();
        let text = read(&path)?.unwrap_or_default();
        let line = |line: &str| {
            let (moment, secret) = line.split_once(' ')?;
            let known = moment.strip_suffix('!');
            let replaced = Timestamp::from_secs(known.unwrap_or(moment).parse().ok()?);
            let former = if known.is_some() { Former::Known } else { Former::Kept };
            Some(Line { replaced, former, secret: secret.to_owned().into() })
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
            _ => Ok(File::open(&self.dir)?.sync_all()?),
        }
    }

    /// A file for its owner only, on the disk before anybody looks for it under its right name. Its owner is the directory's: an
    /// administrator's command must not take it away from the server.
    fn draft(&self, text: &str) -> std::io::Result<PathBuf> {
        let draft = self.dir.join(format!("secret.{:016x}", u64::from_be_bytes(random::bytes())));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        let written = || {
            let (ours, owner) = (file.metadata()?, fs::metadata(&self.dir)?);
            if ours.uid() != owner.uid() {
                fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
            }
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        kept(&draft, { written }())?;
        Ok(draft)
    }
}

/// The secret, held against everybody else.
pub struct Locked<'a> {
    file: &'a SecretFile,
    dir: File,
}

impl Locked<'_> {
    /// Puts a new secret in the place of the present one. If somebody may know that, they may know those before it. Processes
    /// that run learn of it by [`super::Secrets::reread`].
    ///
    /// # Errors
    /// If a file cannot be written; the message names it. What was kept before is still there then.
    pub fn replace(&self, former: Former) -> anyhow::Result<()> {
        let path = self.file.present();
        let present = read(&path)?.with_context(|| format!("there is no secret {}", path.display()))?;
        let secret = present.trim_end().to_owned().into();
        let mut lines = vec![Line { replaced: self.file.clock.now(), former, secret }];
        lines.extend(self.file.lines()?);
        if former == Former::Known {
            lines.iter_mut().for_each(|line| line.former = former);
        }
        self.write_previous(&lines)?;
        self.write(&path, &new_secret())
    }

    /// Whether somebody may know a former one, and so every key that was sealed with it.
    ///
    /// # Errors
    /// The file cannot be read; the message names it.
    pub fn is_known(&self) -> anyhow::Result<bool> {
        Ok(self.file.lines()?.iter().any(|line| line.former == Former::Known))
    }

    /// Forgets those that only decrypt. To be called once nothing is sealed with them any more.
    ///
    /// # Errors
    /// If the file cannot be written; the message names it.
    pub fn forget_over(&self) -> anyhow::Result<()> {
        let lines = self.file.lines()?;
        let before = lines.len();
        let kept: Vec<_> = lines.into_iter().filter(|line| self.file.worth(line) == Worth::Verifies).collect();
        if kept.len() == before { Ok(()) } else { self.write_previous(&kept) }
    }

    fn write_previous(&self, lines: &[Line]) -> anyhow::Result<()> {
        let path = self.file.previous();
        if lines.is_empty() {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            return Ok(self.dir.sync_all()?);
        }
        let mut text = Zeroizing::new(String::new());
        for line in lines {
            let mark = if line.former == Former::Known { "!" } else { "" };
            text.push_str(&format!("{}{mark} {}\n", line.replaced.as_secs(), line.secret.expose_secret()));
        }
        self.write(&path, &text)
    }

    fn write(&self, path: &Path, text: &str) -> anyhow::Result<()> {
        let written = || {
            let draft = self.file.draft(text)?;
            kept(&draft, fs::rename(&draft, path))?;
            self.dir.sync_all()
        };
        written().with_context(|| format!("cannot write {}", path.display()))
    }
}

/// A draft that came to nothing is taken away: there is a secret in it.
fn kept(draft: &Path, outcome: std::io::Result<()>) -> std::io::Result<()> {
    outcome.inspect_err(|_| drop(fs::remove_file(draft)))
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
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(1_000);

    /// A clock that is set by hand, in seconds.
    #[derive(Default)]
    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(self.0.load(Ordering::Relaxed))
        }
    }

    fn file(dir: &tempfile::TempDir, configured: &[&str]) -> (SecretFile, Arc<Hand>) {
        let configured = configured.iter().map(|secret| (*secret).to_owned().into()).collect();
        let clock = Arc::new(Hand::default());
        (SecretFile::new(dir.path(), configured, LONG, Arc::clone(&clock) as _), clock)
    }

    fn all(file: &SecretFile) -> Vec<(String, Worth)> {
        file.make_if_absent().unwrap();
        file.read().unwrap().iter().map(|held| (held.secret.expose_secret().to_owned(), held.worth)).collect()
    }

    #[test]
    fn processes_that_start_at_once_agree_on_one_secret() {
        let dir = tempfile::tempdir().unwrap();
        let made: Vec<Vec<_>> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| all(&file(&dir, &[]).0))).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(made.iter().all(|secrets| *secrets == made[0] && secrets.len() == 1 && secrets[0].0.len() == 64));
        let file = fs::metadata(dir.path().join("secret")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_replaced_secret_verifies_as_long_as_a_token_of_it_lives_and_then_only_decrypts() {
        let dir = tempfile::tempdir().unwrap();
        let (file, clock) = file(&dir, &["configured beside it"]);
        let first = all(&file).remove(0).0;
        let locked = file.lock().await.unwrap();
        locked.replace(Former::Kept).unwrap();
        let second = all(&file).remove(0).0;
        let configured = ("configured beside it".to_owned(), Worth::Verifies);
        assert_eq!(all(&file)[1..], [(first.clone(), Worth::Verifies), configured]);
        clock.0.store(500, Ordering::Relaxed);
        locked.replace(Former::Kept).unwrap();
        clock.0.store(1_000, Ordering::Relaxed);
        assert_eq!(all(&file)[1..3], [(second.clone(), Worth::Verifies), (first, Worth::Decrypts)]);
        locked.forget_over().unwrap();
        let kept = all(&file);
        assert!(kept.len() == 3 && kept[1] == (second, Worth::Verifies), "the first one's time is over");
        let mode = fs::metadata(dir.path().join("secret.previous")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_secret_that_somebody_may_know_verifies_nothing_and_neither_do_those_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let (file, _) = file(&dir, &[]);
        let first = all(&file).remove(0).0;
        let locked = file.lock().await.unwrap();
        locked.replace(Former::Kept).unwrap();
        let second = all(&file).remove(0).0;
        locked.replace(Former::Known).unwrap();
        assert_eq!(all(&file)[1..], [(second, Worth::Decrypts), (first, Worth::Decrypts)]);
        locked.forget_over().unwrap();
        locked.forget_over().unwrap();
        assert_eq!(all(&file).len(), 1);
        assert!(!dir.path().join("secret.previous").exists());
    }

    #[tokio::test]
    async fn one_at_a_time_works_on_the_secret() {
        let dir = tempfile::tempdir().unwrap();
        let ((one, _), (two, _)) = (file(&dir, &[]), file(&dir, &[]));
        let held = one.lock().await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(150), two.lock()).await.is_err(), "it waits");
        drop(held);
        two.lock().await.unwrap();
    }

    #[test]
    fn a_damaged_file_of_former_secrets_is_named_and_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let (file, _) = file(&dir, &[]);
        all(&file);
        fs::write(dir.path().join("secret.previous"), "topsecret").unwrap();
        let error = format!("{:#}", file.read().err().unwrap());
        assert!(error.contains("secret.previous") && !error.contains("topsecret"), "{error}");
    }

    #[test]
    fn a_secret_that_cannot_be_put_in_its_place_is_not_left_lying_about() {
        let dir = tempfile::tempdir().unwrap();
        let (file, _) = file(&dir, &[]);
        let draft = file.draft("topsecret").unwrap();
        fs::create_dir(dir.path().join("secret")).unwrap();
        assert!(kept(&draft, fs::rename(&draft, dir.path().join("secret"))).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
