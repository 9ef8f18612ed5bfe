//! Signing keys in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use munjigi_rules::Timestamp;
use munjigi_rules::time::millis;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, params};

use super::{KeyStatus, Keys, StoredKey};
use crate::StoreError;
use crate::sqlite::{Sqlite, all, change, moment, one, statements, undecodable};

/// A retired key verifies for this long after the last token it signed has expired.
const GRACE: Duration = Duration::from_secs(60);

statements! {
    KEEP_CHECK = "INSERT INTO meta (key, value) VALUES ('check', ?1) ON CONFLICT DO NOTHING";
    REPLACE_CHECK = "UPDATE meta SET value = ?2 WHERE key = 'check' AND value = ?1";
    CHECK = "SELECT value FROM meta WHERE key = 'check'";
    KEYS = "SELECT * FROM signing_keys ORDER BY created_at, kid";
    HAS_ACTIVE = "SELECT 1 FROM signing_keys WHERE status = 'active' AND algorithm = ?1";
    RETIRE = "UPDATE signing_keys SET status = 'retired', changed_at = ?1 WHERE status = 'active'";
    ADD = "INSERT INTO signing_keys (kid, algorithm, status, sealed, longest_ttl, created_at, changed_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (kid) DO NOTHING";
    IS_ACTIVE = "SELECT 1 FROM signing_keys WHERE status = 'active' AND kid = ?1";
    /// What was revoked stays revoked.
    REACTIVATE = "UPDATE signing_keys SET status = 'active', changed_at = ?2 WHERE kid = ?1 AND status <> 'revoked'";
    NOTE_TTL = "UPDATE signing_keys SET longest_ttl = ?1 WHERE status = 'active' AND longest_ttl < ?1";
    PRUNE = "DELETE FROM signing_keys WHERE status = 'retired' AND changed_at + longest_ttl + ?2 <= ?1";
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
            if one(db, HAS_ACTIVE, [&candidate.algorithm], |_| Ok(()))?.is_none() {
                change(db, RETIRE, [candidate.changed_at.as_millis()])?;
                add(db, &StoredKey { status: KeyStatus::Active, ..candidate })?;
            }
            all(db, KEYS, [], stored_key)
        })
        .await
    }

    async fn activate(&self, key: StoredKey) -> Result<(), StoreError> {
        self.write("activate a key", move |db| {
            if one(db, IS_ACTIVE, [&key.kid], |_| Ok(()))?.is_none() {
                change(db, RETIRE, [key.changed_at.as_millis()])?;
                if change(db, REACTIVATE, params![key.kid, key.changed_at.as_millis()])? == 0 {
                    add(db, &StoredKey { status: KeyStatus::Active, ..key })?;
                }
            }
            Ok(())
        })
        .await
    }

    async fn note_ttl(&self, ttl: Duration) -> Result<(), StoreError> {
        self.write("note the access tokens' life", move |db| change(db, NOTE_TTL, [millis(ttl)]).map(drop)).await
    }

    async fn prune(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write("prune keys", move |db| Ok(change(db, PRUNE, [now.as_millis(), millis(GRACE)])? as u64)).await
    }
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
