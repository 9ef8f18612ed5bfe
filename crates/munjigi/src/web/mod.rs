//! HTTP in and out, one file a verb. Each handler reads its input, asks a flow, and says what came of it.

pub mod account;
pub mod api;
pub mod check;
pub mod doctor;
pub mod health;
pub mod home;
pub mod info;
pub mod jwks;
pub mod log_in;
pub mod log_out;
pub mod metrics;
pub mod openapi;
pub mod refresh;
pub mod register;
pub mod revocations;
pub mod sessions;
pub mod statics;
pub mod style;
pub mod verify;
mod view;
