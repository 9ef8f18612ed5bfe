//! The gate, seen from outside: tokens, cookies, and every row of its table.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its helpers"
)]

mod support;

mod attacks;
mod bearer;
mod cache;
mod claims;
mod cookies;
mod demand;
mod extract;
mod hot_path;
mod keys;
mod orders;
mod peek;
mod properties;
mod readiness;
mod reload;
mod remote;
mod revoked;
mod table;
mod tokens;
