//! Where Munjigi keeps its facts.
//!
//! Five traits, each a handful of **atomic verbs**: a method either happens as a whole or not at all, and none reads first
//! and writes later where two callers could race. Missing is `Option`, broken is [`StoreError`], and neither is ever turned
//! into the other: a store that cannot be reached never looks like "no such user".
//!
//! | trait | keeps | in |
//! | --- | --- | --- |
//! | [`Users`] | accounts, and the visible side of their sessions (device, address, log-in time) | SQLite |
//! | [`Revocations`] | which sessions and epochs have ended: the feed | SQLite |
//! | [`Keys`] | signing keys, encrypted by the caller, and the check value of the secret | SQLite |
//! | [`Sessions`] | the hot state that a rotation moves on | SQLite or Redis |
//! | [`Limits`] | counters of tries | SQLite or Redis |
//!
//! The first three share one database, because ending everything of a user is one transaction over all of them.

pub mod keys;
pub mod limits;
pub mod meter;
pub mod redis;
pub mod revocations;
pub mod sessions;
pub mod sqlite;
pub mod users;

mod error;

pub use error::StoreError;
pub use keys::{KeyStatus, Keys, Revoked, StoredKey};
pub use limits::{LimitKey, Limits, Take};
pub use meter::Meter;

pub use redis::{Redis, RedisState};
pub use revocations::{Cursor, FeedPage, Revocations, SessionEnd};
pub use sessions::{LiveSession, Sessions};
pub use sqlite::{Migrate, Schema, Sqlite};
pub use users::{
    Brought, BroughtAlong, Credentials, LogIn, NewUser, Raise, Registered, Standing, StoredHash, User, Users,
};
