//! The log: one line an event, readable in a terminal, JSON for programs. Never a password, token, cookie or key in it.
//!
//! The message of a line is the event's name, `logged_in` or `refresh_reused`, and does not change; what belongs to it stands
//! in fields, and what somebody may want to know who reads it for the first time in `note`. `docs/log.md` lists them.

use std::error::Error;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::values::log_filter;
use crate::config::{Log, LogFormat};

/// Starts logging, to standard error.
///
/// # Errors
/// If this process already logs, or the directives are wrong (which the configuration sees to).
pub fn start(config: &Log) -> anyhow::Result<()> {
    let filter = log_filter(&config.level)?;
    let registry = tracing_subscriber::registry().with(filter);
    // What cannot be written to standard error cannot be complained of there.
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
    match config.format {
        LogFormat::Json => registry.with(layer.json().flatten_event(true).with_target(false)).try_init()?,
        LogFormat::Text => {
            let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
            registry.with(layer.compact().with_target(false).with_ansi(colours)).try_init()?;
        }
    }
    Ok(())
}

/// An error and all its causes in one line. Each error says only its own part; the chain is written where it is handled.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let (mut line, mut cause) = (error.to_string(), error.source());
    while let Some(next) = cause {
        line = format!("{line}: {next}");
        cause = next.source();
    }
    line
}
