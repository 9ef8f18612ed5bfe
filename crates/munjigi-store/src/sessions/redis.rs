//! The hot state in Redis: one hash a user, so that all of a user lies in one slot of a cluster.
//!
//! Key `munjigi:s:{user id}`, field the 16 bytes of the session, value a packed record. The key lives as long as its longest
//! session may stay unused, and a little more, so that the records alone decide what is over.

use std::sync::LazyLock;

use async_trait::async_trait;
use munjigi_rules::refresh::{LATE, Presented, Record, Rotation, Successor, Terms};
use munjigi_rules::session::MOST_PER_USER;
use munjigi_rules::time::millis;
use munjigi_rules::{Epoch, Nonce, SessionId, Timestamp, UserId};
use redis::Script;

use super::{LiveSession, Sessions};
use crate::StoreError;
use crate::redis::{LONGEST_TTL, Redis, SLACK, corrupt, pack, script_with_records, ttl, unpack};

static OPEN: LazyLock<Script> = LazyLock::new(|| script_with_records(include_str!("open.lua")));
static ROTATE: LazyLock<Script> = LazyLock::new(|| script_with_records(include_str!("rotate.lua")));
static END_OTHERS: LazyLock<Script> = LazyLock::new(|| script_with_records(include_str!("end_others.lua")));

#[async_trait]
impl Sessions for Redis {
    async fn open(
        &self,
        user: UserId,
        session: SessionId,
        record: Record,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let unused = record.idle_until.min(record.until).millis_since(now).max(0);
        let mut script = OPEN.key(key(user));
        script.arg(session.as_bytes()).arg(pack(&record)).arg(now.as_millis());
        script.arg(ttl(unused.saturating_add(SLACK))).arg(MOST_PER_USER);
        let removed: Vec<Vec<u8>> = self.script("open a session", &script).await?;
        let id = |bytes: Vec<u8>| bytes.try_into().map(SessionId::from_bytes).map_err(|_| corrupt("a session's id"));
        removed.into_iter().map(id).collect()
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
        let mut script = ROTATE.key(key(user));
        script.arg(session.as_bytes()).arg(now.as_millis());
        script.arg(presented.generation.0).arg(presented.nonce.as_bytes()).arg(presented.parent.as_bytes());
        script.arg(presented.issued_at.as_millis());
        script.arg(millis(terms.young())).arg(millis(terms.idle_ttl)).arg(terms.min_epoch.0);
        script.arg(millis(LATE)).arg(SLACK).arg(LONGEST_TTL);
        let (decision, bytes, number): (String, Vec<u8>, u32) = self.script("rotate a session", &script).await?;
        if decision == "corrupt" {
            return Err(corrupt("a session's record"));
        }
        rotation(&decision, unpack(&bytes), number, &presented, fresh)
            .ok_or_else(|| corrupt("the answer of a rotation"))
    }

    async fn end(&self, user: UserId, session: SessionId) -> Result<(), StoreError> {
        self.command("end a session", redis::cmd("HDEL").arg(key(user)).arg(session.as_bytes())).await
    }

    async fn end_all(&self, user: UserId, below: Epoch, keep: Option<SessionId>) -> Result<(), StoreError> {
        let mut script = END_OTHERS.key(key(user));
        script.arg(below.0).arg(keep.as_ref().map_or(&[][..], |session| session.as_bytes()));
        self.script("end a user's sessions", &script).await
    }

    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<LiveSession>, StoreError> {
        let fields: Vec<(Vec<u8>, Vec<u8>)> =
            self.command("list sessions", redis::cmd("HGETALL").arg(key(user))).await?;
        let mut sessions = Vec::with_capacity(fields.len());
        for (session, bytes) in fields {
            let session = session.try_into().map(SessionId::from_bytes).map_err(|_| corrupt("a session's id"))?;
            let record = unpack(&bytes).ok_or_else(|| corrupt("a session's record"))?;
            if now < record.idle_until && now < record.until {
                sessions.push(LiveSession { session, record });
            }
        }
        Ok(sessions)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let _pong: String = self.command("ping", &redis::cmd("PING")).await?;
        Ok(())
    }
}

fn key(user: UserId) -> String {
    format!("munjigi:s:{{{user}}}")
}

/// What the script decided, in the words of the rules. `None`: it said something that it never says.
fn rotation(
    decision: &str,
    record: Option<Record>,
    number: u32,
    presented: &Presented,
    fresh: Nonce,
) -> Option<Rotation> {
    let next = |record: &Record| Successor {
        generation: presented.generation.next(),
        nonce: fresh,
        parent: presented.nonce,
        expires: record.idle_until,
    };
    match (decision, record) {
        ("gone", None) => Some(Rotation::Gone),
        ("kept", None) => Some(Rotation::Kept),
        ("reused", None) => Some(Rotation::Reused),
        ("rotated", Some(record)) => Some(Rotation::Rotated { next: next(&record), record }),
        ("adopted", Some(record)) => Some(Rotation::Adopted { next: next(&record), record, lost: number }),
        ("repeated", Some(record)) => Some(Rotation::Repeated { next: next(&record), late: number == 1 }),
        _ => None,
    }
}
