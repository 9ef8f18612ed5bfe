//! Stores to test with, two handles each, and facts to fill them with.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::time::Duration;

use munjigi_rules::refresh::Terms;
use munjigi_rules::session::{Lifetimes, Opening, open};
use munjigi_rules::{DisplayName, Epoch, Nonce, SessionId, Timestamp, UserId, Username};
use munjigi_store::{LogIn, Migrate, NewUser, Raise, Redis, Sqlite, StoredHash};
use tempfile::TempDir;

use crate::redis_server::Server;

/// Two handles of one store, as two nodes have them, and what must outlive them.
pub(crate) struct Two<S, G> {
    pub(crate) first: S,
    pub(crate) second: S,
    pub(crate) place: G,
}

/// A database file of its own, opened twice.
pub(crate) async fn sqlite() -> Two<Sqlite, TempDir> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("munjigi.db");
    let first = Sqlite::open(&path, Migrate::Auto).unwrap();
    let second = Sqlite::open(&path, Migrate::Auto).unwrap();
    Two { first, second, place }
}

/// A Redis, connected to twice.
pub(crate) async fn redis() -> Two<Redis, Server> {
    let place = Server::start();
    let first = Redis::connect(&place.url).await.unwrap();
    let second = Redis::connect(&place.url).await.unwrap();
    Two { first, second, place }
}

/// Where [`sqlite`] keeps its file.
pub(crate) fn file_of(place: &TempDir) -> PathBuf {
    place.path().join("munjigi.db")
}

/// Runs the named facts, which are functions that take a [`Two`], on every backend that is named.
macro_rules! conformance {
    ($($backend:ident)+ => $facts:tt) => { $(conformance!(@one $backend $facts);)+ };
    (@one $backend:ident { $($fact:ident)+ }) => {
        mod $backend {
            $(#[tokio::test]
            async fn $fact() {
                super::$fact($crate::support::$backend().await).await;
            })+
        }
    };
}

pub(crate) const LIFETIMES: Lifetimes = Lifetimes {
    access: Duration::from_secs(600),
    idle: Duration::from_secs(14 * 86_400),
    absolute: Duration::from_secs(90 * 86_400),
};

/// An ordinary moment.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) fn terms() -> Terms {
    LIFETIMES.terms(Epoch(0))
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    std::array::from_fn(|i| RandomState::new().hash_one(i).to_le_bytes()[0])
}

pub(crate) fn user_id() -> UserId {
    UserId::new(NOW, random())
}

pub(crate) fn session_id() -> SessionId {
    SessionId::from_bytes(random())
}

pub(crate) fn nonce() -> Nonce {
    Nonce::from_bytes(random())
}

/// A session that begins at `now`.
pub(crate) fn opening(now: Timestamp) -> Opening {
    open(&LIFETIMES, Epoch(0), nonce(), nonce(), now)
}

pub(crate) fn username(text: &str) -> Username {
    Username::parse(text).unwrap()
}

pub(crate) fn name(text: &str) -> DisplayName {
    DisplayName::parse(text).unwrap()
}

pub(crate) fn hash(text: &str) -> StoredHash {
    StoredHash { scheme: "argon2id:m=19456,t=2,p=1".to_owned(), text: text.to_owned() }
}

pub(crate) fn new_user(text: &str) -> NewUser {
    NewUser { id: user_id(), username: username(text), name: name("Mina"), hash: hash("first"), created_at: NOW }
}

pub(crate) fn log_in(user: UserId, at: Timestamp) -> LogIn {
    LogIn {
        session: session_id(),
        user,
        user_agent: "Browser/1.0".to_owned(),
        address: "192.0.2.1".to_owned(),
        remembered: true,
        at,
        until: at.plus(LIFETIMES.absolute),
    }
}

pub(crate) fn raise(user: UserId, keep: Option<SessionId>) -> Raise {
    Raise { user, keep, now: NOW, feed_until: NOW.plus(LIFETIMES.access) }
}
