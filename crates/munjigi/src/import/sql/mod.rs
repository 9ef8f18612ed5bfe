//! The dump of a MySQL or MariaDB database, of which one table is read.
//!
//! ```text
//! statements ──► CREATE TABLE `users` (…)      columns
//!            ──► INSERT INTO `users` VALUES    (…), (…), … ;   one row at a time, however long the statement is
//!            ──► DELIMITER ;;                  passed over up to DELIMITER ; with the procedures between
//!            ──► anything else                 passed over, with its strings and comments
//! ```

use std::io::BufRead;

use super::{Columns, ImportError, Records, Row};
use text::Text;

mod text;

pub(super) struct Dump<R> {
    text: Text<R>,
    table: String,
    columns: Option<Columns>,
    /// In the midst of the rows of an INSERT.
    in_rows: bool,
    found: bool,
}

impl<R: BufRead> Dump<R> {
    pub(super) fn new(input: R, table: &str) -> Self {
        Self { text: Text::new(input), table: table.to_owned(), columns: None, in_rows: false, found: false }
    }

    /// Reads up to the rows of the next INSERT. `false`: there is none.
    fn find_rows(&mut self) -> Result<bool, ImportError> {
        loop {
            self.text.skip_space()?;
            if self.text.peek()?.is_none() {
                return Ok(false);
            }
            match self.text.word()?.as_str() {
                "insert" | "replace" => {
                    let table = self.text.words_until_name(&["into", "ignore", "delayed"])?;
                    self.text.is_mysql |= self.text.backquoted;
                    if table == self.table {
                        self.found = true;
                        self.begin_rows()?;
                        return Ok(true);
                    }
                    self.text.skip_statement()?;
                }
                "create" if self.text.words_until_name(&["table", "if", "not", "exists"])? == self.table => {
                    self.found = true;
                    let line = self.text.line;
                    let names = self.text.defined_columns()?;
                    self.columns = Some(Columns::of(&names, line)?);
                    self.text.skip_statement()?;
                }
                "delimiter" => self.text.skip_procedures()?,
                _ => self.text.skip_statement()?,
            }
        }
    }

    fn begin_rows(&mut self) -> Result<(), ImportError> {
        self.text.skip_space()?;
        if self.text.peek()? == Some(b'(') {
            let line = self.text.line;
            let names = self.text.names()?;
            self.columns = Some(Columns::of(&names, line)?);
            self.text.skip_space()?;
        }
        match self.text.word()?.as_str() {
            "values" | "value" => Ok(()),
            _ => Err(self.text.wrong("INSERT without VALUES")),
        }
    }
}

impl<R: BufRead> Records for Dump<R> {
    fn next(&mut self) -> Result<Option<Row>, ImportError> {
        if !self.in_rows {
            self.in_rows = self.find_rows()?;
        }
        if !self.in_rows {
            return if self.found { Ok(None) } else { Err(ImportError::NoTable(self.table.clone())) };
        }
        self.text.skip_space()?;
        let line = self.text.line;
        let Some(columns) = &self.columns else {
            return Err(self.text.wrong(
                "the INSERT names no columns, and no CREATE TABLE is before it: dump with --complete-insert, or with the table's definition",
            ));
        };
        let record = self.text.row(columns)?;
        self.text.skip_space()?;
        match self.text.take()? {
            Some(b',') => {}
            Some(b';') => self.in_rows = false,
            _ => return Err(self.text.wrong("after a row there is neither , nor ;")),
        }
        Ok(Some(Row { line, record }))
    }
}
