//! The real rule and the variants that the model must catch.

use std::time::Duration;

use munjigi_rules::ids::{Epoch, Generation, Nonce};
use munjigi_rules::refresh::{Presented, Record, Rotation, Successor, Terms, rotate};
use munjigi_rules::time::Timestamp;

use super::state::{More, Stored, Token};

/// So long a tick is, in seconds: more than the minute after which a repeated token is late.
const TICK: u32 = 100;
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
/// The model's generations start here.
const FIRST: u32 = 10;

/// Which rule the server of the model follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// `munjigi_rules::refresh::rotate`.
    Munjigi,

    /// The same, but a token is young for a whole access TTL, not half of one.
    KeptForAccessTtl,

    // What others do.
    /// Each token is good exactly once.
    StrictOnce,
    /// The spent token gives the same successor again for so many ticks after the rotation.
    FixedGrace(u8),
    /// Counters only; the last one and the one before it are good for ever (Supabase's second version).
    OneBehind,
    /// Siblings of the spent token are accepted, and both branches go on.
    Forks,

    // The real rule, weakened.
    /// A young token is traded in like any other.
    WithoutKept,
    /// A young token is kept before anybody looks where it stands.
    KeptFirst,
    /// Of the next generation, whatever its parent.
    AnyParent,
    /// Writes on `Repeated`: only the sibling that was handed out last is good.
    NewestSibling,
    /// Writes on `Repeated`: the rotation counts as having happened now.
    TouchOnRepeated,
    /// However far ahead a token is, it is adopted.
    UnboundedAdoption,
    /// A token from further ahead is reuse.
    WithoutAdoption,
}

/// Asks the rule about a token. Gives the decision, the token to hand out and what the store now holds.
pub(crate) struct Question<'a> {
    pub(crate) rule: Rule,
    pub(crate) stored: Option<&'a Stored>,
    pub(crate) token: Token,
    pub(crate) fresh: u8,
    /// A token younger than this is kept, in ticks.
    pub(crate) young: u8,
}

/// The answer to a [`Question`].
pub(crate) struct Decision {
    pub(crate) rotation: Rotation,
    pub(crate) next: Option<Token>,
    pub(crate) stored: Option<Stored>,
}

impl Question<'_> {
    pub(crate) fn ask(&self) -> Decision {
        let record = self.stored.map(record);
        let (rotation, more) = match (self.stored, &record) {
            (Some(stored), Some(record)) => self.variant(stored, record),
            _ => (self.real(None, presented(self.token)), More::default()),
        };
        let (next, stored) = match rotation {
            Rotation::Rotated { record, next } | Rotation::Adopted { record, next, .. } => {
                (Some(token(next)), Some(stored(&record, more)))
            }
            Rotation::Repeated { next, .. } => {
                let since = if self.rule == Rule::TouchOnRepeated { Some(0) } else { None };
                let old = self.stored.cloned();
                let new = old.map(|s| Stored { since: since.unwrap_or(s.since), more, ..s });
                (Some(token(next)), new)
            }
            Rotation::Gone | Rotation::Kept | Rotation::Reused => (None, self.stored.cloned()),
        };
        Decision { rotation, next, stored }
    }

    fn real(&self, record: Option<&Record>, presented: Presented) -> Rotation {
        rotate(record, &presented, &terms(self.young), nonce(self.fresh), NOW)
    }

    /// The successor of the spent token, traded in whatever its age and its parent: what a laxer rule does.
    fn traded_in(&self, record: &Record) -> Rotation {
        let shown = Presented { generation: record.generation.next(), parent: record.spent, ..aged(self.token) };
        self.real(Some(record), shown)
    }

    /// One more successor, nothing written.
    fn once_more(&self, handed: u8) -> Rotation {
        let shown = presented(self.token);
        let next = Successor {
            generation: shown.generation.next(),
            nonce: nonce(handed),
            parent: shown.nonce,
            expires: NOW.plus(Duration::from_secs(1)),
        };
        Rotation::Repeated { next, late: false }
    }

    fn variant(&self, stored: &Stored, record: &Record) -> (Rotation, More) {
        let shown = presented(self.token);
        let same = stored.more.clone();
        let child = shown.generation == record.generation.next();
        let level = shown.generation == record.generation;
        let young = self.token.age < self.young;
        match self.rule {
            Rule::Munjigi | Rule::KeptForAccessTtl | Rule::TouchOnRepeated => (self.real(Some(record), shown), same),
            Rule::StrictOnce => match self.real(Some(record), aged(self.token)) {
                rotated @ Rotation::Rotated { .. } => (rotated, same),
                _ => (Rotation::Reused, same),
            },
            Rule::FixedGrace(grace) => {
                let handed = *stored.more.here.first().unwrap_or(&self.token.nonce);
                if child && self.token.nonce == handed {
                    (self.traded_in(record), More { here: vec![self.fresh], before: vec![] })
                } else if level && shown.nonce == record.spent && stored.since <= grace {
                    (self.once_more(handed), same)
                } else {
                    (Rotation::Reused, same)
                }
            }
            Rule::OneBehind if child => (self.traded_in(record), same),
            Rule::OneBehind if level => (self.once_more(self.fresh), same),
            Rule::OneBehind => (Rotation::Reused, same),
            Rule::Forks => self.forks(stored, record),
            Rule::WithoutKept => (self.real(Some(record), aged(self.token)), same),
            Rule::KeptFirst if young => (Rotation::Kept, same),
            Rule::KeptFirst => (self.real(Some(record), shown), same),
            Rule::AnyParent if child => (self.real(Some(record), Presented { parent: record.spent, ..shown }), same),
            Rule::AnyParent => (self.real(Some(record), shown), same),
            Rule::NewestSibling => match self.real(Some(record), shown) {
                repeated @ Rotation::Repeated { .. } => (repeated, More { here: vec![self.fresh], before: vec![] }),
                Rotation::Rotated { .. } if stored.more.here.first().is_some_and(|n| *n != self.token.nonce) => {
                    (Rotation::Reused, same)
                }
                other => (other, More::default()),
            },
            Rule::UnboundedAdoption | Rule::WithoutAdoption if shown.generation <= record.generation.next() => {
                (self.real(Some(record), shown), same)
            }
            Rule::WithoutAdoption => (Rotation::Reused, same),
            Rule::UnboundedAdoption => {
                let old = Record { rotated_at: Timestamp::from_secs(0), ..*record };
                (self.real(Some(&old), shown), same)
            }
        }
    }

    /// A sibling of the spent token does not end the session: its branch goes on beside the other.
    fn forks(&self, stored: &Stored, record: &Record) -> (Rotation, More) {
        let More { here, before } = &stored.more;
        let spent = |nonce: u8| nonce == stored.spent || here.contains(&nonce);
        let (level, child) = (self.token.generation == stored.generation, self.token.generation > stored.generation);
        if child && spent(self.token.parent) {
            let shown = here.iter().copied().chain([stored.spent]).collect();
            (self.traded_in(record), More { here: vec![self.token.nonce], before: shown })
        } else if level && spent(self.token.nonce) {
            (self.once_more(self.fresh), stored.more.clone())
        } else if level && before.contains(&self.token.parent) {
            let here = here.iter().copied().chain([self.token.nonce]).collect();
            (self.once_more(self.fresh), More { here, before: before.clone() })
        } else {
            (Rotation::Reused, stored.more.clone())
        }
    }
}

fn terms(young: u8) -> Terms {
    let access_ttl = Duration::from_secs(u64::from(TICK) * u64::from(young) * 2);
    Terms { access_ttl, idle_ttl: Duration::from_hours(14 * 24), min_epoch: Epoch(0) }
}

fn nonce(n: u8) -> Nonce {
    Nonce::from_bytes([n; 16])
}

fn ago(ticks: u8) -> Timestamp {
    NOW.minus(Duration::from_secs(u64::from(TICK) * u64::from(ticks)))
}

fn record(stored: &Stored) -> Record {
    Record {
        generation: Generation(FIRST + u32::from(stored.generation)),
        spent: nonce(stored.spent),
        rotated_at: ago(stored.since),
        idle_until: NOW.plus(Duration::from_hours(24)),
        until: NOW.plus(Duration::from_hours(90 * 24)),
        epoch: Epoch(0),
    }
}

fn stored(record: &Record, more: More) -> Stored {
    let since = NOW.millis_since(record.rotated_at) / (i64::from(TICK) * 1000);
    Stored {
        generation: small(record.generation),
        spent: record.spent.as_bytes()[0],
        since: u8::try_from(since).unwrap(),
        more,
    }
}

fn presented(token: Token) -> Presented {
    Presented {
        generation: Generation(FIRST + u32::from(token.generation)),
        nonce: nonce(token.nonce),
        parent: nonce(token.parent),
        issued_at: ago(token.age),
    }
}

/// The same, but too old to be kept.
fn aged(token: Token) -> Presented {
    Presented { issued_at: ago(u8::MAX), ..presented(token) }
}

fn token(next: Successor) -> Token {
    let [nonce, ..] = *next.nonce.as_bytes();
    let [parent, ..] = *next.parent.as_bytes();
    Token { generation: small(next.generation), nonce, parent, age: 0 }
}

fn small(generation: Generation) -> u8 {
    u8::try_from(generation.0 - FIRST).unwrap()
}
