//! Counters in Redis: one key each, `munjigi:l:<what is counted>`, which lives until the counter is empty, and a
//! little more.
//!
//! All counters of one call are taken in one script. On one server that is atomic; on a cluster they would have to share a
//! slot, so the keys would need a common hash tag.

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use munjigi_rules::Timestamp;
use munjigi_rules::throttle::Quota;
use munjigi_rules::time::millis;
use redis::Script;

use super::{LimitKey, Limits, Take};
use crate::StoreError;
use crate::redis::{Redis, SLACK, corrupt, ttl};

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));
static GIVE_BACK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("give_back.lua")));

#[async_trait]
impl Limits for Redis {
    async fn take(&self, counters: &[(LimitKey, Quota)], now: Timestamp) -> Result<Take, StoreError> {
        let mut script = TAKE.arg(now.as_millis());
        script.arg(SLACK);
        for (counter, quota) in counters {
            script.key(key(counter)).arg(interval(quota)).arg(quota.burst);
        }
        let wait: i64 = self.script("count a try", &script).await?;
        match u64::try_from(wait) {
            Ok(0) => Ok(Take::Allowed),
            Ok(wait) => Ok(Take::Refused { retry_after: Duration::from_millis(wait) }),
            Err(_) => Err(corrupt("a counter")),
        }
    }

    async fn give_back(&self, counters: &[(LimitKey, Quota)]) -> Result<(), StoreError> {
        let mut script = GIVE_BACK.prepare_invoke();
        for (counter, quota) in counters {
            script.key(key(counter)).arg(interval(quota));
        }
        self.script("give a try back", &script).await
    }
}

fn key(LimitKey(counted): &LimitKey) -> String {
    format!("munjigi:l:{counted}")
}

fn interval(quota: &Quota) -> i64 {
    ttl(millis(quota.interval))
}
