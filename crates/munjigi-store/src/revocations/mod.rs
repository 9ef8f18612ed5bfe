//! The feed: which sessions and epochs have ended. A row here is what makes an end an end; all else only rings the bell.

use async_trait::async_trait;
use munjigi_rules::revocation::Ended;
use munjigi_rules::{SessionId, Timestamp, UserId};

use crate::StoreError;

mod sqlite;

#[cfg(test)]
pub(crate) use sqlite::STATEMENTS as SQLITE_STATEMENTS;

/// Ends one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionEnd {
    /// Which.
    pub session: SessionId,
    /// Whose.
    pub user: UserId,
    /// Until when nodes keep it in memory: the last access token of the session has expired by then.
    pub feed_until: Timestamp,
    /// Until when renewal refuses it, if the log-in's own row (with the session's absolute end) is not known.
    pub keep_until: Timestamp,
}

/// How far a node has read the feed. `Cursor::default()` is the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cursor(pub i64);

/// What a node lacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedPage {
    /// The entries, oldest first. May repeat some that were read before; they are idempotent.
    pub entries: Vec<Ended>,
    /// Where to go on.
    pub next: Cursor,
    /// The database's clock, to hold one's own against.
    pub database_now: Timestamp,
}

/// The revocations.
#[async_trait]
pub trait Revocations: Send + Sync {
    /// Ends one session: writes the row and removes the visible side, in one transaction. The row is kept until the session's
    /// absolute end. Doing it again changes nothing; `false` says that it had ended before.
    async fn end_session(&self, end: SessionEnd) -> Result<bool, StoreError>;

    /// Every entry after `cursor` whose `feed_until` has not passed at `now`: one complete read.
    async fn read(&self, cursor: Cursor, now: Timestamp) -> Result<FeedPage, StoreError>;

    /// Forgets rows (and visible sides of sessions) whose time is over. Returns how many.
    async fn prune(&self, now: Timestamp) -> Result<u64, StoreError>;
}
