//! Verified tokens, so that a signature costs once a token and node, not once a request (section 4).
//!
//! A token is looked up by its whole text, compared in full; the hash has a random key, so that nobody can aim at one
//! bucket. Only tokens that verify enter. Expiry and the generation of the ring are checked on every hit; revocation is
//! asked by the gate, also on every hit. A hit allocates nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use ahash::{HashMap, RandomState};
use munjigi_rules::{SessionId, Timestamp};
use quick_cache::sync::Cache;
use quick_cache::{Lifecycle, Weighter};

use crate::claims::AccessClaims;

/// How much the cache may hold unless told otherwise: 8 MiB.
pub const DEFAULT_BYTES: u64 = 8 * 1024 * 1024;

/// At most so many tokens of one session; one more pushes the oldest out, so that nobody fills the cache by renewing.
pub const MOST_PER_SESSION: usize = 8;

/// What an entry costs beside its texts: the tables of the cache and of the index, and the allocator's share.
const OVERHEAD: usize = 320;

/// How large a token and its claims usually are, to guess the number of entries.
const USUAL_BYTES: u64 = 1280;

/// Tokens that verified, with their claims. Bounded in bytes and in tokens a session.
pub struct TokenCache {
    entries: Cache<Arc<str>, Entry, Weigh, RandomState, Evictions>,
    /// Which tokens of a session are in, oldest first. Held whenever something enters or leaves, never for a hit.
    by_session: Mutex<HashMap<SessionId, VecDeque<Arc<str>>>>,
}

#[derive(Clone)]
struct Entry {
    claims: Arc<AccessClaims>,
    generation: u64,
    bytes: u32,
}

#[derive(Clone)]
struct Weigh;

impl Weighter<Arc<str>, Entry> for Weigh {
    fn weight(&self, _: &Arc<str>, entry: &Entry) -> u64 {
        u64::from(entry.bytes)
    }
}

/// Collects what the cache throws out, so that the index can forget it too.
#[derive(Clone)]
struct Evictions;

impl Lifecycle<Arc<str>, Entry> for Evictions {
    type RequestState = Vec<(Arc<str>, Entry)>;

    fn on_evict(&self, evicted: &mut Self::RequestState, token: Arc<str>, entry: Entry) {
        evicted.push((token, entry));
    }
}

impl TokenCache {
    /// An empty cache of at most so many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let guess = usize::try_from(bytes / USUAL_BYTES).unwrap_or(usize::MAX);
        Self {
            entries: Cache::with(guess, bytes, Weigh, RandomState::new(), Evictions),
            by_session: Mutex::new(HashMap::default()),
        }
    }

    /// The claims of a token that verified under this generation of the ring and has not expired.
    #[must_use]
    pub fn get(&self, token: &str, generation: u64, now: Timestamp) -> Option<Arc<AccessClaims>> {
        let entry = self.entries.get(token)?;
        if entry.generation == generation && !entry.claims.is_expired(now) {
            return Some(entry.claims);
        }
        self.forget(token, entry.claims.sid);
        None
    }

    /// Remembers a token that verified under this generation of the ring.
    pub fn insert(&self, token: &str, generation: u64, claims: &Arc<AccessClaims>) {
        let session = claims.sid;
        let token: Arc<str> = token.into();
        let entry = Entry { claims: Arc::clone(claims), generation, bytes: weight(&token, claims) };
        let mut index = self.by_session.lock().unwrap_or_else(PoisonError::into_inner);
        let mut evicted = Vec::new();
        self.entries.insert_with_lifecycle(Arc::clone(&token), entry, &mut evicted);
        let admitted = !evicted.iter().any(|(gone, _)| Arc::ptr_eq(gone, &token));
        for (gone, entry) in &evicted {
            remove(&mut index, entry.claims.sid, gone);
        }
        if !admitted {
            return;
        }
        let tokens = index.entry(session).or_default();
        tokens.retain(|known| *known != token);
        tokens.push_back(token);
        while tokens.len() > MOST_PER_SESSION
            && let Some(oldest) = tokens.pop_front()
        {
            self.entries.remove(&*oldest);
        }
    }

    fn forget(&self, token: &str, session: SessionId) {
        let mut index = self.by_session.lock().unwrap_or_else(PoisonError::into_inner);
        self.entries.remove(token);
        remove(&mut index, session, token);
    }

    /// How many tokens are in.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no token is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes the tokens that are in are reckoned at.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.entries.weight()
    }
}

fn remove(index: &mut HashMap<SessionId, VecDeque<Arc<str>>>, session: SessionId, token: &str) {
    if let Some(tokens) = index.get_mut(&session) {
        tokens.retain(|known| **known != *token);
        if tokens.is_empty() {
            index.remove(&session);
        }
    }
}

fn weight(token: &str, claims: &AccessClaims) -> u32 {
    let texts = [&claims.iss, &claims.aud, &claims.name, &claims.username, &claims.jti];
    let claims_bytes = size_of::<AccessClaims>()
        + texts.iter().map(|text| text.len()).sum::<usize>()
        + claims.amr.iter().map(|text| size_of::<String>() + text.len()).sum::<usize>();
    u32::try_from(token.len() + claims_bytes + OVERHEAD).unwrap_or(u32::MAX)
}
