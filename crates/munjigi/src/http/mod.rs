//! HTTP, apart from what each route does: who asks and in what form, what an answer looks like, what a failure says.

pub mod answer;
pub mod client;

pub mod error;
pub mod fields;
pub mod headers;
pub mod input;
pub mod measure;
pub mod negotiate;
pub mod render;
pub mod same_origin;
pub mod target;
pub mod tracing;
