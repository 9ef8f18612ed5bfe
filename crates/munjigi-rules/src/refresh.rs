//! Rotation: what becomes of a refresh token that somebody shows.
//!
//! ```text
//!  a session   gen = 0, spent = random         handed out: gen 1, parent = spent
//!
//!                    .------ Kept: younger than half an access TTL, nothing is written
//!                    v     |
//!            [ gen n, spent s ] ---- Repeated: (gen n, nonce s) again, one more successor, nothing is written --.
//!                    |     ^____________________________________________________________________________________|
//!                    | Rotated: (gen n+1, parent s): the first successor that is shown wins
//!                    | Adopted: (gen > n+1): the store lost writes, we did sign this
//!                    v
//!            [ gen n+1, spent s' ]  ...
//!
//!            any other token -> Reused: two holders have diverged, the session ends
//!            no record, too late, older epoch -> Gone
//! ```
//!
//! What it promises, as long as no round trip takes a third of an access TTL (a sixth where renewals are forced, as they are
//! when all other sessions are ended): an honest browser with tabs, lost or reordered answers and a cookie jar that rolls
//! back is never signed out by mistake; a thief and a victim who both go on always diverge, and the session ends; after that
//! nothing renews. `tests/it/model` explores it, and shows how it breaks where things are slower.
//!
//! There is no grace period and no list of tokens: siblings are free, and the first of them to be shown makes all others,
//! and their parent, reuse. The store keeps a generation and a spent nonce, never something that could be used as a token.

use std::time::Duration;

use crate::ids::{Epoch, Generation, Nonce};
use crate::time::{Timestamp, millis};

/// A repeated token later than this after the rotation is worth a security event, and nodes' clocks may differ by as much.
pub const LATE: Duration = Duration::from_secs(60);

/// What a store keeps of a live session: its hot state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Generation of the last token that was traded in; 0 in a new session.
    pub generation: Generation,
    /// Nonce of the last token that was traded in; random in a new session.
    pub spent: Nonce,
    /// When that was; the log-in in a new session.
    pub rotated_at: Timestamp,
    /// From this moment on the session is over unless it was used.
    pub idle_until: Timestamp,
    /// From this moment on the session is over in any case.
    pub until: Timestamp,
    /// The user's epoch that was read together with the password hash.
    pub epoch: Epoch,
}

/// What a verified refresh token says about its place in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Presented {
    /// `gen`: its generation, from 1.
    pub generation: Generation,
    /// `nonce`: its own.
    pub nonce: Nonce,
    /// `parent`: the nonce of the token that earned it.
    pub parent: Nonce,
    /// `iat`, whole seconds.
    pub issued_at: Timestamp,
}

/// The terms under which a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    /// How long an access token lives.
    pub access_ttl: Duration,
    /// How long a session may be unused.
    pub idle_ttl: Duration,
    /// The lowest epoch that is still good: the user's, or 0 for the session that was kept when it was last raised.
    pub min_epoch: Epoch,
}

impl Terms {
    /// Younger than this, a refresh token is not worth a rotation.
    #[must_use]
    pub fn young(&self) -> Duration {
        self.access_ttl / 2
    }
}

/// The place in the chain of a refresh token that is to be handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Successor {
    /// Its `gen`.
    pub generation: Generation,
    /// Its `nonce`.
    pub nonce: Nonce,
    /// Its `parent`.
    pub parent: Nonce,
    /// Its `exp`: the session's idle expiry.
    pub expires: Timestamp,
}

/// What becomes of a session when a refresh token is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// No such session any more: ended, expired, or of an older epoch.
    Gone,
    /// The token is so young that it stays; only the access token is new. Nothing is written.
    Kept,
    /// The ordinary case: the record moves on.
    Rotated {
        /// What the store now holds.
        record: Record,
        /// What to hand out.
        next: Successor,
    },
    /// The store was behind what we had signed (a failover lost writes): the record catches up. A security event.
    Adopted {
        /// What the store now holds.
        record: Record,
        /// What to hand out.
        next: Successor,
        /// How many rotations the store had lost.
        lost: u32,
    },
    /// The token that was last traded in, again: parallel tabs, a lost answer. One more successor; nothing is written.
    Repeated {
        /// What to hand out.
        next: Successor,
        /// Later than [`LATE`] after the rotation: a security event, for it may be a copy.
        late: bool,
    },
    /// A superseded token: somebody has a copy. The caller revokes the session.
    Reused,
}

/// Decides what becomes of a session when `presented`, whose signature was verified and which has not expired, is shown.
///
/// `fresh` is the nonce of the token that may have to be handed out. The decision is to be carried out atomically with the
/// read of `record`: on [`Rotation::Rotated`] and [`Rotation::Adopted`] the record is replaced, else nothing is written.
/// The Lua script of the Redis store is this function's twin; a property test holds the two together.
#[must_use]
pub fn rotate(record: Option<&Record>, presented: &Presented, terms: &Terms, fresh: Nonce, now: Timestamp) -> Rotation {
    let Some(record) = record else { return Rotation::Gone };
    if now >= record.idle_until || now >= record.until || record.epoch < terms.min_epoch {
        return Rotation::Gone;
    }
    let place = Place::of(record, presented, terms, now);
    if place == Place::Elsewhere {
        return Rotation::Reused;
    }
    if now.millis_since(presented.issued_at) < millis(terms.young()) {
        return Rotation::Kept;
    }
    let successor =
        |parent, expires| Successor { generation: presented.generation.next(), nonce: fresh, parent, expires };
    let moved = Record {
        generation: presented.generation,
        spent: presented.nonce,
        rotated_at: now,
        idle_until: now.plus(terms.idle_ttl).min(record.until),
        ..*record
    };
    let next = successor(presented.nonce, moved.idle_until);
    match place {
        Place::Child => Rotation::Rotated { record: moved, next },
        Place::Ahead { lost } => Rotation::Adopted { record: moved, next, lost },
        Place::Spent => Rotation::Repeated {
            next: successor(presented.nonce, record.idle_until),
            late: now.millis_since(record.rotated_at) > millis(LATE),
        },
        Place::Elsewhere => Rotation::Reused,
    }
}

/// Where a token stands relative to the record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A successor of the spent token.
    Child,
    /// Further along than the store knows, by so many rotations.
    Ahead { lost: u32 },
    /// The spent token itself.
    Spent,
    /// Nowhere on the line.
    Elsewhere,
}

impl Place {
    fn of(record: &Record, presented: &Presented, terms: &Terms, now: Timestamp) -> Self {
        let child = record.generation.next();
        if presented.generation > child {
            let lost = presented.generation.0 - child.0;
            if i64::from(lost) <= most_lost(record, terms, now) { Self::Ahead { lost } } else { Self::Elsewhere }
        } else if presented.generation == child && presented.parent == record.spent {
            Self::Child
        } else if presented.generation == record.generation && presented.nonce == record.spent {
            Self::Spent
        } else {
            Self::Elsewhere
        }
    }
}

/// How many rotations can have happened since the record was written: each takes a token that is half an access TTL old.
fn most_lost(record: &Record, terms: &Terms, now: Timestamp) -> i64 {
    let since = now.millis_since(record.rotated_at).max(0).saturating_add(millis(LATE));
    since / millis(terms.young()).max(1)
}
