//! What has ended before its tokens expired, in memory (section 6).
//!
//! The truth is the table of revocations in the user database; this set is what a node has read of it. Applying an entry
//! twice, or entries out of their order, changes nothing: an epoch only rises, and the time until which an entry is kept
//! only extends.
//!
//! An entry is at most 24 bytes and one of control, in tables that are at least 7/16 full once they have grown: under 58
//! bytes each. The tables are many, so that growing one of them, or sweeping it, holds up few readers and not for long.

use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use ahash::HashMap;
use munjigi_rules::revocation::Ended;
use munjigi_rules::{Epoch, SessionId, Timestamp, UserId};

/// A power of two.
const SHARDS: usize = 64;

/// Before the first complete read.
const NEVER: i64 = i64::MIN;

/// The sessions and epochs that have ended. Safe to share: all methods take `&self`.
pub struct RevokedSet {
    sessions: Sharded<SessionId, Until>,
    epochs: Sharded<UserId, EpochEnd>,
    /// When the table was last read to its end, in milliseconds; [`NEVER`] before the first time.
    read_at: AtomicI64,
}

/// A time in whole seconds since the Unix epoch, rounded up: half the memory of a [`Timestamp`]. What lies beyond 2106
/// is kept for ever, which errs on the safe side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Until(u32);

impl Until {
    fn new(time: Timestamp) -> Self {
        let secs = time.as_millis().div_euclid(1000) + i64::from(time.as_millis().rem_euclid(1000) != 0);
        Self(u32::try_from(secs.max(0)).unwrap_or(u32::MAX))
    }

    fn is_over(self, now: Timestamp) -> bool {
        self.0 != u32::MAX && now >= self.time()
    }

    fn time(self) -> Timestamp {
        Timestamp::from_secs(i64::from(self.0))
    }
}

#[derive(Clone, Copy)]
struct EpochEnd {
    min_epoch: Epoch,
    until: Until,
}

impl Default for RevokedSet {
    fn default() -> Self {
        Self::new()
    }
}

impl RevokedSet {
    /// An empty set that is not ready: nothing was read yet.
    #[must_use]
    pub fn new() -> Self {
        Self { sessions: Sharded::new(), epochs: Sharded::new(), read_at: AtomicI64::new(NEVER) }
    }

    /// Takes up entries of the feed, in any order and any number of times.
    pub fn apply(&self, entries: impl IntoIterator<Item = Ended>) {
        for entry in entries {
            match entry {
                Ended::Session { session, feed_until } => {
                    let until = Until::new(feed_until);
                    self.sessions.upsert(session, until, |known| *known = until.max(*known));
                }
                Ended::Epoch { user, min_epoch, feed_until } => {
                    let until = Until::new(feed_until);
                    self.epochs.upsert(user, EpochEnd { min_epoch, until }, |known| {
                        known.min_epoch = known.min_epoch.max(min_epoch);
                        known.until = known.until.max(until);
                    });
                }
            }
        }
    }

    /// Whether this session has ended.
    #[must_use]
    pub fn session_ended(&self, session: SessionId) -> bool {
        self.sessions.find(&session).is_some()
    }

    /// Whether tokens of this user with this epoch have ended: the epoch is lower than the lowest that is still good.
    #[must_use]
    pub fn epoch_ended(&self, user: UserId, epoch: Epoch) -> bool {
        self.epochs.find(&user).is_some_and(|end| epoch < end.min_epoch)
    }

    /// Forgets what may leave memory: every access token of it has expired.
    pub fn sweep(&self, now: Timestamp) {
        self.sessions.retain(|until| !until.is_over(now));
        self.epochs.retain(|end| !end.until.is_over(now));
    }

    /// Everything that is in force at `now`, in no order, for whoever keeps a copy. What is applied meanwhile may be in it or
    /// not. Readers wait for a sixty-fourth of it at most.
    pub fn for_each(&self, now: Timestamp, mut f: impl FnMut(Ended)) {
        self.sessions.for_each(|session, until| {
            if !until.is_over(now) {
                f(Ended::Session { session: *session, feed_until: until.time() });
            }
        });
        self.epochs.for_each(|user, end| {
            if !end.until.is_over(now) {
                f(Ended::Epoch { user: *user, min_epoch: end.min_epoch, feed_until: end.until.time() });
            }
        });
    }

    /// Notes that the table was read to its end, as it was at `now`. An older note changes nothing.
    pub fn mark_read(&self, now: Timestamp) {
        self.read_at.fetch_max(now.as_millis(), Ordering::Release);
    }

    /// Whether the table was read to its end at least once. Until then no token may be accepted.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.read_at.load(Ordering::Acquire) != NEVER
    }

    /// How long ago the table was last read to its end; [`Duration::MAX`] if never.
    #[must_use]
    pub fn staleness(&self, now: Timestamp) -> Duration {
        match self.read_at.load(Ordering::Acquire) {
            NEVER => Duration::MAX,
            at => {
                Duration::from_millis(u64::try_from(now.millis_since(Timestamp::from_millis(at))).unwrap_or_default())
            }
        }
    }

    /// How many entries are in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len() + self.epochs.len()
    }

    /// Whether nothing has ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A map in many parts with a lock each.
struct Sharded<K, V> {
    shards: Box<[RwLock<HashMap<K, V>>]>,
    hash: ahash::RandomState,
    /// Entries in all parts. Readers look here first: mostly nothing has ended at all.
    len: AtomicUsize,
}

impl<K: Hash + Eq, V: Copy> Sharded<K, V> {
    fn new() -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::new(HashMap::default())).collect();
        Self { shards, hash: ahash::RandomState::new(), len: AtomicUsize::new(0) }
    }

    fn shard(&self, key: &K) -> Option<&RwLock<HashMap<K, V>>> {
        let shard = self.hash.hash_one(key) & (SHARDS as u64 - 1);
        self.shards.get(usize::try_from(shard).unwrap_or_default())
    }

    fn find(&self, key: &K) -> Option<V> {
        if self.len() == 0 {
            return None;
        }
        read(self.shard(key)?).get(key).copied()
    }

    fn upsert(&self, key: K, new: V, merge: impl FnOnce(&mut V)) {
        let Some(shard) = self.shard(&key) else { return };
        match write(shard).entry(key) {
            Entry::Occupied(mut known) => merge(known.get_mut()),
            Entry::Vacant(place) => {
                place.insert(new);
                self.len.fetch_add(1, Ordering::Release);
            }
        }
    }

    /// One part after the other, so that a reader waits for a sixty-fourth of the sweep at most.
    fn retain(&self, keep: impl Fn(&V) -> bool) {
        for shard in &self.shards {
            let mut map = write(shard);
            let before = map.len();
            map.retain(|_, value| keep(value));
            if map.len() < map.capacity() / 4 {
                map.shrink_to_fit();
            }
            self.len.fetch_sub(before - map.len(), Ordering::Release);
        }
    }

    fn for_each(&self, mut f: impl FnMut(&K, &V)) {
        for shard in &self.shards {
            read(shard).iter().for_each(|(key, value)| f(key, value));
        }
    }

    fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }
}

// A panic while the lock was held cannot leave a map half changed in a way that matters: each change is one entry.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_takes_at_most_64_bytes_in_the_worst_case() {
        // hashbrown: a bucket and a byte of control, at most 7/8 full, doubled when it is: at least 7/16 full afterwards.
        let worst = |bucket: usize| (bucket + 1) * 16 / 7 + 1;
        assert!(worst(size_of::<(SessionId, Until)>()) <= 64);
        assert!(worst(size_of::<(UserId, EpochEnd)>()) <= 64);
    }

    #[test]
    fn the_tables_keep_to_that_bound_and_give_memory_back() {
        let set = RevokedSet::new();
        let id = |n: u32| SessionId::from_bytes((u128::from(n) << 64).to_be_bytes());
        let feed_until = Timestamp::from_secs(100);
        let buckets =
            |set: &RevokedSet| set.sessions.shards.iter().map(|shard| read(shard).capacity() * 8 / 7).sum::<usize>();
        for count in [10_000u32, 29_000, 60_000] {
            set.apply((0..count).map(|n| Ended::Session { session: id(n), feed_until }));
            assert_eq!(set.len(), count as usize);
            let bytes = buckets(&set) * (size_of::<(SessionId, Until)>() + 1);
            assert!(bytes <= 64 * count as usize, "{bytes} bytes for {count}");
        }
        set.sweep(feed_until);
        assert!(set.is_empty());
        assert_eq!(buckets(&set), 0);
    }
}
