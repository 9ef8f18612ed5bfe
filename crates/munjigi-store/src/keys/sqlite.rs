//! Signing keys in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use munjigi_rules::Timestamp;
use munjigi_rules::time::millis;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, params};

use super::{KeyStatus, Keys, Revoked, StoredKey};
use crate::StoreError;
use crate::sqlite::{Sqlite, all, change, moment, one, statements, undecodable};

/// A retired key verifies for this long after the last token it signed has expired.
const GRACE: Duration = Duration::from_secs(60);

statements! {
    KEEP_CHECK = "INSERT INTO meta (key, value) VALUES ('check', ?1) ON CONFLICT DO NOTHING";
    REPLACE_CHECK = "UPDATE meta SET value = ?2 WHERE key = 'check' AND value = ?1";
    CHECK = "SELECT value FROM meta WHERE key = 'check'";
    KEYS = "SELECT * FROM signing_keys ORDER BY created_at, kid";
    KEY = "SELECT * FROM signing_keys WHERE kid = ?1";
    WITH_STATUS = "SELECT * FROM signing_keys WHERE status = ?1 ORDER BY changed_at, kid LIMIT 1";
    RETIRE = "UPDATE signing_keys SET status = 'retired', changed_at = ?1 WHERE status = 'active'";
    ADD = "INSERT INTO signing_keys (kid, algorithm, status, sealed, longest_ttl, created_at, changed_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    ACTIVATE = "UPDATE signing_keys SET status = 'active', changed_at = ?2, longest_ttl = max(longest_ttl, ?3) WHERE kid = ?1";
    REVOKE = "UPDATE signing_keys SET status = 'revoked', changed_at = ?2, sealed = x'' WHERE kid = ?1";
    RESEAL = "UPDATE signing_keys SET sealed = ?3 WHERE kid = ?1 AND sealed = ?2";
    NOTE_TTL = "UPDATE signing_keys SET longest_ttl = ?1 WHERE status = 'active' AND longest_ttl < ?1";
    PRUNE = "DELETE FROM signing_keys WHERE status = 'retired' AND changed_at + longest_ttl + ?2 <= ?1";
}

impl Sqlite {
    /// The check value that is kept, if one is; nothing is written.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn kept_check_value(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("read the check value", |db| one(db, CHECK, [], |row| row.get(0))).await
    }
}

#[async_trait]
impl Keys for Sqlite {
    async fn check_value(&self, check: &[u8]) -> Result<Vec<u8>, StoreError> {
        let check = check.to_vec();
        self.write("keep the check value", move |db| {
            change(db, KEEP_CHECK, [&check])?;
            Ok(one(db, CHECK, [], |row| row.get(0))?.unwrap_or(check))
        })
        .await
    }

    async fn replace_check_value(&self, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        let (old, new) = (old.to_vec(), new.to_vec());
        self.write("replace the check value", move |db| Ok(change(db, REPLACE_CHECK, [old, new])? == 1)).await
    }

    async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.read("read the keys", |db| all(db, KEYS, [], stored_key)).await
    }

    async fn ensure_active(&self, candidate: StoredKey) -> Result<Vec<StoredKey>, StoreError> {
        self.write("ensure an active key", move |db| {
            let active = with_status(db, KeyStatus::Active)?;
            if active.is_none_or(|active| active.algorithm != candidate.algorithm) {
                let next = with_status(db, KeyStatus::Next)?;
                let at = candidate.changed_at;
                activate(db, next.filter(|next| next.algorithm == candidate.algorithm).unwrap_or(candidate), at)?;
            }
            all(db, KEYS, [], stored_key)
        })
        .await
    }

    async fn activate(&self, key: StoredKey) -> Result<bool, StoreError> {
        self.write("activate a key", move |db| {
            match one(db, KEY, [&key.kid], stored_key)?.map(|kept| kept.status) {
                Some(KeyStatus::Active) => return Ok(true),
                Some(KeyStatus::Revoked) => return Ok(false),
                Some(KeyStatus::Next | KeyStatus::Retired) | None => {}
            }
            let at = key.changed_at;
            activate(db, key, at).map(|()| true)
        })
        .await
    }

    async fn publish(&self, key: StoredKey) -> Result<StoredKey, StoreError> {
        self.write("publish a key", move |db| {
            if let Some(waiting) = with_status(db, KeyStatus::Next)? {
                return Ok(waiting);
            }
            let key = StoredKey { status: KeyStatus::Next, ..key };
            add(db, &key)?;
            Ok(key)
        })
        .await
    }

    async fn promote(&self, published: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        self.write("promote a key", move |db| match with_status(db, KeyStatus::Next)? {
            Some(next) if next.changed_at <= published => activate(db, next, now).map(|()| true),
            _ => Ok(false),
        })
        .await
    }

    async fn revoke(&self, kid: &str, replacement: Option<StoredKey>, now: Timestamp) -> Result<Revoked, StoreError> {
        let kid = kid.to_owned();
        self.write("revoke a key", move |db| {
            let Some(key) = one(db, KEY, [&kid], stored_key)? else { return Ok(Revoked::Unknown) };
            if key.status == KeyStatus::Active {
                let Some(instead) = with_status(db, KeyStatus::Next)?.or(replacement) else {
                    return Ok(Revoked::Needed);
                };
                activate(db, instead, now)?;
            }
            change(db, REVOKE, params![kid, now.as_millis()])?;
            Ok(Revoked::Done)
        })
        .await
    }

    async fn reseal(&self, kid: &str, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        let (kid, old, new) = (kid.to_owned(), old.to_vec(), new.to_vec());
        self.write("reseal a key", move |db| Ok(change(db, RESEAL, params![kid, old, new])? == 1)).await
    }

    async fn note_ttl(&self, ttl: Duration) -> Result<(), StoreError> {
        self.write("note the access tokens' life", move |db| change(db, NOTE_TTL, [millis(ttl)]).map(drop)).await
    }

    async fn prune(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write("prune keys", move |db| Ok(change(db, PRUNE, [now.as_millis(), millis(GRACE)])? as u64)).await
    }
}

fn with_status(db: &Connection, status: KeyStatus) -> rusqlite::Result<Option<StoredKey>> {
    one(db, WITH_STATUS, [status], stored_key)
}

/// Makes `key`, kept already or new, the active one.
fn activate(db: &Connection, key: StoredKey, at: Timestamp) -> rusqlite::Result<()> {
    let before = with_status(db, KeyStatus::Active)?.map_or(Duration::ZERO, |active| active.longest_ttl);
    change(db, RETIRE, [at.as_millis()])?;
    if change(db, ACTIVATE, params![key.kid, at.as_millis(), millis(before)])? == 0 {
        let longest_ttl = key.longest_ttl.max(before);
        add(db, &StoredKey { status: KeyStatus::Active, longest_ttl, changed_at: at, ..key })?;
    }
    Ok(())
}

fn add(db: &Connection, key: &StoredKey) -> rusqlite::Result<()> {
    let row = params![
        key.kid,
        key.algorithm,
        key.status,
        key.sealed,
        millis(key.longest_ttl),
        key.created_at.as_millis(),
        key.changed_at.as_millis()
    ];
    change(db, ADD, row).map(drop)
}

fn stored_key(row: &Row<'_>) -> rusqlite::Result<StoredKey> {
    let longest_ttl: i64 = row.get("longest_ttl")?;
    Ok(StoredKey {
        kid: row.get("kid")?,
        algorithm: row.get("algorithm")?,
        status: row.get("status")?,
        sealed: row.get("sealed")?,
        longest_ttl: u64::try_from(longest_ttl).map(Duration::from_millis).map_err(undecodable)?,
        created_at: moment(row, "created_at")?,
        changed_at: moment(row, "changed_at")?,
    })
}

impl ToSql for KeyStatus {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }))
    }
}

impl FromSql for KeyStatus {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "next" => Ok(Self::Next),
            "active" => Ok(Self::Active),
            "retired" => Ok(Self::Retired),
            "revoked" => Ok(Self::Revoked),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}
