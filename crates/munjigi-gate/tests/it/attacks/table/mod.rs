//! One table of forged tokens, for every algorithm, for access and refresh tokens, before the bare verification, before the
//! gate, and before the whole server. Each case says why it must be refused, so that none is refused by accident.

mod claims;
mod encoding;
mod header;
mod json;
mod keys;
mod mint;
mod signature;

use std::collections::BTreeMap;
use std::fmt;

use http::HeaderValue;
use munjigi_gate::Refused;

pub(crate) use mint::Mint;

/// Why a case must come to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    /// For this very reason.
    Is(Refused),
    /// For one reason or another.
    Any,
    /// It verifies, and has expired.
    Expired,
}

impl From<Refused> for Because {
    fn from(refused: Refused) -> Self {
        Self::Is(refused)
    }
}

/// A token that must not be accepted.
pub(crate) struct Case {
    pub(crate) kind: &'static str,
    pub(crate) what: String,
    pub(crate) token: String,
    pub(crate) because: Because,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.kind, self.what, self.token)
    }
}

impl Case {
    /// Whether a verification comes out as it should; where the token verifies, it says whether it has expired.
    pub(crate) fn is_met_by(&self, outcome: Result<bool, Refused>) -> bool {
        match self.because {
            Because::Is(refused) => outcome == Err(refused),
            Because::Any => outcome.is_err(),
            Because::Expired => outcome == Ok(true),
        }
    }
}

/// How many of the cases that differ in nothing but their place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Every byte and every length.
    Every,
    /// Some.
    Some,
}

/// Collects the cases of one kind.
pub(crate) struct Cases<'m> {
    mint: &'m Mint,
    depth: Depth,
    kind: &'static str,
    list: Vec<Case>,
}

impl Cases<'_> {
    fn add(&mut self, what: impl fmt::Display, token: String, because: impl Into<Because>) {
        let case = Case { kind: self.kind, what: what.to_string(), token, because: because.into() };
        self.list.push(case);
    }

    /// Every step where everything is asked for, else a few steps over `all`.
    fn step(&self, all: usize) -> usize {
        if self.depth == Depth::Every { 1 } else { (all / 6).max(1) }
    }
}

/// All cases for a key and a good token of it.
pub(crate) fn all(mint: &Mint, depth: Depth) -> Vec<Case> {
    type Kind = (&'static str, fn(&mut Cases<'_>));
    const KINDS: [Kind; 10] = [
        ("alg", header::algorithms),
        ("kid", header::key_ids),
        ("typ", header::types),
        ("header members", header::members),
        ("header JSON", header::forms),
        ("keys", keys::confused),
        ("encoding", encoding::respelt),
        ("claims", claims::changed),
        ("hostile JSON", json::hostile),
        ("signature", signature::mangled),
    ];
    let mut list = Vec::new();
    for (kind, fill) in KINDS {
        let mut cases = Cases { mint, depth, kind, list };
        fill(&mut cases);
        list = cases.list;
    }
    let good = mint.good();
    list.retain(|case| case.token != good);
    list
}

/// How many there are of each kind, for the line that a suite prints.
pub(crate) fn by_kind(cases: &[Case]) -> String {
    let mut counts = BTreeMap::new();
    for case in cases {
        *counts.entry(case.kind).or_insert(0) += 1;
    }
    counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect::<Vec<_>>().join(", ")
}

/// The `Cookie` line, if HTTP can carry this text there: white space around it is not part of it, and a semicolon ends it.
pub(crate) fn cookie_line(name: &str, token: &str) -> Option<HeaderValue> {
    let whole = token.trim_ascii() == token && !token.contains(';');
    HeaderValue::from_bytes(format!("{name}={token}").as_bytes()).ok().filter(|_| whole)
}

/// The `Authorization` line, likewise.
pub(crate) fn bearer_line(token: &str) -> Option<HeaderValue> {
    let whole = token.trim_matches(' ') == token;
    HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()).ok().filter(|_| whole)
}
