//! Log-ins, against what the cores can hash; and what other requests feel of it.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use rustix::process::setpriority_process;
use rustix::thread::gettid;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

use crate::Setup;
use crate::load::{Connection, Load, Outcome, Until, get, histogram, on_thread, post};
use crate::process::{self, Process};
use crate::report::{Spread, Table};
use crate::server::{PASSWORD, register};

const PHASE: Duration = Duration::from_secs(2);
const MOST_CLIENTS: usize = 16;
/// Between two of the requests whose latency is taken.
const PAUSE: Duration = Duration::from_millis(4);

pub(crate) async fn measure(setup: &Setup) -> anyhow::Result<Table> {
    let mut table = Table::new(
        "Log-ins",
        "`munjigi serve` with its defaults and no limits, its users and sessions in SQLite on disk. Clients log in over HTTP, each \
         as a user of its own, the next time when the last was answered. The measure of all things is Argon2id (19 MiB, two \
         passes) run directly on all cores with reused memory, at the same lowest priority as the server's hashing threads. Where \
         others use the machine only the CPU times can be compared: what is not hashing has the usual priority in the server. \
         Latency is that of `GET /user/info` with a valid token over one connection, every 4 ms, from sending to the end of the \
         answer.",
    );
    let server = process::munjigi(&setup.binary, process::directory()?, &[], None).await?;
    let mut log_ins = Vec::new();
    let mut cookies = String::new();
    for number in 0..MOST_CLIENTS {
        let username = format!("user{number}");
        cookies = register(&mut Connection::open(server.address).await?, &username).await?;
        log_ins.push(post("/user/login", "", &json!({ "username": username, "password": PASSWORD })));
    }
    let eight: Vec<_> = log_ins.iter().take(8).cloned().collect();
    let probe = vec![get("/user/info", "application/json", &cookies)];

    let (mut hashed, mut by_8, mut by_16) = (vec![], vec![], vec![]);
    let (mut hash_cpu, mut log_in_cpu) = (vec![], vec![]);
    let (mut quiet_p99, mut busy_p99) = (vec![], vec![]);
    let (mut quiet, mut busy) = (histogram()?, histogram()?);
    for _ in 0..setup.rounds {
        let (rate, cpu) = hashes(setup.cores).await?;
        hashed.push(rate);
        hash_cpu.push(cpu);
        let log_ins_of_8 = fire(&server, &eight, None).await?;
        by_8.push(log_ins_of_8.per_second());
        log_in_cpu.push(log_ins_of_8.cpu_micros());
        by_16.push(fire(&server, &log_ins, None).await?.per_second());
        let alone = fire(&server, &probe, Some(PAUSE)).await?.latency;
        let (load, beside) = tokio::join!(fire(&server, &eight, None), fire(&server, &probe, Some(PAUSE)));
        let beside = beside?.latency;
        load?;
        quiet_p99.push(alone.value_at_quantile(0.99) as f64);
        busy_p99.push(beside.value_at_quantile(0.99) as f64);
        quiet.add(alone)?;
        busy.add(beside)?;
    }
    table.row(format!("hashes/s, directly on {} cores", setup.cores), Spread::of(hashed.clone()));
    table.row("log-ins/s, 8 clients", Spread::of(by_8.clone()));
    table.row("log-ins/s, 16 clients", Spread::of(by_16.clone()));
    table.goal("8 clients, log-ins / hashes", Spread::ratio(&by_8, &hashed), "≥ 0.95");
    table.goal("16 clients, log-ins / hashes", Spread::ratio(&by_16, &hashed), "≥ 0.95");
    table.row("CPU of a hash, µs", Spread::of(hash_cpu.clone()));
    table.row("CPU of a log-in, µs", Spread::of(log_in_cpu.clone()));
    table.goal(
        "CPU of a hash / of a log-in: what the ratios above can be at most",
        Spread::ratio(&hash_cpu, &log_in_cpu),
        "≥ 0.95",
    );
    for (what, latency) in [("quiet", &quiet), ("while 8 clients log in", &busy)] {
        let [p50, p99] = [0.5, 0.99].map(|quantile| latency.value_at_quantile(quantile));
        table.row(format!("a valid request, {what}: p50, p99, µs"), format!("{p50}, {p99}"));
    }
    table.goal("p99, while 8 clients log in / quiet", Spread::ratio(&busy_p99, &quiet_p99), "≤ 2");
    Ok(table)
}

async fn fire(server: &Process, requests: &[Vec<u8>], pause: Option<Duration>) -> anyhow::Result<Outcome> {
    Load { pause, ..Load::new(server, requests.to_vec(), Until::Over(PHASE)) }.run().await
}

/// What the cores can do if they do nothing else: hashes a second on all of them, and the CPU time of one in microseconds.
async fn hashes(cores: usize) -> anyhow::Result<(f64, f64)> {
    let hashing: Vec<_> = (0..cores).map(|_| tokio::spawn(on_thread(None, async || hash()))).collect();
    let (mut rate, mut micros) = (0.0, 0.0);
    for each in hashing {
        let (per_second, cpu) = each.await??;
        rate += per_second;
        micros += cpu / cores as f64;
    }
    Ok((rate, micros))
}

fn hash() -> anyhow::Result<(f64, f64)> {
    setpriority_process(Some(gettid()), 19)?;
    let params = Params::new(19 * 1024, 2, 1, None).map_err(anyhow::Error::msg)?;
    let mut memory = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut out = [0; 32];
    let mut once = || {
        let hashed = argon2.hash_password_into_with_memory(PASSWORD.as_bytes(), &[1; 16], &mut out, &mut memory);
        hashed.map_err(anyhow::Error::msg)
    };
    once()?;
    let (begin, cpu, mut count) = (Instant::now(), thread_micros(), 0.0);
    while begin.elapsed() < PHASE {
        once()?;
        count += 1.0;
    }
    Ok((count / begin.elapsed().as_secs_f64(), (thread_micros() - cpu) / count))
}

/// CPU time of this thread.
fn thread_micros() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}
