//! (a) A browser that nobody has stolen from is never signed out by mistake, and how slow things may be for that.
//!
//! What goes wrong where they are slower is always the same: tab A asks with token *n* just before B's answer brings
//! *n+1*, and is given its sibling *n+1'*. By the time the sibling reaches the jar, a request with *n+1* is under way. It
//! arrives when its access token has just expired and is rotated; *n+1'* in the jar is now reuse. That takes one answer,
//! one round trip and one request: three times a round trip, or four times one way, must be less than an access TTL.

use super::properties::{ADOPTS, KEEPS, REPEATS, ROTATES, SIGNED_OUT};
use super::rule::Rule;
use super::{Bound, Kept, World};

/// A round trip of a quarter of an access TTL, on a finer clock.
const QUARTER: World = World::QUIET.timed(6, Bound::RoundTrip(3));
/// Ends of other sessions, and clients that refresh at will, need less than a sixth.
const EIGHTH: World = World::QUIET.timed(4, Bound::RoundTrip(1));

#[test]
fn tabs_losses_and_overtaking_sign_nobody_out() {
    QUARTER.holds(&[ROTATES, REPEATS]);
    World { tabs: 3, ..QUARTER }.holds(&[ROTATES, REPEATS]);
}

#[test]
fn a_jar_that_rolls_back_in_a_crash_signs_nobody_out() {
    QUARTER.with_crash().holds(&[ROTATES, REPEATS]);
    QUARTER.with_crash().with_crash().holds(&[ROTATES, REPEATS]);
}

#[test]
fn a_store_that_falls_back_in_a_failover_signs_nobody_out() {
    QUARTER.with_failover().holds(&[ROTATES, REPEATS, ADOPTS]);
}

#[test]
fn a_crash_and_a_failover_together_sign_nobody_out() {
    World::QUIET.with_crash().with_failover().holds(&[ROTATES, REPEATS, ADOPTS]);
}

#[test]
fn ending_all_other_sessions_does_not_end_this_one() {
    EIGHTH.with_epoch().holds(&[ROTATES, REPEATS, KEEPS]);
    EIGHTH.with_epoch().with_failover().holds(&[ROTATES, REPEATS, KEEPS, ADOPTS]);
    // Here a flush counts too: three round trips and a flush must fit in half an access TTL.
    World::QUIET.timed(5, Bound::RoundTrip(1)).with_epoch().with_crash().holds(&[ROTATES, REPEATS, KEEPS]);
}

#[test]
fn clients_that_refresh_at_will_stay_signed_in_if_a_kept_token_is_not_set_again() {
    EIGHTH.at_will(Kept::AccessOnly).holds(&[ROTATES, REPEATS, KEEPS]);
}

/// Two siblings then take turns in the jar until both are old, however quick the network is.
#[test]
fn clients_that_refresh_at_will_are_signed_out_if_a_kept_token_is_set_again() {
    EIGHTH.at_will(Kept::BothCookies).violates(SIGNED_OUT);
    World::QUIET.timed(8, Bound::RoundTrip(1)).at_will(Kept::BothCookies).violates(SIGNED_OUT);
}

#[test]
fn a_round_trip_may_take_less_than_a_third_of_an_access_ttl() {
    World::QUIET.timed(5, Bound::RoundTrip(3)).holds(&[ROTATES]);
    World::QUIET.timed(8, Bound::RoundTrip(5)).holds(&[ROTATES]);
    World::QUIET.timed(6, Bound::RoundTrip(4)).violates(SIGNED_OUT);
    World::QUIET.timed(3, Bound::RoundTrip(2)).violates(SIGNED_OUT);
}

#[test]
fn a_request_or_an_answer_may_take_less_than_a_quarter_of_an_access_ttl() {
    World::QUIET.timed(5, Bound::EachWay(2)).holds(&[ROTATES]);
    World::QUIET.timed(6, Bound::EachWay(3)).violates(SIGNED_OUT);
}

/// The assumption as it was first stated.
#[test]
fn half_an_access_ttl_is_too_long() {
    World::QUIET.timed(4, Bound::EachWay(4)).violates(SIGNED_OUT);
    World::QUIET.timed(4, Bound::RoundTrip(4)).violates(SIGNED_OUT);
    World::QUIET.timed(4, Bound::RoundTrip(3)).violates(SIGNED_OUT);
}

#[test]
fn an_answer_later_than_an_access_ttl_signs_out() {
    World::QUIET.timed(2, Bound::EachWay(5)).violates(SIGNED_OUT);
}

#[test]
fn a_jar_that_rolls_back_too_far_signs_out() {
    World { flush: 4, ..World::QUIET }.with_crash().violates(SIGNED_OUT);
}

#[test]
fn where_renewals_are_forced_a_round_trip_may_take_less_than_a_sixth_of_an_access_ttl() {
    World::QUIET.timed(7, Bound::RoundTrip(2)).with_epoch().holds(&[KEEPS]);
    World::QUIET.timed(6, Bound::RoundTrip(2)).with_epoch().violates(SIGNED_OUT);
    World::QUIET.timed(3, Bound::RoundTrip(1)).at_will(Kept::AccessOnly).violates(SIGNED_OUT);
}

/// Keeping a token for a whole access TTL instead of half of one would make that a third, too, and cost nothing here.
#[test]
fn a_token_that_is_kept_for_a_whole_access_ttl_bears_a_third_even_then() {
    let world = World { rule: Rule::KeptForAccessTtl, ..World::QUIET }.timed(5, Bound::RoundTrip(3));
    world.with_epoch().holds(&[KEEPS]);
    world.at_will(Kept::AccessOnly).holds(&[KEEPS]);
    let world = World { rule: Rule::KeptForAccessTtl, ..World::QUIET };
    world.with_epoch().with_failover().holds(&[KEEPS, ADOPTS]);
    world.with_thief().holds(&[KEEPS]);
}
