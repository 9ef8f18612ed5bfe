//! Numbered migrations; the version is the database's `user_version`.

use rusqlite::{Connection, TransactionBehavior};

use super::query::failure;
use crate::StoreError;

/// In order; the first brings version 0 (an empty file) to 1. Released ones never change.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/sqlite/0001_first.sql"),
    include_str!("../migrations/sqlite/0002_former_usernames.sql"),
];

/// What to do about a database that is older than this binary (`store.migrate`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrate {
    /// Bring it up to date.
    Auto,
    /// Refuse it; somebody runs `munjigi migrate`.
    Check,
}

/// A database's version beside this binary's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Of the database; 0 if it is empty or not there yet.
    pub found: u32,
    /// The newest that this binary knows.
    pub known: u32,
}

impl Schema {
    /// Of a database that is not there yet.
    pub(super) fn of_nothing() -> Self {
        Self { found: 0, known: u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX) }
    }

    /// Of this one.
    pub(super) fn of(db: &Connection) -> Result<Self, StoreError> {
        let found = version(db).map_err(|e| failure("read the schema version", e))?;
        Ok(Self { found, ..Self::of_nothing() })
    }

    /// Whether a binary that may migrate as `migrate` says can work with it.
    pub(super) fn accept(self, migrate: Migrate) -> Result<(), StoreError> {
        let Self { found, known } = self;
        if found > known {
            return Err(StoreError::NewerSchema { found, known });
        }
        if found < known && migrate == Migrate::Check {
            return Err(StoreError::OlderSchema { found, needed: known });
        }
        Ok(())
    }
}

/// Applies what is missing, in one transaction that only one process can be in; the version is read again inside it.
pub(super) fn bring_up(db: &mut Connection, migrate: Migrate) -> Result<(), StoreError> {
    Schema::of(db)?.accept(migrate)?;
    apply(db).map_err(|e| failure("migrate", e))?;
    Schema::of(db)?.accept(Migrate::Check)
}

fn apply(db: &mut Connection) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    for (migration, number) in MIGRATIONS.iter().zip(1_u32..) {
        if number > found {
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", number)?;
        }
    }
    transaction.commit()
}

pub(super) fn version(db: &Connection) -> rusqlite::Result<u32> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}
