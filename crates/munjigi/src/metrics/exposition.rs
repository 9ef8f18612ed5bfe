//! Everything that is measured, as OpenMetrics text (which Prometheus reads). The one list of names: `docs/operations.md` is held against it.

use std::collections::BTreeMap;
use std::fmt::Error;

use munjigi_gate::{Outcome, Outcomes};
use munjigi_store::KeyStatus;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::{Limited, LogIns, Registrations, Rotations, process};
use crate::core::Core;

/// What it is, for a client.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics as they are now.
///
/// # Errors
/// None that a text in memory could have.
pub fn text(core: &Core, gate: &Outcomes) -> Result<String, Error> {
    let mut registry = Registry::default();
    for register in [requests, people, passwords, stores, revocations, keys, connections, process::register] {
        register(&mut registry, core);
    }
    let outcomes = Outcome::ALL.map(|outcome| (outcome.as_str().to_owned(), gate.count(outcome)));
    registry.register("munjigi_gate_requests", "Requests by what the gate made of them", counted("outcome", outcomes));
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("munjigi_build", "Which program this is", version);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn requests(registry: &mut Registry, core: &Core) {
    let requests = &core.metrics.requests;
    registry.register(
        "munjigi_http_requests",
        "Answers by route, method and class of status",
        requests.answered.clone(),
    );
    registry.register(
        "munjigi_http_request_duration_seconds",
        "From a request's head to its answer's, by route and method",
        requests.took.clone(),
    );
}

fn people(registry: &mut Registry, core: &Core) {
    let metrics = &core.metrics;
    let log_ins = counted(LogIns::LABEL, metrics.log_ins.counts());
    registry.register("munjigi_log_ins", "Log-ins by result", log_ins);
    let registrations = counted(Registrations::LABEL, metrics.registrations.counts());
    registry.register("munjigi_registrations", "Registrations by result", registrations);
    let rotations = counted(Rotations::LABEL, metrics.rotations.counts());
    registry.register("munjigi_rotations", "Refresh tokens that were shown, by decision", rotations);
    let limited = counted(Limited::LABEL, metrics.limited.counts());
    registry.register("munjigi_limited", "Tries that a limit refused", limited);
}

fn passwords(registry: &mut Registry, core: &Core) {
    let passwords = &core.passwords;
    let load = passwords.load();
    registry.register("munjigi_hashes", "Password hashes computed, by scheme", counted("scheme", hashes(core)));
    registry.register(
        "munjigi_hash_duration_seconds",
        "Time on a hashing thread for one password, which may take several hashes",
        passwords.took.clone(),
    );
    registry.register("munjigi_hash_wait_seconds", "Time in the queue before that", passwords.waited.clone());
    registry.register("munjigi_hash_queue_length", "Passwords that wait for a hashing thread", gauge(load.waiting));
    registry.register("munjigi_hash_threads_busy", "Hashing threads at work", gauge(load.working));
    registry.register("munjigi_hash_threads", "Hashing threads", gauge(load.workers));
    registry.register("munjigi_hash_refusals", "Passwords turned away because the queue was full", total(load.refused));
}

/// Without the costs, of which hashes that were brought along may have many.
fn hashes(core: &Core) -> BTreeMap<String, u64> {
    let mut hashes = BTreeMap::new();
    for (scheme, done) in core.passwords.hashes_done() {
        let family = scheme.split(':').next().unwrap_or_default();
        *hashes.entry(family.to_owned()).or_default() += done;
    }
    hashes
}

fn stores(registry: &mut Registry, core: &Core) {
    let stores = &core.metrics.stores;
    let took = stores.took.clone();
    registry.register("munjigi_store_duration_seconds", "Time until a store answered or failed, by step", took);
    registry.register("munjigi_store_errors", "Calls of a store that failed, by step", stores.failed.clone());
}

fn revocations(registry: &mut Registry, core: &Core) {
    let feed = &core.feed;
    registry.register(
        "munjigi_revocations",
        "Ended sessions and epochs in this node's memory",
        gauge(feed.set().len()),
    );
    let staleness = feed.staleness().map_or(f64::INFINITY, |age| age.as_secs_f64());
    registry.register(
        "munjigi_revocations_staleness_seconds",
        "Since the revocations were last read to their end",
        ConstGauge::new(staleness),
    );
    registry.register(
        "munjigi_revocation_delay_seconds",
        "From the moment something ended until this node knew",
        feed.delays.clone(),
    );
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a clock that is off are far below 2^53")]
    let skew = feed.skew_millis() as f64 / 1000.0;
    registry.register(
        "munjigi_clock_skew_seconds",
        "How far this node's clock is ahead of the database's",
        ConstGauge::new(skew),
    );
}

fn keys(registry: &mut Registry, core: &Core) {
    let keys = core.keys.states();
    let named = [("next", KeyStatus::Next), ("active", KeyStatus::Active), ("retired", KeyStatus::Retired)];
    let count = |status| keys.iter().filter(|(found, _)| *found == status).count() as u64;
    let counts = named.map(|(name, status)| (name.to_owned(), count(status)));
    registry.register(
        "munjigi_signing_keys",
        "Signing keys by status",
        Counts { kind: MetricType::Gauge, ..counted("status", counts) },
    );
    let active = keys.iter().find(|(status, _)| *status == KeyStatus::Active);
    if let Some((_, since)) = active {
        #[expect(clippy::cast_precision_loss, reason = "a key's age in milliseconds is far below 2^53")]
        let age = core.now().millis_since(*since) as f64 / 1000.0;
        registry.register(
            "munjigi_signing_key_age_seconds",
            "How long the active key has signed",
            ConstGauge::new(age),
        );
    }
}

fn connections(registry: &mut Registry, core: &Core) {
    let connections = &core.metrics.connections;
    registry.register("munjigi_connections", "Open connections to the public listener", connections.open.clone());
    let shed = connections.shed.clone();
    registry.register("munjigi_connections_shed", "Idle connections closed to make room", shed);
    let refused = connections.refused.clone();
    registry.register("munjigi_connections_refused", "Connections for which there was no room", refused);
}

fn gauge(value: usize) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}

fn total(value: u64) -> ConstCounter<u64> {
    ConstCounter::new(value)
}

/// A number for each value of one label, read somewhere else.
#[derive(Debug)]
struct Counts {
    kind: MetricType,
    label: &'static str,
    counts: Vec<(String, u64)>,
}

fn counted(label: &'static str, counts: impl IntoIterator<Item = (String, u64)>) -> Counts {
    Counts { kind: MetricType::Counter, label, counts: counts.into_iter().collect() }
}

impl EncodeMetric for Counts {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), Error> {
        for (value, count) in &self.counts {
            let labels = [(self.label, value.as_str())];
            let series = encoder.encode_family(&labels)?;
            match self.kind {
                MetricType::Gauge => ConstGauge::new(i64::try_from(*count).unwrap_or(i64::MAX)).encode(series)?,
                _ => ConstCounter::new(*count).encode(series)?,
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        self.kind
    }
}
