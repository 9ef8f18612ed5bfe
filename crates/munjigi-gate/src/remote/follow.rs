//! Follows the feed of revocations into memory (docs/feed.md).
//!
//! ```text
//!            ┌───────────── every fault: after a pause that grows ─────────────┐
//!            ▼                                                                 │
//!       connecting ──200──► told what is in force ──current──► FOLLOWING ──────┘
//!                            (nothing is marked as read)        each `current`: read, as of now
//! ```

use std::sync::{Arc, Weak};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch;

use super::events::{Event, Malformed, Parser};
use super::wire::{Wire, WireError};
use crate::clock::Clock;
use crate::feed;
use crate::jws;
use crate::revoked::RevokedSet;

/// A server that follows its own table says something every half second.
const SILENCE: Duration = Duration::from_secs(5);
/// How long to wait before the first new try, at most, and how long in the end.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));
/// What has expired is forgotten so often.
const SWEEP_EVERY_MILLIS: i64 = 60_000;

/// How far it has got: for whoever waits for the first contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// No answer yet.
    Nothing,
    /// Something that may pass.
    Fault,
    /// Our token is not good there.
    Refused,
    /// The server issues other tokens.
    OtherIssuer(String),
    /// Everything in force is known.
    Current,
}

/// Why a stream was left.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("nothing was heard for 5 s")]
    Silence,
    #[error("the server ended the stream")]
    Ended,
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("an event `{0}` that cannot be read")]
    Unreadable(&'static str),
    #[error("this is the feed of {0:?}")]
    OtherIssuer(String),
    #[error("nobody asks any more")]
    Unused,
}

/// The data of `current`.
#[derive(Deserialize)]
struct Current {
    issuer: Option<String>,
}

/// One who follows.
pub(super) struct Follow {
    wire: Arc<Wire>,
    set: Weak<RevokedSet>,
    clock: Arc<dyn Clock>,
    issuer: String,
    seen: watch::Sender<Seen>,
    /// The last event that was taken up, by its id.
    last: Option<String>,
    /// Whether the last stream was current, or, before the first one, that nothing was said of it.
    following: Option<bool>,
    swept: i64,
}

impl Follow {
    pub(super) fn new(
        wire: Arc<Wire>,
        set: Weak<RevokedSet>,
        clock: Arc<dyn Clock>,
        issuer: String,
        seen: watch::Sender<Seen>,
    ) -> Self {
        Self { wire, set, clock, issuer, seen, last: None, following: None, swept: 0 }
    }

    /// Follows for as long as somebody asks the set.
    pub(super) async fn forever(mut self) {
        let mut tries = 0_u32;
        loop {
            let Err(lost) = self.once().await;
            if matches!(lost, Lost::Unused) {
                return;
            }
            tries = if self.following == Some(true) { 0 } else { tries.saturating_add(1) };
            self.note(&lost);
            // What was told may be half of something.
            if !matches!(lost, Lost::Wire(_) | Lost::Silence | Lost::Ended) {
                self.last = None;
            }
            tokio::time::sleep(pause(tries)).await;
        }
    }

    async fn once(&mut self) -> Result<std::convert::Infallible, Lost> {
        let mut stream = self.wire.feed(self.last.as_deref()).await?;
        let (mut parser, mut events) = (Parser::default(), Vec::new());
        // An event has to be complete within the silence: bytes that trickle are none.
        let mut patience = Box::pin(tokio::time::sleep(SILENCE));
        loop {
            let chunk = tokio::select! {
                chunk = stream.chunk() => chunk?.ok_or(Lost::Ended)?,
                () = &mut patience => return Err(Lost::Silence),
            };
            parser.take(chunk.as_ref(), &mut events)?;
            for event in events.drain(..) {
                self.take(event)?;
                patience.as_mut().reset(tokio::time::Instant::now() + SILENCE);
            }
        }
    }

    fn take(&mut self, event: Event) -> Result<(), Lost> {
        let set = self.set.upgrade().ok_or(Lost::Unused)?;
        let now = self.clock.now();
        match event.name.as_str() {
            "ended" => set.apply(feed::read(&event.data).ok_or(Lost::Unreadable("ended"))?),
            "current" => {
                let Current { issuer } = jws::object(event.data.as_bytes()).ok_or(Lost::Unreadable("current"))?;
                if let Some(other) = issuer.filter(|issuer| *issuer != self.issuer) {
                    return Err(Lost::OtherIssuer(other));
                }
                set.mark_read(now);
                self.seen.send_replace(Seen::Current);
                if self.following.replace(true) != Some(true) {
                    tracing::info!(issuer = self.issuer, "feed_followed");
                }
            }
            _ => {}
        }
        self.last = event.id;
        if now.as_millis() - self.swept >= SWEEP_EVERY_MILLIS {
            self.swept = now.as_millis();
            set.sweep(now);
        }
        Ok(())
    }

    /// Says once that it was lost, and why.
    fn note(&mut self, lost: &Lost) {
        self.seen.send_if_modified(|seen| {
            let now = match lost {
                Lost::Wire(WireError::Refused) => Seen::Refused,
                Lost::OtherIssuer(other) => Seen::OtherIssuer(other.clone()),
                _ => Seen::Fault,
            };
            let first = *seen == Seen::Nothing;
            if first {
                *seen = now;
            }
            first
        });
        if self.following.replace(false) != Some(false) {
            let source = std::error::Error::source(lost).map(ToString::to_string).unwrap_or_default();
            let note = "what is known is kept; see `when_stale`";
            tracing::warn!(issuer = self.issuer, error = %lost, source, note, "feed_lost");
        }
    }
}

/// Half of it is chance, so that a thousand services do not come back in the same moment.
fn pause(tries: u32) -> Duration {
    let most = PAUSE.0.saturating_mul(1 << tries.min(4)).min(PAUSE.1);
    let mut chance = [0_u8; 1];
    // Without randomness they come together, which is no more than a nuisance.
    let _ = aws_lc_rs::rand::fill(&mut chance);
    most / 2 + most.mul_f64(f64::from(chance.first().copied().unwrap_or_default()) / 512.0)
}
