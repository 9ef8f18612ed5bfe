//! `munjigi doctor`: looks at everything that an installation stands on, and says for each what is wrong and how to mend it.
//!
//! ```text
//!  here    configuration ─ permissions ─ database ─ secret ─ keys ─ sessions ─ passwords, pages, operations
//!  there   server (server.listen) ─ public url ─► a call signed with the secret ─► proxy ─ cookies ─ keys ─ clock
//! ```
//!
//! It works beside a running server and without one, changes nothing, prints no secret, and waits for nothing longer than some
//! seconds: what does not answer is a finding. Each file is one check; docs/doctor.md lists what each may find.

mod clock;
mod configuration;
mod cookies;
mod database;
mod disk;
mod keys;
mod local;
mod pages;
mod permissions;
mod proxy;
mod public;
mod report;
mod secret;
mod server;
mod sessions;
mod wire;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use munjigi_gate::Clock;
use url::Url;

use self::report::Report;
use super::Settings;
use crate::AnchoredClock;
use crate::config::{Config, Layers};
use crate::doctor_calls::DoctorCalls;

/// Something is wrong; warnings alone are no failure.
const WRONG: u8 = 1;

/// Looks for what is wrong with the installation, and says how to mend it; changes nothing
#[derive(Args)]
pub(super) struct Doctor {
    /// Asks this address instead of server.public_url
    #[arg(long, value_name = "URL", value_parser = address)]
    url: Option<Url>,
    /// For programs
    #[arg(long)]
    json: bool,
}

fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.path() == "/");
    url.filter(Url::has_host)
        .ok_or_else(|| "expected scheme, host and port, such as https://login.example.com".to_owned())
}

impl Doctor {
    pub(super) fn run(&self, settings: &Settings) -> anyhow::Result<ExitCode> {
        let mut report = Report::default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        match settings.layers().and_then(|layers| Config::read(&layers).map(|config| (config, layers))) {
            Err(error) => configuration::refused(&error, &mut report),
            Ok((config, layers)) => runtime.block_on(self.examine(&config, &layers, &mut report)),
        }
        // A name that is still being looked up is not waited for.
        runtime.shutdown_background();
        report.print(self.json);
        Ok(if report.is_wrong() { ExitCode::from(WRONG) } else { ExitCode::SUCCESS })
    }

    async fn examine(&self, config: &Config, layers: &Layers, report: &mut Report) {
        let clock = Arc::new(AnchoredClock::start());
        configuration::check(config, layers, report);
        permissions::check(config, layers, report);
        let database = database::check(config, report).await;
        disk::check(config, report);
        let secrets = secret::check(config, database.as_ref(), Arc::clone(&clock) as _, report).await;
        let ours = keys::check(config, database.as_ref(), secrets.as_ref(), clock.now(), report).await;
        sessions::check(config, &*clock, report).await;
        local::check(config, report);
        pages::check(config, report);

        let running = server::check(config, report).await;
        let calls = secrets.and_then(|secrets| DoctorCalls::new(secrets).ok());
        let asked = public::Asked {
            url: self.url.as_ref().unwrap_or(&config.server.public_url),
            calls: calls.as_ref(),
            clock: &*clock,
        };
        let Some(seen) = asked.check(config, running, report).await else {
            for check in ["proxy", "cookies"] {
                report.skipped(check, "the running server did not tell what it sees");
            }
            return;
        };
        proxy::check(config, asked.url, &seen, report);
        cookies::check(config, &seen, report);
        keys::published(&asked, ours.as_deref(), report).await;
        clock::check(&seen, &*clock, report);
    }
}

/// Texts as a sentence has them: `a, b and c`.
fn listed<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// What went wrong, with its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    crate::telemetry::chain(error)
}

/// A clock's difference, judged.
fn off_by(there: munjigi_rules::Timestamp, clock: &dyn Clock) -> i64 {
    there.millis_since(clock.now())
}
