//! What was sent, for those who have fallen behind a little.

use std::collections::VecDeque;

use bytes::Bytes;

/// Bytes that are kept.
pub(super) const MOST_BYTES: usize = 1 << 20;

/// Frames that are kept for those who have fallen behind a little. A place is the number of frames before it.
#[derive(Default)]
pub(super) struct Log {
    /// The place of the oldest frame that is kept.
    first: u64,
    pub(super) frames: VecDeque<Bytes>,
    pub(super) bytes: usize,
}

impl Log {
    pub(super) fn end(&self) -> u64 {
        self.first + self.frames.len() as u64
    }

    pub(super) fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
        while self.bytes > MOST_BYTES
            && let Some(gone) = self.frames.pop_front()
        {
            self.bytes -= gone.len();
            self.first += 1;
        }
    }

    /// Nobody's place is known any more.
    pub(super) fn forget(&mut self) {
        *self = Self { first: self.end() + 1, ..Self::default() };
    }

    /// The frames from `place` on; `None`: they are not kept any more, or never were.
    pub(super) fn since(&self, place: u64) -> Option<Vec<Bytes>> {
        let skip = usize::try_from(place.checked_sub(self.first)?).ok()?;
        (skip <= self.frames.len()).then(|| self.frames.iter().skip(skip).cloned().collect())
    }
}
