//! A state of the model, and the one form in which states that differ by name only are written.
//!
//! The rule looks at differences of generations and of times, and at whether nonces are equal, never at their values
//! (`the_rule_sees_only_differences_of_times_and_generations` in `rotation.rs`). So ages stand for times, generations
//! start at the lowest one that matters, and nonces are numbered in the order in which they are met. That makes the
//! space finite without a bound on the number of rotations or on time.

/// A refresh token. Nonce 0 is "none that matters".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Token {
    pub(crate) generation: u8,
    pub(crate) nonce: u8,
    pub(crate) parent: u8,
    /// Ticks since it was issued; older than "no longer young" does not count.
    pub(crate) age: u8,
}

/// The two cookies: a refresh token, and for how many ticks the access token is still good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Cookies {
    pub(crate) token: Token,
    pub(crate) access: u8,
}

/// What the store keeps of the session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stored {
    pub(crate) generation: u8,
    pub(crate) spent: u8,
    /// Ticks since the last rotation.
    pub(crate) since: u8,
    /// What variants keep beyond that; the real rule keeps nothing.
    pub(crate) more: More,
}

/// What variants keep: nonces that were shown, or handed out, at this generation and at the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct More {
    pub(crate) here: Vec<u8>,
    pub(crate) before: Vec<u8>,
}

/// What an answer does to the jar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Answer {
    /// Both cookies anew, with a successor.
    Renewed(Cookies),
    /// Both cookies anew, but the refresh token is the one that was shown.
    Same(Cookies),
    /// Both cookies are cleared.
    Cleared,
}

/// Something under way between the browser and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Flight {
    /// A request with the cookies that it read when it started; nobody waits for it any more after a crash.
    Request { cookies: Cookies, age: u8, awaited: bool },
    /// An answer.
    Answer { answer: Answer, age: u8 },
}

/// Who shows a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Browser,
    Thief,
}

/// What came of showing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Gone,
    Kept,
    Rotated,
    Adopted,
    Repeated,
    Reused,
}

impl Outcome {
    /// Whether whoever showed the token is signed in after it.
    pub(crate) fn renews(self) -> bool {
        matches!(self, Self::Kept | Self::Rotated | Self::Adopted | Self::Repeated)
    }
}

/// A thief holds the token that he copied and the newest one that he was given since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Thief {
    pub(crate) copied: Token,
    pub(crate) newest: Token,
}

/// What may still go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    pub(crate) crashes: u8,
    pub(crate) failovers: u8,
    pub(crate) epochs: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The store's record; it can come back after a failover.
    pub(crate) record: Option<Stored>,
    /// What a failover would bring back.
    pub(crate) replica: Option<Stored>,
    /// The row in the table of revocations: not in the store, never lost.
    pub(crate) revoked: bool,
    pub(crate) jar: Option<Cookies>,
    /// The jar as it is on disk, where that differs, and for how many ticks it has differed.
    pub(crate) disk: Option<(Option<Cookies>, u8)>,
    /// Sorted: the tabs are alike.
    pub(crate) flights: Vec<Flight>,
    pub(crate) thief: Option<Thief>,
    /// Since the copy: who was the first to trade in a token that the other does not hold.
    pub(crate) leader: Option<Who>,
    /// Since the copy: who was the last to take home a successor, and how often that changed hands.
    pub(crate) turn: Option<Who>,
    pub(crate) turns: u8,
    pub(crate) left: Left,
    /// What the last step, if it was the server's, came to.
    pub(crate) last: Option<(Who, Outcome)>,
}

impl State {
    /// Every token that somebody could still show.
    pub(crate) fn tokens_mut(&mut self) -> impl Iterator<Item = &mut Token> {
        let jars = self.jar.iter_mut().chain(self.disk.iter_mut().filter_map(|(jar, _)| jar.as_mut()));
        let flights = self.flights.iter_mut().filter_map(|flight| match flight {
            Flight::Request { cookies, .. }
            | Flight::Answer { answer: Answer::Renewed(cookies) | Answer::Same(cookies), .. } => Some(cookies),
            Flight::Answer { answer: Answer::Cleared, .. } => None,
        });
        let thief = self.thief.iter_mut().flat_map(|thief| [&mut thief.copied, &mut thief.newest]);
        jars.chain(flights).map(|cookies| &mut cookies.token).chain(thief)
    }

    /// Every access token of the browser.
    pub(crate) fn access_mut(&mut self) -> impl Iterator<Item = &mut u8> {
        let jars = self.jar.iter_mut().chain(self.disk.iter_mut().filter_map(|(jar, _)| jar.as_mut()));
        let flights = self.flights.iter_mut().filter_map(|flight| match flight {
            Flight::Request { cookies, .. }
            | Flight::Answer { answer: Answer::Renewed(cookies) | Answer::Same(cookies), .. } => Some(cookies),
            Flight::Answer { answer: Answer::Cleared, .. } => None,
        });
        jars.chain(flights).map(|cookies| &mut cookies.access)
    }

    /// Everything that the store keeps, or could keep again.
    pub(crate) fn stored_mut(&mut self) -> impl Iterator<Item = &mut Stored> {
        self.record.iter_mut().chain(self.replica.iter_mut())
    }

    /// A nonce that nothing bears. States are canonical, so that all below it are in use.
    pub(crate) fn fresh(&self) -> u8 {
        let stored = self.record.iter().chain(self.replica.iter());
        let kept = stored.flat_map(|s| s.more.here.iter().chain(&s.more.before).chain([&s.spent]));
        let highest = kept.copied().max().unwrap_or(0);
        self.clone().tokens_mut().map(|token| token.nonce).fold(highest, u8::max) + 1
    }

    /// Renames generations and nonces, so that two states which differ in names only become one.
    pub(crate) fn canonical(mut self, oldest: u8) -> Self {
        let floor = self.stored_mut().map(|stored| stored.generation).min();
        // Below the record's generation (and the replica's) nothing is ever accepted again, whatever it says.
        for token in self.tokens_mut() {
            match floor {
                Some(floor) if token.generation >= floor => token.generation = token.generation - floor + 1,
                _ => *token = Token { generation: 0, nonce: 0, parent: 0, age: oldest },
            }
        }
        for stored in self.stored_mut() {
            stored.generation = stored.generation - floor.unwrap_or(0) + 1;
        }
        self.flights.sort_unstable();
        let mut names = Names::default();
        for stored in self.stored_mut() {
            stored.spent = names.of(stored.spent);
            for nonce in stored.more.here.iter_mut().chain(&mut stored.more.before) {
                *nonce = names.of(*nonce);
            }
        }
        for token in self.tokens_mut() {
            token.nonce = names.of(token.nonce);
        }
        for token in self.tokens_mut() {
            token.parent = names.known(token.parent);
        }
        for stored in self.stored_mut() {
            stored.more.here.sort_unstable();
            stored.more.before.sort_unstable();
        }
        self.flights.sort_unstable();
        self
    }
}

/// New names for nonces, in the order in which they are met.
#[derive(Default)]
struct Names(Vec<u8>);

impl Names {
    fn of(&mut self, nonce: u8) -> u8 {
        if nonce != 0 && !self.0.contains(&nonce) {
            self.0.push(nonce);
        }
        self.known(nonce)
    }

    /// 0 where nothing bears it any more: then it will never again equal anything.
    fn known(&self, nonce: u8) -> u8 {
        let place = self.0.iter().position(|known| *known == nonce);
        place.map_or(0, |at| u8::try_from(at).unwrap_or(u8::MAX - 1) + 1)
    }
}
