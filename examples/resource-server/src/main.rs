//! A service of its own that trusts a Munjigi server. With the server at http://localhost:3000:
//!
//! ```console
//! $ export FEED_TOKEN=$(munjigi secret feed-token)
//! $ cargo run -p munjigi-example-resource-server -- http://localhost:3000
//! $ curl -H "Authorization: Bearer $ACCESS_TOKEN" http://localhost:4000/notes
//! ```
//!
//! A browser that is logged in at http://localhost:3000 is known at http://localhost:4000 too: cookies do not look at ports.

#![expect(clippy::print_stdout, reason = "an example speaks")]

use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::routing::{get, post};
use munjigi_gate::remote::{RemoteSettings, connect};
use munjigi_gate::{SignedIn, WhenStale};

async fn notes(SignedIn(who): SignedIn) -> String {
    format!("{}, these are your notes.", who.name())
}

async fn transfer(SignedIn(who): SignedIn) -> String {
    format!("{}, it is done.", who.name())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let mut arguments = std::env::args().skip(1);
    let issuer = arguments.next().context("usage: resource-server ISSUER [ADDRESS:PORT]")?;
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:4000".to_owned());
    #[expect(clippy::disallowed_methods, reason = "an example has no configuration")]
    let feed_token = std::env::var("FEED_TOKEN").context("FEED_TOKEN: what `munjigi secret feed-token` prints")?;

    // Without a word from the server for five seconds, this service refuses rather than trusts.
    let settings = RemoteSettings { when_stale: WhenStale::Refuse, ..RemoteSettings::new(issuer, feed_token) };
    let gate = connect(settings).await?;

    let recent = Router::new().route("/transfer", post(transfer));
    let app = Router::new()
        .route("/notes", get(notes))
        .merge(recent.route_layer(gate.demand().max_age(Duration::from_secs(300))))
        .route_layer(gate.layer());

    let listener = tokio::net::TcpListener::bind(listen).await?;
    println!("listens on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
