//! What must hold whatever comes in from outside: one function a target. Each takes any bytes at all and panics where a
//! promise is broken, not only where the product would panic.
//!
//! Two drive them: libFuzzer (`scripts/fuzz`, coverage-guided, as long as one likes), and an ordinary test
//! (`crates/munjigi/tests/it/fuzz.rs`), which runs the corpus and mutations of it. Whatever the first one finds goes into the
//! corpus, so that the second one tries it for ever.

mod bytes;
mod config;
mod cookies;
mod hashes;
mod imports;
mod input;
mod json;
mod names;
mod refresh_token;
mod return_to;
mod signed;
mod token;

/// Takes any bytes, and panics where a promise is broken.
pub type Target = fn(&[u8]);

/// Every target, under the name of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("config", config::holds),
    ("cookies", cookies::holds),
    ("hashes", hashes::holds),
    ("imports", imports::holds),
    ("input", input::holds),
    ("names", names::holds),
    ("refresh_token", refresh_token::holds),
    ("return_to", return_to::holds),
    ("token", token::holds),
];

/// Runs a target of that name.
///
/// # Panics
/// If there is none, or it breaks a promise.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target of that name");
    target(data);
}
