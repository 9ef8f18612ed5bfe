//! Everything in one SQLite file.
//!
//! One thread writes, a few read, and none of them is the runtime's: an answer travels back on a channel. The writer commits
//! in groups, so that many small writes share one flush to the disk, and answers only when that flush is done. Several
//! processes may open the same file (WAL, `BEGIN IMMEDIATE`, a busy timeout).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::StoreError;
use crate::meter::{Measured, Meter};

mod open;
mod query;
mod schema;
mod worker;

pub use schema::{Migrate, Schema};

use query::STORE;
pub(crate) use query::{all, change, moment, one, statements, undecodable};

/// Handle of an open database; clones share it. Its threads end when the last one is dropped.
#[derive(Clone)]
pub struct Sqlite {
    threads: Arc<worker::Threads>,
    measured: Measured,
}

impl Sqlite {
    /// Opens the file, makes it if it is not there (mode 0600; the directory must exist), and brings its schema up to date
    /// or checks it. Blocks; meant for the start.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`], [`StoreError::OlderSchema`] (only with [`Migrate::Check`]), [`StoreError::Corrupt`] if the
    /// file is no database, else [`StoreError::Unavailable`].
    pub fn open(path: &Path, migrate: Migrate) -> Result<Self, StoreError> {
        let connections = open::connections(path, migrate)?;
        let threads =
            worker::Threads::start(connections).map_err(|cause| query::unavailable("start threads", cause))?;
        Ok(Self { threads: Arc::new(threads), measured: Measured::default() })
    }

    /// Opens a file that is there, only to look at it: nothing is made, migrated or written, and writing fails.
    ///
    /// # Errors
    /// As [`Sqlite::open`], but for the schema, which [`Sqlite::schema_now`] tells.
    pub fn look(path: &Path) -> Result<Self, StoreError> {
        let connections = open::for_looking(path)?;
        let threads =
            worker::Threads::start(connections).map_err(|cause| query::unavailable("start threads", cause))?;
        Ok(Self { threads: Arc::new(threads), measured: Measured::default() })
    }

    /// Which schema version the open file has, and which one this binary knows.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it is no database, else [`StoreError::Unavailable`].
    pub async fn schema_now(&self) -> Result<Schema, StoreError> {
        let found = self.read("read the schema version", schema::version).await?;
        Ok(Schema { found, ..Schema::of_nothing() })
    }

    /// Has SQLite look through the whole file (`quick_check`), for so long at most. The first thing that is wrong, if anything
    /// is; the outer `None`: it was not looked through to its end.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if that cannot even be looked for, else [`StoreError::Unavailable`].
    pub async fn quick_check(&self, patience: Duration) -> Result<Option<Option<String>>, StoreError> {
        let (stop, stopped) = oneshot::channel();
        let checked = self.threads.read("check the database", worker::LONG_PATIENCE, move |db| {
            let _ = stop.send(db.get_interrupt_handle());
            let found: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            Ok((found != "ok").then_some(found))
        });
        let interrupted = async {
            let handle = stopped.await;
            tokio::time::sleep(patience).await;
            if let Ok(handle) = handle {
                handle.interrupt();
            }
        };
        tokio::select! {
            checked = checked => checked.map(Some),
            () = interrupted => Ok(None),
        }
    }

    /// The same, with every call told to this meter.
    #[must_use]
    pub fn measured(self, meter: Arc<dyn Meter>) -> Self {
        Self { measured: Measured(Some(meter)), ..self }
    }

    /// Which schema version the file has, without changing it, and which one this binary knows.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn schema(path: &Path) -> Result<Schema, StoreError> {
        open::schema(path)
    }

    /// Runs `work` on the writing thread, in a transaction that it may share with other work but whose failure it does not
    /// share, and answers once it is durable. `step` names it in errors.
    pub(crate) async fn write<T, W>(&self, step: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.measured.call(STORE, step, self.threads.write(step, worker::PATIENCE, work)).await
    }

    /// [`Sqlite::write`] for work over the whole database, which may take longer.
    pub(crate) async fn write_at_length<T, W>(&self, step: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.measured.call(STORE, step, self.threads.write(step, worker::LONG_PATIENCE, work)).await
    }

    /// Runs `work` on a reading thread, on one snapshot that has everything this process was told is durable.
    pub(crate) async fn read<T, W>(&self, step: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.measured.call(STORE, step, self.threads.read(step, worker::PATIENCE, work)).await
    }
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sqlite")
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::schema;

    #[test]
    fn every_statement_prepares_on_the_newest_schema() {
        let mut db = Connection::open_in_memory().unwrap();
        schema::bring_up(&mut db, schema::Migrate::Auto).unwrap();
        let statements = [
            crate::users::SQLITE_STATEMENTS,
            crate::sessions::SQLITE_STATEMENTS,
            crate::revocations::SQLITE_STATEMENTS,
            crate::keys::SQLITE_STATEMENTS,
            crate::limits::SQLITE_STATEMENTS,
        ];
        for sql in statements.into_iter().flatten() {
            db.prepare(sql).unwrap_or_else(|e| panic!("{e}: {sql}"));
        }
    }
}
