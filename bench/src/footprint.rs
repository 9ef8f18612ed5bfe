//! What the server and its sessions take: memory, disk, and time to start.

use std::path::Path;
use std::time::Instant;

use munjigi_rules::SessionId;
use munjigi_store::{Redis, Sessions as _};
use tempfile::TempDir;

use crate::Setup;
use crate::load::{Connection, get};
use crate::process::{self, Process};
use crate::report::{Spread, Table};
use crate::rotations::{NOW, number, opening, user};

const USERS: u32 = 10_000;
const STARTS: usize = 20;
const MIB: f64 = 1024.0 * 1024.0;

pub(crate) async fn redis_memory(_: &Setup) -> anyhow::Result<Table> {
    let mut table = Table::new(
        "Redis memory",
        "What 10,000 users' sessions add to `used_memory` of an empty Redis, less what its connections take, divided by the number of \
         sessions: keys, times to live and tables counted. Tables double as they grow, so that another number of users gives \
         a somewhat different figure; fragmentation and replication are not in it.",
    );
    for sessions in [1, 3] {
        let server = process::redis().await?;
        let store = Redis::connect(&url(&server)).await?;
        // The scripts stay in the server's memory whatever it holds.
        store.open(user(USERS), SessionId::from_bytes(number(0)), opening().record, NOW).await?;
        let before = used(&server).await?;
        for each in 0..USERS {
            for session in 0..sessions {
                let session = SessionId::from_bytes(number(u128::from(each) << 8 | session));
                store.open(user(each), session, opening().record, NOW).await?;
            }
        }
        let bytes = (used(&server).await? - before) / (f64::from(USERS) * sessions as f64);
        table.goal(format!("bytes of a session, {sessions} a user"), format!("{bytes:.0}"), "≤ 256");
    }
    Ok(table)
}

pub(crate) fn url(server: &Process) -> String {
    format!("redis://{}/", server.address)
}

async fn used(server: &Process) -> anyhow::Result<f64> {
    let mut raw = redis::Client::open(url(server))?.get_multiplexed_async_connection().await?;
    let memory: redis::InfoDict = redis::cmd("INFO").arg("memory").query_async(&mut raw).await?;
    let get = |name: &str| memory.get::<f64>(name).unwrap_or(f64::NAN);
    Ok(get("used_memory") - get("mem_clients_normal"))
}

pub(crate) async fn server(setup: &Setup) -> anyhow::Result<Table> {
    let mut table = Table::new(
        "Footprint",
        "`munjigi serve` with its defaults. Resident memory after the start and one request, before any password was hashed (each \
         core's hashing thread keeps 19 MiB once it has hashed). Start: from spawning the process to the first answer of `/healthz`, \
         asked every millisecond, the binary in the page cache.",
    );
    let (mut first, mut again, mut resident) = (vec![], vec![], vec![]);
    for _ in 0..setup.rounds {
        let (took, server) = start(&setup.binary, process::directory()?).await?;
        first.push(took);
        drop(server);
    }
    let (_, mut server) = start(&setup.binary, process::directory()?).await?;
    for _ in 0..STARTS {
        let (took, next) = start(&setup.binary, server.kill()?).await?;
        again.push(took);
        let page = get("/user/info", "text/html", "");
        Connection::open(next.address).await?.succeed(&page).await?;
        resident.push(next.resident()? / MIB);
        server = next;
    }
    table.goal("resident, idle, MiB", Spread::of(resident), "≤ 20");
    table.goal("start to first answer, ms", Spread::of(again), "≤ 50");
    table.goal("the very first start (database, secret and key are made), ms", Spread::of(first), "");
    let bytes = std::fs::metadata(&setup.binary)?.len();
    table.goal("binary, stripped, MiB", format!("{:.1}", bytes as f64 / MIB), "≤ 20");
    Ok(table)
}

/// Milliseconds to the first answer.
async fn start(binary: &Path, directory: TempDir) -> anyhow::Result<(f64, Process)> {
    let begin = Instant::now();
    let server = process::munjigi(binary, directory, &[], None).await?;
    Ok((begin.elapsed().as_secs_f64() * 1e3, server))
}
