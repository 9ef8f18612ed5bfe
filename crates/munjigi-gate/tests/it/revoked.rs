//! The set of what has ended.

use std::time::Duration;

use munjigi_gate::RevokedSet;
use munjigi_rules::revocation::Ended;
use munjigi_rules::{Epoch, Timestamp};

use crate::support::*;

fn ended(n: u8, until: i64) -> Ended {
    Ended::Session { session: session(n), feed_until: at(until) }
}

fn epoch(n: u8, min: u32, until: i64) -> Ended {
    Ended::Epoch { user: user(n), min_epoch: Epoch(min), feed_until: at(until) }
}

#[test]
fn a_session_has_ended_once_its_entry_was_read() {
    let set = RevokedSet::new();
    assert!(!set.session_ended(session(1)));
    set.apply([ended(1, 100)]);
    assert!(set.session_ended(session(1)) && !set.session_ended(session(2)));
}

#[test]
fn an_epoch_below_the_lowest_good_one_has_ended() {
    let set = RevokedSet::new();
    set.apply([epoch(1, 5, 100)]);
    assert_eq!([4, 5, 6].map(|n| set.epoch_ended(user(1), Epoch(n))), [true, false, false]);
    assert!(!set.epoch_ended(user(2), Epoch(0)));
}

#[test]
fn entries_may_come_twice_and_in_any_order() {
    let entries = [ended(1, 100), ended(1, 300), ended(1, 200), epoch(1, 5, 100), epoch(1, 3, 400), epoch(1, 4, 50)];
    for start in 0..entries.len() {
        let set = RevokedSet::new();
        let turned = entries.iter().cycle().skip(start).take(entries.len() * 2).copied();
        set.apply(turned);
        assert_eq!(set.len(), 2);
        set.sweep(at(299));
        assert!(set.session_ended(session(1)));
        assert!(set.epoch_ended(user(1), Epoch(4)) && !set.epoch_ended(user(1), Epoch(5)));
        set.sweep(at(300));
        assert!(!set.session_ended(session(1)) && set.epoch_ended(user(1), Epoch(4)));
        set.sweep(at(400));
        assert!(set.is_empty());
    }
}

#[test]
fn an_entry_is_kept_until_its_time_and_not_a_moment_less() {
    let set = RevokedSet::new();
    let feed_until = Timestamp::from_millis(10_001);
    set.apply([Ended::Session { session: session(1), feed_until }]);
    for (millis, kept) in [(10_000, true), (10_001, true), (10_999, true), (11_000, false)] {
        set.sweep(Timestamp::from_millis(millis));
        assert_eq!(set.session_ended(session(1)), kept, "{millis}");
    }
}

#[test]
fn an_entry_beyond_all_time_is_kept_for_ever() {
    let set = RevokedSet::new();
    set.apply([Ended::Session { session: session(1), feed_until: Timestamp::from_millis(i64::MAX) }]);
    set.sweep(Timestamp::from_millis(i64::MAX));
    assert!(set.session_ended(session(1)));
}

#[test]
fn a_set_is_ready_once_it_was_read_to_its_end() {
    let set = RevokedSet::new();
    assert_eq!((set.is_ready(), set.staleness(at(50))), (false, Duration::MAX));
    set.apply([ended(1, 100)]);
    assert!(!set.is_ready());
    set.mark_read(at(50));
    assert!(set.is_ready());
    assert_eq!(set.staleness(at(53)), Duration::from_secs(3));
    set.mark_read(at(40));
    assert_eq!(set.staleness(at(53)), Duration::from_secs(3));
    assert_eq!(set.staleness(at(10)), Duration::ZERO);
}

#[test]
fn many_threads_apply_read_and_sweep_at_once_and_lose_nothing() {
    let set = RevokedSet::new();
    let id = |n: u32| munjigi_rules::SessionId::from_bytes(u128::from(n).to_be_bytes());
    std::thread::scope(|scope| {
        for part in 0..4u32 {
            let set = &set;
            scope.spawn(move || {
                for n in (0..4000).filter(|n| n % 4 == part) {
                    let until = if n % 2 == 0 { 10 } else { 1000 };
                    set.apply([Ended::Session { session: id(n), feed_until: at(until) }]);
                    assert!(until == 10 || set.session_ended(id(n)));
                    if n % 100 == 0 {
                        set.sweep(at(10));
                    }
                }
            });
        }
    });
    set.sweep(at(10));
    assert_eq!(set.len(), 2000);
    assert!((0..4000).all(|n| set.session_ended(id(n)) == (n % 2 == 1)));
}
