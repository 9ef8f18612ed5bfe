//! The command line: tables for people, `--json` for programs, exit codes that mean something.
//!
//! | code | means |
//! | --- | --- |
//! | 0 | done |
//! | 1 | it failed; the message says why. `doctor`: something is wrong |
//! | 2 | the command line is wrong |
//! | 3 | the configuration is wrong, or the pages that it names |
//! | 4 | no such user, session or key |
//! | 5 | users were imported, but some were refused |

mod config;
mod connections;
mod doctor;
mod examples;
mod export;
mod import;
mod key;
mod migrate;
mod output;
mod pages;
mod secret;
mod serve;
mod session;
mod shell;
mod user;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::AnchoredClock;
use crate::config::layers::Required;
use crate::config::{Config, ConfigError, Layers, Log, LogFormat, Source};
use crate::core::{Core, Role};
use crate::pages::PagesError;

/// Log-in for any web app: sign-up, sessions and log-out, stateless to check, instant to revoke.
#[derive(Parser)]
#[command(name = "munjigi", version, about, arg_required_else_help = false)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Where settings come from: munjigi.toml, then the environment and .env, then these.
#[derive(Args)]
struct Settings {
    /// Configuration file [default: munjigi.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sets any key, for example --set tokens.access_ttl=5m; may be given several times
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server (what is done when no command is given)
    Serve(serve::Serve),
    /// Makes, shows and disables users
    #[command(subcommand)]
    User(user::User),
    /// Shows and ends sessions
    #[command(subcommand)]
    Session(session::Session),
    /// Shows, rotates and revokes the keys that sign access tokens
    #[command(subcommand)]
    Key(key::Key),
    /// Replaces the secret of the installation, and prints what is derived from it
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Checks and shows the settings
    #[command(subcommand)]
    Config(config::Config),
    /// Checks pages of your own, and writes those that are built in to begin from
    #[command(subcommand)]
    Pages(pages::Pages),
    Doctor(doctor::Doctor),
    /// Brings the database's schema up to date
    Migrate,
    /// Prints what makes a shell complete the command line
    Completions(shell::Completions),
    /// Prints the manual page of a command, or writes all of them
    Man(shell::Man),
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, for example server.listen=127.0.0.1:4000")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Runs the program.
#[must_use]
pub fn run() -> ExitCode {
    let command = examples::with_examples(Cli::command());
    let cli = Cli::from_arg_matches(&command.clone().get_matches()).unwrap_or_else(|error| error.exit());
    match cli.run(command) {
        Ok(code) => code,
        Err(error) => {
            output::complain(&format!("{error:#}"));
            let settings =
                error.downcast_ref::<ConfigError>().is_some() || error.downcast_ref::<PagesError>().is_some();
            if settings { ExitCode::from(WRONG) } else { ExitCode::FAILURE }
        }
    }
}

/// The configuration is wrong, or the pages that it names.
const WRONG: u8 = 3;
/// No such user, session or key.
const NOT_FOUND: u8 = 4;
/// Some of many were refused.
const IN_PART: u8 = 5;

impl Cli {
    fn run(self, program: clap::Command) -> anyhow::Result<ExitCode> {
        let layers = match &self.command {
            // They are about the program, whatever the settings are; and to the doctor wrong settings are a finding.
            Some(Command::Completions(_) | Command::Man(_) | Command::Doctor(_)) => Layers::new(),
            _ => self.settings.layers()?,
        };
        match self.command.unwrap_or_else(|| Command::Serve(serve::Serve::default())) {
            Command::Serve(serve) => serve.run(layers),
            Command::Config(command) => command.run(&layers),
            Command::Pages(command) => command.run(layers),
            Command::Doctor(doctor) => doctor.run(&self.settings),
            Command::Migrate => migrate::run(&Config::read(&layers)?),
            Command::Completions(completions) => completions.run(program),
            Command::Man(man) => man.run(program),
            Command::User(command) => {
                // The first user may be made before the first start; all else is about what is there.
                let empty = if command.makes_a_user() { Empty::Fine } else { Empty::Refused };
                with_core(&layers, empty, async |core| command.run(&core).await)
            }
            Command::Session(command) => with_core(&layers, Empty::Refused, async |core| command.run(&core).await),
            Command::Key(command) => with_core(&layers, Empty::Refused, async |core| command.run(&core).await),
            Command::Secret(command) => with_core(&layers, Empty::Refused, async |core| command.run(&core).await),
        }
    }
}

impl Settings {
    fn layers(&self) -> Result<Layers, ConfigError> {
        let layers = match &self.config {
            Some(path) => Layers::new().file(path, Required::Yes)?,
            None => Layers::new().file(&PathBuf::from("munjigi.toml"), Required::No)?,
        };
        let layers = layers.variables(dot_env()?, Source::DotEnv).variables(environment(), Source::Env);
        Ok(self.set.iter().fold(layers, |layers, (key, value)| layers.flag(key, value.clone())))
    }
}

/// Variables that are not UTF-8 are not ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn dot_env() -> Result<Vec<(String, String)>, ConfigError> {
    // The line itself is not shown: it may hold a secret.
    let wrong = |error: dotenvy::Error| {
        let what = match error {
            dotenvy::Error::LineParse(_, _) => "a line is not NAME=value (values with spaces need quotes)".to_owned(),
            other => other.to_string(),
        };
        ConfigError(vec![format!(".env: {what}")])
    };
    match dotenvy::from_path_iter(".env") {
        Ok(lines) => lines.collect::<Result<_, _>>().map_err(wrong),
        Err(error) if error.not_found() => Ok(vec![]),
        Err(error) => Err(wrong(error)),
    }
}

/// Whether a command may begin on an installation that is not there yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Empty {
    Fine,
    Refused,
}

/// Whether only this machine or its own network reaches an address.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// Opens the stores as the server would, beside it if it runs, for one command.
fn with_core(
    layers: &Layers,
    empty: Empty,
    command: impl AsyncFnOnce(Core) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let mut config = Config::read(layers)?;
    let database = config.sqlite_path();
    if empty == Empty::Refused && !database.exists() {
        anyhow::bail!(
            "there is no database {}: run this in the folder where the server was started, or name its data directory with \
             --set server.data_dir=…",
            database.display()
        );
    }
    // One hash at a time is all that a command does.
    config.passwords.workers = 1;
    crate::telemetry::start(&Log { format: LogFormat::Text, level: "warn".to_owned() })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime
        .block_on(async { command(Core::open(&config, Arc::new(AnchoredClock::start()), Role::Command).await?).await })
}
