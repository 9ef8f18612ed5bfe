//! Signing keys and the check value of the secret. This crate sees only what the caller has encrypted.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use munjigi_rules::Timestamp;

use crate::StoreError;

mod sqlite;

#[cfg(test)]
pub(crate) use sqlite::STATEMENTS as SQLITE_STATEMENTS;

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// Published, does not sign yet.
    Next,
    /// Signs.
    Active,
    /// Signs no more; verifies until the last token it signed has expired.
    Retired,
    /// Verifies nothing.
    Revoked,
}

/// A signing key as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Its name in token headers.
    pub kid: String,
    /// `ES256`, `EdDSA`, `RS256` or `HS256`.
    pub algorithm: String,
    /// Where it is in its life.
    pub status: KeyStatus,
    /// The key, encrypted by the caller.
    pub sealed: Vec<u8>,
    /// The longest life of an access token that it ever signed.
    pub longest_ttl: Duration,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it entered its present status.
    pub changed_at: Timestamp,
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// What became of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The key verifies nothing any more; where it was the active one, another has taken its place.
    Done,
    /// There is no such key.
    Unknown,
    /// It is the active key, and there is none to take its place. Nothing was changed.
    Needed,
}

/// The key ring's store.
#[async_trait]
pub trait Keys: Send + Sync {
    /// Keeps `check` if nothing is kept yet; returns what is kept. Two nodes that start at once get the same answer.
    async fn check_value(&self, check: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// Keeps `new` in the place of `old`, if `old` is what is kept. `false`: it is not.
    async fn replace_check_value(&self, old: &[u8], new: &[u8]) -> Result<bool, StoreError>;

    /// All keys that are kept.
    async fn keys(&self) -> Result<Vec<StoredKey>, StoreError>;

    /// Sees to it that the active key is of the candidate's algorithm: one that is stays; else a key of it that was
    /// published already becomes active, or the candidate does. Active keys of other algorithms retire. One transaction;
    /// returns all keys as they then are.
    async fn ensure_active(&self, candidate: StoredKey) -> Result<Vec<StoredKey>, StoreError>;

    /// Makes this very key the active one, whether it is new or was retired; others that are active retire. `false`: it was
    /// revoked, and nothing was changed.
    async fn activate(&self, key: StoredKey) -> Result<bool, StoreError>;

    /// Keeps `key` as the next one, unless a next one is waiting already. Returns the one that waits.
    async fn publish(&self, key: StoredKey) -> Result<StoredKey, StoreError>;

    /// Makes a next key that was published at or before `published` the active one; the one that was active retires. `true`
    /// for the one caller who did it.
    async fn promote(&self, published: Timestamp, now: Timestamp) -> Result<bool, StoreError>;

    /// Revokes a key, whatever its status, and forgets what was encrypted. If it was the active one, the next one takes its
    /// place, or else `replacement`.
    async fn revoke(&self, kid: &str, replacement: Option<StoredKey>, now: Timestamp) -> Result<Revoked, StoreError>;

    /// Replaces what is encrypted by the same key encrypted otherwise, if `old` is still what is kept.
    async fn reseal(&self, kid: &str, old: &[u8], new: &[u8]) -> Result<bool, StoreError>;

    /// Notes that the active keys sign tokens that live this long. Never lowers what is noted, and a key that becomes
    /// active takes over what the former one had.
    async fn note_ttl(&self, ttl: Duration) -> Result<(), StoreError>;

    /// Removes retired keys that no unexpired token can name any more: `changed_at + longest_ttl + 60 s <= now`.
    async fn prune(&self, now: Timestamp) -> Result<u64, StoreError>;
}
