//! What a server tells of itself.

use std::time::Duration;

use munjigi_rules::Timestamp;
use redis::InfoDict;

/// What matters of it to whoever keeps sessions there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedisState {
    /// Redis' own version, or the one that another server says it is like.
    pub version: String,
    /// What it does when its memory is full: `noeviction`, or it drops keys.
    pub when_full: String,
    /// The most memory that it takes, in bytes; 0: there is no bound.
    pub most_memory: u64,
    /// The memory that it uses, in bytes.
    pub memory: u64,
    /// Whether every write is kept in a file (`appendonly`).
    pub keeps_writes: bool,
    /// Whether snapshots are made; `None`: the account may not ask.
    pub makes_snapshots: Option<bool>,
    /// Whether the last attempt to keep either failed: it then refuses writes.
    pub cannot_save: bool,
    /// Whether it only follows another server, and takes no writes.
    pub is_replica: bool,
    /// Its clock; `None`: it does not tell.
    pub now: Option<Timestamp>,
}

impl RedisState {
    /// From `INFO`, and from `CONFIG GET save` where that was answered.
    pub(super) fn of(info: &InfoDict, saves: Option<Vec<String>>) -> Self {
        let text = |name: &str| info.get::<String>(name).unwrap_or_default();
        let number = |name: &str| info.get::<u64>(name).unwrap_or_default();
        let failed = |name: &str| info.get::<String>(name).is_some_and(|status| status != "ok");
        let micros: Option<u64> = info.get("server_time_usec");
        Self {
            version: text("redis_version"),
            when_full: text("maxmemory_policy"),
            most_memory: number("maxmemory"),
            memory: number("used_memory"),
            keeps_writes: number("aof_enabled") == 1,
            makes_snapshots: saves.map(|pair| pair.get(1).is_some_and(|points| !points.is_empty())),
            cannot_save: failed("aof_last_write_status") || failed("rdb_last_bgsave_status"),
            is_replica: text("role") == "slave",
            now: micros.map(|micros| Timestamp::from_millis(0).plus(Duration::from_micros(micros))),
        }
    }
}
