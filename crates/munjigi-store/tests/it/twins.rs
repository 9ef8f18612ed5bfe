//! The rules, and their twins in Lua, decide and keep the same.

use std::cell::Cell;
use std::time::Duration;

use munjigi_rules::refresh::{LATE, Presented, Record, Rotation, Terms, rotate};
use munjigi_rules::throttle::{Quota, Verdict};
use munjigi_rules::{Epoch, Generation, Nonce, Timestamp};
use munjigi_store::{LimitKey, Limits, Redis, Sessions, Sqlite, Take};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::support::*;

/// What a rotation is asked.
#[derive(Clone, Debug)]
struct Case {
    record: Record,
    presented: Presented,
    terms: Terms,
    now: Timestamp,
}

/// Few nonces, so that they meet.
fn a_nonce() -> impl Strategy<Value = Nonce> {
    prop::sample::select(vec![[0; 16], [1; 16], [0xff; 16], *b"\0\r\n\xff4567890abcde"]).prop_map(Nonce::from_bytes)
}

/// Few generations near each other, at both ends of what there can be.
fn a_generation() -> impl Strategy<Value = Generation> {
    prop_oneof![4 => 0..5_u32, 1 => u32::MAX - 3..=u32::MAX, 1 => 0..200_u32].prop_map(Generation)
}

/// A moment around which something may change, or a little beside it.
fn around(moments: Vec<Timestamp>) -> impl Strategy<Value = Timestamp> {
    (prop::sample::select(moments), -1..=1_i64).prop_map(|(at, beside)| Timestamp::from_millis(at.as_millis() + beside))
}

fn a_span() -> impl Strategy<Value = Duration> {
    let millis =
        prop_oneof![Just(1), Just(2), Just(1_000), Just(80_000), Just(600_000), Just(601_001), 1..100_000_000_u64];
    millis.prop_map(Duration::from_millis)
}

/// Mostly long enough to decide something else than that the session is over.
fn a_life() -> impl Strategy<Value = Duration> {
    prop_oneof![4 => Just(LIFETIMES.idle), 1 => a_span()]
}

prop_compose! {
    fn a_record()(
        generation in a_generation(), spent in a_nonce(), epoch in 0..3_u32,
        until in a_life(), idle_until in a_life(),
    ) -> Record {
        let (idle_until, until) = (NOW.plus(idle_until), NOW.plus(until));
        Record { generation, spent, rotated_at: NOW, idle_until, until, epoch: Epoch(epoch) }
    }
}

fn a_case() -> impl Strategy<Value = Case> {
    let min_epoch = prop_oneof![3 => Just(0), 1 => 0..3_u32];
    let terms = (a_span(), a_span(), min_epoch).prop_map(|(access_ttl, idle_ttl, min_epoch)| Terms {
        access_ttl,
        idle_ttl,
        min_epoch: Epoch(min_epoch),
    });
    let token = (a_generation(), a_nonce(), a_nonce(), 0..4);
    (a_record(), terms, token).prop_flat_map(|(record, terms, (generation, nonce, parent, kind))| {
        // Half of the tokens belong to the record, else nearly all would be reuse.
        let (generation, nonce, parent) = match kind {
            0 => (record.generation.next(), nonce, record.spent),
            1 => (record.generation, record.spent, parent),
            _ => (generation, nonce, parent),
        };
        let now = around(vec![
            // Before the last rotation, by the clock of another node.
            NOW.minus(LATE / 2),
            NOW,
            NOW.plus(LATE),
            NOW.plus(terms.young()),
            NOW.plus(terms.young() * 2),
            NOW.plus(terms.young() * 3),
            record.idle_until,
            record.until,
        ]);
        now.prop_flat_map(move |now| {
            let issued_at = around(vec![now, now.minus(terms.young()), NOW, NOW.minus(terms.young())]);
            issued_at.prop_map(move |issued_at| {
                let presented = Presented { generation, nonce, parent, issued_at };
                Case { record, presented, terms, now }
            })
        })
    })
}

/// What the store decides, and what it holds afterwards.
async fn carried_out(store: &impl Sessions, case: &Case, fresh: Nonce) -> (Rotation, Option<Record>) {
    let (user, session) = (user_id(), session_id());
    let long_ago = Timestamp::from_secs(0);
    store.open(user, session, case.record, long_ago).await.unwrap();
    let Case { presented, terms, now, .. } = *case;
    let decision = store.rotate(user, session, presented, terms, fresh, now).await.unwrap();
    let left = store.list(user, long_ago).await.unwrap();
    (decision, left.first().map(|s| s.record))
}

/// What the rules decide, and what has to be held afterwards.
fn expected(case: &Case, fresh: Nonce) -> (Rotation, Option<Record>) {
    let decision = rotate(Some(&case.record), &case.presented, &case.terms, fresh, case.now);
    let left = match decision {
        Rotation::Rotated { record, .. } | Rotation::Adopted { record, .. } => Some(record),
        _ if case.now >= case.record.idle_until || case.now >= case.record.until => None,
        _ => Some(case.record),
    };
    (decision, left)
}

fn holds_to_the_rules(runtime: &Runtime, store: &impl Sessions, cases: u32) {
    let seen = [const { Cell::new(0) }; 6];
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(case in a_case(), fresh in a_nonce())| {
        let expected = expected(&case, fresh);
        prop_assert_eq!(runtime.block_on(carried_out(store, &case, fresh)), expected);
        let decision = &seen[match expected.0 {
            Rotation::Gone => 0,
            Rotation::Kept => 1,
            Rotation::Rotated { .. } => 2,
            Rotation::Adopted { .. } => 3,
            Rotation::Repeated { .. } => 4,
            Rotation::Reused => 5,
        }];
        decision.set(decision.get() + 1);
    });
    // A comparison that never met a decision would prove nothing about it.
    assert!(seen.iter().all(|count| count.get() > 0), "{seen:?}");
}

#[test]
fn redis_rotates_as_the_rules_say() {
    let runtime = Runtime::new().unwrap();
    let two: Two<Redis, _> = runtime.block_on(redis());
    holds_to_the_rules(&runtime, &two.first, 2_000);
}

#[test]
fn sqlite_rotates_as_the_rules_say() {
    let runtime = Runtime::new().unwrap();
    let two: Two<Sqlite, _> = runtime.block_on(sqlite());
    holds_to_the_rules(&runtime, &two.first, 300);
}

/// One step in the life of two counters: take from the first, the second or both, or give back, some time later.
#[derive(Clone, Copy, Debug)]
enum Step {
    Take { first: bool, second: bool },
    GiveBack { first: bool, second: bool },
    Wait(u64),
}

fn a_step() -> impl Strategy<Value = Step> {
    let which = prop::sample::select(vec![(true, false), (false, true), (true, true)]);
    let wait = prop_oneof![Just(1), Just(59_999), Just(60_000), Just(90_000), 0..500_000_u64];
    prop_oneof![
        4 => which.clone().prop_map(|(first, second)| Step::Take { first, second }),
        1 => which.prop_map(|(first, second)| Step::GiveBack { first, second }),
        2 => wait.prop_map(Step::Wait),
    ]
}

/// The naive model: a vector of counters, and the rule.
#[derive(Default)]
struct Model {
    counters: [Option<Timestamp>; 2],
}

impl Model {
    fn take(&mut self, which: [bool; 2], quotas: &[Quota; 2], now: Timestamp) -> Take {
        let mut after = self.counters;
        let mut wait = None;
        for i in (0..2).filter(|i| which[*i]) {
            match quotas[i].take(self.counters[i], now) {
                Verdict::Allowed { counter } => after[i] = Some(counter),
                Verdict::Refused { retry_after } => wait = wait.max(Some(retry_after)),
            }
        }
        match wait {
            Some(retry_after) => Take::Refused { retry_after },
            None => {
                self.counters = after;
                Take::Allowed
            }
        }
    }

    fn give_back(&mut self, which: [bool; 2], quotas: &[Quota; 2]) {
        for i in (0..2).filter(|i| which[*i]) {
            self.counters[i] = self.counters[i].map(|c| quotas[i].give_back(c));
        }
    }
}

fn counts_as_the_rules_say(runtime: &Runtime, store: &impl Limits, cases: u32) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let quotas = [
        Quota { burst: 2, interval: Duration::from_secs(60) },
        Quota { burst: 5, interval: Duration::from_millis(90_001) },
    ];
    proptest!(config, |(steps in prop::collection::vec(a_step(), 1..40))| {
        let keys = [0, 1].map(|i| (LimitKey(format!("twin:{}", session_id())), quotas[i]));
        let named = |which: [bool; 2]| (0..2).filter(|i| which[*i]).map(|i| keys[i].clone()).collect::<Vec<_>>();
        let mut model = Model::default();
        let mut now = NOW;
        for step in steps {
            match step {
                Step::Wait(millis) => now = now.plus(Duration::from_millis(millis)),
                Step::GiveBack { first, second } => {
                    runtime.block_on(store.give_back(&named([first, second]))).unwrap();
                    model.give_back([first, second], &quotas);
                }
                Step::Take { first, second } => {
                    let taken = runtime.block_on(store.take(&named([first, second]), now)).unwrap();
                    prop_assert_eq!(taken, model.take([first, second], &quotas, now));
                }
            }
        }
    });
}

#[test]
fn redis_counts_as_the_rules_say() {
    let runtime = Runtime::new().unwrap();
    let two: Two<Redis, _> = runtime.block_on(redis());
    counts_as_the_rules_say(&runtime, &two.first, 200);
}

#[test]
fn sqlite_counts_as_the_rules_say() {
    let runtime = Runtime::new().unwrap();
    let two: Two<Sqlite, _> = runtime.block_on(sqlite());
    counts_as_the_rules_say(&runtime, &two.first, 20);
}
