//! What a SQLite file has to bear.

use std::path::Path;
use std::sync::Barrier;

use munjigi_rules::UserId;
use munjigi_store::{Keys, Migrate, Registered, Revocations, Schema, Sessions, Sqlite, StoreError, Users};
use rusqlite::Connection;

use crate::support::*;

fn other_process(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

/// A signed-in user.
async fn filled(store: &Sqlite) -> UserId {
    let user = new_user("mina");
    let id = user.id;
    assert_eq!(store.register(user).await.unwrap(), Registered::Created);
    store.record_log_in(log_in(id, NOW)).await.unwrap();
    store.open(id, session_id(), opening(NOW).record, NOW).await.unwrap();
    id
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_opening_again() {
    let two = sqlite().await;
    let id = filled(&two.first).await;
    drop((two.first, two.second));
    let again = Sqlite::open(&file_of(&two.place), Migrate::Check).unwrap();
    assert!(again.find(id).await.unwrap().is_some());
    assert_eq!(Sessions::list(&again, id, NOW).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_acknowledged_is_in_the_files_even_if_nobody_closes_them() {
    let two = sqlite().await;
    let id = filled(&two.first).await;
    // A copy of the files as they lie there is what a crash would leave.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["munjigi.db", "munjigi.db-wal"] {
        std::fs::copy(two.place.path().join(name), crashed.path().join(name)).unwrap();
    }
    let after = Sqlite::open(&file_of(&crashed), Migrate::Check).unwrap();
    assert!(after.find(id).await.unwrap().is_some());
}

#[test]
fn many_opens_at_once_on_an_empty_path_make_one_database() {
    let place = tempfile::tempdir().unwrap();
    let path = file_of(&place);
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                Sqlite::open(&path, Migrate::Auto).unwrap()
            });
        }
    });
    let Schema { found, known } = Sqlite::schema(&path).unwrap();
    assert_eq!(found, known);
}

#[test]
fn only_its_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&file_of(&place), Migrate::Auto).unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(place.path()).unwrap() {
        let entry = entry.unwrap();
        names.push(entry.file_name());
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
    assert_eq!(names.len(), 3, "the database and its two journals: {names:?}");
    drop(store);
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let path = file_of(&place);
    let known = Sqlite::schema(&path).unwrap().known;
    other_process(&path).pragma_update(None, "user_version", known + 1).unwrap();
    for migrate in [Migrate::Auto, Migrate::Check] {
        let refused = Sqlite::open(&path, migrate);
        assert!(matches!(refused, Err(StoreError::NewerSchema { found, .. }) if found == known + 1), "{refused:?}");
    }
    assert_eq!(Sqlite::schema(&path).unwrap(), Schema { found: known + 1, known });
}

#[test]
fn an_older_schema_is_refused_where_only_a_check_is_wanted() {
    let place = tempfile::tempdir().unwrap();
    let path = file_of(&place);
    let refused = Sqlite::open(&path, Migrate::Check);
    assert!(matches!(refused, Err(StoreError::OlderSchema { found: 0, .. })), "{refused:?}");
    assert!(!path.exists());
    assert_eq!(Sqlite::schema(&path).unwrap().found, 0);
    Sqlite::open(&path, Migrate::Auto).unwrap();
    Sqlite::open(&path, Migrate::Check).unwrap();
}

#[test]
fn a_place_where_no_file_can_be_is_unavailable() {
    let place = tempfile::tempdir().unwrap();
    for path in [place.path().join("missing/munjigi.db"), place.path().to_path_buf()] {
        let refused = Sqlite::open(&path, Migrate::Auto);
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    }
}

#[test]
fn a_file_that_is_no_database_is_corrupt() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(file_of(&place), "a letter to my aunt, ".repeat(1_000)).unwrap();
    let refused = Sqlite::open(&file_of(&place), Migrate::Auto);
    assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_row_that_cannot_be_is_corrupt_and_never_missing() {
    let two = sqlite().await;
    let id = filled(&two.first).await;
    let db = other_process(&file_of(&two.place));
    let is_corrupt = |e: StoreError| matches!(e, StoreError::Corrupt { store: "SQLite", .. });
    db.execute("UPDATE users SET username = 'no such name!'", []).unwrap();
    assert!(is_corrupt(two.first.find(id).await.unwrap_err()));
    assert!(is_corrupt(two.first.credentials(&username("mina")).await.unwrap_err()));
    assert!(is_corrupt(Users::list(&two.first, None, 10).await.unwrap_err()));
    db.execute("UPDATE users SET username = 'mina', epoch = -1", []).unwrap();
    assert!(is_corrupt(two.first.standing(id, session_id()).await.unwrap_err()));
    db.execute("UPDATE sessions SET gen = 1 << 40", []).unwrap();
    assert!(is_corrupt(Sessions::list(&two.first, id, NOW).await.unwrap_err()));
    let (shown, terms) = (opening(NOW).first, terms());
    let token = munjigi_rules::refresh::Presented {
        generation: shown.generation,
        nonce: shown.nonce,
        parent: shown.parent,
        issued_at: NOW,
    };
    let session: [u8; 16] = db.query_row("SELECT session FROM sessions", [], |row| row.get(0)).unwrap();
    let session = munjigi_rules::SessionId::from_bytes(session);
    assert!(is_corrupt(two.first.rotate(id, session, token, terms, nonce(), NOW).await.unwrap_err()));
}

#[tokio::test]
async fn a_lock_that_another_process_holds_is_waited_for_and_then_unavailable() {
    let two = sqlite().await;
    let db = other_process(&file_of(&two.place));
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = two.first.register(new_user("mina")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    // Readers go on meanwhile.
    assert_eq!(Users::list(&two.first, None, 10).await.unwrap(), []);
    db.execute_batch("COMMIT").unwrap();
    assert_eq!(two.first.register(new_user("mina")).await.unwrap(), Registered::Created);
}

#[tokio::test]
async fn a_cursor_of_a_database_that_a_backup_replaced_begins_again() {
    let two = sqlite().await;
    let far = munjigi_store::Cursor(1_000);
    let user = filled(&two.first).await;
    two.first.end_sessions(raise(user, None)).await.unwrap();
    let page = two.first.read(far, NOW).await.unwrap();
    assert_eq!(page.entries.len(), 1);
    assert!(page.next.0 < far.0);
}

#[tokio::test]
async fn the_threads_end_with_the_last_handle() {
    let two = sqlite().await;
    let path = file_of(&two.place);
    let clone = two.first.clone();
    drop((two.first, two.second));
    clone.keys().await.unwrap();
    drop(clone);
    // The last connection to close takes the log away with it.
    let log = path.with_extension("db-wal");
    for _ in 0..2_000 {
        if !log.exists() {
            return;
        }
        tokio::time::sleep(MS).await;
    }
    panic!("somebody still has the database open");
}
