//! A load generator that costs little: requests that were built beforehand, over connections that stay open, each sent when
//! the one before it was answered. It runs on a thread of its own, which can be kept to one core.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::process::{Process, cpu_time, pin};

/// A connection, and the answer that came over it last.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request, reads all of its answer, and says its status.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.answer.clear();
        self.stream.write_all(request).await?;
        loop {
            ensure!(self.stream.read_buf(&mut self.answer).await? > 0, "the server closed a connection");
            if let Some((status, length)) = head(&self.answer)?
                && self.answer.len() >= length
            {
                return Ok(status);
            }
        }
    }

    /// The same, and anything but success is a failure of the measurement.
    pub(crate) async fn succeed(&mut self, request: &[u8]) -> anyhow::Result<()> {
        let status = self.exchange(request).await?;
        ensure!((200..300).contains(&status), "answered {status}: {}", String::from_utf8_lossy(&self.answer));
        Ok(())
    }

    /// A cookie that the last answer set.
    pub(crate) fn cookie(&self, name: &str) -> anyhow::Result<String> {
        let text = String::from_utf8_lossy(&self.answer);
        let mut lines = text.lines().filter_map(|line| line.strip_prefix("set-cookie: ")?.strip_prefix(name));
        let value = lines.find_map(|line| line.strip_prefix('=')?.split(';').next());
        value.map(str::to_owned).with_context(|| format!("{name} was not set"))
    }
}

/// Status and length of an answer whose head is complete.
fn head(answer: &[u8]) -> anyhow::Result<Option<(u16, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(answer)? else { return Ok(None) };
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok());
    let length = length.context("an answer without a length")?;
    Ok(Some((response.code.unwrap_or_default(), head + length)))
}

/// A request without a body.
pub(crate) fn get(path: &str, accept: &str, cookies: &str) -> Vec<u8> {
    const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {BROWSER}\r\nAccept: {accept}\r\n\
         Accept-Language: en\r\nCookie: {cookies}\r\n\r\n"
    )
    .into_bytes()
}

/// A request with a JSON body.
pub(crate) fn post(path: &str, cookies: &str, body: &serde_json::Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nCookie: {cookies}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// When to stop.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Answers(u64),
    Over(Duration),
}

/// What to send.
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    /// One a connection.
    pub(crate) requests: Vec<Vec<u8>>,
    pub(crate) until: Until,
    /// Waits so long between an answer and the next request; none: as fast as it goes.
    pub(crate) pause: Option<Duration>,
    /// Whose CPU time is counted.
    pub(crate) processes: Vec<u32>,
    /// Keeps the generator to this core.
    pub(crate) core: Option<usize>,
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) answers: f64,
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    /// In microseconds, from sending a request to the end of its answer.
    pub(crate) latency: Histogram<u64>,
}

impl Outcome {
    pub(crate) fn per_second(&self) -> f64 {
        self.answers / self.wall.as_secs_f64()
    }

    pub(crate) fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.answers
    }
}

impl Load {
    /// One request after the other on each connection, as fast as it goes.
    pub(crate) fn new(server: &Process, requests: Vec<Vec<u8>>, until: Until) -> Self {
        let processes = vec![server.id()];
        Self { address: server.address, requests, until, pause: None, processes, core: None }
    }

    /// Opens the connections, lets each have one answer, and then begins to count.
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        on_thread(self.core, move || self.drive()).await
    }

    async fn drive(self) -> anyhow::Result<Outcome> {
        let mut connections = Vec::new();
        for request in self.requests {
            let mut connection = Connection::open(self.address).await?;
            connection.succeed(&request).await?;
            connections.push((connection, request));
        }
        let left = Arc::new(AtomicU64::new(if let Until::Answers(count) = self.until { count } else { u64::MAX }));
        let (cpu, begin) = (cpu_time(&self.processes)?, Instant::now());
        let end = if let Until::Over(time) = self.until { Some(begin + time) } else { None };
        let mut clients = JoinSet::new();
        for (mut connection, request) in connections {
            let (left, pause) = (Arc::clone(&left), self.pause);
            clients.spawn(async move {
                let mut latency = histogram()?;
                while end.is_none_or(|end| Instant::now() < end) && take(&left) {
                    let sent = Instant::now();
                    connection.succeed(&request).await?;
                    latency.saturating_record(u64::try_from(sent.elapsed().as_micros())?);
                    if let Some(pause) = pause {
                        tokio::time::sleep(pause).await;
                    }
                }
                anyhow::Ok(latency)
            });
        }
        let mut latency = histogram()?;
        for each in clients.join_all().await {
            latency.add(each?)?;
        }
        let (wall, cpu) = (begin.elapsed(), cpu_time(&self.processes)?.saturating_sub(cpu));
        Ok(Outcome { answers: latency.len() as f64, wall, cpu, latency })
    }
}

fn take(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

pub(crate) fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 2)?)
}

/// Runs it to its end on a thread of its own.
pub(crate) async fn on_thread<T, F>(core: Option<usize>, work: impl FnOnce() -> F + Send + 'static) -> anyhow::Result<T>
where
    T: Send + 'static,
    F: Future<Output = anyhow::Result<T>>,
{
    let (done, wait) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let run = || {
            if let Some(core) = core {
                pin(core)?;
            }
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work())
        };
        // Nobody waits for it any more once the measurement was broken off.
        let _ = done.send(run());
    });
    wait.await?
}
