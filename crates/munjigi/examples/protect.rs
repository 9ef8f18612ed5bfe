//! An app of your own with log-in: `cargo run --release --example protect`, then open http://localhost:3000/hello.

#![expect(clippy::print_stdout, reason = "an example speaks")]

use std::net::SocketAddr;
use std::sync::Arc;

use axum::{Router, routing::get};
use munjigi::{AnchoredClock, App, Config, Layers, gate::SignedIn};

async fn hello(SignedIn(who): SignedIn) -> String {
    format!("Hello, {}!", who.name())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let app = App::open(&Config::read(&Layers::new())?, Arc::new(AnchoredClock::start())).await?;
    tokio::spawn(Arc::clone(&app).keep_up());
    let service = Router::new().route("/hello", get(hello)).route_layer(app.gate.layer()).merge(munjigi::embed(&app));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("open http://localhost:3000/user/register, then http://localhost:3000/hello");
    // With the address of the other end, or limits by address cannot work.
    Ok(axum::serve(listener, service.into_make_service_with_connect_info::<SocketAddr>()).await?)
}
