//! Answers by route, method and class of status, and how long they took.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::Timings;

type Labels = Vec<(&'static str, String)>;

/// What requests that found no route are counted under.
const NO_ROUTE: &str = "none";
/// Every other method is counted as the last. `HEAD` is answered as `GET`.
const METHODS: [&str; 4] = ["GET", "POST", "DELETE", "other"];
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// The series of all routes.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    pub(super) answered: Family<Labels, Counter>,
    pub(super) took: Family<Labels, Timings>,
}

/// The routes of one router. Each series is made at its first request, and from then on found without a lock.
#[derive(Debug)]
pub struct Routes {
    known: HashMap<String, Slots>,
    none: Slots,
    requests: Requests,
}

type Slots = [OnceLock<Series>; METHODS.len()];

/// The counters of one route and method.
#[derive(Debug)]
pub struct Series {
    answered: [Counter; CLASSES.len()],
    took: Timings,
}

impl Requests {
    /// For a router with these routes, as they are written in its table.
    pub fn of_routes(&self, routes: impl IntoIterator<Item = String>) -> Routes {
        let known = routes.into_iter().map(|route| (route, Slots::default())).collect();
        Routes { known, none: Slots::default(), requests: self.clone() }
    }

    fn series(&self, route: &str, method: &str) -> Series {
        let labels = vec![("method", method.to_owned()), ("route", route.to_owned())];
        let class = |class: &str| {
            let status = ("status", class.to_owned());
            self.answered.get_or_create_owned(&labels.iter().cloned().chain([status]).collect())
        };
        Series { answered: CLASSES.map(class), took: self.took.get_or_create_owned(&labels) }
    }
}

impl Routes {
    /// The counters for a request that found this route, or none.
    pub fn series(&self, route: Option<&str>, method: &Method) -> Option<&Series> {
        let (route, slots) = match route.and_then(|route| self.known.get_key_value(route)) {
            Some((route, slots)) => (route.as_str(), slots),
            None => (NO_ROUTE, &self.none),
        };
        let name = if method == Method::HEAD { "GET" } else { method.as_str() };
        let at = METHODS.iter().position(|known| *known == name).unwrap_or(METHODS.len() - 1);
        let (slot, method) = slots.get(at).zip(METHODS.get(at))?;
        Some(slot.get_or_init(|| self.requests.series(route, method)))
    }
}

impl Series {
    /// Counts an answer.
    pub fn note(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(2);
        if let Some(counter) = self.answered.get(class) {
            counter.inc();
        }
        self.took.note(took);
    }
}
