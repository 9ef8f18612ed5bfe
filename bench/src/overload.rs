//! Ten times more log-ins than can be hashed, and thousands of clients that hold connections for nothing: what is left for
//! the others, and how soon all is well again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;
use hdrhistogram::Histogram;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::Setup;
use crate::enumeration::Random;
use crate::load::{Connection, Load, Until, get, histogram, on_thread, post};
use crate::process::{self, Process};
use crate::report::Table;
use crate::server::{PASSWORD, register};

/// Whom log-ins are of.
const USERS: usize = 64;
/// How much more is offered than can be hashed.
const TIMES: f64 = 10.0;
/// How long it lasts.
const STORM: Duration = Duration::from_secs(60);
/// How long what is normal is measured, and the silent crowd.
const CALM: Duration = Duration::from_secs(10);
/// Between two of the requests whose latency is taken.
const PAUSE: Duration = Duration::from_millis(4);
/// Open files that the server is given.
const FILES: u32 = 1024;
/// Connections that the silent crowd opens.
const CROWD: usize = 5_000;
/// Where the crowd comes from: it is counted by address.
const ELSEWHERE: [&str; 2] = ["127.0.0.2:0", "127.0.0.3:0"];

pub(crate) async fn measure(setup: &Setup) -> anyhow::Result<Table> {
    let mut table = Table::new(
        "Overload",
        "`munjigi serve` with its defaults, limits too wide to be met (they are counted all the same), and at most 1,024 open files. \
         Log-ins with right passwords are offered at random moments, ten times as many a second as can be hashed, whether those \
         before were answered or not; latency counts from the moment at which they were due. A valid request is `GET /user/info` \
         with a good token every 4 ms, over one connection that stays open or over a new one each time. Then 5,000 connections from \
         two other addresses that say nothing, send a head or a body byte by byte, or ask without reading, and come again five seconds after they were closed.",
    );
    let own = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: own.maximum, maximum: own.maximum })?;
    let wide = [
        ("MUNJIGI_LIMITS__ENABLED", "true"),
        ("MUNJIGI_LIMITS__LOG_IN_ACCOUNT", "1000000/1m"),
        ("MUNJIGI_LIMITS__LOG_IN_ADDRESS", "1000000/1m"),
        ("MUNJIGI_LIMITS__REGISTRATION_ADDRESS", "1000000/1m"),
    ];
    let server = process::munjigi_with_files(&setup.binary, process::directory()?, &wide, FILES).await?;
    let mut cookies = String::new();
    let mut log_ins = Vec::new();
    for number in 0..USERS {
        let username = format!("user{number}");
        cookies = register(&mut Connection::open(server.address).await?, &username).await?;
        log_ins.push(post("/user/login", "", &json!({ "username": username, "password": PASSWORD })));
    }
    let probe = get("/user/info", "application/json", &cookies);

    let sixteen = log_ins.iter().take(16).cloned().collect();
    let capacity = Load::new(&server, sixteen, Until::Over(CALM)).run().await?.per_second();
    table.row("log-ins/s that can be hashed (16 clients, one after the other each)", format!("{capacity:.0}"));
    let quiet = Others::watched(&server, &probe, CALM).await?;
    quiet.tell(&mut table, "quiet", None);
    let scene = Scene { probe, log_ins, capacity, quiet, files: server.open_files()? };
    scene.storm(&mut table, &server).await?;
    scene.crowd(&mut table, &server).await?;
    Ok(table)
}

/// What is sent, and what is normal.
struct Scene {
    probe: Vec<u8>,
    log_ins: Vec<Vec<u8>>,
    /// Log-ins a second that can be hashed.
    capacity: f64,
    quiet: Others,
    /// Open files of the server.
    files: usize,
}

impl Scene {
    /// Ten times more log-ins than can be hashed, for a minute.
    async fn storm(&self, table: &mut Table, server: &Process) -> anyhow::Result<()> {
        let offered = offer(server.address, self.log_ins.clone(), TIMES * self.capacity, STORM);
        let (offered, others) = tokio::join!(offered, Others::watched(server, &self.probe, STORM));
        let ended = Instant::now();
        let (offered, others) = (offered?, others?);
        let mut connection = Connection::open(server.address).await?;
        for log_in in self.log_ins.iter().take(1) {
            connection.succeed(log_in).await?;
        }
        let recovered = ended.elapsed();
        let answered = |status| offered.by_status.get(&status).map_or(0, Histogram::len) as f64;
        let seconds = STORM.as_secs_f64();
        let refused = answered(503) + answered(429);
        table.row("log-ins/s offered", format!("{:.0}", offered.sent as f64 / seconds));
        table.row("log-ins/s that succeeded", format!("{:.1}", answered(200) / seconds));
        table.goal("goodput / what can be hashed", format!("{:.2}", answered(200) / seconds / self.capacity), "≥ 0.9");
        table.row("refused with 503 or 429", format!("{:.1} %", 100.0 * refused / offered.sent as f64));
        let odd: u64 = offered
            .by_status
            .iter()
            .filter(|(status, _)| ![200, 429, 503].contains(*status))
            .map(|(_, all)| all.len())
            .sum();
        table.goal("answered anything else, or not at all", format!("{odd}, {}", offered.lost), "0, 0");
        for (what, status) in [("refusal (503)", 503), ("success", 200)] {
            if let Some(latency) = offered.by_status.get(&status) {
                table.row(format!("a {what}: p50, p99, ms"), quantiles(latency));
            }
        }
        others.tell(table, "meanwhile", Some(&self.quiet));
        table.row("highest resident memory, MiB", format!("{:.0}", server.highest_resident()? / 1_048_576.0));
        table.row(
            "from the end of it to the next log-in that succeeded, ms",
            format!("{:.0}", recovered.as_secs_f64() * 1e3),
        );
        Ok(())
    }

    /// Five thousand that hold connections for nothing, while some log in.
    async fn crowd(&self, table: &mut Table, server: &Process) -> anyhow::Result<()> {
        let (address, stop) = (server.address, Arc::new(AtomicBool::new(false)));
        let opened = Arc::new(AtomicUsize::new(0));
        let crowd = {
            let (stop, opened) = (Arc::clone(&stop), Arc::clone(&opened));
            tokio::spawn(on_thread(None, async move || silence(address, &stop, &opened).await))
        };
        let mut most_files = 0;
        let begin = Instant::now();
        while opened.load(Ordering::Relaxed) < CROWD {
            ensure!(begin.elapsed() < STORM, "5,000 connections could not be opened");
            most_files = most_files.max(server.open_files()?);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let load = offer(server.address, self.log_ins.clone(), self.capacity / 2.0, CALM);
        let (load, others) = tokio::join!(load, Others::watched(server, &self.probe, CALM));
        let (load, others) = (load?, others?);
        most_files = most_files.max(server.open_files()?);
        stop.store(true, Ordering::Relaxed);
        crowd.await??;
        let ended = Instant::now();
        // The few above are what its own valid clients keep open.
        while server.open_files()? > self.files + 16 {
            ensure!(ended.elapsed() < STORM, "the descriptors of the crowd did not come back");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        table.row(
            "connections that the silent crowd opened, and opens again when closed",
            opened.load(Ordering::Relaxed),
        );
        others.tell(table, "beside the crowd", Some(&self.quiet));
        let welcome = load.by_status.get(&200).map_or(0, Histogram::len) as f64;
        table.row(
            "log-ins that succeeded beside it, of half as many as can be hashed",
            format!("{:.1} %", 100.0 * welcome / load.sent as f64),
        );
        table.goal("most open files", most_files, "≤ 1024");
        table.row("highest resident memory after all, MiB", format!("{:.0}", server.highest_resident()? / 1_048_576.0));
        table.row(
            "from the end of it until its descriptors were free, ms",
            format!("{:.0}", ended.elapsed().as_secs_f64() * 1e3),
        );
        Ok(())
    }
}

/// What became of the log-ins that were offered.
#[derive(Default)]
struct Offered {
    sent: usize,
    by_status: BTreeMap<u16, Histogram<u64>>,
    lost: usize,
}

/// Sends so many a second, at random moments, whatever becomes of those before.
async fn offer(address: SocketAddr, requests: Vec<Vec<u8>>, rate: f64, span: Duration) -> anyhow::Result<Offered> {
    on_thread(None, async move || {
        let requests: Vec<Arc<[u8]>> = requests.into_iter().map(Into::into).collect();
        let (spare, mut random) = (Arc::new(Mutex::new(Vec::new())), Random(0x6a09_e667_f3bc_c909));
        let (begin, mut due, mut sent) = (Instant::now(), 0.0_f64, 0);
        let mut under_way = JoinSet::new();
        let mut offered = Offered::default();
        while due < span.as_secs_f64() {
            tokio::time::sleep(Duration::from_millis(1)).await;
            while due <= begin.elapsed().as_secs_f64().min(span.as_secs_f64()) {
                let moment = begin + Duration::from_secs_f64(due);
                let Some(request) = requests.get(sent % requests.len()).cloned() else { break };
                let spare = Arc::clone(&spare);
                under_way.spawn(async move {
                    let status = one(address, &spare, &request).await;
                    (status, moment.elapsed())
                });
                sent += 1;
                // Exponential gaps: nobody agrees on when to come.
                let share = (random.below(1 << 24) as f64 + 0.5) / f64::from(1 << 24);
                due -= share.ln() / rate;
            }
            while let Some(done) = under_way.try_join_next() {
                offered.count(done?)?;
            }
        }
        while let Some(done) = under_way.join_next().await {
            offered.count(done?)?;
        }
        offered.sent = sent;
        Ok(offered)
    })
    .await
}

impl Offered {
    fn count(&mut self, (status, took): (Option<u16>, Duration)) -> anyhow::Result<()> {
        let Some(status) = status else {
            self.lost += 1;
            return Ok(());
        };
        let latency = match self.by_status.entry(status) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(histogram()?),
        };
        latency.saturating_record(u64::try_from(took.as_micros())?);
        Ok(())
    }
}

/// One request over a connection that is free, or over a new one; `None`: no answer.
async fn one(address: SocketAddr, spare: &Mutex<Vec<Connection>>, request: &[u8]) -> Option<u16> {
    let free = spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut connection = match free {
        Some(connection) => connection,
        None => Connection::open(address).await.ok()?,
    };
    let status = match connection.exchange(request).await {
        Ok(status) => status,
        // It had been closed meanwhile, as idle connections may be.
        Err(_) => {
            connection = Connection::open(address).await.ok()?;
            connection.exchange(request).await.ok()?
        }
    };
    spare.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    Some(status)
}

/// Latency of those who do nothing wrong.
struct Others {
    kept: Histogram<u64>,
    new: Histogram<u64>,
    failed: usize,
}

impl Others {
    /// One request after the other over one connection, and beside it over a new one each time.
    async fn watched(server: &Process, probe: &[u8], span: Duration) -> anyhow::Result<Self> {
        let (address, probe) = (server.address, probe.to_vec());
        on_thread(None, async move || {
            let (begin, failed) = (Instant::now(), AtomicUsize::new(0));
            let kept = async {
                let (mut latency, mut connection) = (histogram()?, Connection::open(address).await?);
                while begin.elapsed() < span {
                    let sent = Instant::now();
                    if connection.exchange(&probe).await.ok() != Some(200) {
                        failed.fetch_add(1, Ordering::Relaxed);
                        connection = Connection::open(address).await?;
                    }
                    latency.saturating_record(u64::try_from(sent.elapsed().as_micros())?);
                    tokio::time::sleep(PAUSE).await;
                }
                anyhow::Ok(latency)
            };
            let new = async {
                let mut latency = histogram()?;
                while begin.elapsed() < span {
                    let sent = Instant::now();
                    let asked = async { Connection::open(address).await?.exchange(&probe).await };
                    if asked.await.ok() != Some(200) {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                    latency.saturating_record(u64::try_from(sent.elapsed().as_micros())?);
                    tokio::time::sleep(PAUSE).await;
                }
                anyhow::Ok(latency)
            };
            let (kept, new) = tokio::join!(kept, new);
            Ok(Self { kept: kept?, new: new?, failed: failed.into_inner() })
        })
        .await
    }

    fn tell(&self, table: &mut Table, when: &str, quiet: Option<&Self>) {
        let rows = [
            ("one that stays open", &self.kept, quiet.map(|quiet| &quiet.kept)),
            ("a new one each time", &self.new, quiet.map(|quiet| &quiet.new)),
        ];
        for (over, latency, quiet) in rows {
            table.row(format!("a valid request over {over}, {when}: p50, p99, ms"), quantiles(latency));
            if let Some(quiet) = quiet {
                let ratio = latency.value_at_quantile(0.99) as f64 / quiet.value_at_quantile(0.99) as f64;
                table.goal(format!("its p99, {when} / quiet"), format!("{ratio:.1}"), "≤ 2");
            }
        }
        table.goal(format!("valid requests that failed, {when}"), self.failed, "0");
    }
}

fn quantiles(latency: &Histogram<u64>) -> String {
    let [p50, p99] = [0.5, 0.99].map(|quantile| latency.value_at_quantile(quantile) as f64 / 1e3);
    format!("{p50:.2}, {p99:.2}")
}

/// Holds connections, and opens each again that is closed, five seconds later.
async fn silence(address: SocketAddr, stop: &AtomicBool, opened: &Arc<AtomicUsize>) -> anyhow::Result<()> {
    let mut crowd = JoinSet::new();
    for number in 0..CROWD {
        let opened = Arc::clone(opened);
        crowd.spawn(async move {
            loop {
                // Refused or closed: it comes again.
                let _ = hold(address, number, &opened).await;
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        });
        if number % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    crowd.shutdown().await;
    Ok(())
}

async fn hold(address: SocketAddr, number: usize, opened: &AtomicUsize) -> anyhow::Result<()> {
    const HEAD: &str = "POST /user/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let socket = TcpSocket::new_v4()?;
    socket.bind(ELSEWHERE.get(number % ELSEWHERE.len()).unwrap_or(&"127.0.0.1:0").parse()?)?;
    let mut stream = socket.connect(address).await?;
    opened.fetch_add(1, Ordering::Relaxed);
    let (first, again) = match number % 4 {
        0 => (String::new(), ""),
        1 => (HEAD.to_owned(), "X"),
        2 => (format!("{HEAD}Content-Length: 60000\r\n\r\n"), " "),
        _ => (String::new(), "GET /user/login HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    };
    stream.write_all(first.as_bytes()).await?;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if again.is_empty() {
            closed(&stream).await?;
        }
        stream.write_all(again.as_bytes()).await?;
    }
}

/// Returns, with an error, when the server has closed it.
async fn closed(stream: &TcpStream) -> anyhow::Result<()> {
    stream.readable().await?;
    anyhow::bail!("closed")
}
