//! The hot state in SQLite: the rule itself runs inside the transaction.

use async_trait::async_trait;
use munjigi_rules::refresh::{Presented, Record, Rotation, Terms, rotate};
use munjigi_rules::session::MOST_PER_USER;
use munjigi_rules::{Epoch, Generation, Nonce, SessionId, Timestamp, UserId};
use rusqlite::{Connection, Row, params};

use super::{LiveSession, Sessions};
use crate::StoreError;
use crate::sqlite::{Sqlite, all, change, moment, one, statements};

statements! {
    DROP_OVER = "DELETE FROM sessions WHERE user = ?1 AND (until <= ?2 OR idle_until <= ?2)";
    PUT = "INSERT INTO sessions (user, session, gen, spent, rotated_at, idle_until, until, epoch)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
           ON CONFLICT DO UPDATE SET gen = ?3, spent = ?4, rotated_at = ?5, idle_until = ?6, until = ?7, epoch = ?8";
    /// All but the `?3` most lately rotated ones beside the one at hand.
    DROP_EXCESS = "DELETE FROM sessions WHERE user = ?1 AND session IN
                   (SELECT session FROM sessions WHERE user = ?1 AND session <> ?2
                    ORDER BY rotated_at DESC LIMIT -1 OFFSET ?3) RETURNING session";
    GET = "SELECT * FROM sessions WHERE user = ?1 AND session = ?2";
    DROP = "DELETE FROM sessions WHERE user = ?1 AND session = ?2";
    DROP_OTHERS = "DELETE FROM sessions WHERE user = ?1 AND epoch < ?2 AND session IS NOT ?3";
    LIST = "SELECT * FROM sessions WHERE user = ?1 AND until > ?2 AND idle_until > ?2";
    PING = "SELECT 1 FROM meta LIMIT 1";
}

#[async_trait]
impl Sessions for Sqlite {
    async fn open(
        &self,
        user: UserId,
        session: SessionId,
        record: Record,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.write("open a session", move |db| {
            change(db, DROP_OVER, params![user.as_bytes(), now.as_millis()])?;
            put(db, user, session, &record)?;
            let others = MOST_PER_USER as i64 - 1;
            let id = |row: &Row<'_>| row.get(0).map(SessionId::from_bytes);
            all(db, DROP_EXCESS, params![user.as_bytes(), session.as_bytes(), others], id)
        })
        .await
    }

    async fn rotate(
        &self,
        user: UserId,
        session: SessionId,
        presented: Presented,
        terms: Terms,
        fresh: Nonce,
        now: Timestamp,
    ) -> Result<Rotation, StoreError> {
        self.write("rotate a session", move |db| {
            let stored = one(db, GET, [user.as_bytes(), session.as_bytes()], record)?;
            let decision = rotate(stored.as_ref(), &presented, &terms, fresh, now);
            match &decision {
                Rotation::Rotated { record, .. } | Rotation::Adopted { record, .. } => put(db, user, session, record)?,
                Rotation::Gone if stored.is_some_and(|r| now >= r.idle_until || now >= r.until) => {
                    change(db, DROP, [user.as_bytes(), session.as_bytes()])?;
                }
                Rotation::Gone | Rotation::Kept | Rotation::Repeated { .. } | Rotation::Reused => {}
            }
            Ok(decision)
        })
        .await
    }

    async fn end(&self, user: UserId, session: SessionId) -> Result<(), StoreError> {
        self.write("end a session", move |db| change(db, DROP, [user.as_bytes(), session.as_bytes()]).map(drop)).await
    }

    async fn end_all(&self, user: UserId, below: Epoch, keep: Option<SessionId>) -> Result<(), StoreError> {
        self.write("end a user's sessions", move |db| {
            let keep = keep.as_ref().map(SessionId::as_bytes);
            change(db, DROP_OTHERS, params![user.as_bytes(), below.0, keep]).map(drop)
        })
        .await
    }

    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<LiveSession>, StoreError> {
        self.read("list sessions", move |db| all(db, LIST, params![user.as_bytes(), now.as_millis()], live)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.read("ping", |db| one(db, PING, [], |_| Ok(())).map(drop)).await
    }
}

fn put(db: &Connection, user: UserId, session: SessionId, record: &Record) -> rusqlite::Result<()> {
    let row = params![
        user.as_bytes(),
        session.as_bytes(),
        record.generation.0,
        record.spent.as_bytes(),
        record.rotated_at.as_millis(),
        record.idle_until.as_millis(),
        record.until.as_millis(),
        record.epoch.0
    ];
    change(db, PUT, row).map(drop)
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        generation: Generation(row.get("gen")?),
        spent: Nonce::from_bytes(row.get("spent")?),
        rotated_at: moment(row, "rotated_at")?,
        idle_until: moment(row, "idle_until")?,
        until: moment(row, "until")?,
        epoch: Epoch(row.get("epoch")?),
    })
}

fn live(row: &Row<'_>) -> rusqlite::Result<LiveSession> {
    Ok(LiveSession { session: SessionId::from_bytes(row.get("session")?), record: record(row)? })
}
