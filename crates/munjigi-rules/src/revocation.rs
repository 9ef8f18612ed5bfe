//! What it means that something has ended.

use crate::ids::{Epoch, SessionId, UserId};
use crate::time::Timestamp;

/// An entry of the feed of revocations: the vocabulary that the store writes, a node keeps in memory and the gate asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A session.
    Session {
        /// Which.
        session: SessionId,
        /// When the entry may leave memory: the last access token of the session has expired by then.
        feed_until: Timestamp,
    },
    /// Every session of a user that was opened under a lower epoch.
    Epoch {
        /// Whose.
        user: UserId,
        /// The lowest epoch that is still good.
        min_epoch: Epoch,
        /// When the entry may leave memory.
        feed_until: Timestamp,
    },
}
