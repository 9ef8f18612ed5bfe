//! Accounts, and the visible side of their sessions.

use std::fmt;

use async_trait::async_trait;
use munjigi_rules::{DisplayName, Epoch, SessionId, Timestamp, UserId, Username};

use crate::StoreError;

mod sqlite;

#[cfg(test)]
pub(crate) use sqlite::STATEMENTS as SQLITE_STATEMENTS;

/// An account, as everybody but the log-in needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Which.
    pub id: UserId,
    /// What they log in with.
    pub username: Username,
    /// What is shown.
    pub name: DisplayName,
    /// A disabled user neither logs in nor renews.
    pub enabled: bool,
    /// Raised whenever everything of this user ends.
    pub epoch: Epoch,
    /// When they registered.
    pub created_at: Timestamp,
}

/// A password hash as it is kept: the scheme that verifies it and its text, for Argon2id and bcrypt a PHC or modular crypt
/// string, for imported ones the foreign form (see `docs`). `Debug` does not show the text.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredHash {
    /// Scheme with its cost, for example `argon2id:m=19456,t=2,p=1`; users of one scheme cost the same to verify.
    pub scheme: String,
    /// The hash itself.
    pub text: String,
}

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredHash").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// What a log-in needs, read in one go: a session takes the epoch that was read together with the password hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The account.
    pub user: User,
    /// Its password hash.
    pub hash: StoredHash,
}

/// An account to be made. Its epoch is 0 and it is enabled.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// A fresh id.
    pub id: UserId,
    /// As typed.
    pub username: Username,
    /// To show.
    pub name: DisplayName,
    /// Of the password.
    pub hash: StoredHash,
    /// Now.
    pub created_at: Timestamp,
}

/// An account that is brought along from elsewhere.
#[derive(Clone, Debug)]
pub struct BroughtAlong {
    /// As it shall be; `id` and `created_at` may be older than today.
    pub user: NewUser,
    /// Whether they may log in.
    pub enabled: bool,
}

/// What became of one account of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// The account exists, durably.
    Created,
    /// Somebody has, or once had, that username in any case. Nothing of theirs was changed.
    UsernameTaken,
    /// Somebody of another username has that id.
    IdTaken,
}

/// What became of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The account exists, durably.
    Created,
    /// Somebody has, or once had, that username in any case.
    UsernameTaken,
}

/// The visible side of a session, written at log-in: what a list of sessions shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogIn {
    /// Which session.
    pub session: SessionId,
    /// Whose.
    pub user: UserId,
    /// The browser's or program's own words (`User-Agent`), cut to 256 bytes.
    pub user_agent: String,
    /// Where from: an IP address in text, empty where unknown.
    pub address: String,
    /// Whether "stay signed in" was ticked.
    pub remembered: bool,
    /// When: the tokens' `auth_time`.
    pub at: Timestamp,
    /// The session's absolute end.
    pub until: Timestamp,
}

/// What a renewal needs to know beside the hot state, read in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The account as it is today.
    pub user: User,
    /// The log-in that opened the session; `None` when it was ended or is long over.
    pub log_in: Option<LogIn>,
    /// The session stands in the revocations.
    pub revoked: bool,
    /// The session was the one to be kept when the epoch was last raised: epochs do not bind it.
    pub kept: bool,
}

/// Why and how a user's epoch is raised.
#[derive(Clone, Debug)]
pub struct Raise {
    /// Whose.
    pub user: UserId,
    /// The session that goes on, if any. Whatever session was kept before no longer is.
    pub keep: Option<SessionId>,
    /// Now.
    pub now: Timestamp,
    /// Until when every node has to remember the revocation.
    pub feed_until: Timestamp,
}

/// Accounts. Everything that ends sessions writes the revocation in the same transaction: that row is the commit point.
#[async_trait]
pub trait Users: Send + Sync {
    /// Makes an account, or says that the username is taken. Durable before it returns.
    async fn register(&self, user: NewUser) -> Result<Registered, StoreError>;

    /// Makes many accounts in one transaction, and says in the same order what became of each. None that is there is changed.
    async fn bring(&self, users: Vec<BroughtAlong>) -> Result<Vec<Brought>, StoreError>;

    /// Which of these usernames, in the same order, somebody has, or once had, in any case.
    async fn taken(&self, usernames: Vec<Username>) -> Result<Vec<bool>, StoreError>;

    /// Up to `limit` accounts with their hashes, in the order of their ids, after `after`.
    async fn list_credentials(&self, after: Option<UserId>, limit: usize) -> Result<Vec<Credentials>, StoreError>;

    /// Removes the account and ends every session of it, in one transaction. Its username stays taken. `None`: no such user.
    async fn delete(&self, raise: Raise) -> Result<Option<Epoch>, StoreError>;

    /// What a log-in needs of the user of that name, in any case.
    async fn credentials(&self, username: &Username) -> Result<Option<Credentials>, StoreError>;

    /// The same by id: for asking for the password again.
    async fn credentials_by_id(&self, user: UserId) -> Result<Option<Credentials>, StoreError>;

    /// One account.
    async fn find(&self, user: UserId) -> Result<Option<User>, StoreError>;

    /// Up to `limit` accounts in the order of their ids (which is that of registration), after `after`.
    async fn list(&self, after: Option<UserId>, limit: usize) -> Result<Vec<User>, StoreError>;

    /// Every scheme (with its cost) that some user's hash has: a failed log-in costs the same for all of them.
    async fn schemes(&self) -> Result<Vec<String>, StoreError>;

    /// Changes the shown name. `false`: no such user.
    async fn rename(&self, user: UserId, name: &DisplayName) -> Result<bool, StoreError>;

    /// Replaces `old` by `new` where `old` is still what is kept, so that a password change that came between wins.
    async fn rehash(&self, user: UserId, old: &StoredHash, new: &StoredHash) -> Result<bool, StoreError>;

    /// Sets a new password where `old` is still what is kept (`None`: whatever is kept), and ends every session but the kept
    /// one, in one transaction. `None`: no such user, or the password was changed meanwhile.
    async fn set_password(
        &self,
        raise: Raise,
        old: Option<&StoredHash>,
        new: &StoredHash,
    ) -> Result<Option<Epoch>, StoreError>;

    /// Disables the account and ends every session of it, in one transaction. `None`: no such user.
    async fn disable(&self, raise: Raise) -> Result<Option<Epoch>, StoreError>;

    /// Enables the account again. `false`: no such user.
    async fn enable(&self, user: UserId) -> Result<bool, StoreError>;

    /// Ends every session of the user but the kept one. `None`: no such user.
    async fn end_sessions(&self, raise: Raise) -> Result<Option<Epoch>, StoreError>;

    /// Ends every session of every user, in one transaction. Returns how many users had one.
    async fn end_all_sessions(&self, now: Timestamp, feed_until: Timestamp) -> Result<u64, StoreError>;

    /// Writes the visible side of a new session. Prunes rows of the same user that are past their end.
    async fn record_log_in(&self, log_in: LogIn) -> Result<(), StoreError>;

    /// Removes the visible side of sessions that had to make room for another one; without it they do not renew.
    async fn forget_log_ins(&self, sessions: Vec<SessionId>) -> Result<(), StoreError>;

    /// The visible side of the user's sessions that have neither ended nor reached their end, newest first.
    async fn log_ins(&self, user: UserId, now: Timestamp) -> Result<Vec<LogIn>, StoreError>;

    /// The visible side of one session, whoever's it is. `None`: not known, or ended.
    async fn log_in(&self, session: SessionId) -> Result<Option<LogIn>, StoreError>;

    /// What a renewal needs to know. `None`: no such user.
    async fn standing(&self, user: UserId, session: SessionId) -> Result<Option<Standing>, StoreError>;
}
