//! `munjigi serve`

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum_server::{Address, Handle, Server};
use clap::Args;
use hyper_util::rt::TokioTimer;
use secrecy::ExposeSecret as _;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};

use super::connections::{Connections, Door, Seating};
use super::{is_private, output};
use crate::AnchoredClock;
use crate::app::App;
use crate::config::values::shown_url;
use crate::config::{Config, Layers};
use crate::http::input::MOST_HEAD;

/// Connections that may wait to be accepted: a crowd that comes at once must not have to knock twice.
const BACKLOG: u32 = 1024;
/// Connections to the operations listener: a scraper, a probe, and somebody who looks. The descriptors for them are in the reserve.
const OPERATIONS_CONNECTIONS: usize = 8;
/// Requests under way have so long to end when the server is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Runs the server
#[derive(Args, Default)]
pub(super) struct Serve {
    /// Address and port to listen on (server.listen)
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The address that visitors type in (server.public_url)
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Folder of the embedded stores (server.data_dir)
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
}

impl Serve {
    pub(super) fn run(self, mut layers: Layers) -> anyhow::Result<ExitCode> {
        let flags = [
            ("server.listen", self.listen),
            ("server.public_url", self.public_url),
            ("server.data_dir", self.data_dir),
        ];
        for (key, value) in flags {
            if let Some(value) = value {
                layers = layers.flag(key, value);
            }
        }
        let config = Config::read(&layers)?;
        crate::telemetry::start(&config.log)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(serve(config))?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn serve(mut config: Config) -> anyhow::Result<()> {
    let listener = listen("server.listen", config.server.listen)?;
    let operations =
        config.server.operations_listen.map(|address| listen("server.operations_listen", address)).transpose()?;
    // With port 0 the system chooses one, and the public URL follows.
    let listen = listener.local_addr()?;
    if config.server.listen.port() == 0 && config.server.public_url.port() == Some(0) {
        follow(&mut config, listen.port());
    }
    let app = App::open(&config, Arc::new(AnchoredClock::start())).await?;
    greet(&config, listen, operations.as_ref().map(TcpListener::local_addr).transpose()?);
    warn(&config);

    let patience = config.server.client_timeout;
    let counts = app.core.metrics.connections.clone();
    let connections = Connections::new(config.server.max_connections, patience, counts);
    // One for both listeners: whichever ends first has then waited for the requests under way on either.
    let handle = Handle::new();
    let keeping_up = tokio::spawn(Arc::clone(&app).keep_up());
    tokio::spawn(stop(handle.clone(), Arc::clone(&app))?);
    let beside = async {
        let Some(listener) = operations else { return std::future::pending().await };
        // Its connections are not those that are counted.
        let connections = Connections::new(OPERATIONS_CONNECTIONS, patience, Default::default());
        answer(listener, crate::routes::operations(&app), connections, handle.clone()).await
    };
    tokio::select! {
        ended = answer(listener, crate::routes::router(&app), connections, handle.clone()) => ended.context("the server stopped")?,
        ended = beside => ended.context("the operations listener stopped")?,
        // Without this task revocations would no longer arrive: better to stop, and be started again.
        ended = keeping_up => anyhow::bail!("the task that reads revocations ended: {ended:?}"),
    }
    tracing::info!("stopped");
    Ok(())
}

/// Answers what comes to one listener, until it is told to stop.
async fn answer(
    listener: TcpListener,
    router: Router,
    connections: Arc<Connections>,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    let patience = connections.patience();
    let mut server = Server::<SocketAddr>::from_listener(listener)
        .acceptor(Door)
        .accept_error_handler({
            let connections = Arc::clone(&connections);
            move |peer, error| {
                // With an address it was accepted, and then there was no place for it.
                if peer.is_none() {
                    connections.accept_failed(error);
                }
            }
        })
        .handle(handle)
        .first_request_timeout(patience)
        .http1_only();
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(MOST_HEAD);
    server.serve(Seating { make: router.into_make_service_with_connect_info::<SocketAddr>(), connections }).await
}

fn listen(setting: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address).and_then(|()| socket.listen(BACKLOG)).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{setting} = {address}: something listens there already; stop it, or choose another port: \
             `munjigi serve {}127.0.0.1:3001`",
            if setting == "server.listen" { "--listen " } else { "--set server.operations_listen=" }
        ),
        _ => anyhow::anyhow!("{setting} = {address}: {error}"),
    })
}

fn follow(config: &mut Config, port: u16) {
    let old = config.server.public_url.as_str().trim_end_matches('/').to_owned();
    // The URL parser has accepted the same URL with another port.
    let _ = config.server.public_url.set_port(Some(port));
    let new = config.server.public_url.as_str().trim_end_matches('/').to_owned();
    for name in [&mut config.tokens.issuer, &mut config.tokens.audience] {
        if *name == old {
            name.clone_from(&new);
        }
    }
}

/// Where it listens, where its data is, and what to open.
fn greet(config: &Config, listen: SocketAddr, operations: Option<SocketAddr>) {
    let url = config.server.public_url.as_str().trim_end_matches('/');
    let sessions = match &config.store.redis_url {
        None => "beside the users".to_owned(),
        Some(url) => format!("Redis at {}", shown_url(url.expose_secret())),
    };
    let lines = [
        ("listens on", listen.to_string()),
        ("users", format!("SQLite in {}", config.sqlite_path().display())),
        ("sessions", sessions),
        (
            "tokens",
            format!("{}, good for {} s", config.tokens.algorithm.name(), config.tokens.lifetimes.access.as_secs()),
        ),
        ("open", format!("{url}{}/register", config.server.base_path)),
    ];
    let operations = operations.map(|address| ("operations", format!("http://{address}/metrics")));
    output::say(&format!("Munjigi {} stands at the gate of {url}", env!("CARGO_PKG_VERSION")));
    for (what, value) in lines.into_iter().chain(operations) {
        output::say(&format!("  {what:<11} {value}"));
    }
}

fn warn(config: &Config) {
    if config.tokens.lifetimes.access < Duration::from_secs(60) {
        tracing::warn!(
            note = "tokens.access_ttl is under 60s: a request that takes a third of it from sending to answer can sign somebody out",
            "short_access_ttl"
        );
    }
    if config.pages.development {
        tracing::warn!(
            note = "pages.development is on: logo and pages.folder are read again for each request, and what is wrong in them is shown to visitors",
            "pages_development"
        );
    }
    let public = config.server.public_url.host_str().unwrap_or_default();
    if !config.https() && !matches!(public, "localhost" | "127.0.0.1" | "[::1]") {
        tracing::warn!(
            public,
            note = "server.public_url is not https: passwords and cookies can be read on the way",
            "no_https"
        );
    }
    if let Some(address) = config.server.operations_listen.filter(|address| !is_private(address.ip())) {
        tracing::warn!(
            %address,
            note = "server.operations_listen can be reached from everywhere: whoever asks learns how busy the server is and what fails",
            "operations_exposed"
        );
    }
}

/// Waits to be told to stop, then lets the requests under way end.
fn stop<A: Address + Send + Sync + 'static>(
    handle: Handle<A>,
    app: Arc<App>,
) -> io::Result<impl Future<Output = ()> + Send> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!(note = "requests under way have 10 s to end", "stopping");
        app.stop();
        handle.graceful_shutdown(Some(DRAIN));
    })
}
