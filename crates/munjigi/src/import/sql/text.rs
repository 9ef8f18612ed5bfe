//! The words, names and values of a dump.

use std::io::BufRead;

use super::super::bounded::{Line, read_line};
use super::super::{Columns, ImportError, MOST_RECORD, Malformed, Record};

/// Most bytes of a name or a keyword.
const MOST_WORD: usize = 256;
/// Most columns of a table: MySQL's own.
const MOST_COLUMNS: usize = 4096;

/// The text of a dump, a byte at a time.
pub(super) struct Text<R> {
    input: R,
    /// Where it is, from 1.
    pub(super) line: u64,
    /// Whether something was there that MySQL and MariaDB write and nobody else: `\` in a text means something to them alone. Read so in
    /// another system's dump, what one user typed could end their text, and go on as another user.
    pub(super) is_mysql: bool,
    /// Whether the last name was between backquotes.
    pub(super) backquoted: bool,
}

impl<R: BufRead> Text<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: 1, is_mysql: false, backquoted: false }
    }

    pub(super) fn peek(&mut self) -> Result<Option<u8>, ImportError> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    pub(super) fn take(&mut self) -> Result<Option<u8>, ImportError> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.input.consume(1);
        }
        if byte == Some(b'\n') {
            self.line += 1;
        }
        Ok(byte)
    }

    /// The next byte, where the text cannot end.
    fn need(&mut self) -> Result<u8, ImportError> {
        self.take()?.ok_or_else(|| self.wrong("it ends in the middle of a statement: is it whole?"))
    }

    pub(super) fn wrong(&self, what: &str) -> ImportError {
        ImportError::Sql { line: self.line, what: what.to_owned() }
    }

    fn expect(&mut self, byte: u8) -> Result<(), ImportError> {
        if self.need()? == byte { Ok(()) } else { Err(self.wrong(&format!("{} is missing", char::from(byte)))) }
    }

    /// Passes over white space and comments, those that are for some versions of MySQL among them.
    pub(super) fn skip_space(&mut self) -> Result<(), ImportError> {
        loop {
            match self.peek()? {
                Some(byte) if byte.is_ascii_whitespace() => drop(self.take()?),
                Some(b'#') => self.skip_line()?,
                Some(b'-') => {
                    self.take()?;
                    if self.peek()? != Some(b'-') {
                        return Err(self.wrong("there is a - where a statement begins"));
                    }
                    self.skip_line()?;
                }
                Some(b'/') => {
                    self.take()?;
                    self.expect(b'*')?;
                    self.is_mysql |= self.peek()? == Some(b'!');
                    self.skip_comment()?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn skip_line(&mut self) -> Result<(), ImportError> {
        while !matches!(self.take()?, None | Some(b'\n')) {}
        Ok(())
    }

    /// Behind its beginning.
    fn skip_comment(&mut self) -> Result<(), ImportError> {
        let mut star = false;
        loop {
            match self.need()? {
                b'/' if star => return Ok(()),
                byte => star = byte == b'*',
            }
        }
    }

    /// Passes over the rest of a statement, with strings and comments in it.
    pub(super) fn skip_statement(&mut self) -> Result<(), ImportError> {
        let mut last = b' ';
        loop {
            let byte = self.need()?;
            match byte {
                b';' => return Ok(()),
                b'\'' | b'"' | b'`' => self.string(byte, &mut Value::none())?,
                b'*' if last == b'/' => self.skip_comment()?,
                b'-' if last == b'-' && self.peek()?.is_some_and(|byte| byte.is_ascii_whitespace()) => {
                    self.skip_line()?
                }
                b'#' => self.skip_line()?,
                _ => {}
            }
            last = byte;
        }
    }

    /// From `DELIMITER` with something else than `;` to where it is `;` again.
    pub(super) fn skip_procedures(&mut self) -> Result<(), ImportError> {
        let (mut line, mut first) = (Vec::new(), true);
        loop {
            match read_line(&mut self.input, &mut line, MOST_RECORD)? {
                Line::End => return Ok(()),
                Line::TooLong => {}
                Line::Whole => {
                    let text = line.trim_ascii();
                    if text == b";" && first || text.eq_ignore_ascii_case(b"delimiter ;") {
                        self.line += 1;
                        return Ok(());
                    }
                }
            }
            self.line += 1;
            first = false;
        }
    }

    /// A keyword, in lower case; empty where none begins.
    pub(super) fn word(&mut self) -> Result<String, ImportError> {
        let mut word = String::new();
        while let Some(byte) = self.peek()? {
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')) || word.len() == MOST_WORD {
                break;
            }
            word.push(char::from(byte.to_ascii_lowercase()));
            self.take()?;
        }
        Ok(word)
    }

    /// A name, quoted or not. Names of other cases are other names.
    fn name(&mut self) -> Result<String, ImportError> {
        self.skip_space()?;
        let mut value = Value::of_at_most(MOST_WORD);
        self.backquoted = self.peek()? == Some(b'`');
        match self.peek()? {
            Some(quote @ (b'`' | b'"')) => {
                self.take()?;
                self.string(quote, &mut value)?;
            }
            _ => {
                while let Some(byte) = self.peek()? {
                    if !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80) {
                        break;
                    }
                    value.push(byte);
                    self.take()?;
                }
            }
        }
        Ok(String::from_utf8_lossy(&value.bytes).into_owned())
    }

    /// The name of a table behind these words, without its database's; what comes behind other words is nobody's.
    pub(super) fn words_until_name(&mut self, words: &[&str]) -> Result<String, ImportError> {
        loop {
            let name = self.name()?;
            if words.contains(&name.to_ascii_lowercase().as_str()) {
                continue;
            }
            self.skip_space()?;
            if self.peek()? != Some(b'.') {
                return Ok(name);
            }
            self.take()?;
        }
    }

    /// Names in parentheses.
    pub(super) fn names(&mut self) -> Result<Vec<String>, ImportError> {
        self.expect(b'(')?;
        let mut names = Vec::new();
        loop {
            names.push(self.name()?);
            self.skip_space()?;
            match self.need()? {
                b',' if names.len() < MOST_COLUMNS => {}
                b')' => return Ok(names),
                _ => return Err(self.wrong("this is no list of columns")),
            }
        }
    }

    /// The columns that a CREATE TABLE defines.
    pub(super) fn defined_columns(&mut self) -> Result<Vec<String>, ImportError> {
        const OTHERS: &[&str] =
            &["primary", "key", "unique", "index", "fulltext", "spatial", "constraint", "foreign", "check", "period"];
        self.skip_space()?;
        self.expect(b'(')?;
        let mut names = Vec::new();
        loop {
            self.skip_space()?;
            let quoted = self.peek()? == Some(b'`');
            let name = self.name()?;
            if (quoted || !OTHERS.contains(&name.to_ascii_lowercase().as_str())) && names.len() < MOST_COLUMNS {
                names.push(name);
            }
            let mut depth = 0_u32;
            loop {
                match self.need()? {
                    quote @ (b'\'' | b'"' | b'`') => self.string(quote, &mut Value::none())?,
                    b'(' => depth += 1,
                    b')' if depth == 0 => return Ok(names),
                    b')' => depth -= 1,
                    b',' if depth == 0 => break,
                    b'/' if self.peek()? == Some(b'*') => {
                        self.take()?;
                        self.skip_comment()?;
                    }
                    _ => {}
                }
            }
        }
    }

    /// What follows an opening quote, up to the closing one, with its escapes undone.
    fn string(&mut self, quote: u8, value: &mut Value) -> Result<(), ImportError> {
        loop {
            match self.need()? {
                byte if byte == quote => {
                    if self.peek()? != Some(quote) {
                        return Ok(());
                    }
                    self.take()?;
                    value.push(quote);
                }
                b'\\' if quote != b'`' && !self.is_mysql => {
                    return Err(self.wrong(
                        "there is a \\ in a text, which MySQL reads in its own way, and nothing says that it is MySQL's: no /*! before it, and no ` around the name of a table",
                    ));
                }
                b'\\' if quote != b'`' => value.push(match self.need()? {
                    b'0' => 0,
                    b'b' => 8,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'Z' => 26,
                    other => other,
                }),
                byte => value.push(byte),
            }
        }
    }

    /// One row of values in parentheses.
    pub(super) fn row(&mut self, columns: &Columns) -> Result<Result<Record, Malformed>, ImportError> {
        self.expect(b'(')?;
        let (mut values, mut left) = (Vec::with_capacity(columns.count), MOST_RECORD);
        loop {
            let mut value = Value::of_at_most(left);
            self.value(&mut value)?;
            left = left.saturating_sub(value.bytes.len()).min(if value.fits { left } else { 0 });
            if values.len() <= columns.count {
                values.push(value);
            }
            self.skip_space()?;
            match self.need()? {
                b',' => {}
                b')' => break,
                _ => return Err(self.wrong("this is no value")),
            }
        }
        if values.iter().any(|value| !value.fits) {
            return Ok(Err(Malformed::TooLong));
        }
        let values: Vec<_> = values.iter().map(|value| (!value.null).then_some(value.bytes.as_slice())).collect();
        Ok(columns.record(&values))
    }

    /// A string (perhaps behind the name of its encoding), a number, NULL or bytes in hex.
    fn value(&mut self, value: &mut Value) -> Result<(), ImportError> {
        self.skip_value_space()?;
        let mut bare = Value::of_at_most(MOST_RECORD);
        loop {
            match self.peek()? {
                Some(quote @ (b'\'' | b'"')) => {
                    self.take()?;
                    self.string(quote, value)?;
                    if bare.bytes.eq_ignore_ascii_case(b"x") {
                        value.unhex();
                    }
                    return Ok(());
                }
                None | Some(b',' | b')') => break,
                Some(byte) if byte.is_ascii_whitespace() => self.skip_value_space()?,
                Some(byte) => {
                    bare.push(byte);
                    self.take()?;
                }
            }
        }
        value.null = bare.bytes.eq_ignore_ascii_case(b"null");
        let hex = bare.bytes.strip_prefix(b"0x");
        hex.unwrap_or(&bare.bytes).iter().for_each(|byte| value.push(*byte));
        value.fits &= bare.fits;
        if hex.is_some() {
            value.unhex();
        }
        Ok(())
    }

    /// Between values: a `-` there belongs to a number.
    fn skip_value_space(&mut self) -> Result<(), ImportError> {
        while self.peek()?.is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.take()?;
        }
        Ok(())
    }
}

/// A value of which only so much is kept.
struct Value {
    bytes: Vec<u8>,
    most: usize,
    fits: bool,
    null: bool,
}

impl Value {
    fn of_at_most(most: usize) -> Self {
        Self { bytes: Vec::new(), most, fits: true, null: false }
    }

    /// For what is passed over.
    fn none() -> Self {
        Self::of_at_most(0)
    }

    fn push(&mut self, byte: u8) {
        self.fits &= self.bytes.len() < self.most;
        if self.fits {
            self.bytes.push(byte);
        }
    }

    fn unhex(&mut self) {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pair = |pair: &[u8]| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        };
        if let Some(bytes) = self.bytes.chunks(2).map(pair).collect() {
            self.bytes = bytes;
        }
    }
}
