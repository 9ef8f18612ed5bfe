//! `refresh::rotate`: its edges as tables, and its table once more, naively.

use std::time::Duration;

use munjigi_rules::ids::{Epoch, Generation, Nonce};
use munjigi_rules::refresh::{LATE, Presented, Record, Rotation, Successor, Terms, rotate};
use munjigi_rules::time::Timestamp;
use proptest::prelude::*;

const FRESH: Nonce = nonce(99);
const TERMS: Terms = terms(600);
const LOG_IN: i64 = 1_800_000_000_000;

const fn nonce(n: u8) -> Nonce {
    Nonce::from_bytes([n; 16])
}

const fn terms(access_secs: u64) -> Terms {
    Terms { access_ttl: Duration::from_secs(access_secs), idle_ttl: Duration::from_hours(14 * 24), min_epoch: Epoch(3) }
}

/// So many milliseconds after the log-in.
const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(LOG_IN + millis)
}

/// Token 5 was traded in at 0; there are days until anything expires.
fn record() -> Record {
    Record {
        generation: Generation(5),
        spent: nonce(5),
        rotated_at: at(0),
        idle_until: at(0).plus(Duration::from_hours(14 * 24)),
        until: at(0).plus(Duration::from_hours(90 * 24)),
        epoch: Epoch(3),
    }
}

/// The token of that generation: 5 is the spent one, 6 its successor, 7 comes from further ahead.
fn token(generation: u8) -> Presented {
    Presented {
        generation: Generation(generation.into()),
        nonce: nonce(generation),
        parent: nonce(generation - 1),
        issued_at: at(0),
    }
}

fn word(rotation: Rotation) -> &'static str {
    match rotation {
        Rotation::Gone => "gone",
        Rotation::Kept => "kept",
        Rotation::Rotated { .. } => "rotated",
        Rotation::Adopted { .. } => "adopted",
        Rotation::Repeated { late: false, .. } => "repeated",
        Rotation::Repeated { late: true, .. } => "repeated late",
        Rotation::Reused => "reused",
    }
}

const AROUND: [i64; 5] = [-1_000, -1, 0, 1, 1_000];

#[test]
fn a_session_is_over_from_the_moment_of_its_idle_and_of_its_absolute_end() {
    let ends = [
        Record { idle_until: at(900_000), ..record() },
        Record { until: at(900_000), ..record() },
        Record { idle_until: at(900_000), until: at(900_000), ..record() },
    ];
    for record in ends {
        for around in AROUND {
            let now = at(900_000 + around);
            for (generation, before) in [(5, "repeated late"), (6, "rotated"), (7, "adopted"), (4, "reused")] {
                let word = word(rotate(Some(&record), &token(generation), &TERMS, FRESH, now));
                assert_eq!(word, if around < 0 { before } else { "gone" }, "{generation} at {around}");
            }
        }
    }
}

#[test]
fn a_token_is_kept_until_it_is_half_an_access_ttl_old() {
    for (access, half) in [(600, 300_000), (60, 30_000), (1, 500), (3, 1_500)] {
        for around in [-half, -1_000, -1, 0, 1, 1_000] {
            let token = Presented { issued_at: at(-60_000), ..token(6) };
            let word = word(rotate(Some(&record()), &token, &terms(access), FRESH, at(half - 60_000 + around)));
            assert_eq!(word, if around < 0 { "kept" } else { "rotated" }, "{access} s, {around} ms");
        }
    }
}

#[test]
fn a_token_from_a_clock_that_is_ahead_is_kept() {
    let token = Presented { issued_at: at(400_000), ..token(6) };
    assert_eq!(rotate(Some(&record()), &token, &TERMS, FRESH, at(300_000)), Rotation::Kept);
}

#[test]
fn youth_saves_no_token_that_stands_elsewhere() {
    for odd in [token(4), Presented { nonce: nonce(77), ..token(5) }, Presented { parent: nonce(77), ..token(6) }] {
        for now in [at(0), at(299_999), at(300_000)] {
            assert_eq!(rotate(Some(&record()), &odd, &TERMS, FRESH, now), Rotation::Reused);
        }
    }
}

#[test]
fn a_repeated_token_is_late_after_a_minute() {
    let terms = terms(10);
    for around in AROUND {
        let now = at(60_000 + around);
        let expected = if around <= 0 { "repeated" } else { "repeated late" };
        assert_eq!(word(rotate(Some(&record()), &token(5), &terms, FRESH, now)), expected, "{around}");
    }
}

#[test]
fn a_record_of_an_older_epoch_is_gone() {
    for (epoch, expected) in [(0, "gone"), (2, "gone"), (3, "rotated"), (4, "rotated")] {
        let record = Record { epoch: Epoch(epoch), ..record() };
        assert_eq!(word(rotate(Some(&record), &token(6), &TERMS, FRESH, at(300_000))), expected, "{epoch}");
    }
    assert_eq!(rotate(None, &token(6), &TERMS, FRESH, at(300_000)), Rotation::Gone);
}

/// With an access TTL of ten minutes, and a minute for clocks that differ.
#[test]
fn a_token_is_adopted_only_as_far_ahead_as_time_allows() {
    for (generation, lost, from) in [(7, 1, 240_000), (8, 2, 540_000), (9, 3, 840_000), (16, 10, 2_940_000)] {
        for around in AROUND {
            let now = at(from + around);
            let old = Presented { issued_at: at(-1_000_000), ..token(generation) };
            let decision = rotate(Some(&record()), &old, &TERMS, FRESH, now);
            match decision {
                Rotation::Adopted { record, lost: said, .. } if around >= 0 => {
                    assert_eq!((said, record.generation, record.rotated_at), (lost, Generation(lost + 6), now));
                }
                Rotation::Reused if around < 0 => {}
                other => panic!("{} at {around}: {other:?}", generation),
            }
        }
    }
}

#[test]
fn a_record_from_a_clock_that_is_ahead_adopts_nothing_and_accepts_its_successor() {
    let record = Record { rotated_at: at(10_000_000), ..record() };
    let old = |generation| Presented { issued_at: at(-1_000_000), ..token(generation) };
    assert_eq!(word(rotate(Some(&record), &old(7), &TERMS, FRESH, at(0))), "reused");
    assert_eq!(word(rotate(Some(&record), &old(6), &TERMS, FRESH, at(0))), "rotated");
    assert_eq!(word(rotate(Some(&record), &old(5), &TERMS, FRESH, at(0))), "repeated");
}

#[test]
fn the_last_generation_repeats_itself_and_does_not_wrap() {
    let last = Record { generation: Generation(u32::MAX), ..record() };
    let shown = Presented { generation: Generation(u32::MAX), ..token(5) };
    let Rotation::Repeated { next, .. } = rotate(Some(&last), &shown, &TERMS, FRESH, at(300_000)) else {
        panic!("the spent token is repeated")
    };
    assert_eq!(next.generation, Generation(u32::MAX));
}

/// Section 5's table, row by row, in plain numbers.
fn naively(record: Option<&Record>, shown: &Presented, terms: &Terms, now: Timestamp) -> Rotation {
    let Some(r) = record else { return Rotation::Gone };
    let ms = |t: Timestamp| i128::from(t.as_millis());
    let span = |d: Duration| i128::try_from(d.as_millis()).unwrap();
    if ms(now) >= ms(r.idle_until) || ms(now) >= ms(r.until) || r.epoch < terms.min_epoch {
        return Rotation::Gone;
    }
    let (stored, presented) = (i128::from(r.generation.0), i128::from(shown.generation.0));
    let half = span(terms.access_ttl / 2);
    let age_of_record = (ms(now) - ms(r.rotated_at)).max(0) + span(LATE);
    let lost = presented - stored - 1;
    let adopted = lost > 0 && lost * half <= age_of_record;
    let rotated = lost == 0 && shown.parent == r.spent;
    let repeated = presented == stored && shown.nonce == r.spent;
    if !(adopted || rotated || repeated) {
        return Rotation::Reused;
    }
    if ms(now) - ms(shown.issued_at) < half {
        return Rotation::Kept;
    }
    let idle = (ms(now) + span(terms.idle_ttl)).min(ms(r.until));
    let idle_until = Timestamp::from_millis(i64::try_from(idle).unwrap());
    let expires = if repeated { r.idle_until } else { idle_until };
    let generation = Generation(shown.generation.0 + 1);
    let next = Successor { generation, nonce: FRESH, parent: shown.nonce, expires };
    if repeated {
        return Rotation::Repeated { next, late: ms(now) - ms(r.rotated_at) > span(LATE) };
    }
    let record = Record { generation: shown.generation, spent: shown.nonce, rotated_at: now, idle_until, ..*r };
    if adopted {
        Rotation::Adopted { record, next, lost: u32::try_from(lost).unwrap() }
    } else {
        Rotation::Rotated { record, next }
    }
}

/// Small numbers, so that they often meet.
fn records() -> impl Strategy<Value = Record> {
    let times = (-300_i64..300, -400_i64..900, -400_i64..900).prop_map(|(a, b, c)| (a * 1000, b * 1000, c * 1000));
    (1_u32..8, 0_u8..4, times, 2_u32..5).prop_map(|(generation, spent, (rotated, idle, until), epoch)| Record {
        generation: Generation(generation),
        spent: nonce(spent),
        rotated_at: at(rotated),
        idle_until: at(idle),
        until: at(until),
        epoch: Epoch(epoch),
    })
}

/// A record, a token and a moment: as often as not the token is the spent one or its successor, and something of it is
/// about to change.
fn cases() -> impl Strategy<Value = (Record, Presented, Terms, Timestamp)> {
    let token = (1_u32..10, 0_u8..4, 0_u8..4, -600_i64..300, 0..4);
    let moment = (0..6, -2_i64..3, 0_i64..400_000);
    (records(), token, all_terms(), moment).prop_map(|(record, token, terms, (edge, around, any))| {
        let (generation, own, parent, issued, place) = token;
        let shown = Presented {
            generation: Generation(generation),
            nonce: nonce(own),
            parent: nonce(parent),
            issued_at: at(issued * 1000),
        };
        let shown = match place {
            0 => Presented { generation: record.generation, nonce: record.spent, ..shown },
            1 => Presented { generation: record.generation.next(), parent: record.spent, ..shown },
            _ => shown,
        };
        let edge = match edge {
            0 => record.idle_until,
            1 => record.until,
            2 => record.rotated_at.plus(LATE),
            3 => shown.issued_at.plus(terms.young()),
            _ => at(any),
        };
        (record, shown, terms, Timestamp::from_millis(edge.as_millis() + around))
    })
}

fn all_terms() -> impl Strategy<Value = Terms> {
    (1_u64..200, 1_u64..2000).prop_map(|(access, idle)| Terms { idle_ttl: Duration::from_secs(idle), ..terms(access) })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_rule_is_the_table_of_section_5(
        (record, token, terms, now) in cases(), there in prop::bool::weighted(0.98),
    ) {
        let record = there.then_some(&record);
        prop_assert_eq!(rotate(record, &token, &terms, FRESH, now), naively(record, &token, &terms, now));
    }

    #[test]
    fn no_decision_extends_a_session_beyond_its_absolute_end(
        (record, token, terms, now) in cases(),
    ) {
        match rotate(Some(&record), &token, &terms, FRESH, now) {
            Rotation::Rotated { record: moved, next } | Rotation::Adopted { record: moved, next, .. } => {
                prop_assert!(moved.idle_until <= record.until);
                prop_assert_eq!((moved.until, moved.epoch), (record.until, record.epoch));
                prop_assert_eq!(next.expires, moved.idle_until);
                prop_assert!(moved.generation > record.generation);
            }
            // Nothing to write, by type: so the token that is handed out must not outlive what is stored.
            Rotation::Repeated { next, .. } => prop_assert_eq!(next.expires, record.idle_until),
            Rotation::Gone | Rotation::Kept | Rotation::Reused => {}
        }
    }

    /// What makes the model's states few.
    #[test]
    fn the_rule_sees_only_differences_of_times_and_generations(
        (record, token, terms, now) in cases(),
        later in -1_000_000_i64..1_000_000, up in 0_u32..1_000_000, renamed in 1_u8..=255,
    ) {
        let shift = |t: Timestamp| Timestamp::from_millis(t.as_millis() + later);
        let name = |n: Nonce| Nonce::from_bytes(n.as_bytes().map(|byte| byte ^ renamed));
        let other = Record {
            generation: Generation(record.generation.0 + up),
            spent: name(record.spent),
            rotated_at: shift(record.rotated_at),
            idle_until: shift(record.idle_until),
            until: shift(record.until),
            ..record
        };
        let shown = Presented {
            generation: Generation(token.generation.0 + up),
            nonce: name(token.nonce),
            parent: name(token.parent),
            issued_at: shift(token.issued_at),
        };
        let one = rotate(Some(&record), &token, &terms, FRESH, now);
        let two = rotate(Some(&other), &shown, &terms, FRESH, shift(now));
        prop_assert_eq!(word(one), word(two));
    }

    /// The same: the model stops counting there.
    #[test]
    fn the_rule_does_not_see_how_old_a_token_is_that_is_no_longer_young(
        (record, token, terms, now) in cases(), older in 0_i64..1_000_000,
    ) {
        let old = Presented { issued_at: now.minus(terms.young()), ..token };
        let ancient = Presented { issued_at: Timestamp::from_millis(old.issued_at.as_millis() - older), ..token };
        let ask = |token| rotate(Some(&record), token, &terms, FRESH, now);
        prop_assert_eq!(ask(&old), ask(&ancient));
    }
}
