//! Counters in SQLite, for one machine.

use std::time::Duration;

use async_trait::async_trait;
use munjigi_rules::Timestamp;
use munjigi_rules::throttle::{Quota, Verdict};
use munjigi_rules::time::millis;
use rusqlite::{Connection, params};

use super::{LimitKey, Limits, Take};
use crate::StoreError;
use crate::sqlite::{Sqlite, change, moment, one, statements};

/// Empty counters that each call removes: more than it can add, so that they never pile up.
const PRUNE_AT_ONCE: i64 = 16;

statements! {
    PRUNE = "DELETE FROM limits WHERE key IN (SELECT key FROM limits WHERE counter <= ?1 LIMIT ?2)";
    GET = "SELECT counter FROM limits WHERE key = ?1";
    SET = "INSERT INTO limits (key, counter) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET counter = ?2";
    GIVE_BACK = "UPDATE limits SET counter = counter - ?2 WHERE key = ?1";
}

#[async_trait]
impl Limits for Sqlite {
    async fn take(&self, counters: &[(LimitKey, Quota)], now: Timestamp) -> Result<Take, StoreError> {
        let counters = counters.to_vec();
        self.write("count a try", move |db| take(db, &counters, now)).await
    }

    async fn give_back(&self, counters: &[(LimitKey, Quota)]) -> Result<(), StoreError> {
        let counters = counters.to_vec();
        self.write("give a try back", move |db| {
            for (LimitKey(key), quota) in &counters {
                change(db, GIVE_BACK, params![key, millis(quota.interval)])?;
            }
            Ok(())
        })
        .await
    }
}

fn take(db: &Connection, counters: &[(LimitKey, Quota)], now: Timestamp) -> rusqlite::Result<Take> {
    change(db, PRUNE, params![now.as_millis(), PRUNE_AT_ONCE])?;
    let mut wait: Option<Duration> = None;
    let mut taken = Vec::with_capacity(counters.len());
    for (LimitKey(key), quota) in counters {
        let counter = one(db, GET, [key], |row| moment(row, "counter"))?;
        match quota.take(counter, now) {
            Verdict::Allowed { counter } => taken.push((key, counter)),
            Verdict::Refused { retry_after } => wait = wait.max(Some(retry_after)),
        }
    }
    if let Some(retry_after) = wait {
        return Ok(Take::Refused { retry_after });
    }
    for (key, counter) in taken {
        change(db, SET, params![key, counter.as_millis()])?;
    }
    Ok(Take::Allowed)
}
