//! What the time of a failed log-in tells: the gap between somebody who is here and nobody, with its confidence interval.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::json;

use crate::Setup;
use crate::load::{Connection, on_thread, post};
use crate::process::{self, Process};
use crate::report::Table;
use crate::server::{PASSWORD, register};

/// Log-ins of each kind, for each round that was asked for.
const IN_A_ROUND: usize = 30;
/// Clients that log in meanwhile, where it is measured under load.
const CLIENTS: usize = 4;
/// Resamples of the bootstrap.
const RESAMPLES: usize = 2_000;
/// bcrypt at a cost of 8, about as slow as our own hashes, of a password that nobody knows.
const BCRYPT: &str = "$2b$08$......................GSEqqSIR2mBcSEZHL5BKUUC3j.T3zMi";

/// Somebody who is tried.
struct Kind {
    what: &'static str,
    username: &'static str,
    password: &'static str,
    /// Only where hashes were brought along.
    imported: bool,
}

const fn kind(what: &'static str, username: &'static str) -> Kind {
    Kind { what, username, password: "not the password", imported: false }
}

/// The first is what the others are compared with. All names are of the same length.
const KINDS: [Kind; 7] = [
    kind("unknown", "nobody01"),
    kind("another unknown name: must show nothing", "nobody02"),
    kind("known", "known001"),
    kind("disabled", "disabled"),
    Kind { imported: true, ..kind("brought along, bcrypt", "imported") },
    Kind { imported: true, ..kind("brought along, bcrypt, disabled", "import02") },
    Kind { password: PASSWORD, ..kind("known, with the right password: must show a gap", "known001") },
];

pub(crate) async fn measure(setup: &Setup) -> anyhow::Result<Table> {
    let mut table = Table::new(
        "Enumeration",
        "`munjigi serve` with its defaults but without limits. Log-ins with a wrong password over one connection, each kind once a \
         round, in an order that is drawn anew for each round. The gap is the median of the differences to the unknown name in the \
         same round, with its 95 % confidence interval (bootstrap, percentiles). `tries` is how many on one name an attacker on \
         this machine would need to see the largest gap that the interval does not exclude, right 19 times in 20; by default \
         there are ten in a quarter of an hour. One interval in twenty misses 0 by chance.",
    );
    let server = process::munjigi(&setup.binary, process::directory()?, &[], None).await?;
    let mut connection = Connection::open(server.address).await?;
    for username in ["known001", "disabled", "imported", "import02", "load0001", "load0002", "load0003", "load0004"] {
        register(&mut connection, username).await?;
    }
    server.command(&setup.binary, &["user", "disable", "disabled"])?;
    let rounds = IN_A_ROUND * setup.rounds;
    for imported in [false, true] {
        if imported {
            for username in ["imported", "import02"] {
                server.command(&setup.binary, &["user", "set-password", username, "--hash", BCRYPT])?;
            }
            server.command(&setup.binary, &["user", "disable", "import02"])?;
        }
        let kinds: Vec<_> = KINDS.iter().filter(|kind| imported || !kind.imported).collect();
        for loaded in [false, true] {
            let stop = Arc::new(AtomicBool::new(false));
            let load = loaded.then(|| tokio::spawn(load(&server, Arc::clone(&stop))));
            let times = interleaved(&server, &kinds, rounds).await;
            stop.store(true, Ordering::Relaxed);
            if let Some(load) = load {
                load.await??;
            }
            let when = format!(
                "{}, {}",
                if imported { "while hashes are brought along" } else { "own hashes only" },
                if loaded { "4 clients log in" } else { "one after the other" }
            );
            tell(&mut table, &when, &kinds, &times?);
        }
    }
    Ok(table)
}

/// Clients that log in with their right passwords until they are told to stop.
fn load(server: &Process, stop: Arc<AtomicBool>) -> impl Future<Output = anyhow::Result<()>> + use<> {
    let address = server.address;
    on_thread(None, async move || {
        let mut clients = tokio::task::JoinSet::new();
        for number in 1..=CLIENTS {
            let body = json!({ "username": format!("load000{number}"), "password": PASSWORD });
            let (request, stop) = (post("/user/login", "", &body), Arc::clone(&stop));
            clients.spawn(async move {
                let mut connection = Connection::open(address).await?;
                while !stop.load(Ordering::Relaxed) {
                    connection.succeed(&request).await?;
                }
                anyhow::Ok(())
            });
        }
        clients.join_all().await.into_iter().collect()
    })
}

/// Milliseconds of each kind, round by round.
async fn interleaved(server: &Process, kinds: &[&Kind], rounds: usize) -> anyhow::Result<Vec<Vec<f64>>> {
    let (address, mut random) = (server.address, Random(0x9e37_79b9_7f4a_7c15));
    let mut tries: Vec<_> = kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| {
            let body = json!({ "username": kind.username, "password": kind.password });
            (index, post("/user/login", "", &body), if kind.password == PASSWORD { 200 } else { 401 })
        })
        .collect();
    let measuring = async move || {
        let mut connection = Connection::open(address).await?;
        let mut times = vec![Vec::new(); tries.len()];
        for round in 0..=rounds {
            random.shuffle(&mut tries);
            for (index, request, expected) in &tries {
                let begin = Instant::now();
                let status = connection.exchange(request).await?;
                let took = begin.elapsed().as_secs_f64() * 1e3;
                anyhow::ensure!(status == *expected, "answered {status} and not {expected}");
                // The first round warms up.
                if let Some(times) = times.get_mut(*index)
                    && round > 0
                {
                    times.push(took);
                }
            }
        }
        Ok(times)
    };
    on_thread(None, measuring).await
}

fn tell(table: &mut Table, when: &str, kinds: &[&Kind], times: &[Vec<f64>]) {
    let Some((unknown, others)) = times.split_first() else { return };
    table.row(format!("**{when}**, {} rounds", unknown.len()), "");
    table.row("unknown: median, ms", format!("{:.2}", median(unknown.clone())));
    for (kind, own) in kinds.iter().skip(1).zip(others) {
        let gaps: Vec<_> = own.iter().zip(unknown).map(|(own, unknown)| own - unknown).collect();
        let gap = Gap::of(&gaps);
        let mut figure =
            format!("{:.2}; gap {:+.3} ({:+.3} … {:+.3})", median(own.clone()), gap.median, gap.low, gap.high);
        let verdict = if gap.low <= 0.0 && gap.high >= 0.0 { "contains 0" } else { "does **not** contain 0" };
        let _ = write!(figure, ", {verdict}; ≥ {} tries", gap.tries);
        table.row(format!("{}: median and gap, ms", kind.what), figure);
    }
}

/// Differences, and what can be said of their median.
struct Gap {
    median: f64,
    low: f64,
    high: f64,
    tries: u64,
}

impl Gap {
    fn of(gaps: &[f64]) -> Self {
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let resample = |random: &mut Random| {
            median((0..gaps.len()).filter_map(|_| gaps.get(random.below(gaps.len()))).copied().collect())
        };
        let mut medians: Vec<_> = (0..RESAMPLES).map(|_| resample(&mut random)).collect();
        medians.sort_by(f64::total_cmp);
        let at = |share: usize| medians.get(RESAMPLES * share / 1000).copied().unwrap_or(f64::NAN);
        let (low, high) = (at(25), at(975));
        let centre = median(gaps.to_vec());
        // The spread of one difference, by the median deviation, which a few interruptions do not move.
        let spread = 1.4826 * median(gaps.iter().map(|gap| (gap - centre).abs()).collect());
        // Both kinds of error at one in twenty: twice 1.645 standard errors.
        let tries = (2.0 * 1.645 * spread / low.abs().max(high.abs())).powi(2).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of tries")]
        Self { median: centre, low, high, tries: tries.max(1.0) as u64 }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Xorshift: the same order in each run, and no pattern in it.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound.max(1)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
