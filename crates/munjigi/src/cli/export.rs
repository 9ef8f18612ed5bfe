//! `munjigi user export`

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use munjigi_rules::Timestamp;
use munjigi_store::Credentials;
use serde_json::json;

use super::output;
use crate::core::Core;

/// Users read at once.
const PAGE: usize = 1000;

/// Writes all users with their password hashes, one JSON object a line, for `munjigi user import`
///
/// Ids are kept, so that tokens and other services go on meaning the same people. Sessions and keys are not in it. Whoever has the
/// file can try passwords on it as fast as they like: keep it as you keep the database.
#[derive(Args)]
pub(super) struct Export {
    /// Writes a new file with mode 0600 instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub(super) async fn run(self, core: &Core) -> anyhow::Result<ExitCode> {
        let Some(path) = &self.output else {
            let mut out = BufWriter::new(std::io::stdout().lock());
            write(core, &mut out).await.context("standard output")?;
            return Ok(ExitCode::SUCCESS);
        };
        let shown = output::plain(&path.display().to_string());
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.with_context(|| format!("cannot make {shown}"))?;
        let mut out = BufWriter::new(&file);
        let written = async {
            let users = write(core, &mut out).await?;
            file.sync_all()?;
            anyhow::Ok(users)
        };
        match written.await {
            Ok(users) => output::say(&format!("{users} users are in {shown}")),
            Err(error) => {
                // Half a file would be taken for a whole one.
                let _ = std::fs::remove_file(path);
                return Err(error.context(shown));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn write(core: &Core, out: &mut impl Write) -> anyhow::Result<u64> {
    let (mut users, mut after) = (0, None);
    loop {
        let page = core.users.list_credentials(after, PAGE).await?;
        for Credentials { user, hash } in &page {
            let line = json!({
                "id": user.id,
                "username": user.username,
                "name": user.name,
                "enabled": user.enabled,
                "createdAt": moment(user.created_at),
                "passwordHash": hash.text,
            });
            writeln!(out, "{line}")?;
            users += 1;
        }
        after = page.last().map(|known| known.user.id);
        if page.len() < PAGE {
            out.flush()?;
            return Ok(users);
        }
    }
}

/// To the millisecond, as it is kept.
fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default().to_string()
}
