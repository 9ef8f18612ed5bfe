//! File, environment and flags, laid over each other.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::ConfigError;
use super::keys::{self, Key};

/// Most bytes of a file of settings, or with a secret in it.
const MOST_BYTES: u64 = 1 << 20;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody said anything.
    Default,
    /// This file.
    File(PathBuf),
    /// This variable of the environment.
    Env(String),
    /// This variable of `.env`.
    DotEnv(String),
    /// A flag.
    Flag,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Env(name) => write!(f, "environment {name}"),
            Self::DotEnv(name) => write!(f, ".env {name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// One value as it was given: texts, of which most keys have one. `Debug` shows none of them, because some are secrets.
#[derive(Clone)]
pub struct Given {
    /// The text, or each text of a list.
    pub texts: Vec<String>,
    /// Where it came from.
    pub source: Source,
    /// The files that it was read from, where files were named (`…_file`).
    pub files: Vec<PathBuf>,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").field("source", &self.source).finish_non_exhaustive()
    }
}

/// What was given, by key. Nothing is interpreted yet.
#[derive(Debug, Default)]
pub struct Layers {
    given: BTreeMap<&'static str, Given>,
    problems: Vec<String>,
}

impl Layers {
    /// No settings at all: every default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was given for `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Given> {
        self.given.get(key)
    }

    /// What could not be understood so far.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Lays a file over what is there. Without `required`, a file that does not exist changes nothing.
    ///
    /// # Errors
    /// The file cannot be read or is not TOML; the message says where.
    pub fn file(self, path: &Path, required: Required) -> Result<Self, ConfigError> {
        match read(path) {
            Ok(text) => self.toml(path, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && required == Required::No => Ok(self),
            Err(error) => Err(ConfigError(vec![format!("{}: {error}", path.display())])),
        }
    }

    /// Lays the text of a file over what is there.
    ///
    /// # Errors
    /// It is not TOML; the message says where.
    pub fn toml(mut self, path: &Path, text: &str) -> Result<Self, ConfigError> {
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| ConfigError(vec![not_toml(path, text, &error)]))?;
        for (section, value) in table {
            let toml::Value::Table(entries) = value else {
                self.problems.push(format!(
                    "{}: {section}: keys stand in sections, such as [server] with listen = …",
                    path.display()
                ));
                continue;
            };
            for (name, value) in entries {
                let full = format!("{section}.{name}");
                match texts(&value) {
                    Some(texts) => self.put(&full, texts, Source::File(path.to_owned())),
                    None => self.problems.push(format!(
                        "{}: {full}: expected a text, a number, a truth value or a list of texts",
                        path.display()
                    )),
                }
            }
        }
        Ok(self)
    }

    /// Lays variables over what is there: `MUNJIGI_SECTION__KEY`. Others are not looked at.
    #[must_use]
    pub fn variables(
        mut self,
        variables: impl IntoIterator<Item = (String, String)>,
        source: fn(String) -> Source,
    ) -> Self {
        for (name, value) in variables {
            let Some(key) = name.strip_prefix("MUNJIGI_") else { continue };
            let full = key.to_ascii_lowercase().replacen("__", ".", 1);
            self.put(&full, vec![value], source(name));
        }
        self
    }

    /// Lays one flag over what is there.
    #[must_use]
    pub fn flag(mut self, key: &str, value: String) -> Self {
        self.put(key, vec![value], Source::Flag);
        self
    }

    fn put(&mut self, name: &str, texts: Vec<String>, source: Source) {
        if let Some(key) = keys::find(name) {
            self.given.insert(key.name, Given { texts, source, files: vec![] });
        } else if let Some(key) = name.strip_suffix("_file").and_then(keys::find).filter(|key| key.secret) {
            self.put_from_files(key, &texts, source);
        } else {
            self.problems.push(format!("{source}: {name}: no such key; the nearest is {}", keys::nearest(name)));
        }
    }

    fn put_from_files(&mut self, key: &'static Key, paths: &[String], source: Source) {
        let mut texts = Vec::new();
        for path in paths {
            match read(Path::new(path)) {
                Ok(text) => texts.push(text.trim_end_matches(['\r', '\n']).to_owned()),
                Err(error) if !may_be_a_secret(path) => {
                    self.problems.push(format!("{source}: {}_file = {path:?}: {error}", key.name));
                }
                Err(error) => self.problems.push(format!("{source}: {}_file: no such file: {error}", key.name)),
            }
        }
        let files = paths.iter().map(PathBuf::from).collect();
        self.given.insert(key.name, Given { texts, source, files });
    }
}

/// What is in a file, or comes through a pipe; never more than fits a configuration.
fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if length as u64 > MOST_BYTES {
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, "it has more than 1 MiB"));
    }
    Ok(text)
}

/// Whether somebody may have given the secret itself where its file was asked for. Base64 has slashes, too: only what begins with a
/// folder that is there is a path for sure.
fn may_be_a_secret(path: &str) -> bool {
    let folder = Path::new(path).parent().filter(|folder| folder.file_name().is_some());
    path.len() >= super::values::SECRET_MIN && !folder.is_some_and(Path::is_dir)
}

/// Where a file stops being TOML. The line itself is not shown: it may hold a secret.
fn not_toml(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.lines().count().max(1);
    // The only value that TOML has and a table takes not is a number of more than 64 bits, and the parser repeats it.
    let message = Some(error.message()).filter(|message| !message.starts_with("invalid "));
    let message = message.unwrap_or("this number is too large; a text stands between quotation marks");
    format!("{}: line {line}: {message}", path.display())
}

/// Whether a file has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    /// Somebody named it.
    Yes,
    /// It is looked for where it usually is.
    No,
}

/// A TOML value as texts, if it is one that a key can have.
fn texts(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(text) => Some(vec![text.clone()]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Boolean(truth) => Some(vec![truth.to_string()]),
        toml::Value::Array(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        }
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}
