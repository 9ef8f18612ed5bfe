//! `munjigi migrate`

use std::process::ExitCode;

use munjigi_store::sqlite::{Migrate, Sqlite};

use super::output;
use crate::config::Config;

/// Brings the schema up to date, and says from where to where.
pub(super) fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let path = config.sqlite_path();
    let before = Sqlite::schema(&path)?.found;
    let mut config = config.clone();
    config.store.migrate = Migrate::Auto;
    // Opened for what opening does; closed again at once.
    drop(crate::core::open_sqlite(&config)?);
    let after = Sqlite::schema(&path)?.found;
    output::say(&if before == after {
        format!("{}: the schema is up to date (version {after})", path.display())
    } else {
        format!("{}: the schema went from version {before} to {after}", path.display())
    });
    Ok(ExitCode::SUCCESS)
}
