//! What every backend of every store promises, and what each promises beside.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

#[macro_use]
mod support;

mod keys;
mod limits;
mod redis_faults;
mod redis_server;
mod revocations;
mod sessions;
mod sqlite_file;
mod twins;
mod users;
