//! Redis, where sessions are there: it answers, keeps what it is given, and its clock is ours.

use munjigi_gate::Clock;
use munjigi_store::RedisState;
use secrecy::ExposeSecret as _;

use super::clock::judge;
use super::report::Report;
use super::{chain, off_by};
use crate::config::Config;
use crate::config::values::shown_url;
use crate::core::redis_at;

const CHECK: &str = "sessions";

pub(super) async fn check(config: &Config, clock: &dyn Clock, report: &mut Report) {
    let Some(url) = &config.store.redis_url else {
        return report.ok(CHECK, "they are beside the users, in the database");
    };
    let shown = shown_url(url.expose_secret());
    let authorities = match config.store.redis_ca() {
        Ok(authorities) => authorities,
        Err(error) => {
            return report.wrong(
                CHECK,
                format!("{error:#}"),
                "name a file that the server can read in store.redis_ca_file",
            );
        }
    };
    let reached = async { redis_at(url, authorities)?.state().await };
    let state = match reached.await {
        Ok(state) => state,
        Err(error) => {
            let mend =
                "start it, or set store.redis_url; until then nobody logs in or is renewed, and nobody is signed out";
            return report.wrong(CHECK, format!("{shown} does not answer: {}", chain(&error)), mend);
        }
    };
    let before = report.complaints();
    for (wrong, what, mend) in found(&state) {
        let what = format!("{shown} {what}");
        if wrong { report.wrong(CHECK, what, mend) } else { report.warning(CHECK, what, mend) }
    }
    if report.complaints() == before {
        report.ok(CHECK, format!("{shown} answers (version {}), keeps every write, and drops none", state.version));
    }
    match state.now {
        Some(now) => judge("Redis", off_by(now, clock), report),
        None => report.skipped("clock", "Redis does not tell what time it is"),
    }
}

/// Whether it is wrong or only to be warned of, what it is, and what to do.
fn found(state: &RedisState) -> Vec<(bool, String, &'static str)> {
    let mut found = Vec::new();
    if state.is_replica {
        found.push((true, "is a replica, and takes no writes".to_owned(), "name the primary in store.redis_url"));
    }
    if state.when_full != "noeviction" {
        let what = format!(
            "drops sessions when its memory is full (maxmemory-policy {}), which signs people out",
            state.when_full
        );
        found.push((true, what, "`CONFIG SET maxmemory-policy noeviction`, and the same in redis.conf"));
    }
    if state.cannot_save {
        let what = "could not save to its disk the last time, and may refuse writes".to_owned();
        found.push((true, what, "look into Redis' log: its disk is full, or its folder cannot be written"));
    }
    if !state.keeps_writes {
        let what = match state.makes_snapshots {
            Some(true) => "keeps snapshots alone: whoever logged in after the last one is signed out by a crash",
            Some(false) => "keeps nothing: a restart signs everybody out",
            None => "does not keep every write (appendonly is off): a crash may sign people out",
        };
        found.push((false, what.to_owned(), "`CONFIG SET appendonly yes`, and the same in redis.conf"));
    }
    if state.most_memory == 0 {
        let what = "has no bound for its memory: a full machine would be a crash".to_owned();
        found.push((false, what, "`CONFIG SET maxmemory` to what it may have, and the same in redis.conf"));
    } else if state.memory > state.most_memory / 10 * 9 {
        let what = "uses more than nine tenths of its memory".to_owned();
        found.push((false, what, "raise `maxmemory`: when it is full nobody logs in"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> RedisState {
        RedisState {
            when_full: "noeviction".to_owned(),
            most_memory: 1 << 30,
            keeps_writes: true,
            ..RedisState::default()
        }
    }

    #[test]
    fn each_thing_that_loses_sessions_is_found_by_itself() {
        assert!(found(&good()).is_empty());
        for (state, wrong, word) in [
            (RedisState { is_replica: true, ..good() }, true, "replica"),
            (RedisState { when_full: "allkeys-lru".to_owned(), ..good() }, true, "allkeys-lru"),
            (RedisState { cannot_save: true, ..good() }, true, "disk"),
            (RedisState { keeps_writes: false, ..good() }, false, "appendonly"),
            (RedisState { keeps_writes: false, makes_snapshots: Some(true), ..good() }, false, "snapshots"),
            (RedisState { keeps_writes: false, makes_snapshots: Some(false), ..good() }, false, "nothing"),
            (RedisState { most_memory: 0, ..good() }, false, "bound"),
            (RedisState { memory: 1 << 30, ..good() }, false, "nine tenths"),
        ] {
            let found = found(&state);
            assert_eq!(found.len(), 1, "{state:?}");
            assert!(found[0].0 == wrong && found[0].1.contains(word), "{found:?}");
        }
    }
}
