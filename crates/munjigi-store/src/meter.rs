//! The seam for whoever measures: one call for each verb that a store was asked for.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::StoreError;

/// Is told how long a store took. It is called by whoever waits, so it must not wait itself.
pub trait Meter: Debug + Send + Sync {
    /// `store` did `step`, in its own words, or failed in it. A call that its caller gave up is never heard of.
    fn done(&self, store: &'static str, step: &'static str, took: Duration, outcome: Outcome);
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered, if only by "no such user".
    Answered,
    /// It ended in a [`StoreError`].
    Failed,
}

/// A meter, or none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured(pub(crate) Option<Arc<dyn Meter>>);

impl Measured {
    pub(crate) async fn call<T>(
        &self,
        store: &'static str,
        step: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let Some(meter) = &self.0 else { return call.await };
        let begun = Instant::now();
        let answer = call.await;
        let outcome = if answer.is_ok() { Outcome::Answered } else { Outcome::Failed };
        meter.done(store, step, begun.elapsed(), outcome);
        answer
    }
}
