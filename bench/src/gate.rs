//! What the gate costs: the same axum server with it and without it, behind the same axum-server, given the same requests.
//!
//! The servers are this very program, started anew with `--stand`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_trait::async_trait;
use axum::{Router, routing};
use axum_server::accept::NoDelayAcceptor;
use hyper_util::rt::TokioTimer;
use munjigi_gate::jws::{Algorithm, SigningKey, VerifyingKey, sign};
use munjigi_gate::{
    AccessClaims, BoxError, Clock, CookieSettings, Gate, GateParts, KeySource, NoRenewal, RevokedSet, SameSite,
    SignedIn, Verifier, WhenStale, claims::ACCESS_TYPE,
};
use munjigi_rules::{Epoch, SessionId, Timestamp, UserId, revocation::Ended};

use crate::Setup;
use crate::load::{Load, Outcome, Until, get};
use crate::process::{self, Process};
use crate::report::{Spread, Table};

const ANSWERS: u64 = 20_000;
/// Short rounds, and more of them than elsewhere: the two lie close together.
const ROUNDS: usize = 3;
const CONNECTIONS: usize = 64;
/// Sessions that have ended and are remembered, so that the gate does not look into an empty set.
const ENDED: u64 = 10_000;
const SITE: &str = "http://localhost:3000";
const PATH: &str = "/hello";
const KID: &str = "0123456789abcdef";

/// Somebody who is signed in.
struct Visitor {
    algorithm: &'static str,
    request: Vec<u8>,
    /// Tells a server which key to trust.
    stand: String,
}

pub(crate) async fn measure(setup: &Setup) -> anyhow::Result<Table> {
    let mut table = Table::new(
        "The gate",
        "The same axum server with the gate and without it: one route that answers thirteen bytes, one worker thread on the \
         first core; 64 keep-alive connections, each sending its next request when the last was answered, from a thread on \
         the last core. Both get the same request with both cookies; behind the gate the handler takes `SignedIn`, the token \
         is in the cache, and 10,000 ended sessions are remembered. CPU is user and system time of the server's process. \
         A real handler does more than this one, so that the ratio of a real server is nearer to 1.",
    );
    let bare = process::own(&[], "bare", Some(0))?;
    for Visitor { algorithm, request, stand } in [visitor(Algorithm::Es256)?, visitor(Algorithm::Hs256)?] {
        let gated = process::own(&[], &stand, Some(0))?;
        let (mut with, mut without) = ((vec![], vec![]), (vec![], vec![]));
        for round in 0..setup.rounds * ROUNDS {
            // Which of the two comes first changes from round to round.
            for turn in 0..2 {
                let is_gate = (round + turn) % 2 == 0;
                let server = if is_gate { &gated } else { &bare };
                let outcome = fire(setup, server, vec![request.clone(); CONNECTIONS], ANSWERS).await?;
                let (cpu, rate) = if is_gate { &mut with } else { &mut without };
                cpu.push(outcome.cpu_micros());
                rate.push(outcome.per_second());
            }
        }
        table.row(format!("{algorithm}: CPU of a request without the gate, µs"), Spread::of(without.0.clone()));
        table.row(format!("{algorithm}: with it, µs"), Spread::of(with.0.clone()));
        table.goal(format!("{algorithm}: CPU, with / without"), Spread::ratio(&with.0, &without.0), "≤ 1.10");
        table.row(format!("{algorithm}: requests/s without the gate"), Spread::of(without.1.clone()));
        table.row(format!("{algorithm}: with it"), Spread::of(with.1.clone()));
        table.goal(format!("{algorithm}: requests/s, with / without"), Spread::ratio(&with.1, &without.1), "≥ 0.95");
    }
    Ok(table)
}

/// Instructions by callgrind, which counts the same whatever else the machine does.
pub(crate) async fn instructions(setup: &Setup) -> anyhow::Result<Table> {
    let mut table = Table::new(
        "Instructions of the gate",
        "The same servers under valgrind's callgrind, one connection: instructions of one request, as the difference between a \
         run of 4,000 requests and one of 1,000. Only what the programs do themselves is counted: what the kernel does for a \
         request, the larger part and the same for both, is not, so that this ratio lies above that of the CPU time.",
    );
    for Visitor { algorithm, request, stand } in [visitor(Algorithm::Es256)?, visitor(Algorithm::Hs256)?] {
        let mut per_request = [0.0; 2];
        for (stand, figure) in ["bare", &stand].iter().zip(&mut per_request) {
            let few = counted(setup, stand, &request, 1_000).await?;
            *figure = (counted(setup, stand, &request, 4_000).await? - few) / 3_000.0;
        }
        let [without, with] = per_request;
        table.row(format!("{algorithm}: instructions of a request without the gate"), format!("{without:.0}"));
        table.row(format!("{algorithm}: with it"), format!("{with:.0}"));
        table.row(format!("{algorithm}: with / without"), format!("{:.3}", with / without));
    }
    Ok(table)
}

/// All instructions of a server that answers so many requests and ends.
async fn counted(setup: &Setup, stand: &str, request: &[u8], answers: u64) -> anyhow::Result<f64> {
    let directory = process::directory()?;
    let file = directory.path().join("callgrind.out");
    let into = format!("--callgrind-out-file={}", file.display());
    let server = process::own(&["valgrind", "-q", "--tool=callgrind", &into], stand, None).context("valgrind")?;
    fire(setup, &server, vec![request.to_vec()], answers).await?;
    server.finish()?;
    let counts = std::fs::read_to_string(file)?;
    let total = counts.lines().find_map(|line| line.strip_prefix("totals:")).context("callgrind counted nothing")?;
    Ok(total.trim().parse()?)
}

async fn fire(setup: &Setup, server: &Process, requests: Vec<Vec<u8>>, answers: u64) -> anyhow::Result<Outcome> {
    Load { core: Some(setup.last_core), ..Load::new(server, requests, Until::Answers(answers)) }.run().await
}

/// Signs somebody in; the servers are only told the key.
fn visitor(algorithm: Algorithm) -> anyhow::Result<Visitor> {
    let key = match algorithm {
        Algorithm::Hs256 => shared_key()?,
        other => SigningKey::generate(other, KID)?,
    };
    let now = crate::rotations::NOW;
    let claims = AccessClaims {
        iss: SITE.to_owned(),
        sub: UserId::new(now, [7; 10]),
        aud: SITE.to_owned(),
        sid: SessionId::from_bytes([8; 16]),
        sep: Epoch(0),
        name: "Mina Kim".to_owned(),
        username: "mina.kim".to_owned(),
        iat: now.as_secs(),
        exp: now.as_secs() + 3600,
        jti: "9".repeat(32),
        auth_time: now.as_secs(),
        amr: vec!["pwd".to_owned()],
    };
    // Only as long as a real one: the gate does not read it while the access token is good.
    let (access, refresh) = (sign(&key, ACCESS_TYPE, &claims)?, sign(&shared_key()?, "rt+jwt", &claims)?);
    let request = get(PATH, "*/*", &format!("accessToken={access}; refreshToken={refresh}"));
    let stand = key.verifying_key().jwk().map_or("hs256".to_owned(), |jwk| jwk.to_string());
    Ok(Visitor { algorithm: algorithm.name(), request, stand })
}

fn shared_key() -> anyhow::Result<SigningKey> {
    Ok(SigningKey::from_bytes(Algorithm::Hs256, KID, &[6; 32])?)
}

/// Runs one of the servers, says where it listens, and ends when its standard input does.
pub(crate) fn stand(kind: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(serve(kind))
}

async fn serve(kind: &str) -> anyhow::Result<()> {
    const SOME_TIME: Duration = Duration::from_secs(10);
    let bare = Router::new().route(PATH, routing::get(async || "Hello, world!"));
    let router = match kind {
        "bare" => bare,
        "hs256" => gated(shared_key()?.verifying_key()).await?,
        jwk => gated(VerifyingKey::from_jwk(&serde_json::from_str(jwk)?)?).await?,
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    println!("{}", listener.local_addr()?);
    // As in `munjigi serve`.
    let mut server =
        axum_server::from_tcp(listener)?.acceptor(NoDelayAcceptor::new()).first_request_timeout(SOME_TIME).http1_only();
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(SOME_TIME).max_buf_size(32 * 1024);
    let parent = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    tokio::select! {
        ended = server.serve(router.into_make_service_with_connect_info::<SocketAddr>()) => Ok(ended?),
        _ = parent => Ok(()),
    }
}

/// The same route behind a gate.
async fn gated(key: VerifyingKey) -> anyhow::Result<Router> {
    let clock = Arc::new(OwnClock(Instant::now()));
    let verifier = Verifier::new(SITE, SITE, Arc::new(OneKey(key)));
    verifier.try_reload().await?;
    let revoked = Arc::new(RevokedSet::new());
    let feed_until = clock.now().plus(Duration::from_secs(3600));
    revoked.apply((0..ENDED).map(|number| {
        let session = SessionId::from_bytes((u128::from(number) << 64).to_be_bytes());
        Ended::Session { session, feed_until }
    }));
    revoked.mark_read(clock.now());
    let gate = Gate::new(GateParts {
        verifier: Arc::new(verifier),
        revoked,
        renew: Arc::new(NoRenewal),
        clock,
        cookies: CookieSettings::new(false, None, SameSite::Lax),
        when_stale: WhenStale::Serve,
        max_staleness: Duration::from_secs(5),
    });
    let route = routing::get(async |_: SignedIn| "Hello, world!");
    Ok(Router::new().route(PATH, route).route_layer(gate.layer()))
}

/// Costs what the server's own does, and runs under valgrind, where the system's quick clocks that rustix looks for are not.
struct OwnClock(Instant);

impl Clock for OwnClock {
    fn now(&self) -> Timestamp {
        crate::rotations::NOW.plus(self.0.elapsed())
    }
}

struct OneKey(VerifyingKey);

#[async_trait]
impl KeySource for OneKey {
    async fn load(&self) -> Result<Vec<VerifyingKey>, BoxError> {
        Ok(vec![self.0.clone()])
    }
}
