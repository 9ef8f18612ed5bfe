//! (b) A thief and a victim who both go on diverge, and the session ends. (c) After that nothing renews.
//!
//! "Both go on" is said twice. Exactly: once one of them has traded in a token that the other does not hold, whatever the
//! other shows next is reuse (`NEXT_IS_REUSED`; a failover can bring an old record back, so it is not said after one).
//! And so that they cannot avoid that for ever: the turn to take home a successor, which is to have it in the jar or in
//! the thief's hands, changes between the two only so many times (`TURNS_END`); the figure is the smallest that holds.
//!
//! Not promised: a thief who shows the copy once, between two renewals of the victim, and never again is not stopped.
//! The victim's own token is then `Repeated` late, which is an event (`BOTH_RENEW` is seen before anybody is caught).

use super::properties::{ADOPTS, BOTH_RENEW, CATCHES, ENDED_IS_ENDED, KEEPS, REFUSES, REPEATS, TURNS_END};
use super::{Bound, Kept, World};

const SEEN: [&str; 4] = [REPEATS, KEEPS, BOTH_RENEW, CATCHES];

/// Demands that the turn changes up to so many times and not once more.
fn at_most(turns: u8, world: World) {
    World { turns, ..world }.holds(&SEEN);
    World { turns: turns - 1, ..world }.violates(TURNS_END);
}

#[test]
fn a_copied_token_ends_the_session_when_both_go_on() {
    at_most(4, World { tabs: 1, ..World::QUIET.with_thief() });
    at_most(6, World::QUIET.with_thief());
}

#[test]
fn a_copied_token_ends_the_session_also_where_clients_refresh_at_will() {
    let world = World::QUIET.timed(4, Bound::RoundTrip(1)).at_will(Kept::AccessOnly).with_thief();
    World { tabs: 1, ..world }.holds(&SEEN);
}

#[test]
fn a_crash_gives_a_theft_a_few_turns_more() {
    at_most(10, World::QUIET.with_thief().with_crash());
}

#[test]
fn a_failover_gives_a_theft_a_few_turns_more() {
    at_most(8, World { tabs: 1, ..World::QUIET.with_thief().with_failover() });
}

#[test]
fn a_failover_gives_a_theft_from_two_tabs_a_few_turns_more() {
    World { turns: 12, ..World::QUIET.with_thief().with_failover() }.holds(&[ADOPTS, CATCHES]);
}

#[test]
fn after_revocation_nothing_renews_even_if_a_failover_brings_the_record_back() {
    let world = World { tabs: 1, log_out: true, ..World::QUIET.with_thief().with_failover() };
    world.holds(&[REFUSES, CATCHES]);
}

#[test]
fn without_the_table_of_revocations_a_failover_would_bring_a_session_back() {
    let world = World { tabs: 1, log_out: true, heeds_revocations: false, ..World::QUIET.with_failover() };
    world.violates(ENDED_IS_ENDED);
}
