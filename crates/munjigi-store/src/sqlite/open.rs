//! Opening a file: who may read it, one opener at a time, and how its connections are set.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::query::{failure, unavailable};
use super::schema::{self, Migrate, Schema};
use crate::StoreError;

/// How many threads read.
const READERS: usize = 3;

/// How long a statement waits for another process's lock.
const BUSY: Duration = Duration::from_millis(1500);

/// More than there are statements, so that each is compiled once a connection.
const STATEMENTS: usize = 64;

/// One connection to write with and some to read with.
pub(super) struct Connections {
    pub(super) writer: Connection,
    pub(super) readers: Vec<Connection>,
}

/// Opens a database, making and migrating it as `migrate` allows.
pub(super) fn connections(path: &Path, migrate: Migrate) -> Result<Connections, StoreError> {
    let alone = lock_directory(path).map_err(|e| unavailable("lock the database's directory", e))?;
    if !path.exists() {
        Schema::of_nothing().accept(migrate)?;
    }
    create_private(path).map_err(|e| unavailable("create the database", e))?;
    let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|e| failure("open the database", e))?;
    // A file of a newer munjigi is left exactly as it is.
    Schema::of(&writer)?.accept(migrate)?;
    set_durable(&writer).map_err(|e| failure("switch to write-ahead logging", e))?;
    schema::bring_up(&mut writer, migrate)?;
    let readers = (0..READERS).map(|_| connect_reader(path)).collect::<Result<_, _>>();
    let readers = readers.map_err(|e| failure("open the database", e))?;
    drop(alone);
    Ok(Connections { writer, readers })
}

/// Opens a database to look at it: nothing is made, and nothing in its folder changes.
///
/// Without a write-ahead log nobody has it open, or nobody has written since: it is read as a file that stands still, because
/// SQLite would make a log for any other reader. With one, it is read as beside a server.
pub(super) fn for_looking(path: &Path) -> Result<Connections, StoreError> {
    let opened = || {
        let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        if Path::new(&log).exists() {
            return Connection::open_with_flags(path, read_only);
        }
        let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        Connection::open_with_flags(format!("file:{name}?immutable=1"), read_only | OpenFlags::SQLITE_OPEN_URI)
    };
    let connected = || {
        let db = opened()?;
        db.busy_timeout(BUSY)?;
        Ok(db)
    };
    let failed = |e| failure("open the database", e);
    Ok(Connections { writer: connected().map_err(failed)?, readers: vec![connected().map_err(failed)?] })
}

/// The version of a file, which may not be there.
pub(super) fn schema(path: &Path) -> Result<Schema, StoreError> {
    if !path.exists() {
        return Ok(Schema::of_nothing());
    }
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|e| failure("open the database", e))?;
    Schema::of(&db)
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    // Each connection belongs to one thread, so SQLite need not lock it (NO_MUTEX).
    let db = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "trusted_schema", false)?;
    Ok(db)
}

/// `query_only` and not a read-only file handle, because a reader of a write-ahead log may have to repair its index.
fn connect_reader(path: &Path) -> rusqlite::Result<Connection> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.pragma_update(None, "query_only", true)?;
    Ok(db)
}

/// Every commit reaches the disk before it is acknowledged.
fn set_durable(db: &Connection) -> rusqlite::Result<()> {
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(rusqlite::Error::ToSqlConversionFailure(format!("its journal mode stays {mode}").into()));
    }
    db.pragma_update(None, "synchronous", "full")
}

/// Holds other openers of files in this directory off: the switch to a write-ahead log does not wait for locks of SQLite.
/// The directory and not the file, because closing a second handle of the file would drop the locks that SQLite holds on
/// it (POSIX). Ends with the value.
fn lock_directory(path: &Path) -> io::Result<File> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let handle = File::open(directory)?;
    handle.lock()?;
    Ok(handle)
}

/// Makes an empty file that only its owner can read; SQLite gives its journals the same mode.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}
