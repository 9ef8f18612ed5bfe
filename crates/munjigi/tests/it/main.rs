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
mod api;
mod api_attacks;
mod arrows;
mod check;
mod cli;
mod config;
mod crash;
mod doctor;
mod documents;
mod enumeration;
mod faults;
mod feed;
mod first_run;
mod forgery;
mod fuzz;
mod gate;
mod guesser;
mod headers;
mod headers_everywhere;
mod house;
mod import;
mod info;
mod keys;
mod language;
mod limits;
mod log;
mod log_in;
mod log_out;
mod metrics;
mod negotiation;
mod nodes;
mod openapi;
mod operations;
mod overload;
mod packaging;
mod pages;
mod passwords;
mod process;
mod redis;
mod redis_access;
mod refresh;
mod register;
mod revocations;
mod routes;
mod same_origin;
mod secrets;
mod secrets_everywhere;
mod sessions;
mod token_attacks;
mod twice;
mod verify;
mod web_attacks;
mod well_known;
