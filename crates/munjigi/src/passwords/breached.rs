//! Passwords of published breaches, looked up in a file that is far too large for memory (`passwords.breached_file`).
//!
//! A line for each: the SHA-1 of the password in hex, or the same number of first digits of each, in ascending order; what
//! follows a colon is ignored. That is the file that the downloader of Pwned Passwords writes, as it is or cut short:
//! `cut -c1-16 pwnedpasswords.txt > breached.txt` is less than half of it, and says yes of one good password in ten
//! thousand million. SHA-1 is what that list is made of; nothing here rests on its strength.
//!
//! The lines may be of different lengths, so the search halves the file by bytes and goes on to the next line. It reads some
//! forty small pieces and keeps nothing.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use munjigi_rules::password::NewPassword;

/// Fewest digits of a hash: with less, too many good passwords would be taken for breached ones.
const FEWEST: usize = 10;
/// Digits of a whole one.
const WHOLE: usize = 40;
/// Longest line: a hash, a colon, a count and what ends a line.
const LONGEST: usize = 80;

/// The file, open.
#[derive(Debug)]
pub(super) struct Breached {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl Breached {
    /// Opens the file and looks at its beginning, its end and some places in between.
    ///
    /// # Errors
    /// It cannot be read, or is not of this kind.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let named = || format!("passwords.breached_file = {}", path.display());
        // Looked at first: to open a pipe would wait for its writer.
        if !std::fs::metadata(path).with_context(named)?.is_file() {
            return Err(wrong("it is no regular file")).with_context(named);
        }
        let file = File::open(path).with_context(named)?;
        let bytes = file.metadata().with_context(named)?.len();
        let list = Self { file, path: path.to_owned(), bytes };
        list.look().with_context(named)?;
        Ok(list)
    }

    fn look(&self) -> io::Result<()> {
        let mut before = String::new();
        for part in 0..=64 {
            let Some((_, hash)) = self.line_from(self.bytes / 64 * part)? else { break };
            if hash < before {
                return Err(wrong("the lines are not in ascending order"));
            }
            before = hash;
        }
        if before.is_empty() { Err(wrong("there is no line in it")) } else { Ok(()) }
    }

    /// Whether the password is in it.
    ///
    /// # Errors
    /// The file cannot be read any more, or is broken: nothing is known of the password then, and none is set.
    pub(super) fn contains(&self, password: &NewPassword) -> anyhow::Result<bool> {
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, password.reveal().as_bytes());
        let wanted: String = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        self.search(&wanted).with_context(|| format!("passwords.breached_file = {}", self.path.display()))
    }

    /// The first line that begins at or after `from` is less than the one that is looked for, and at `to` it is not.
    fn search(&self, wanted: &str) -> io::Result<bool> {
        let (mut from, mut to) = (0, self.bytes);
        while from < to {
            let middle = u64::midpoint(from, to);
            match self.line_from(middle)? {
                Some((_, hash)) if wanted.starts_with(&hash) => return Ok(true),
                Some((after, hash)) if hash.as_str() < wanted => from = after,
                _ => to = middle,
            }
        }
        Ok(false)
    }

    /// The hash of the first line that begins at `at` or later, and where the line after it begins.
    fn line_from(&self, at: u64) -> io::Result<Option<(u64, String)>> {
        // One byte more in front: a line begins at `at` if the byte before it ends one.
        let begin = at.saturating_sub(1);
        let mut piece = [0; 2 * LONGEST];
        let piece = self.read(begin, &mut piece)?;
        let skipped = if at == 0 { 0 } else { end_of_line(piece).map_or(piece.len(), |end| end + 1) };
        let line = piece.get(skipped..).unwrap_or_default();
        if line.is_empty() && begin + piece.len() as u64 >= self.bytes {
            return Ok(None);
        }
        let length = match end_of_line(line) {
            Some(end) => end,
            None if begin + piece.len() as u64 >= self.bytes => line.len(),
            None => return Err(wrong("a line is too long")),
        };
        let hash = line.get(..length).unwrap_or_default().split(|byte| *byte == b':').next().unwrap_or_default();
        let hash = std::str::from_utf8(hash).unwrap_or_default().trim_end().to_ascii_uppercase();
        if !(FEWEST..=WHOLE).contains(&hash.len()) || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong("a line is not the SHA-1 of a password in hex"));
        }
        Ok(Some((begin + (skipped + length + 1) as u64, hash)))
    }

    fn read<'a>(&self, at: u64, piece: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let mut filled = 0;
        while let Some(rest) = piece.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, at + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(piece.get(..filled).unwrap_or_default())
    }
}

fn end_of_line(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use munjigi_rules::password::known;

    use super::*;

    fn sha1(password: &str) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn the_hash_is_the_one_of_the_published_lists() {
        assert_eq!(sha1("password"), "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8");
    }

    #[test]
    fn every_line_is_found_and_nothing_else_whatever_their_form_and_number() {
        for count in [1, 2, 3, 7, 500] {
            let mut hashes: Vec<_> = (0..count).map(|n| sha1(&format!("breached {n}"))).collect();
            hashes.sort();
            let lower = |hash: &String| format!("{}\n", hash[..10].to_lowercase());
            let counted = |hash: &String| format!("{hash}:{}\r\n", hash.bytes().map(u64::from).sum::<u64>());
            for text in [
                hashes.iter().map(lower).collect::<String>(),
                hashes.iter().map(counted).collect::<String>(),
                hashes.join("\n"),
            ] {
                let file = file(&text);
                let list = Breached::open(file.path()).unwrap();
                for n in 0..count {
                    assert!(list.contains(&known(&format!("breached {n}"))).unwrap(), "{n} of {count}");
                    assert!(!list.contains(&known(&format!("unheard of {n}"))).unwrap(), "{n} of {count}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_such_file_is_refused_at_start() {
        let (a, b) = (sha1("a"), sha1("b"));
        for text in [
            String::new(),
            "\n\n".to_owned(),
            "password\nqwerty\n".to_owned(),
            format!("{}\n", &a[..9]),
            "A".repeat(500),
            format!("{}\n{}\n", std::cmp::max(&a, &b), std::cmp::min(&a, &b)).repeat(40),
        ] {
            let file = file(&text);
            let error = format!("{:#}", Breached::open(file.path()).unwrap_err());
            assert!(error.contains("passwords.breached_file"), "{error}");
        }
        assert!(Breached::open(Path::new("/nowhere/at/all")).is_err());
        assert!(Breached::open(Path::new("/")).is_err());
    }
}
