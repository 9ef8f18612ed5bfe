//! A model that catches nothing proves nothing: what other rules, and weaker forms of this one, get wrong.

use super::properties::{ADOPTS, CATCHES, KEEPS, NEXT_IS_REUSED, REPEATS, ROTATES, SIGNED_OUT, TURNS_END};
use super::rule::Rule;
use super::{Bound, Kept, World};

const fn under(rule: Rule) -> World {
    World { rule, ..World::QUIET }
}

#[test]
fn strict_one_time_use_signs_honest_tabs_out() {
    under(Rule::StrictOnce).violates(SIGNED_OUT);
    // It is not the second tab alone: one tab and one lost answer will do.
    World { tabs: 1, ..under(Rule::StrictOnce) }.violates(SIGNED_OUT);
}

#[test]
fn a_fixed_grace_signs_out_after_it_and_never_ends_a_theft_within_it() {
    for ticks in [1, 3] {
        under(Rule::FixedGrace(ticks)).violates(SIGNED_OUT);
        under(Rule::FixedGrace(ticks)).with_thief().violates(TURNS_END);
    }
}

#[test]
fn forgiving_one_behind_for_ever_never_ends_a_theft() {
    under(Rule::OneBehind).holds(&[ROTATES, REPEATS]);
    under(Rule::OneBehind).with_thief().violates(TURNS_END);
    under(Rule::OneBehind).with_thief().violates(NEXT_IS_REUSED);
}

#[test]
fn forgiving_forks_never_ends_a_theft() {
    under(Rule::Forks).holds(&[ROTATES, REPEATS]);
    under(Rule::Forks).with_thief().violates(TURNS_END);
    under(Rule::Forks).with_thief().violates(NEXT_IS_REUSED);
}

/// Behind the gate alone it would do no harm, for a young token is only shown there when renewals are forced.
#[test]
fn rotating_young_tokens_signs_out_when_all_other_sessions_are_ended() {
    under(Rule::WithoutKept).holds(&[ROTATES, REPEATS]);
    under(Rule::WithoutKept).with_thief().holds(&[CATCHES]);
    let world = under(Rule::WithoutKept).timed(6, Bound::RoundTrip(1));
    world.with_epoch().violates(SIGNED_OUT);
    world.at_will(Kept::AccessOnly).violates(SIGNED_OUT);
    // The real rule bears both.
    let world = World::QUIET.timed(6, Bound::RoundTrip(1));
    world.with_epoch().holds(&[KEEPS]);
    world.at_will(Kept::AccessOnly).holds(&[KEEPS]);
}

#[test]
fn keeping_young_tokens_wherever_they_stand_lets_the_loser_go_on() {
    under(Rule::KeptFirst).with_thief().violates(NEXT_IS_REUSED);
}

#[test]
fn handing_out_a_sibling_that_ends_the_others_signs_honest_tabs_out() {
    under(Rule::NewestSibling).violates(SIGNED_OUT);
}

/// The record then looks younger than it is, and what a failover lost is taken for more than could have happened.
#[test]
fn writing_the_time_of_a_repeated_token_signs_out_after_a_failover() {
    let world = World::QUIET.timed(4, Bound::RoundTrip(1)).at_will(Kept::AccessOnly).with_failover();
    World { rule: Rule::TouchOnRepeated, ..world }.violates(SIGNED_OUT);
    world.holds(&[ADOPTS, REPEATS]);
}

#[test]
fn without_adoption_a_failover_signs_out() {
    under(Rule::WithoutAdoption).holds(&[ROTATES]);
    under(Rule::WithoutAdoption).with_failover().violates(SIGNED_OUT);
}

/// Two weakenings that this model cannot tell from the rule.
///
/// *Whatever the parent*: a token of the next generation with another parent exists only if two tokens of one generation
/// were traded in, and only a failover allows that; then it changes who is caught, not that somebody is.
/// *Adopt however far ahead*: all that the model's server ever signs is within the bound. The bound is for what the
/// model has not: a secret or an old database that got out.
#[test]
fn the_parent_and_the_bound_on_adoption_are_a_second_line() {
    for rule in [Rule::AnyParent, Rule::UnboundedAdoption] {
        under(rule).holds(&[ROTATES, REPEATS]);
        under(rule).with_failover().holds(&[ADOPTS]);
        under(rule).with_thief().holds(&[CATCHES]);
        World { tabs: 1, ..under(rule).with_thief().with_failover() }.holds(&[CATCHES, ADOPTS]);
    }
}
