//! Services elsewhere that follow the revocations (`GET /auth/revocations`, docs/feed.md).
//!
//! ```text
//!                      what a read of the table brought, written once
//!   Feed::ring ──────────────────► log of frames ──┬─► follower
//!       └── beat: it was read to its end ──────────┼─► follower ──(10 s not taken)──► dropped
//!   RevokedSet ── everything, written once ────────┴─► new follower
//! ```
//!
//! A frame is written once and shared by all. A follower is a task that holds its place in the log and at most two frames that
//! its client has not taken; whoever falls behind the log, or takes nothing for a while, is dropped and begins again. Places are
//! numbers of this process: after a restart, or at another node, nobody's is known, and everything is sent again. That costs a
//! few bytes and is right whatever has happened to the database meanwhile.

mod log;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use munjigi_gate::{RevokedSet, feed};
use munjigi_rules::Timestamp;
use munjigi_rules::revocation::Ended;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;
use tracing::Instrument as _;

use crate::random;

use log::Log;

/// So many may follow one node.
pub const MOST_FOLLOWERS: usize = 1_000;
/// Entries in one event: under 50 KB.
const CHUNK: usize = 500;
/// Entries that one read may bring to those who follow already; with more, they begin again.
const MOST_AT_ONCE: usize = 10_000;
/// Frames on their way to one client.
const UNDER_WAY: usize = 2;
/// A client takes a frame within this time, or is dropped.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// A client takes everything that is in force within this time, or is dropped.
const MOST_TO_BEGIN: Duration = Duration::from_secs(60);
/// Longer than any place that we wrote.
const MOST_PLACE: usize = 64;

/// Everybody who follows, and what they are sent.
pub struct Followers {
    /// What distinguishes the places of this process from all others.
    node: String,
    /// What `current` says: whose feed this is.
    said: String,
    log: Mutex<Log>,
    /// Counts the complete reads of the table; None when the server ends.
    beat: watch::Sender<Option<u64>>,
    places: Arc<Semaphore>,
    most: usize,
    patience: Duration,
    /// Everything in force, for as long as somebody is being sent it.
    whole: tokio::sync::Mutex<Weak<Whole>>,
}

/// Everything that is in force, with the place from which on the log has what came later.
struct Whole {
    place: u64,
    frames: Vec<Bytes>,
}

/// There is no room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Why a follower is no longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// Its client has gone.
    Closed,
    /// Its client did not take what it was sent, or fell too far behind.
    Slow,
    /// The secret is another one than when its token was looked at.
    Secret,
    /// This server ends.
    Stopping,
}

impl Left {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Slow => "slow",
            Self::Secret => "secret_changed",
            Self::Stopping => "stopping",
        }
    }
}

impl Followers {
    /// Nobody yet, and at most so many, of what this issuer's tokens were issued for.
    #[must_use]
    pub fn new(most: usize, issuer: &str) -> Self {
        Self {
            node: format!("{:016x}", u64::from_be_bytes(random::bytes())),
            said: serde_json::json!({ "issuer": issuer }).to_string(),
            log: Mutex::default(),
            beat: watch::Sender::new(Some(0)),
            places: Arc::new(Semaphore::new(most)),
            most,
            patience: PATIENCE,
            whole: tokio::sync::Mutex::default(),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.most.saturating_sub(self.places.available_permits())
    }

    /// What a read of the table brought, after it was applied to this node's memory.
    pub(crate) fn publish(&self, entries: &[Ended]) {
        if entries.is_empty() {
            return;
        }
        let mut log = self.lock();
        if entries.len() > MOST_AT_ONCE {
            log.forget();
            return;
        }
        for chunk in entries.chunks(CHUNK) {
            let place = log.end() + 1;
            log.push(frame("ended", &self.id(place), &feed::write(chunk.iter().copied())));
        }
    }

    /// The table was read to its end, and everything in it was published.
    pub(crate) fn beat(&self) {
        self.beat.send_modify(|beat| *beat = beat.map(|reads| reads + 1));
    }

    /// Ends all streams, and takes no more: a server that waited for them would never end.
    pub fn stop(&self) {
        self.beat.send_replace(None);
    }

    /// One more follower, with the last event that it has seen, if any. `good` is asked again and again whether it still may.
    ///
    /// # Errors
    /// [`Full`]: there is no room, or this server ends.
    pub fn join(
        self: &Arc<Self>,
        set: Arc<RevokedSet>,
        now: Timestamp,
        last_seen: Option<&str>,
        good: impl Fn() -> bool + Send + 'static,
    ) -> Result<mpsc::Receiver<Bytes>, Full> {
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Full)?;
        if self.beat.borrow().is_none() {
            return Err(Full);
        }
        let (frames, stream) = mpsc::channel(UNDER_WAY);
        let place = last_seen.and_then(|id| self.place(id)).filter(|place| self.lock().since(*place).is_some());
        let all = Arc::clone(self);
        tracing::info!(resumes = place.is_some(), followers = self.count(), "follower_joined");
        let following = async move {
            let follower = Follower { all: &all, frames };
            let Err(left) = follower.follow(set, now, place, good).await;
            drop((follower, permit));
            tracing::info!(reason = left.as_str(), followers = all.count(), "follower_left");
        };
        tokio::spawn(following.in_current_span());
        Ok(stream)
    }

    /// Everything in force. Whoever asks while others are being sent it gets the same.
    async fn whole(&self, set: Arc<RevokedSet>, now: Timestamp) -> Result<Arc<Whole>, Left> {
        let mut shared = self.whole.lock().await;
        if let Some(whole) = shared.upgrade().filter(|whole| self.lock().since(whole.place).is_some()) {
            return Ok(whole);
        }
        // The place first: what comes meanwhile is sent twice rather than not at all.
        let place = self.lock().end();
        // It fails only where the runtime ends, and then nobody must be told that nothing is in force.
        let written = tokio::task::spawn_blocking(move || everything(&set, now)).await;
        let frames = written.map_err(|_| Left::Stopping)?;
        let whole = Arc::new(Whole { place, frames });
        *shared = Arc::downgrade(&whole);
        Ok(whole)
    }

    fn id(&self, place: u64) -> String {
        format!("{}-{place}", self.node)
    }

    /// The place that an id names, if it is one of ours.
    fn place(&self, id: &str) -> Option<u64> {
        if id.len() > MOST_PLACE {
            return None;
        }
        id.strip_prefix(&self.node)?.strip_prefix('-')?.parse().ok()
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who follows.
struct Follower<'a> {
    all: &'a Followers,
    frames: mpsc::Sender<Bytes>,
}

impl Follower<'_> {
    /// Follows until something ends it.
    async fn follow(
        &self,
        set: Arc<RevokedSet>,
        now: Timestamp,
        place: Option<u64>,
        good: impl Fn() -> bool,
    ) -> Result<std::convert::Infallible, Left> {
        self.send(Bytes::from_static(b"retry: 1000\n\n")).await?;
        let mut place = match place {
            Some(place) => place,
            None => timeout(MOST_TO_BEGIN, self.begin(set, now)).await.unwrap_or(Err(Left::Slow))?,
        };
        let mut beats = self.all.beat.subscribe();
        loop {
            if beats.borrow_and_update().is_none() {
                return Err(Left::Stopping);
            }
            if !good() {
                return Err(Left::Secret);
            }
            let frames = self.all.lock().since(place).ok_or(Left::Slow)?;
            place += frames.len() as u64;
            for frame in frames {
                self.send(frame).await?;
            }
            self.send(frame("current", &self.all.id(place), &self.all.said)).await?;
            tokio::select! {
                _ = beats.changed() => {}
                () = self.frames.closed() => return Err(Left::Closed),
            }
        }
    }

    async fn begin(&self, set: Arc<RevokedSet>, now: Timestamp) -> Result<u64, Left> {
        let whole = self.all.whole(set, now).await?;
        for frame in &whole.frames {
            self.send(frame.clone()).await?;
        }
        Ok(whole.place)
    }

    async fn send(&self, frame: Bytes) -> Result<(), Left> {
        match self.frames.send_timeout(frame, self.all.patience).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(Left::Slow),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(Left::Closed),
        }
    }
}

/// What is in force, as events. Their id is nobody's place: whoever has seen a part of them only begins again.
fn everything(set: &RevokedSet, now: Timestamp) -> Vec<Bytes> {
    let (mut frames, mut chunk) = (Vec::new(), Vec::with_capacity(CHUNK));
    set.for_each(now, |entry| {
        chunk.push(entry);
        if chunk.len() == CHUNK {
            frames.push(frame("ended", "0", &feed::write(chunk.drain(..))));
        }
    });
    if !chunk.is_empty() {
        frames.push(frame("ended", "0", &feed::write(chunk)));
    }
    frames
}

/// An event as it is written on the wire.
fn frame(event: &str, id: &str, data: &str) -> Bytes {
    let mut text = String::with_capacity(event.len() + id.len() + data.len() + 24);
    // Writing into a text cannot fail.
    let _ = write!(text, "event: {event}\nid: {id}\ndata: {data}\n\n");
    text.into()
}
