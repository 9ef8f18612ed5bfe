//! The feed in SQLite. One process writes at a time, so rows become visible in the order of their numbers.

use async_trait::async_trait;
use munjigi_rules::revocation::Ended;
use munjigi_rules::{Epoch, SessionId, Timestamp, UserId};
use rusqlite::{Connection, Row, params};

use super::{Cursor, FeedPage, Revocations, SessionEnd};
use crate::StoreError;
use crate::sqlite::{Sqlite, all, change, moment, one, statements};

/// Rows that one transaction removes, so that pruning holds nobody up.
const PRUNE_AT_ONCE: usize = 2_000;

statements! {
    END = "INSERT INTO revocations (session, user, feed_until, keep_until)
           VALUES (?1, ?2, ?3, max(?3, coalesce((SELECT until FROM log_ins WHERE session = ?1), ?4)))
           ON CONFLICT (session) DO NOTHING";
    DROP_LOG_IN = "DELETE FROM log_ins WHERE session = ?1";
    DROP_SESSION = "DELETE FROM sessions WHERE user = ?1 AND session = ?2";
    READ = "SELECT session, user, min_epoch, feed_until FROM revocations WHERE seq > ?1 AND feed_until > ?2 ORDER BY seq";
    /// The highest number ever given, also when its row is gone.
    LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'revocations'";
    CLOCK = "SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER)";
    PRUNE_REVOCATIONS = "DELETE FROM revocations WHERE seq IN
                         (SELECT seq FROM revocations WHERE keep_until <= ?1 LIMIT ?2)";
    PRUNE_LOG_INS = "DELETE FROM log_ins WHERE session IN (SELECT session FROM log_ins WHERE until <= ?1 LIMIT ?2)";
    PRUNE_SESSIONS = "DELETE FROM sessions WHERE (user, session) IN
                      (SELECT user, session FROM sessions WHERE until <= ?1 LIMIT ?2)";
}

#[async_trait]
impl Revocations for Sqlite {
    async fn end_session(&self, end: SessionEnd) -> Result<bool, StoreError> {
        self.write("end a session", move |db| {
            let (session, user) = (end.session.as_bytes(), end.user.as_bytes());
            let (feed_until, keep_until) = (end.feed_until.as_millis(), end.keep_until.as_millis());
            let is_new = change(db, END, params![session, user, feed_until, keep_until])? == 1;
            change(db, DROP_LOG_IN, [session])?;
            change(db, DROP_SESSION, [user, session])?;
            Ok(is_new)
        })
        .await
    }

    async fn read(&self, cursor: Cursor, now: Timestamp) -> Result<FeedPage, StoreError> {
        self.read("read the revocations", move |db| page(db, cursor, now)).await
    }

    async fn prune(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut total = 0;
        for sql in [PRUNE_REVOCATIONS, PRUNE_LOG_INS, PRUNE_SESSIONS] {
            loop {
                let some = move |db: &Connection| change(db, sql, params![now.as_millis(), PRUNE_AT_ONCE as i64]);
                let gone = self.write("prune what has ended", some).await?;
                total += gone as u64;
                if gone < PRUNE_AT_ONCE {
                    break;
                }
            }
        }
        Ok(total)
    }
}

fn page(db: &Connection, cursor: Cursor, now: Timestamp) -> rusqlite::Result<FeedPage> {
    let last = one(db, LAST, [], |row| row.get(0))?.unwrap_or(0);
    // A cursor beyond the end was read from a database that an older backup has since replaced: begin again.
    let from = if cursor.0 > last { 0 } else { cursor.0 };
    let entries = all(db, READ, params![from, now.as_millis()], entry)?;
    let database_now = one(db, CLOCK, [], |row| row.get(0))?.unwrap_or(0);
    Ok(FeedPage { entries, next: Cursor(last), database_now: Timestamp::from_millis(database_now) })
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Ended> {
    let feed_until = moment(row, "feed_until")?;
    let session: Option<[u8; 16]> = row.get("session")?;
    Ok(match session {
        Some(session) => Ended::Session { session: SessionId::from_bytes(session), feed_until },
        None => Ended::Epoch {
            user: UserId::from_bytes(row.get("user")?),
            min_epoch: Epoch(row.get("min_epoch")?),
            feed_until,
        },
    })
}
