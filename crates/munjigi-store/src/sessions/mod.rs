//! The hot state of sessions: what a rotation reads and moves on.

use async_trait::async_trait;
use munjigi_rules::refresh::{Presented, Record, Rotation, Terms};
use munjigi_rules::{Epoch, Nonce, SessionId, Timestamp, UserId};

use crate::StoreError;

mod redis;
mod sqlite;

#[cfg(test)]
pub(crate) use sqlite::STATEMENTS as SQLITE_STATEMENTS;

/// A live session and its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveSession {
    /// Which.
    pub session: SessionId,
    /// Its hot state.
    pub record: Record,
}

/// The hot state. At most [`munjigi_rules::session::MOST_PER_USER`] a user: opening one more ends the one rotated longest
/// ago. Records past their `idle_until` or `until` are never returned and are removed in passing.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Keeps a new session. Returns those that had to make room for it.
    async fn open(
        &self,
        user: UserId,
        session: SessionId,
        record: Record,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError>;

    /// Reads the record, asks [`munjigi_rules::refresh::rotate`] (or its twin) and writes what it decides, atomically.
    /// On [`Rotation::Reused`] nothing is written: the caller writes the revocation first, then calls [`Sessions::end`].
    #[expect(clippy::too_many_arguments, reason = "the facts of one rotation; each is a type of its own")]
    async fn rotate(
        &self,
        user: UserId,
        session: SessionId,
        presented: Presented,
        terms: Terms,
        fresh: Nonce,
        now: Timestamp,
    ) -> Result<Rotation, StoreError>;

    /// Forgets one session. Fine if it is not there.
    async fn end(&self, user: UserId, session: SessionId) -> Result<(), StoreError>;

    /// Forgets every session of the user that was opened under an epoch below this one, but for `keep`. One that was opened
    /// since the epoch was raised stays.
    async fn end_all(&self, user: UserId, below: Epoch, keep: Option<SessionId>) -> Result<(), StoreError>;

    /// The user's live sessions, in no order.
    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<LiveSession>, StoreError>;

    /// Whether the store answers; for readiness.
    async fn ping(&self) -> Result<(), StoreError>;
}
