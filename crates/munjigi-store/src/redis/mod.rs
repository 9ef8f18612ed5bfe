//! The hot state and the counters in Redis or Valkey, one server.
//!
//! Every call has a short time limit: a Redis that is dead, hangs or is full makes [`StoreError::Unavailable`] of a call and
//! never a request that waits. What a call did when its answer is lost may have happened all the same; every verb here
//! can bear to be done twice. Scripts run in one round trip and are loaded again when the server has forgotten them.
//! Times come from the caller, never from the server, and every key has a time to live.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use redis::{
    ErrorKind, FromRedisValue, InfoDict, IntoConnectionInfo, RedisError, RedisResult, Script, ScriptInvocation,
};

use crate::StoreError;
use crate::meter::{Measured, Meter};

mod link;
mod record;
mod state;

pub(crate) use record::{pack, unpack};
pub use state::RedisState;

const STORE: &str = "Redis";

/// How long a call may take, reconnecting included.
const LIMIT: Duration = Duration::from_millis(300);

/// How long connecting at the start may take.
const START_LIMIT: Duration = Duration::from_secs(5);

/// How much longer than its content a key lives, in milliseconds: nodes' clocks may differ by as much.
pub(crate) const SLACK: i64 = 60_000;

/// Longest time to live that is asked for: a hundred years, so that no arithmetic of the server overflows.
pub(crate) const LONGEST_TTL: i64 = 100 * 365 * 24 * 3_600_000;

/// Handle of a server; clones share one multiplexed connection, which is made again when it breaks.
#[derive(Clone, Debug)]
pub struct Redis {
    link: link::Link,
    measured: Measured,
}

/// Something that is sent and answered.
enum Request<'a> {
    Command(&'a redis::Cmd),
    Script(&'a ScriptInvocation<'a>),
}

impl Redis {
    /// Connects to `redis://` or `rediss://` (TLS, certificates checked against the web's authorities), and warns where the
    /// server is set up to lose sessions.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the URL is none or the server does not answer.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::new(url)?.reached().await
    }

    /// The same server, once it has answered.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not.
    pub async fn reached(self) -> Result<Self, StoreError> {
        let mut info = redis::cmd("INFO");
        let asked = self.link.send(Request::Command(info.arg("memory")));
        let memory: InfoDict = within(START_LIMIT, "connect", asked).await?;
        warn_of_eviction(&memory);
        Ok(self)
    }

    /// What the server tells of itself, in `INFO` alone, which every account of ours may ask for.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not answer.
    pub async fn state(&self) -> Result<RedisState, StoreError> {
        let (info, mut saves) = (redis::cmd("INFO"), redis::cmd("CONFIG"));
        let info: InfoDict = within(START_LIMIT, "ask how it is", self.link.send(Request::Command(&info))).await?;
        let saves = self.link.send(Request::Command(saves.arg("GET").arg("save")));
        // An account of ours need not be allowed to ask that.
        let saves: Option<Vec<String>> = within(START_LIMIT, "ask for its snapshots", saves).await.ok();
        Ok(RedisState::of(&info, saves))
    }

    /// The same without connecting: the first call does. For commands that can do without it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the URL is none.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        Self::with(url, None)
    }

    /// The same for `rediss://` where the server's certificate is from these authorities (PEM), and from no others.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the URL is none, not of TLS, or a certificate cannot be read.
    pub fn trusting(url: &str, authorities: &[u8]) -> Result<Self, StoreError> {
        Self::with(url, Some(authorities))
    }

    fn with(url: &str, authorities: Option<&[u8]>) -> Result<Self, StoreError> {
        let step = "connect";
        let info = url.into_connection_info().map_err(|e| failure(step, e))?;
        let link = link::Link::new(info, authorities).map_err(|e| failure(step, e))?;
        Ok(Self { link, measured: Measured::default() })
    }

    /// The same, with every call told to this meter.
    #[must_use]
    pub fn measured(self, meter: Arc<dyn Meter>) -> Self {
        Self { measured: Measured(Some(meter)), ..self }
    }

    /// Sends one command.
    pub(crate) async fn command<T>(&self, step: &'static str, command: &redis::Cmd) -> Result<T, StoreError>
    where
        T: FromRedisValue + Send,
    {
        self.send(step, Request::Command(command)).await
    }

    /// Runs a script.
    pub(crate) async fn script<T>(&self, step: &'static str, script: &ScriptInvocation<'_>) -> Result<T, StoreError>
    where
        T: FromRedisValue + Send,
    {
        self.send(step, Request::Script(script)).await
    }

    async fn send<T: FromRedisValue>(&self, step: &'static str, request: Request<'_>) -> Result<T, StoreError> {
        self.measured.call(STORE, step, within(LIMIT, step, self.link.send(request))).await
    }
}

/// A script of this crate, after what all scripts that read records share.
pub(crate) fn script_with_records(code: &str) -> Script {
    Script::new(&[include_str!("record.lua"), code].concat())
}

/// A span in milliseconds as a time to live that the server accepts.
pub(crate) fn ttl(millis: i64) -> i64 {
    millis.clamp(1, LONGEST_TTL)
}

/// The server holds a value that no version of us wrote, or a newer one did.
pub(crate) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt { store: STORE, what: what.to_owned() }
}

async fn within<T>(
    limit: Duration,
    step: &'static str,
    answer: impl Future<Output = RedisResult<T>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer.map_err(|e| failure(step, e)),
        Err(late) => Err(unavailable(step, late)),
    }
}

/// What an error of the client or the server means to the callers of this crate.
fn failure(step: &'static str, error: RedisError) -> StoreError {
    let is_damage = error.code() == Some("WRONGTYPE") || error.kind() == ErrorKind::UnexpectedReturnType;
    if is_damage { corrupt(&format!("{step}: {error}")) } else { unavailable(step, error) }
}

fn unavailable(step: &'static str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable { store: STORE, step, cause: cause.into() }
}

/// A server that evicts keys when it is full signs people out at random.
fn warn_of_eviction(memory: &InfoDict) {
    let policy: Option<String> = memory.get("maxmemory_policy");
    if policy.as_deref().is_some_and(|p| p != "noeviction") {
        let note = "when its memory is full Redis may drop sessions, which signs people out: set `maxmemory-policy noeviction`";
        tracing::warn!(policy, note, "redis_evicts");
    } else if memory.get("maxmemory") == Some(0) {
        tracing::info!(note = "set `maxmemory`, so that a full machine is an error and not a crash", "redis_unlimited");
    }
}
