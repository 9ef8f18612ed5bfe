//! What time it is, as the edge of the program sees it.

use munjigi_rules::Timestamp;

/// Tells the time. Everything below takes the time as a parameter; only the layer asks.
pub trait Clock: Send + Sync {
    /// This moment.
    fn now(&self) -> Timestamp;
}
