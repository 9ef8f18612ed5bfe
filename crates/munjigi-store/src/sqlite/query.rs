//! Statements, rows, and what an error of SQLite means.

use std::error::Error;

use munjigi_rules::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Params, Row};

use crate::StoreError;

pub(super) const STORE: &str = "SQLite";

/// Names the statements of a module and lists them all, so that one test can prepare every one.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* const $name: &str = $sql;)*

        /// Every statement of this module.
        #[cfg(test)]
        pub(crate) const STATEMENTS: &[&str] = &[$($name),*];
    };
}
pub(crate) use statements;

/// The one row of a query, if there is one. Here and below a statement is a constant: none can be put together from what came in.
pub(crate) fn one<T>(
    db: &Connection,
    sql: &'static str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    db.prepare_cached(sql)?.query_row(params, read).optional()
}

/// All rows of a query.
pub(crate) fn all<T>(
    db: &Connection,
    sql: &'static str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map(params, read)?.collect()
}

/// How many rows a statement changed.
pub(crate) fn change(db: &Connection, sql: &'static str, params: impl Params) -> rusqlite::Result<usize> {
    db.prepare_cached(sql)?.execute(params)
}

/// A column that holds a moment.
pub(crate) fn moment(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

/// A value is of the right type but not one that we would have written.
pub(crate) fn undecodable(cause: impl Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Null, Box::new(cause))
}

/// What a failure of SQLite means to the callers of this crate.
pub(super) fn failure(step: &'static str, error: rusqlite::Error) -> StoreError {
    use rusqlite::Error as E;
    let is_damage = match &error {
        E::SqliteFailure(cause, _) => matches!(cause.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase),
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::Utf8Error(..) => true,
        _ => false,
    };
    if is_damage {
        StoreError::Corrupt { store: STORE, what: format!("{step}: {error}") }
    } else {
        unavailable(step, error)
    }
}

/// SQLite could not do it now.
pub(super) fn unavailable(step: &'static str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable { store: STORE, step, cause: cause.into() }
}
