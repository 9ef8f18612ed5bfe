//! Rotations of refresh tokens: through the store alone, and through the whole server.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use munjigi_rules::refresh::{LATE, Presented, Record, Rotation};
use munjigi_rules::session::{Lifetimes, Opening, open};
use munjigi_rules::{Epoch, Generation, Nonce, SessionId, Timestamp, UserId};
use munjigi_store::{Migrate, Redis, Sessions, Sqlite};
use tokio::task::{JoinSet, LocalSet};

use crate::Setup;
use crate::footprint::url;
use crate::load::{Connection, on_thread, post};
use crate::process::{self, Process, SECRET, cpu_time};
use crate::report::{Spread, Table};
use crate::server::{cookies, register};

const CALLERS: u32 = 64;
const PHASE: Duration = Duration::from_secs(2);
/// Rotations that redis-benchmark makes in a round.
const COMMANDS: u32 = 100_000;
/// Sessions that are rotated over HTTP, each once a round.
const SESSIONS: u64 = 6_400;
/// After so long an access token of 1 s has expired, and a refresh token is no longer young.
const EXPIRED: Duration = Duration::from_millis(1_200);

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const LIFETIMES: Lifetimes = Lifetimes {
    access: Duration::from_secs(600),
    idle: Duration::from_secs(14 * 86_400),
    absolute: Duration::from_secs(90 * 86_400),
};

pub(crate) async fn measure(setup: &Setup) -> anyhow::Result<Table> {
    let mut table = Table::new(
        "Rotations",
        "Through the store alone: 64 tasks on one thread, each rotating a session of its own, one token after the other; every rotation is a \
         write. SQLite is a file on disk and flushes for each group of writes; Redis is a private server without persistence, and \
         beside it `redis-benchmark -c 64` runs the same script, every call a write as well, on 64 keys. Over HTTP: `POST /user/refresh` \
         over 64 connections, each with another session's expired access token and its refresh token, so that an ES256 signature is \
         checked and one is made; the CPU is the server's and Redis's together.",
    );
    let redis = process::redis().await?;
    let in_redis = Redis::connect(&url(&redis)).await?;
    let script = Script::load(&redis, &in_redis).await?;
    let directory = process::directory()?;
    let in_sqlite = Sqlite::open(&directory.path().join("munjigi.db"), Migrate::Auto)?;
    let (mut sqlite_rate, mut redis_rate, mut redis_cpu, mut script_rate) = (vec![], vec![], vec![], vec![]);
    for _ in 0..setup.rounds {
        sqlite_rate.push(rotate(in_sqlite.clone()).await?);
        let before = cpu_time(&[redis.id()])?;
        let rate = rotate(Redis::connect(&url(&redis)).await?).await?;
        let cpu = cpu_time(&[redis.id()])?.saturating_sub(before);
        redis_rate.push(rate);
        redis_cpu.push(cpu.as_secs_f64() * 1e6 / (rate * PHASE.as_secs_f64()));
        script_rate.push(script.run(&redis).await?);
    }
    script.has_written(&in_redis).await?;
    table.row("SQLite: rotations/s", Spread::of(sqlite_rate));
    table.row("Redis: rotations/s", Spread::of(redis_rate.clone()));
    table.row("Redis: CPU of the server for a rotation, µs", Spread::of(redis_cpu));
    table.row("redis-benchmark: the same script/s", Spread::of(script_rate.clone()));
    table.goal("Redis, rotations / redis-benchmark", Spread::ratio(&redis_rate, &script_rate), "≥ 0.80");

    over_http(setup, "SQLite", None, &mut table).await?;
    over_http(setup, "Redis", Some(&redis), &mut table).await?;
    Ok(table)
}

/// Rotations a second, each caller going from token to token.
async fn rotate<S: Sessions + 'static>(store: S) -> anyhow::Result<f64> {
    let store = Arc::new(store);
    on_thread(None, async move || {
        let (begin, count) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let (store, count) = (Arc::clone(&store), Arc::clone(&count));
            callers.spawn(async move {
                let (user, session, opening) = (user(caller), SessionId::from_bytes(number(1)), opening());
                store.open(user, session, opening.record, NOW).await?;
                let (mut next, mut fresh) = (opening.first, 10);
                while begin.elapsed() < PHASE {
                    fresh += 1;
                    let shown = Presented {
                        generation: next.generation,
                        nonce: next.nonce,
                        parent: next.parent,
                        issued_at: NOW.minus(LIFETIMES.access),
                    };
                    let (terms, fresh) = (LIFETIMES.terms(Epoch(0)), Nonce::from_bytes(number(fresh)));
                    match store.rotate(user, session, shown, terms, fresh, NOW).await? {
                        Rotation::Rotated { next: successor, .. } => next = successor,
                        other => anyhow::bail!("not rotated: {other:?}"),
                    }
                    count.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            });
        }
        callers.join_all().await.into_iter().collect::<anyhow::Result<()>>()?;
        Ok(count.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64())
    })
    .await
}

pub(crate) fn opening() -> Opening {
    open(&LIFETIMES, Epoch(0), Nonce::from_bytes(number(2)), Nonce::from_bytes(number(3)), NOW)
}

pub(crate) fn number(number: u128) -> [u8; 16] {
    number.to_be_bytes()
}

/// A user whose id ends in this number as twelve decimal digits, as redis-benchmark writes its random numbers.
pub(crate) fn user(number: u32) -> UserId {
    let mut digits = number;
    let mut bytes = [0x01, 0x8f, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0];
    for byte in bytes.iter_mut().skip(10).rev() {
        let two = u8::try_from(digits % 100).unwrap_or_default();
        *byte = (two / 10) << 4 | (two % 10);
        digits /= 100;
    }
    UserId::from_bytes(bytes)
}

/// The store's own script, as redis-benchmark calls it. Its arguments stay the same, so they are chosen such that each call
/// rotates: at the last generation there is, a token that is its own parent is its own successor.
struct Script {
    sha: String,
}

impl Script {
    const CODE: &str = concat!(
        include_str!("../../crates/munjigi-store/src/redis/record.lua"),
        include_str!("../../crates/munjigi-store/src/sessions/rotate.lua")
    );
    const SESSION: [u8; 16] = *b"session-of-bench";
    const NONCE: [u8; 16] = *b"nonce-of-a-bench";

    async fn load(server: &Process, store: &Redis) -> anyhow::Result<Self> {
        let mut raw = redis::Client::open(url(server))?.get_multiplexed_async_connection().await?;
        let sha = redis::cmd("SCRIPT").arg("LOAD").arg(Self::CODE).query_async(&mut raw).await?;
        let last =
            Record { generation: Generation(u32::MAX), spent: Nonce::from_bytes(Self::NONCE), ..opening().record };
        for each in 0..CALLERS {
            store.open(user(each), SessionId::from_bytes(Self::SESSION), last, NOW).await?;
        }
        Ok(Self { sha })
    }

    /// Calls a second.
    async fn run(&self, server: &Process) -> anyhow::Result<f64> {
        let key = user(0).to_string().replace("000000000000", "__rand_int__");
        let now = NOW.as_millis() + 1;
        let millis = |span: Duration| span.as_millis().to_string();
        let mut command = Command::new("redis-benchmark");
        command.args(["-p", &server.address.port().to_string(), "-c", &CALLERS.to_string()]);
        command.args(["-n", &COMMANDS.to_string(), "-r", &CALLERS.to_string(), "--csv"]);
        command.args(["EVALSHA", &self.sha, "1", &format!("munjigi:s:{{{key}}}")]);
        let [session, nonce] = [Self::SESSION, Self::NONCE].map(|bytes| OsString::from_vec(bytes.to_vec()));
        command.arg(session).args([now.to_string(), u32::MAX.to_string()]).args([&nonce, &nonce]);
        command.args([
            (now - 600_000).to_string(),
            millis(LIFETIMES.access / 2),
            millis(LIFETIMES.idle),
            "0".to_owned(),
        ]);
        command.args([millis(LATE), "60000".to_owned(), (100 * 365 * 24 * 3_600_000_i64).to_string()]);
        let run = tokio::task::spawn_blocking(move || command.output());
        let output = run.await?.context("redis-benchmark (Debian: the package redis-tools)")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let rate = text.lines().last().and_then(|line| line.split("\",\"").nth(1)?.parse().ok());
        rate.with_context(|| format!("redis-benchmark said: {text}"))
    }

    /// Redis-benchmark does not look at its answers.
    async fn has_written(&self, store: &Redis) -> anyhow::Result<()> {
        let sessions = store.list(user(CALLERS - 1), NOW).await?;
        let written = sessions.iter().find(|live| live.session == SessionId::from_bytes(Self::SESSION));
        let record = written.context("the benchmark's session has ended")?.record;
        ensure!(record.rotated_at > NOW && record.generation == Generation(u32::MAX), "redis-benchmark did not rotate");
        Ok(())
    }
}

async fn over_http(setup: &Setup, name: &str, redis: Option<&Process>, table: &mut Table) -> anyhow::Result<()> {
    let redis_url = redis.map(url).unwrap_or_default();
    // The cheapest hashes there are: no password matters here.
    let settings = [
        ("MUNJIGI_TOKENS__ACCESS_TTL", "1s"),
        ("MUNJIGI_PASSWORDS__ARGON2_MEMORY", "8KiB"),
        ("MUNJIGI_PASSWORDS__ARGON2_PASSES", "1"),
        ("MUNJIGI_PASSWORDS__QUEUE", "1000"),
        SECRET,
        ("MUNJIGI_STORE__REDIS_URL", &redis_url),
    ];
    let settings = if redis.is_some() { &settings[..] } else { settings.split_at(5).0 };
    let server = process::munjigi(&setup.binary, process::directory()?, settings, None).await?;
    let processes: Vec<u32> = redis.iter().map(|redis| redis.id()).chain([server.id()]).collect();
    let mut sessions =
        for_each_caller(vec![vec![]; CALLERS as usize], &server, async |connection, caller, signed_in| {
            for number in 0..SESSIONS / u64::from(CALLERS) {
                signed_in.push(register(connection, &format!("user-{caller}-{number}")).await?);
            }
            Ok(())
        })
        .await?;
    let (mut rate, mut micros) = (vec![], vec![]);
    for _ in 0..setup.rounds {
        tokio::time::sleep(EXPIRED).await;
        let (cpu, begin) = (cpu_time(&processes)?, Instant::now());
        sessions = for_each_caller(sessions, &server, async |connection, _, signed_in| {
            for tokens in signed_in {
                connection.succeed(&post("/user/refresh", tokens, &serde_json::Value::Null)).await?;
                let next = cookies(connection)?;
                let refresh = |cookies: &str| cookies.split_once("; ").map(|(_, refresh)| refresh.to_owned());
                ensure!(refresh(&next) != refresh(tokens), "a refresh token was kept");
                *tokens = next;
            }
            Ok(())
        })
        .await?;
        let (wall, cpu) = (begin.elapsed(), cpu_time(&processes)?.saturating_sub(cpu));
        rate.push(SESSIONS as f64 / wall.as_secs_f64());
        micros.push(cpu.as_secs_f64() * 1e6 / SESSIONS as f64);
    }
    table.row(format!("{name}, over HTTP: rotations/s"), Spread::of(rate));
    table.row(format!("{name}, over HTTP: CPU of one, µs"), Spread::of(micros));
    Ok(())
}

/// Does the same for all callers at once, each over a connection of its own and with the cookies of its own sessions.
async fn for_each_caller(
    sessions: Vec<Vec<String>>,
    server: &Process,
    work: impl AsyncFn(&mut Connection, usize, &mut Vec<String>) -> anyhow::Result<()> + Copy + Send + 'static,
) -> anyhow::Result<Vec<Vec<String>>> {
    let address = server.address;
    on_thread(None, async move || {
        let (local, mut callers) = (LocalSet::new(), JoinSet::new());
        for (caller, mut signed_in) in sessions.into_iter().enumerate() {
            let each = async move {
                let mut connection = Connection::open(address).await?;
                work(&mut connection, caller, &mut signed_in).await?;
                Ok(signed_in)
            };
            callers.spawn_local_on(each, &local);
        }
        local.run_until(callers.join_all()).await.into_iter().collect()
    })
    .await
}
