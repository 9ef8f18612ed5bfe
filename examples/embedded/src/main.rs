//! An app of your own with log-in: `cargo run -p munjigi-example-embedded`, then open http://localhost:3000.
//!
//! Settings are read from `munjigi.toml`, if it is there. docs/embedding.md walks through this file.

#![expect(clippy::print_stdout, reason = "an example speaks")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::routing::{get, post};
use axum::{Router, response::Html};
use munjigi::config::layers::Required;
use munjigi::gate::SignedIn;
use munjigi::{AnchoredClock, App, Config, Layers};

/// For everybody: who is signed in is known, if anybody is.
async fn home(who: Option<SignedIn>) -> Html<String> {
    Html(match who {
        Some(SignedIn(who)) => format!(r#"Hello, user {}! <a href="/user/account">account</a>"#, who.username()),
        None => r#"Hello, stranger! <a href="/user/login?return_to=/">log in</a>"#.to_owned(),
    })
}

/// For those who are signed in: others are answered with 401.
async fn notes(SignedIn(who): SignedIn) -> String {
    format!("{}, these are your notes.", who.name())
}

/// For those who have logged in a moment ago.
async fn transfer(SignedIn(who): SignedIn) -> String {
    format!("{}, it is done.", who.name())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::read(&Layers::new().file(Path::new("munjigi.toml"), Required::No)?)?;
    let login = App::open(&config, Arc::new(AnchoredClock::start())).await?;
    // Revocations and keys are read twice a second.
    tokio::spawn(Arc::clone(&login).keep_up());

    let recent = Router::new().route("/transfer", post(transfer));
    let app = Router::new()
        .route("/", get(home))
        .route("/notes", get(notes))
        .merge(recent.route_layer(login.gate.demand().max_age(Duration::from_secs(300))))
        .route_layer(login.gate.layer())
        // Log-in, registration, account: everything under /user.
        .merge(munjigi::embed(&login));

    let listener = tokio::net::TcpListener::bind(config.server.listen).await?;
    println!("open http://localhost:{}", listener.local_addr()?.port());
    // With the address of the other end, or limits by address cannot work.
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move {
            let _ = tokio::signal::ctrl_c().await;
            // Services that follow the revocations would stay for ever.
            login.stop();
        })
        .await?;
    Ok(())
}
