//! The one error of this crate.

/// A store could not do what it was asked.
///
/// `Display` names the store and the step; the cause is in `source()` and is logged once, where the error is handled.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is too slow, full or busy. Trying again later may help; clients get a 503.
    #[error("{store} is unavailable: {step}")]
    Unavailable {
        /// Which store, for people: "SQLite", "Redis".
        store: &'static str,
        /// What was being done.
        step: &'static str,
        /// Why it failed.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It answered, but with something that cannot be: a damaged row, a value of another version.
    #[error("{store} holds something unreadable: {what}")]
    Corrupt {
        /// Which store.
        store: &'static str,
        /// What was read.
        what: String,
    },
    /// The database was made by a newer Munjigi than this one.
    #[error(
        "the database is at schema version {found}, this binary knows up to {known}: run the newer munjigi, or restore a backup"
    )]
    NewerSchema {
        /// Version found in the database.
        found: u32,
        /// Newest version this binary knows.
        known: u32,
    },
    /// The database is older than this binary, and `store.migrate` is `check`.
    #[error("the database is at schema version {found}, this binary needs {needed}: run `munjigi migrate`")]
    OlderSchema {
        /// Version found in the database.
        found: u32,
        /// Version that this binary needs.
        needed: u32,
    },
}
