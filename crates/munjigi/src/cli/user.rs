//! `munjigi user`

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;

use super::export::Export;
use super::import::Import;
use super::{NOT_FOUND, output};
use crate::core::Core;
use crate::flows::admin::{self, Added, NewSecret, SetPassword};
use munjigi_rules::password::WeakPassword;
use munjigi_rules::register::{Problems, UsernameProblem};

/// Makes, shows and disables users
#[derive(Subcommand)]
pub(super) enum User {
    /// Makes a user, also with a reserved name; asks for the password
    Add {
        /// What they log in with
        username: String,
        /// What is shown [default: the username]
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        password: Password,
    },
    /// Lists all users, the oldest first
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Shows one user
    Show {
        /// Which
        username: String,
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Ends all their sessions within a second and refuses further log-ins
    Disable {
        /// Which
        username: String,
    },
    /// Lets them log in again
    Enable {
        /// Which
        username: String,
    },
    /// Removes them and ends all their sessions within a second; nobody can have the username again
    Delete {
        /// Which
        username: String,
        /// Without asking
        #[arg(long)]
        yes: bool,
    },
    // What these two say of themselves is with them, and longer.
    Import(Import),
    Export(Export),
    /// Sets a password and ends all their sessions; asks for it
    SetPassword {
        /// Which
        username: String,
        #[command(flatten)]
        password: Password,
        /// Instead of a password, the hash that another system kept (see `munjigi user import --help` for the kinds)
        #[arg(long, value_name = "HASH", conflicts_with = "password_stdin")]
        hash: Option<String>,
    },
}

/// Where a password comes from. Never from the command line itself, where others could read it.
#[derive(Args)]
pub(super) struct Password {
    /// Reads the password from standard input instead of asking
    #[arg(long)]
    password_stdin: bool,
}

impl User {
    pub(super) const fn makes_a_user(&self) -> bool {
        matches!(self, Self::Add { .. } | Self::Import(_))
    }

    pub(super) async fn run(self, core: &Core) -> anyhow::Result<ExitCode> {
        match self {
            Self::Add { username, name, password } => add(core, &username, name.as_deref(), &password).await,
            Self::List { json } => list(core, json).await,
            Self::Show { username, json } => show(core, &username, json).await,
            Self::Disable { username } => {
                let Some(user) = find(core, &username).await? else { return no_such(&username) };
                admin::disable(core, user.id).await?;
                done(&format!("{username} is disabled, and every session of theirs has ended"))
            }
            Self::Enable { username } => {
                let Some(user) = find(core, &username).await? else { return no_such(&username) };
                admin::enable(core, user.id).await?;
                done(&format!("{username} can log in again"))
            }
            Self::Delete { username, yes } => {
                let Some(user) = find(core, &username).await? else { return no_such(&username) };
                if !yes && !confirmed(&user)? {
                    bail!("{} is not deleted", user.username);
                }
                admin::delete(core, user.id).await?;
                done(&format!("{} is deleted, and every session of theirs has ended", user.username))
            }
            Self::Import(import) => import.run(core).await,
            Self::Export(export) => export.run(core).await,
            Self::SetPassword { username, password, hash } => {
                let Some(user) = find(core, &username).await? else { return no_such(&username) };
                set_password(core, &user, &password, hash.as_deref()).await
            }
        }
    }
}

async fn add(core: &Core, username: &str, name: Option<&str>, password: &Password) -> anyhow::Result<ExitCode> {
    let password = password.read()?;
    match admin::add(core, username, name.unwrap_or(username), &password).await? {
        Added::Added(user) => done(&format!("{} is added ({})", user.username, user.id)),
        Added::Taken => bail!("{username}: somebody has, or once had, that username"),
        Added::Invalid(problems) => bail!("{}", in_words(&problems)),
    }
}

async fn set_password(
    core: &Core,
    user: &munjigi_store::User,
    password: &Password,
    hash: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let typed = if hash.is_some() { Zeroizing::default() } else { password.read()? };
    let new = hash.map_or(NewSecret::Password(&typed), NewSecret::Hash);
    match admin::set_password(core, user, new).await? {
        SetPassword::Done => {
            done(&format!("{} has a new password, and every session of theirs has ended", user.username))
        }
        SetPassword::Weak(why) => bail!("{why}"),
        SetPassword::UnknownHash => bail!("--hash: expected a hash of a kind that `munjigi user import --help` lists"),
    }
}

async fn list(core: &Core, json: bool) -> anyhow::Result<ExitCode> {
    const PAGE: usize = 1000;
    let mut after = None;
    let mut rows = Vec::new();
    loop {
        let users = core.users.list(after, PAGE).await?;
        after = users.last().map(|user| user.id);
        let last = users.len() < PAGE;
        for user in users {
            if json {
                output::say(&serde_json::Value::Object(shown(&user)).to_string());
            } else {
                rows.push(vec![
                    user.username.to_string(),
                    output::plain(user.name.as_str()),
                    (if user.enabled { "enabled" } else { "disabled" }).to_owned(),
                    output::moment(user.created_at),
                    user.id.to_string(),
                ]);
            }
        }
        if last {
            break;
        }
    }
    if !json {
        output::table(&["USERNAME", "NAME", "STATE", "REGISTERED", "ID"], rows);
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(core: &Core, username: &str, json: bool) -> anyhow::Result<ExitCode> {
    let Some(known) = admin::find(core, username).await? else { return no_such(username) };
    let user = &known.user;
    let sessions = crate::flows::sessions::list(core, user.id).await?.len();
    if json {
        let mut members = shown(user);
        members.insert("sessions".to_owned(), sessions.into());
        members.insert("passwordScheme".to_owned(), known.hash.scheme.into());
        output::say(&serde_json::Value::Object(members).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let state = if user.enabled { "enabled" } else { "disabled" };
    for (what, value) in [
        ("username", user.username.to_string()),
        ("name", output::plain(user.name.as_str())),
        ("state", state.to_owned()),
        ("registered", output::moment(user.created_at)),
        ("sessions", sessions.to_string()),
        ("password", known.hash.scheme.clone()),
        ("id", user.id.to_string()),
    ] {
        output::say(&format!("{what:<11} {value}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(user: &munjigi_store::User) -> serde_json::Map<String, serde_json::Value> {
    let members = [
        ("id", json!(user.id)),
        ("username", json!(user.username)),
        ("name", json!(user.name)),
        ("enabled", json!(user.enabled)),
        ("createdAt", json!(output::moment(user.created_at))),
    ];
    members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

/// Whether somebody at the terminal types the username once more.
fn confirmed(user: &munjigi_store::User) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("{}: give --yes where nobody can be asked", user.username);
    }
    output::ask(&format!(
        "{} and all that Munjigi knows of them is removed. Type the username to go on: ",
        user.username
    ))?;
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    Ok(typed.trim() == user.username.as_str())
}

async fn find(core: &Core, username: &str) -> anyhow::Result<Option<munjigi_store::User>> {
    Ok(admin::find(core, username).await?.map(|known| known.user))
}

fn done(line: &str) -> anyhow::Result<ExitCode> {
    output::say(line);
    Ok(ExitCode::SUCCESS)
}

fn no_such(username: &str) -> anyhow::Result<ExitCode> {
    output::complain(&format!("{}: no such user", output::plain(username)));
    Ok(ExitCode::from(NOT_FOUND))
}

impl Password {
    fn read(&self) -> anyhow::Result<Zeroizing<String>> {
        if self.password_stdin {
            let mut text = Zeroizing::new(String::new());
            std::io::stdin().read_to_string(&mut text).context("the password cannot be read from standard input")?;
            return Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()));
        }
        let ask = |prompt| rpassword::prompt_password(prompt).context("no terminal to ask at; use --password-stdin");
        let (first, second) = (Zeroizing::new(ask("Password: ")?), Zeroizing::new(ask("Once more: ")?));
        if first != second {
            bail!("the two passwords differ");
        }
        Ok(first)
    }
}

fn in_words(problems: &Problems) -> String {
    let username = problems.username.map(|why| match why {
        UsernameProblem::Invalid(why) => why.to_string(),
        UsernameProblem::Reserved => "the username is reserved".to_owned(),
    });
    let password = problems.password.map(|why: WeakPassword| why.to_string());
    let name = problems.name.map(|why| why.to_string());
    [username, password, name].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
