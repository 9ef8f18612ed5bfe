//! What the server promises, from outside: people's actions through the real router, and the real program where processes
//! matter. The files mirror the URLs.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

#[macro_use]
mod harness;

mod account;
mod arrows;
mod cli;
mod config;
mod crash;
mod faults;
mod feed;
mod forgery;
mod fuzz;
mod gate;
mod headers;
mod house_rules;
mod info;
mod language;
mod limits;
mod log_in;
mod log_out;
mod negotiation;
mod nodes;
mod process;
mod redis;
mod refresh;
mod register;
mod return_to;
mod routes;
mod same_origin;
mod secrets;
mod sessions;
mod well_known;
