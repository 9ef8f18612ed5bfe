//! Files of users that other systems wrote, read as they come: never a whole file in memory, and no record that is longer than
//! [`MOST_RECORD`].

mod bounded;
mod csv;
mod json_lines;
mod sql;

use std::io::{self, BufRead};

pub use bounded::Counted;

/// Most bytes of one user; what is longer is refused, and the next one is read.
pub const MOST_RECORD: usize = 64 * 1024;

/// What a file of users looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Comma-separated values, the first line names the columns.
    Csv,
    /// One JSON object a line.
    JsonLines,
    /// What `mysqldump` or `mariadb-dump` writes.
    Mysqldump,
}

/// One user as a file has them, nothing checked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// What they log in with.
    pub username: Option<String>,
    /// What is shown.
    pub name: Option<String>,
    /// The hash of the password.
    pub hash: Option<String>,
    /// Our own id, in a file that we wrote.
    pub id: Option<String>,
    /// Whether they may log in.
    pub enabled: Option<String>,
    /// When they registered.
    pub created_at: Option<String>,
}

/// What stands in one place of a file.
pub struct Row {
    /// Where it begins, from 1.
    pub line: u64,
    /// The user, or why it is none.
    pub record: Result<Record, Malformed>,
}

/// Why something in a file is no user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Over [`MOST_RECORD`].
    #[error("it has more than {MOST_RECORD} bytes")]
    TooLong,
    /// Text that is not UTF-8.
    #[error("it is not UTF-8")]
    Encoding,
    /// Not a JSON object of texts.
    #[error("it is not a JSON object whose members are as they should be")]
    Json,
    /// Fewer or more values than columns.
    #[error("it has another number of values than there are columns")]
    Columns,
}

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The system's.
    #[error("it cannot be read")]
    Read(#[from] io::Error),
    /// A header without what is needed.
    #[error(
        "line {line}: there is no column for {missing} among {columns}; username: {}; password hash: {}",
        USERNAME.join(", "), HASH.join(", ")
    )]
    NoColumn {
        /// Where.
        line: u64,
        /// What is missing.
        missing: &'static str,
        /// What there is.
        columns: String,
    },
    /// CSV that can be read in two ways.
    #[error(
        "line {line}: there is a \\ before a quote, which some systems write for a quote and others for what it is: export it \
         with quotes doubled, or as JSON lines"
    )]
    Escape {
        /// Where the user begins.
        line: u64,
    },
    /// SQL that is none of a dump.
    #[error("line {line}: {what}")]
    Sql {
        /// Where.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// Nothing was found.
    #[error("there is no INSERT INTO `{0}` in it; --table names the table")]
    NoTable(String),
}

/// Reads users one after the other. `None`: there are no more.
pub trait Records {
    /// The next one.
    ///
    /// # Errors
    /// The file cannot be read on.
    fn next(&mut self) -> Result<Option<Row>, ImportError>;
}

/// Reads a file; `format` as given, or by how it begins. `table` is for SQL.
///
/// # Errors
/// It cannot be read, or its header says nothing.
pub fn open<'a>(
    mut input: impl BufRead + 'a,
    format: Option<Format>,
    table: &str,
) -> Result<(Format, Box<dyn Records + 'a>), ImportError> {
    skip_mark(&mut input)?;
    let format = match format {
        Some(format) => format,
        None => recognise(input.fill_buf()?),
    };
    let records: Box<dyn Records> = match format {
        Format::Csv => Box::new(csv::Csv::open(input)?),
        Format::JsonLines => Box::new(json_lines::JsonLines::new(input)),
        Format::Mysqldump => Box::new(sql::Dump::new(input, table)),
    };
    Ok((format, records))
}

/// A byte order mark, as some programs write it before UTF-8.
fn skip_mark(input: &mut impl BufRead) -> io::Result<()> {
    if input.fill_buf()?.starts_with("\u{feff}".as_bytes()) {
        input.consume(3);
    }
    Ok(())
}

fn recognise(beginning: &[u8]) -> Format {
    let text = beginning.trim_ascii_start();
    let sql = ["--", "/*", "create ", "insert ", "drop ", "lock ", "set "];
    if text.starts_with(b"{") {
        Format::JsonLines
    } else if sql
        .iter()
        .any(|word| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes())))
    {
        Format::Mysqldump
    } else {
        Format::Csv
    }
}

/// Names under which a username is found, compared without case, `_` and `-`. `id` is one only where no other is there.
const USERNAME: &[&str] = &["username", "user", "login", "userid", "id"];
const NAME: &[&str] = &["name", "nickname", "displayname", "fullname"];
const HASH: &[&str] = &["passwordhash", "hash", "password", "encryptedpassword", "hashedpassword"];
const ENABLED: &[&str] = &["enabled", "isactive"];
const CREATED_AT: &[&str] = &["createdat"];

/// Which column, or member, is what.
struct Columns {
    count: usize,
    username: usize,
    hash: usize,
    name: Option<usize>,
    id: Option<usize>,
    enabled: Option<usize>,
    created_at: Option<usize>,
}

impl Columns {
    fn of(names: &[String], line: u64) -> Result<Self, ImportError> {
        let folded: Vec<String> = names.iter().map(|name| fold(name)).collect();
        let find = |known: &[&str]| known.iter().find_map(|known| folded.iter().position(|name| name == known));
        let missing = |missing| ImportError::NoColumn { line, missing, columns: shown(names) };
        let username = find(USERNAME).ok_or_else(|| missing("the username"))?;
        let id = find(&["id"]).filter(|id| *id != username);
        Ok(Self {
            count: names.len(),
            username,
            hash: find(HASH).ok_or_else(|| missing("the password hash"))?,
            name: find(NAME),
            id,
            enabled: find(ENABLED),
            created_at: find(CREATED_AT),
        })
    }

    /// Of as many values as there are columns; `None` is NULL.
    fn record(&self, values: &[Option<&[u8]>]) -> Result<Record, Malformed> {
        if values.len() != self.count {
            return Err(Malformed::Columns);
        }
        let value = |column: Option<usize>| match column.and_then(|column| values.get(column).copied().flatten()) {
            None => Ok(None),
            Some(bytes) => {
                std::str::from_utf8(bytes).map(|text| Some(text.to_owned())).map_err(|_| Malformed::Encoding)
            }
        };
        Ok(Record {
            username: value(Some(self.username))?,
            name: value(self.name)?,
            hash: value(Some(self.hash))?,
            id: value(self.id)?,
            enabled: value(self.enabled)?,
            created_at: value(self.created_at)?,
        })
    }
}

fn fold(name: &str) -> String {
    name.trim().chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// Names of columns for a message: a file without a header has a user's hash there, so nothing that is no plain word is shown.
fn shown(names: &[String]) -> String {
    let is_word = |name: &str| {
        (1..=24).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b' '))
    };
    let words: Vec<&str> = names.iter().take(20).map(|name| if is_word(name) { name.as_str() } else { "?" }).collect();
    words.join(", ")
}
