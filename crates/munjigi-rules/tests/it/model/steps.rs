//! What a step does to the state.

use munjigi_rules::refresh::Rotation;

use super::rule::{Decision, Question, Rule};
use super::state::{Answer, Cookies, Flight, Outcome, State, Token, Who};
use super::{Asks, Bound, Kept, MANY_TURNS, MOST_LOST, World};

impl World {
    /// The token is shown to the server: what the answer says, and what the store holds after it.
    pub(super) fn serve(&self, state: &mut State, who: Who, token: Token) -> Answer {
        let seen = if state.revoked && self.heeds_revocations { None } else { state.record.as_ref() };
        let question = Question { rule: self.rule, stored: seen, token, fresh: state.fresh(), young: self.young() };
        let Decision { rotation, next, stored } = question.ask();
        let outcome = match rotation {
            Rotation::Gone => Outcome::Gone,
            Rotation::Kept => Outcome::Kept,
            Rotation::Rotated { .. } => Outcome::Rotated,
            Rotation::Adopted { .. } => Outcome::Adopted,
            Rotation::Repeated { .. } => Outcome::Repeated,
            Rotation::Reused => Outcome::Reused,
        };
        state.last = Some((who, outcome));
        let own = state.thief.is_some_and(|thief| thief.copied.nonce != token.nonce);
        if own && state.leader.is_none() && matches!(outcome, Outcome::Rotated | Outcome::Adopted) {
            state.leader = Some(who);
        }
        if outcome != Outcome::Gone {
            state.record = stored;
        }
        if outcome == Outcome::Reused {
            state.record = None;
            state.revoked = true;
        }
        let access = self.access_ttl();
        match (next, outcome.renews()) {
            (Some(token), _) => Answer::Renewed(Cookies { token, access }),
            (None, true) => Answer::Same(Cookies { token, access }),
            (None, false) => Answer::Cleared,
        }
    }

    pub(super) fn arrives(&self, state: &mut State, at: usize) {
        let Flight::Request { cookies, age, awaited } = state.flights.remove(at) else { return };
        if cookies.access > 0 && self.asks == Asks::Expired {
            return;
        }
        let answer = self.serve(state, Who::Browser, cookies.token);
        if awaited {
            let age = if matches!(self.bound, Bound::EachWay(_)) { 0 } else { age };
            state.flights.push(Flight::Answer { answer, age });
        }
    }

    pub(super) fn delivered(&self, state: &mut State, at: usize) {
        let Flight::Answer { answer, .. } = state.flights.remove(at) else { return };
        let jar = match (answer, self.kept) {
            (Answer::Renewed(cookies), _) | (Answer::Same(cookies), Kept::BothCookies) => Some(cookies),
            (Answer::Same(cookies), Kept::AccessOnly) => state.jar.map(|jar| Cookies { access: cookies.access, ..jar }),
            (Answer::Cleared, _) => None,
        };
        if matches!(answer, Answer::Renewed(_)) {
            takes_turn(state, Who::Browser);
        }
        if state.left.crashes > 0 && state.disk.is_none() {
            state.disk = Some((state.jar, 0));
        }
        state.jar = jar;
    }

    pub(super) fn tick(&self, state: &mut State) {
        let remembered = match (self.rule, self.left.failovers) {
            (Rule::FixedGrace(grace), 0) => grace + 1,
            (_, 0) => 1,
            _ => (MOST_LOST + 1) * self.young(),
        };
        for token in state.tokens_mut() {
            token.age = (token.age + 1).min(self.young());
        }
        for access in state.access_mut() {
            *access = access.saturating_sub(1);
        }
        for stored in state.stored_mut() {
            stored.since = (stored.since + 1).min(remembered);
        }
        for Flight::Request { age, .. } | Flight::Answer { age, .. } in &mut state.flights {
            *age += 1;
        }
        state.disk = state.disk.filter(|(_, since)| *since < self.flush).map(|(jar, since)| (jar, since + 1));
    }

    pub(super) fn crashes(state: &mut State) {
        state.left.crashes -= 1;
        if let Some((jar, _)) = state.disk.take() {
            state.jar = jar;
        }
        state.flights.retain(|flight| matches!(flight, Flight::Request { .. }));
        for flight in &mut state.flights {
            if let Flight::Request { awaited, .. } = flight {
                *awaited = false;
            }
        }
    }
}

/// A holder takes home a successor.
pub(super) fn takes_turn(state: &mut State, who: Who) {
    if state.thief.is_some() && state.turn != Some(who) {
        state.turn = Some(who);
        state.turns = (state.turns + 1).min(MANY_TURNS + 1);
    }
}
