//! What time it is, as the edge of the program sees it.

use munjigi_rules::Timestamp;

#[cfg(feature = "clock")]
pub use anchored::AnchoredClock;

/// Tells the time. Everything below takes the time as a parameter; only the layer asks.
pub trait Clock: Send + Sync {
    /// This moment.
    fn now(&self) -> Timestamp;
}

#[cfg(feature = "clock")]
mod anchored {
    use munjigi_rules::Timestamp;

    use super::Clock;

    /// The clock of a running process: the wall clock as it was at the start, and from then on one that only goes forward.
    ///
    /// A wall clock that is set back would make expired tokens good again, one that is set forward would sign everybody out.
    /// So time is anchored once and then counted by the system's boot-time clock, which also counts while a machine sleeps.
    /// A node of the server that drifts from the database's clock notices and says so.
    #[derive(Debug, Clone, Copy)]
    pub struct AnchoredClock {
        /// Wall-clock milliseconds when the boot-time clock stood at zero.
        zero: i64,
    }

    impl AnchoredClock {
        /// Anchors the clock at the wall clock of this moment.
        #[must_use]
        #[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
        pub fn start() -> Self {
            let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            Self { zero: munjigi_rules::time::millis(wall) - boot_millis() }
        }
    }

    impl Clock for AnchoredClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.zero + boot_millis())
        }
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn boot_millis() -> i64 {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn boot_millis() -> i64 {
        use std::sync::LazyLock;
        use std::time::Instant;
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        munjigi_rules::time::millis(START.elapsed())
    }
}
