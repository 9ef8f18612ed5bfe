//! `munjigi session`

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use serde_json::json;

use super::{NOT_FOUND, output};
use crate::core::Core;
use crate::flows::device::Device;
use crate::flows::{admin, sessions};

/// Shows and ends sessions
#[derive(Subcommand)]
pub(super) enum Session {
    /// Lists the live sessions of a user
    List {
        /// Whose
        username: String,
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Ends one session, every session of a user, or every session there is, within a second
    #[command(group = clap::ArgGroup::new("what").required(true))]
    Revoke {
        /// A session's id, as `munjigi session list` shows it
        #[arg(group = "what")]
        sid: Option<String>,
        /// Every session of this user
        #[arg(long, group = "what", value_name = "USERNAME")]
        user: Option<String>,
        /// Every session of everybody
        #[arg(long, group = "what")]
        all: bool,
    },
}

impl Session {
    pub(super) async fn run(self, core: &Core) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { username, json } => list(core, &username, json).await,
            Self::Revoke { sid: Some(sid), .. } => end_one(core, &sid).await,
            Self::Revoke { user: Some(username), .. } => {
                let Some(known) = admin::find(core, &username).await? else { return no_such(&username) };
                admin::end_sessions(core, known.user.id).await?;
                output::say(&format!("every session of {username} has ended"));
                Ok(ExitCode::SUCCESS)
            }
            Self::Revoke { .. } => {
                let users = admin::end_everything(core).await?;
                output::say(&format!("every session of {users} users has ended"));
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

async fn list(core: &Core, username: &str, json: bool) -> anyhow::Result<ExitCode> {
    let Some(known) = admin::find(core, username).await? else { return no_such(username) };
    let seen = sessions::list(core, known.user.id).await?;
    if json {
        for session in seen {
            let line = json!({
                "id": session.log_in.session,
                "userAgent": session.log_in.user_agent,
                "address": session.log_in.address,
                "remembered": session.log_in.remembered,
                "createdAt": output::moment(session.log_in.at),
                "lastUsedAt": output::moment(session.last_used),
            });
            output::say(&line.to_string());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let rows = seen.into_iter().map(|session| {
        let device = Device::of(&session.log_in.user_agent);
        let words = [device.browser, device.system].into_iter().flatten().collect::<Vec<_>>().join(", ");
        vec![
            session.log_in.session.to_string(),
            words,
            session.log_in.address,
            output::moment(session.log_in.at),
            output::moment(session.last_used),
        ]
    });
    output::table(&["ID", "DEVICE", "ADDRESS", "LOGGED IN", "LAST USED"], rows.collect());
    Ok(ExitCode::SUCCESS)
}

async fn end_one(core: &Core, sid: &str) -> anyhow::Result<ExitCode> {
    let Ok(session) = sid.parse() else {
        bail!("{}: a session's id has 32 digits and letters a to f", output::plain(sid))
    };
    match admin::end_one(core, session).await? {
        Some(user) => output::say(&format!("session {session} of user {user} has ended")),
        None => {
            output::complain(&format!("{session}: no such session, or it has ended"));
            return Ok(ExitCode::from(NOT_FOUND));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn no_such(username: &str) -> anyhow::Result<ExitCode> {
    output::complain(&format!("{}: no such user", output::plain(username)));
    Ok(ExitCode::from(NOT_FOUND))
}
