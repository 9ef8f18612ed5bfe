//! The rules, seen from outside: a model of rotation, tables of its edges, and properties against naive restatements.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr, reason = "tests say what they found")]

mod model;
mod rotation;
mod throttle;
mod walk;
