//! What a request costs the whole server: all its layers, its own pages and the log.

use crate::Setup;
use crate::load::{Connection, Load, Until, get, post};
use crate::process;
use crate::report::{Spread, Table};

const ANSWERS: u64 = 20_000;
const CONNECTIONS: usize = 64;

pub(crate) async fn measure(setup: &Setup) -> anyhow::Result<Table> {
    let mut table = Table::new(
        "The server",
        "`munjigi serve` with its defaults (ES256, everything in SQLite) but for the limits, which are off, the log, which tells errors only, \
         and one worker thread on the first core. 64 keep-alive connections from a thread on the last core. `/user/info` with a \
         valid access token: routing, gate, negotiation and security headers, and no store; beside it `/healthz`, which knows \
         no user. Not a browser's experience: nothing of it is TLS, a proxy or a network.",
    );
    let server = process::munjigi(&setup.binary, process::directory()?, &[], Some(0)).await?;
    let cookies = register(&mut Connection::open(server.address).await?, "mina").await?;
    let requests = [
        ("`/healthz`", get("/healthz", "application/json", &cookies)),
        ("`/user/info` as JSON", get("/user/info", "application/json", &cookies)),
        ("`/user/info` as a page", get("/user/info", "text/html", &cookies)),
    ];
    let mut figures = requests.each_ref().map(|_| (vec![], vec![]));
    for _ in 0..setup.rounds {
        for ((_, request), (cpu, rate)) in requests.iter().zip(&mut figures) {
            let load = Load::new(&server, vec![request.clone(); CONNECTIONS], Until::Answers(ANSWERS));
            let outcome = Load { core: Some(setup.last_core), ..load }.run().await?;
            cpu.push(outcome.cpu_micros());
            rate.push(outcome.per_second());
        }
    }
    for ((what, _), (cpu, rate)) in requests.iter().zip(figures) {
        table.row(format!("{what}: CPU of a request, µs"), Spread::of(cpu));
        table.row(format!("{what}: requests/s on one core"), Spread::of(rate));
    }
    Ok(table)
}

pub(crate) const PASSWORD: &str = "a kettle of blue fish";

/// Registers somebody and gives their cookies.
pub(crate) async fn register(connection: &mut Connection, username: &str) -> anyhow::Result<String> {
    let form = serde_json::json!({
        "username": username, "password": PASSWORD, "confirmPassword": PASSWORD, "name": "Mina Kim"
    });
    connection.succeed(&post("/user/register", "", &form)).await?;
    cookies(connection)
}

/// Both cookies of an answer, as the next request carries them.
pub(crate) fn cookies(connection: &Connection) -> anyhow::Result<String> {
    let (access, refresh) = (connection.cookie("accessToken")?, connection.cookie("refreshToken")?);
    Ok(format!("accessToken={access}; refreshToken={refresh}"))
}
