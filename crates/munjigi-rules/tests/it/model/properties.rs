//! What is promised, and what must at least be seen to happen.

use stateright::Property;

use super::World;
use super::state::{Outcome, State, Who};

/// (a) With no thief, the browser is never signed out by mistake.
pub(super) const SIGNED_OUT: &str = "an honest browser stays signed in";
/// (b) Once one holder has traded in a token of his own, whatever the other shows is reuse. Not said after a failover.
pub(super) const NEXT_IS_REUSED: &str = "once they have diverged the loser is signed out";
/// (b) Victim and thief cannot take home successors in turns for ever.
pub(super) const TURNS_END: &str = "victim and thief cannot go on in turns";
/// (c) After revocation nothing renews.
pub(super) const ENDED_IS_ENDED: &str = "after revocation nothing renews";

pub(super) const ROTATES: &str = "a token is rotated";
pub(super) const KEEPS: &str = "a young token is kept";
pub(super) const REPEATS: &str = "a spent token is repeated";
pub(super) const ADOPTS: &str = "a token from ahead is adopted";
pub(super) const CATCHES: &str = "the victim or the thief is caught";
pub(super) const BOTH_RENEW: &str = "victim and thief both take home a successor";
pub(super) const REFUSES: &str = "a token is refused after revocation";

/// All of them.
pub(super) fn all() -> Vec<Property<World>> {
    let mut properties = vec![
        Property::always(SIGNED_OUT, |_, s: &State| match s.last {
            Some((_, Outcome::Reused)) => s.thief.is_some(),
            Some((_, Outcome::Gone)) => s.thief.is_some() || s.revoked,
            _ => true,
        }),
        Property::always(NEXT_IS_REUSED, |w: &World, s: &State| {
            let other = |(who, outcome): (Who, Outcome)| outcome.renews() && s.leader.is_some_and(|l| l != who);
            w.left.failovers > 0 || !s.last.is_some_and(other)
        }),
        Property::always(TURNS_END, |w: &World, s: &State| s.turns <= w.turns),
        Property::always(ENDED_IS_ENDED, |_, s: &State| !(s.revoked && s.last.is_some_and(|(_, o)| o.renews()))),
    ];
    properties.extend(sightings());
    properties
}

/// What can be seen to happen: a model in which nothing happens proves nothing.
fn sightings() -> [Property<World>; 7] {
    fn came(state: &State, outcome: Outcome) -> bool {
        state.last.is_some_and(|(_, last)| last == outcome)
    }
    [
        Property::sometimes(ROTATES, |_, s| came(s, Outcome::Rotated)),
        Property::sometimes(KEEPS, |_, s| came(s, Outcome::Kept)),
        Property::sometimes(REPEATS, |_, s| came(s, Outcome::Repeated)),
        Property::sometimes(ADOPTS, |_, s| came(s, Outcome::Adopted)),
        Property::sometimes(CATCHES, |_, s: &State| s.thief.is_some() && came(s, Outcome::Reused)),
        Property::sometimes(BOTH_RENEW, |_, s: &State| s.turns >= 2),
        Property::sometimes(REFUSES, |_, s: &State| s.revoked && came(s, Outcome::Gone)),
    ]
}
