//! Accounts in SQLite.

use async_trait::async_trait;
use munjigi_rules::{DisplayName, Epoch, SessionId, Timestamp, UserId, Username};
use rusqlite::{Connection, Row, params};

use super::{Brought, BroughtAlong, Credentials, LogIn, NewUser, Raise, Registered, Standing, StoredHash, User, Users};
use crate::StoreError;
use crate::sqlite::{Sqlite, all, change, moment, one, statements, undecodable};

/// Of the visible side of a session; the trait promises no more.
const MOST_USER_AGENT: usize = 256;

statements! {
    REGISTER = "INSERT INTO users (id, username, username_folded, name, hash_scheme, hash, enabled, epoch, created_at)
                SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?8, 0, ?7
                WHERE NOT EXISTS (SELECT 1 FROM former_usernames WHERE username_folded = ?3)
                ON CONFLICT (username_folded) DO NOTHING";
    TAKEN = "SELECT EXISTS (SELECT 1 FROM users WHERE username_folded = ?1)
                 OR EXISTS (SELECT 1 FROM former_usernames WHERE username_folded = ?1)";
    RESERVE = "INSERT INTO former_usernames SELECT username_folded, ?2 FROM users WHERE id = ?1";
    DELETE = "DELETE FROM users WHERE id = ?1";
    BY_NAME = "SELECT * FROM users WHERE username_folded = ?1";
    BY_ID = "SELECT * FROM users WHERE id = ?1";
    LIST = "SELECT * FROM users ORDER BY id LIMIT ?1";
    LIST_AFTER = "SELECT * FROM users WHERE id > ?2 ORDER BY id LIMIT ?1";
    /// A loose index scan: one step a scheme, however many users have it.
    SCHEMES = "WITH RECURSIVE scheme (is_) AS (
                   SELECT min(hash_scheme) FROM users
                   UNION ALL
                   SELECT (SELECT min(hash_scheme) FROM users WHERE hash_scheme > is_) FROM scheme WHERE is_ IS NOT NULL)
               SELECT is_ FROM scheme WHERE is_ IS NOT NULL";
    RENAME = "UPDATE users SET name = ?2 WHERE id = ?1";
    SET_HASH = "UPDATE users SET hash_scheme = ?2, hash = ?3 WHERE id = ?1";
    REPLACE_HASH = "UPDATE users SET hash_scheme = ?2, hash = ?3 WHERE id = ?1 AND hash_scheme = ?4 AND hash = ?5";
    ENABLE = "UPDATE users SET enabled = 1 WHERE id = ?1";
    DISABLE = "UPDATE users SET enabled = 0 WHERE id = ?1";
    RAISE = "UPDATE users SET epoch = epoch + 1, kept_session = ?2 WHERE id = ?1 RETURNING epoch";
    REVOKE = "INSERT INTO revocations (user, min_epoch, feed_until, keep_until) VALUES (?1, ?2, ?3, ?3)";
    DROP_LOG_INS = "DELETE FROM log_ins WHERE user = ?1 AND session IS NOT ?2";
    DROP_SESSIONS = "DELETE FROM sessions WHERE user = ?1 AND session IS NOT ?2";
    RAISE_EVERYBODY = "UPDATE users SET epoch = epoch + 1, kept_session = NULL";
    /// Nodes are told only of users who may hold an access token; the raised epoch stops everybody else's renewals.
    REVOKE_EVERYBODY = "INSERT INTO revocations (user, min_epoch, feed_until, keep_until)
                        SELECT id, epoch, ?2, ?2 FROM users WHERE id IN (
                            SELECT user FROM log_ins WHERE until > ?1
                            UNION SELECT user FROM sessions WHERE until > ?1 AND idle_until > ?1)";
    DROP_EVERY_LOG_IN = "DELETE FROM log_ins";
    DROP_EVERY_SESSION = "DELETE FROM sessions";
    PRUNE_LOG_INS = "DELETE FROM log_ins WHERE user = ?1 AND until <= ?2";
    RECORD_LOG_IN = "INSERT INTO log_ins (session, user, user_agent, address, remembered, at, until)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    FORGET_LOG_IN = "DELETE FROM log_ins WHERE session = ?1";
    LOG_INS = "SELECT * FROM log_ins WHERE user = ?1 AND until > ?2 ORDER BY at DESC, session";
    LOG_IN = "SELECT * FROM log_ins WHERE session = ?1 AND user = ?2";
    LOG_IN_OF_ANYBODY = "SELECT * FROM log_ins WHERE session = ?1";
    STANDING = "SELECT *, kept_session IS ?2 AS kept,
                       EXISTS (SELECT 1 FROM revocations WHERE session = ?2) AS revoked
                FROM users WHERE id = ?1";
}

#[async_trait]
impl Users for Sqlite {
    async fn register(&self, user: NewUser) -> Result<Registered, StoreError> {
        self.write("register a user", move |db| {
            let made = insert(db, &user, Enabled::Yes)?;
            Ok(if made { Registered::Created } else { Registered::UsernameTaken })
        })
        .await
    }

    async fn bring(&self, users: Vec<BroughtAlong>) -> Result<Vec<Brought>, StoreError> {
        self.write("bring users along", move |db| {
            let each = users.iter().map(|BroughtAlong { user, enabled }| {
                let folded = user.username.folded();
                if one(db, TAKEN, [folded], |row| row.get(0))?.unwrap_or(false) {
                    Ok(Brought::UsernameTaken)
                } else if one(db, BY_ID, [user.id.as_bytes()], |_| Ok(()))?.is_some() {
                    Ok(Brought::IdTaken)
                } else {
                    insert(db, user, if *enabled { Enabled::Yes } else { Enabled::No })?;
                    Ok(Brought::Created)
                }
            });
            each.collect()
        })
        .await
    }

    async fn taken(&self, usernames: Vec<Username>) -> Result<Vec<bool>, StoreError> {
        self.read("look for usernames", move |db| {
            let each = usernames.iter().map(|name| one(db, TAKEN, [name.folded()], |row| row.get(0)));
            each.map(|taken| Ok(taken?.unwrap_or(false))).collect()
        })
        .await
    }

    async fn list_credentials(&self, after: Option<UserId>, limit: usize) -> Result<Vec<Credentials>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read("list credentials", move |db| match after {
            Some(after) => all(db, LIST_AFTER, params![limit, after.as_bytes()], credentials),
            None => all(db, LIST, [limit], credentials),
        })
        .await
    }

    async fn delete(&self, raise: Raise) -> Result<Option<Epoch>, StoreError> {
        self.write("delete a user", move |db| {
            let epoch = raise_epoch(db, &raise)?;
            change(db, RESERVE, params![raise.user.as_bytes(), raise.now.as_millis()])?;
            change(db, DELETE, [raise.user.as_bytes()])?;
            Ok(epoch)
        })
        .await
    }

    async fn credentials(&self, username: &Username) -> Result<Option<Credentials>, StoreError> {
        let folded = username.folded();
        self.read("find a user by name", move |db| one(db, BY_NAME, [folded], credentials)).await
    }

    async fn credentials_by_id(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        self.read("read credentials", move |db| one(db, BY_ID, [user.as_bytes()], credentials)).await
    }

    async fn find(&self, user: UserId) -> Result<Option<User>, StoreError> {
        self.read("find a user", move |db| one(db, BY_ID, [user.as_bytes()], account)).await
    }

    async fn list(&self, after: Option<UserId>, limit: usize) -> Result<Vec<User>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read("list users", move |db| match after {
            Some(after) => all(db, LIST_AFTER, params![limit, after.as_bytes()], account),
            None => all(db, LIST, [limit], account),
        })
        .await
    }

    async fn schemes(&self) -> Result<Vec<String>, StoreError> {
        self.read("list hash schemes", |db| all(db, SCHEMES, [], |row| row.get(0))).await
    }

    async fn rename(&self, user: UserId, name: &DisplayName) -> Result<bool, StoreError> {
        let name = name.clone();
        self.write("rename a user", move |db| Ok(change(db, RENAME, params![user.as_bytes(), name.as_str()])? == 1))
            .await
    }

    async fn rehash(&self, user: UserId, old: &StoredHash, new: &StoredHash) -> Result<bool, StoreError> {
        let (old, new) = (old.clone(), new.clone());
        self.write("rehash a password", move |db| set_hash(db, user, Some(&old), &new)).await
    }

    async fn set_password(
        &self,
        raise: Raise,
        old: Option<&StoredHash>,
        new: &StoredHash,
    ) -> Result<Option<Epoch>, StoreError> {
        let (old, new) = (old.cloned(), new.clone());
        self.write("set a password", move |db| {
            if set_hash(db, raise.user, old.as_ref(), &new)? { raise_epoch(db, &raise) } else { Ok(None) }
        })
        .await
    }

    async fn disable(&self, raise: Raise) -> Result<Option<Epoch>, StoreError> {
        self.write("disable a user", move |db| {
            change(db, DISABLE, [raise.user.as_bytes()])?;
            raise_epoch(db, &raise)
        })
        .await
    }

    async fn enable(&self, user: UserId) -> Result<bool, StoreError> {
        self.write("enable a user", move |db| Ok(change(db, ENABLE, [user.as_bytes()])? == 1)).await
    }

    async fn end_sessions(&self, raise: Raise) -> Result<Option<Epoch>, StoreError> {
        self.write("end a user's sessions", move |db| raise_epoch(db, &raise)).await
    }

    async fn end_all_sessions(&self, now: Timestamp, feed_until: Timestamp) -> Result<u64, StoreError> {
        self.write_at_length("end all sessions", move |db| {
            change(db, RAISE_EVERYBODY, [])?;
            let users = change(db, REVOKE_EVERYBODY, [now.as_millis(), feed_until.as_millis()])?;
            change(db, DROP_EVERY_LOG_IN, [])?;
            change(db, DROP_EVERY_SESSION, [])?;
            Ok(users as u64)
        })
        .await
    }

    async fn record_log_in(&self, log_in: LogIn) -> Result<(), StoreError> {
        self.write("record a log-in", move |db| {
            let LogIn { session, user, user_agent, address, remembered, at, until } = log_in;
            let agent = user_agent.get(..user_agent.floor_char_boundary(MOST_USER_AGENT)).unwrap_or_default();
            let (session, user) = (session.as_bytes(), user.as_bytes());
            change(db, PRUNE_LOG_INS, params![user, at.as_millis()])?;
            let row = params![session, user, agent, address, remembered, at.as_millis(), until.as_millis()];
            change(db, RECORD_LOG_IN, row).map(drop)
        })
        .await
    }

    async fn forget_log_ins(&self, sessions: Vec<SessionId>) -> Result<(), StoreError> {
        self.write("forget log-ins", move |db| {
            sessions.iter().try_for_each(|session| change(db, FORGET_LOG_IN, [session.as_bytes()]).map(drop))
        })
        .await
    }

    async fn log_ins(&self, user: UserId, now: Timestamp) -> Result<Vec<LogIn>, StoreError> {
        self.read("list log-ins", move |db| all(db, LOG_INS, params![user.as_bytes(), now.as_millis()], log_in)).await
    }

    async fn log_in(&self, session: SessionId) -> Result<Option<LogIn>, StoreError> {
        self.read("find a log-in", move |db| one(db, LOG_IN_OF_ANYBODY, [session.as_bytes()], log_in)).await
    }

    async fn standing(&self, user: UserId, session: SessionId) -> Result<Option<Standing>, StoreError> {
        self.read("read a user's standing", move |db| {
            let read = |row: &Row<'_>| Ok((account(row)?, row.get("revoked")?, row.get("kept")?));
            let found = one(db, STANDING, [user.as_bytes(), session.as_bytes()], read)?;
            let Some((user, revoked, kept)) = found else { return Ok(None) };
            let log_in = one(db, LOG_IN, [session.as_bytes(), user.id.as_bytes()], log_in)?;
            Ok(Some(Standing { user, log_in, revoked, kept }))
        })
        .await
    }
}

/// Of an account that is made.
enum Enabled {
    Yes,
    No,
}

/// Makes an account. `false`: the username is taken.
fn insert(db: &Connection, user: &NewUser, enabled: Enabled) -> rusqlite::Result<bool> {
    let NewUser { id, username, name, hash, created_at } = user;
    let (id, enabled, created_at) = (id.as_bytes(), matches!(enabled, Enabled::Yes), created_at.as_millis());
    let (username, folded, name) = (username.as_str(), username.folded(), name.as_str());
    let row = params![id, username, folded, name, hash.scheme, hash.text, created_at, enabled];
    Ok(change(db, REGISTER, row)? == 1)
}

/// Replaces the hash, where it is still `old` if that is given.
fn set_hash(db: &Connection, user: UserId, old: Option<&StoredHash>, new: &StoredHash) -> rusqlite::Result<bool> {
    let user = user.as_bytes();
    let changed = match old {
        None => change(db, SET_HASH, params![user, new.scheme, new.text])?,
        Some(old) => change(db, REPLACE_HASH, params![user, new.scheme, new.text, old.scheme, old.text])?,
    };
    Ok(changed == 1)
}

/// Ends everything of a user but the kept session: the epoch, the feed's row and the sessions' own rows.
fn raise_epoch(db: &Connection, raise: &Raise) -> rusqlite::Result<Option<Epoch>> {
    let user = raise.user.as_bytes();
    let keep = raise.keep.as_ref().map(SessionId::as_bytes);
    let Some(epoch) = one(db, RAISE, params![user, keep], |row| row.get(0))? else { return Ok(None) };
    let epoch = Epoch(epoch);
    change(db, REVOKE, params![user, epoch.0, raise.feed_until.as_millis()])?;
    change(db, DROP_LOG_INS, params![user, keep])?;
    change(db, DROP_SESSIONS, params![user, keep])?;
    Ok(Some(epoch))
}

fn account(row: &Row<'_>) -> rusqlite::Result<User> {
    let username: String = row.get("username")?;
    let name: String = row.get("name")?;
    Ok(User {
        id: UserId::from_bytes(row.get("id")?),
        username: Username::parse(&username).map_err(undecodable)?,
        name: DisplayName::parse(&name).map_err(undecodable)?,
        enabled: row.get("enabled")?,
        epoch: Epoch(row.get("epoch")?),
        created_at: moment(row, "created_at")?,
    })
}

fn credentials(row: &Row<'_>) -> rusqlite::Result<Credentials> {
    let hash = StoredHash { scheme: row.get("hash_scheme")?, text: row.get("hash")? };
    Ok(Credentials { user: account(row)?, hash })
}

fn log_in(row: &Row<'_>) -> rusqlite::Result<LogIn> {
    Ok(LogIn {
        session: SessionId::from_bytes(row.get("session")?),
        user: UserId::from_bytes(row.get("user")?),
        user_agent: row.get("user_agent")?,
        address: row.get("address")?,
        remembered: row.get("remembered")?,
        at: moment(row, "at")?,
        until: moment(row, "until")?,
    })
}
