//! Section 5 of the design as an explicit-state model, around the very function that the server calls.
//!
//! ```text
//!   browser: one jar, two tabs            server                        thief
//!   start ---- request (its cookies) ---> rule(record, token)  <--- shows the copy, or his newest token
//!   jar  <---- answer (sets the jar) ---- record', answer
//!   disk: what a crash brings back        replica: what a failover brings back
//! ```
//!
//! Requests and answers overtake each other and get lost, in any number. A request carries the cookies that the jar held
//! when it started; the server looks at the refresh token only if the access token has expired by the time it arrives.
//! An answer sets both cookies whenever it arrives. The thief copies the jar's refresh token once and then shows it, or
//! the newest that he was given, whenever he likes. Time passes in ticks, and never past a bound on what is under way.
//!
//! Neither time nor the number of rotations is bounded (see [`state`]): a check that finds nothing has seen everything.

mod honest;
mod properties;
mod rule;
mod state;
mod steps;
mod theft;
mod variants;

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model, Property};

use properties::{ENDED_IS_ENDED, NEXT_IS_REUSED, SIGNED_OUT, TURNS_END};
use rule::Rule;
use state::{Answer, Cookies, Flight, Left, State, Stored, Thief, Token, Who};
use steps::takes_turn;

/// How many rotations a failover may lose.
const MOST_LOST: u8 = 2;
/// Turns are counted up to here.
const MANY_TURNS: u8 = 15;

/// How long something may be under way, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    /// A request together with its answer.
    RoundTrip(u8),
    /// A request, and again its answer.
    EachWay(u8),
}

/// When the server looks at the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    /// When the access token of the request has expired: the gate.
    Expired,
    /// Whenever a client feels like it: `POST /api/v1/sessions/refresh`.
    Always,
}

/// What the answer to a kept token carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    BothCookies,
    AccessOnly,
}

/// What can happen in a check.
#[derive(Clone, Copy, Debug)]
struct World {
    rule: Rule,
    /// Half an access TTL, in ticks.
    half: u8,
    bound: Bound,
    /// A change of the jar is on disk after so many ticks at most.
    flush: u8,
    asks: Asks,
    kept: Kept,
    tabs: usize,
    left: Left,
    thief: bool,
    log_out: bool,
    /// Whether renewal asks the table of revocations, and not just the store.
    heeds_revocations: bool,
    /// How often the turn may change between victim and thief.
    turns: u8,
}

impl World {
    /// A round trip takes at most a quarter of an access TTL, as does a change of the jar to reach the disk; the store
    /// loses nothing and the browser never crashes.
    const QUIET: Self = Self {
        rule: Rule::Munjigi,
        half: 2,
        bound: Bound::RoundTrip(1),
        flush: 1,
        asks: Asks::Expired,
        kept: Kept::BothCookies,
        tabs: 2,
        left: Left { crashes: 0, failovers: 0, epochs: 0 },
        thief: false,
        log_out: false,
        heeds_revocations: true,
        turns: MANY_TURNS,
    };

    /// The same, but a crash may bring back the jar as it was on disk.
    const fn with_crash(mut self) -> Self {
        self.left.crashes += 1;
        self
    }

    /// The same, but the store may fall back to an earlier record.
    const fn with_failover(mut self) -> Self {
        self.left.failovers += 1;
        self
    }

    /// The same, but all other sessions may be ended, which makes this one's tabs renew at once.
    const fn with_epoch(mut self) -> Self {
        self.left.epochs += 1;
        self
    }

    /// The same, but on a finer clock: half an access TTL, a round trip and a flush, in ticks.
    const fn timed(self, half: u8, bound: Bound) -> Self {
        let (Bound::RoundTrip(flush) | Bound::EachWay(flush)) = bound;
        Self { half, bound, flush, ..self }
    }

    /// The same, but renewals at any time, and an answer to a kept token that sets these cookies.
    const fn at_will(self, kept: Kept) -> Self {
        Self { asks: Asks::Always, kept, ..self }
    }

    /// The same, but a thief copies the jar once.
    const fn with_thief(self) -> Self {
        Self { thief: true, ..self }
    }

    const fn access_ttl(&self) -> u8 {
        self.half * 2
    }

    /// A token younger than this is kept, in ticks.
    fn young(&self) -> u8 {
        if self.rule == Rule::KeptForAccessTtl { self.access_ttl() } else { self.half }
    }

    fn bound(&self) -> u8 {
        let (Bound::RoundTrip(ticks) | Bound::EachWay(ticks)) = self.bound;
        ticks
    }

    /// Runs the check to its end, or until one of `wanted` is found.
    fn check(self, wanted: &[&'static str]) -> impl Checker<Self> {
        let until = BTreeSet::from_iter(wanted.iter().copied());
        let until = if until.is_empty() { HasDiscoveries::All } else { HasDiscoveries::AnyOf(until) };
        let checker = self.checker().finish_when(until).spawn_bfs().join();
        eprintln!("{} states, {} deep", checker.unique_state_count(), checker.max_depth());
        checker
    }

    /// Demands that nothing bad can happen, and that each of `seen` can.
    fn holds(self, seen: &[&'static str]) {
        let checker = self.check(&[]);
        for bad in [SIGNED_OUT, NEXT_IS_REUSED, TURNS_END, ENDED_IS_ENDED] {
            checker.assert_no_discovery(bad);
        }
        for good in seen {
            checker.assert_any_discovery(good);
        }
    }

    /// Demands that the property can be violated.
    fn violates(self, name: &'static str) {
        self.check(&[name]).assert_any_discovery(name);
    }
}

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Tick,
    TabAsks,
    Arrives(usize),
    Delivered(usize),
    Lost(usize),
    Flushed,
    Crash,
    ReplicaStops,
    Failover,
    /// All other sessions are ended: every access token so far counts as expired.
    EpochRaised,
    Steal,
    ThiefShowsCopy,
    ThiefShowsNewest,
    LogOut,
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let token = Token { generation: 2, nonce: 2, parent: 1, age: 0 };
        let start = State {
            record: Some(Stored { generation: 1, spent: 1, since: 0, more: state::More::default() }),
            replica: None,
            revoked: false,
            jar: Some(Cookies { token, access: self.access_ttl() }),
            disk: None,
            flights: vec![],
            thief: None,
            leader: None,
            turn: None,
            turns: 0,
            left: self.left,
            last: None,
        };
        vec![start.canonical(self.young())]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let age = |flight: &Flight| match flight {
            Flight::Request { age, .. } | Flight::Answer { age, .. } => *age,
        };
        if state.flights.iter().all(|flight| age(flight) < self.bound()) {
            actions.push(Action::Tick);
        }
        let waiting = |flight: &&Flight| !matches!(flight, Flight::Request { awaited: false, .. });
        // With an access token that outlives the way, nothing would come of it.
        let may_ask = |jar: Cookies| self.asks == Asks::Always || state.left.epochs > 0 || jar.access <= self.bound();
        if state.jar.is_some_and(may_ask) && state.flights.iter().filter(waiting).count() < self.tabs {
            actions.push(Action::TabAsks);
        }
        for (at, flight) in state.flights.iter().enumerate() {
            let arrives = match flight {
                Flight::Request { .. } => Action::Arrives(at),
                Flight::Answer { .. } => Action::Delivered(at),
            };
            actions.extend([arrives, Action::Lost(at)]);
        }
        if state.disk.is_some() {
            actions.push(Action::Flushed);
        }
        if state.left.crashes > 0 {
            actions.push(Action::Crash);
        }
        if state.left.failovers > 0 {
            actions.push(if state.replica.is_some() { Action::Failover } else { Action::ReplicaStops });
        }
        if state.left.epochs > 0 {
            actions.push(Action::EpochRaised);
        }
        if state.thief.is_some() {
            actions.extend([Action::ThiefShowsCopy, Action::ThiefShowsNewest]);
        } else if self.thief && state.jar.is_some() {
            actions.push(Action::Steal);
        }
        if self.log_out && !state.revoked {
            actions.push(Action::LogOut);
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = State { last: None, ..before.clone() };
        match action {
            Action::Tick => self.tick(&mut state),
            Action::TabAsks => {
                state.flights.push(Flight::Request { cookies: state.jar?, age: 0, awaited: true });
            }
            Action::Arrives(at) => self.arrives(&mut state, at),
            Action::Delivered(at) => self.delivered(&mut state, at),
            Action::Lost(at) => {
                state.flights.remove(at);
            }
            Action::Flushed => state.disk = None,
            Action::Crash => Self::crashes(&mut state),
            Action::ReplicaStops => state.replica.clone_from(&state.record),
            Action::Failover => {
                state.left.failovers -= 1;
                state.record = state.replica.take();
                state.leader = None;
            }
            Action::EpochRaised => {
                state.left.epochs -= 1;
                state.access_mut().for_each(|access| *access = 0);
            }
            Action::Steal => {
                let copied = state.jar?.token;
                state.thief = Some(Thief { copied, newest: copied });
            }
            Action::ThiefShowsCopy | Action::ThiefShowsNewest => {
                let thief = state.thief?;
                let token = if action == Action::ThiefShowsCopy { thief.copied } else { thief.newest };
                if let Answer::Renewed(cookies) = self.serve(&mut state, Who::Thief, token) {
                    state.thief = Some(Thief { newest: cookies.token, ..thief });
                    takes_turn(&mut state, Who::Thief);
                }
            }
            Action::LogOut => {
                state.record = None;
                state.revoked = true;
                state.jar = None;
            }
        }
        let lost = state.record.as_ref().zip(state.replica.as_ref()).map(|(now, old)| now.generation - old.generation);
        if lost.is_some_and(|lost| lost > MOST_LOST) {
            state.replica = None;
        }
        Some(state.canonical(self.young()))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
