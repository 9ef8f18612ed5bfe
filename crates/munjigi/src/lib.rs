//! Munjigi (문지기, "gatekeeper"): a login server and Rust middleware. Stateless to check, instant to revoke.
//!
//! As a program it is `munjigi serve`. As a library it is an axum [`Router`](axum::Router) with the pages and calls, and a
//! [`Gate`](munjigi_gate::Gate) to put before your own routes:
//!
//! ```no_run
//! use std::sync::Arc;
//! use axum::{Router, routing::get};
//! use munjigi::{AnchoredClock, App, Config, Layers, gate::SignedIn};
//!
//! async fn hello(SignedIn(who): SignedIn) -> String {
//!     format!("Hello, {}!", who.name())
//! }
//!
//! # async fn run() -> anyhow::Result<()> {
//! let app = App::open(&Config::read(&Layers::new())?, Arc::new(AnchoredClock::start())).await?;
//! tokio::spawn(Arc::clone(&app).keep_up());
//! let service = Router::new().route("/hello", get(hello)).route_layer(app.gate.layer()).merge(munjigi::embed(&app));
//! # Ok(())
//! # }
//! ```

pub mod account_names;
pub mod app;
pub mod cli;
pub mod config;
pub mod core;
pub mod derived_keys;
pub mod device_tokens;
pub mod doctor_calls;
pub mod feed_tokens;
pub mod first_run;
pub mod flows;
pub mod followers;
pub mod http;
pub mod import;
pub mod keys;
pub mod metrics;
pub mod pages;
pub mod passwords;
mod random;
pub mod refresh_tokens;
pub mod revocations;
pub mod routes;
pub mod secret;
pub mod telemetry;
pub mod web;

pub use app::App;
pub use config::{Config, Layers};
pub use munjigi_gate as gate;
pub use munjigi_gate::AnchoredClock;
pub use routes::{embed, operations, router};
