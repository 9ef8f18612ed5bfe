//! How long the stores take, and how often they fail.

use std::time::Duration;

use munjigi_store::meter::{Meter, Outcome};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::Timings;

/// Store and step, in the words of the store's errors.
type Labels = [(&'static str, &'static str); 2];

/// The series of all stores. A clone counts into the same ones.
#[derive(Clone, Debug, Default)]
pub struct Stores {
    pub(super) took: Family<Labels, Timings>,
    pub(super) failed: Family<Labels, Counter>,
}

impl Meter for Stores {
    fn done(&self, store: &'static str, step: &'static str, took: Duration, outcome: Outcome) {
        let labels = [("store", store), ("step", step)];
        self.took.get_or_create(&labels).note(took);
        // Made at the first call, so that the first failure is an increase.
        let failures = u64::from(outcome == Outcome::Failed);
        self.failed.get_or_create(&labels).inc_by(failures);
    }
}
