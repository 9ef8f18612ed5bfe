//! An honest browser in real time: many tabs, milliseconds, and `iat` in whole seconds, which the model does not have.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use munjigi_rules::ids::{Epoch, Nonce};
use munjigi_rules::refresh::{Presented, Rotation, Successor, rotate};
use munjigi_rules::session::{Lifetimes, Opening, open};
use munjigi_rules::time::Timestamp;
use proptest::prelude::*;

const START: i64 = 1_800_000_000_000;

/// A refresh token, and when the access token beside it expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cookies {
    token: Presented,
    access_until: Timestamp,
}

/// A visit of a page, in milliseconds: how long after the one before, and how long request and answer take.
#[derive(Clone, Copy, Debug)]
struct Visit {
    after: i64,
    request: i64,
    answer: i64,
    /// Nobody gets the answer.
    lost: bool,
}

fn issued(next: Successor, access_ttl: Duration, now: Timestamp) -> Cookies {
    let issued_at = Timestamp::from_secs(now.as_secs());
    let token = Presented { generation: next.generation, nonce: next.nonce, parent: next.parent, issued_at };
    Cookies { token, access_until: issued_at.plus(access_ttl) }
}

/// What comes of every renewal.
fn walk(access_ttl: Duration, visits: &[Visit]) -> Vec<Rotation> {
    let hour = Duration::from_hours(1);
    let lifetimes = Lifetimes { access: access_ttl, idle: hour * 24 * 365, absolute: hour * 24 * 365 };
    let now = Timestamp::from_millis(START);
    let Opening { mut record, first } = open(&lifetimes, Epoch(0), nonce(0), nonce(1), now);
    let mut jar = issued(first, access_ttl, now);
    let mut coming = BinaryHeap::new();
    let mut start = START;
    for (n, visit) in visits.iter().enumerate() {
        start += visit.after;
        coming.push(Reverse((start, n, 0)));
    }
    let (mut carried, mut decisions) = (vec![None; visits.len()], vec![]);
    while let Some(Reverse((at, n, step))) = coming.pop() {
        let now = Timestamp::from_millis(at);
        match (step, carried[n]) {
            (0, _) => {
                carried[n] = Some(jar);
                coming.push(Reverse((at + visits[n].request, n, 1)));
            }
            (1, Some(Cookies { token, access_until })) if now >= access_until => {
                let fresh = nonce(decisions.len() + 2);
                let decision = rotate(Some(&record), &token, &lifetimes.terms(Epoch(0)), fresh, now);
                decisions.push(decision);
                let answer = match decision {
                    Rotation::Rotated { record: moved, next } | Rotation::Adopted { record: moved, next, .. } => {
                        record = moved;
                        issued(next, access_ttl, now)
                    }
                    Rotation::Repeated { next, .. } => issued(next, access_ttl, now),
                    Rotation::Kept => Cookies { token, access_until: now.plus(access_ttl) },
                    Rotation::Gone | Rotation::Reused => return decisions,
                };
                carried[n] = Some(answer);
                if !visits[n].lost {
                    coming.push(Reverse((at + visits[n].answer, n, 2)));
                }
            }
            (2, Some(cookies)) => jar = cookies,
            _ => {}
        }
    }
    decisions
}

fn nonce(n: usize) -> Nonce {
    Nonce::from_bytes(u128::try_from(n).unwrap().to_be_bytes())
}

/// A round trip of less than a third of an access TTL, less the second by which `iat` may be too early. Visits come in
/// swarms when the access token expires.
fn visits(access_ms: i64) -> impl Strategy<Value = Vec<Visit>> {
    let most = (access_ms - 1_000) / 3 - 1;
    let after = prop_oneof![4 => 0_i64..50, 4 => 0..access_ms / 3, 2 => access_ms * 9 / 10..access_ms * 11 / 10, 1 => 0..access_ms * 20];
    let visit = (after, 0..=most, 0..=most, any::<bool>()).prop_map(move |(after, request, answer, lost)| {
        let answer = answer.min(most - request);
        Visit { after, request, answer, lost }
    });
    prop::collection::vec(visit, 1..150)
}

fn walks() -> impl Strategy<Value = (Duration, Vec<Visit>)> {
    prop_oneof![Just(10_u64), Just(60), Just(600)].prop_flat_map(|secs| {
        let ttl = Duration::from_secs(secs);
        (Just(ttl), visits(i64::try_from(ttl.as_millis()).unwrap()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_honest_browser_with_any_number_of_tabs_never_shows_a_superseded_token((ttl, visits) in walks()) {
        for decision in walk(ttl, &visits) {
            prop_assert!(matches!(decision, Rotation::Rotated { .. } | Rotation::Repeated { .. }), "{:?}", decision);
        }
    }
}

/// The walk is able to fail: see `half_an_access_ttl_is_too_long` in the model.
#[test]
fn a_round_trip_of_nearly_half_an_access_ttl_signs_out() {
    let visit = |after, request, answer, lost| Visit { after, request, answer, lost };
    let decisions = walk(
        Duration::from_secs(600),
        &[
            visit(600_000, 0, 250_000, false),     // A renews; the answer takes long,
            visit(249_000, 249_000, 1_000, false), // so B asks with the same token, and is repeated,
            visit(200_000, 200_000, 0, true), // C starts with A's token and arrives when that is due: rotated, but lost,
            visit(800_000, 0, 0, false),      // and B's sibling is in the jar.
        ],
    );
    assert!(matches!(decisions.last(), Some(Rotation::Reused)), "{decisions:?}");
}
