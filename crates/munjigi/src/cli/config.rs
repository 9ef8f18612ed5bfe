//! `munjigi config`

use std::process::ExitCode;

use clap::Subcommand;

use super::output;
use crate::config::keys::KEYS;
use crate::config::{self, Layers, Source};
use crate::pages::{Pages, PagesError};

/// Checks and shows the settings
#[derive(Subcommand)]
pub(super) enum Config {
    /// Says whether the settings are right, and the pages that they name; exit code 3 if not
    Check,
    /// Shows every key, its value and where it comes from; never a secret
    Show {
        /// For programs
        #[arg(long)]
        json: bool,
    },
}

impl Config {
    pub(super) fn run(self, layers: &Layers) -> anyhow::Result<ExitCode> {
        let config = config::Config::read(layers)?;
        match self {
            Self::Check => {
                let findings: Vec<_> = Pages::check(&config.site()).faults().cloned().collect();
                if !findings.is_empty() {
                    return Err(PagesError::Wrong(findings).into());
                }
                output::say("the settings are right");
            }
            Self::Show { json } => show(layers, json),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn show(layers: &Layers, json: bool) {
    let rows = KEYS.iter().map(|key| {
        let given = layers.get(key.name);
        let source = given.map_or(Source::Default, |given| given.source.clone());
        let value = match given {
            Some(_) if key.secret => "(not shown)".to_owned(),
            Some(given) => given.texts.join(", "),
            None if key.default.is_empty() => format!("({})", key.follows.replace('`', "")),
            None => key.default.to_owned(),
        };
        (key.name, value, source.to_string())
    });
    if json {
        let keys: serde_json::Map<_, _> = rows
            .map(|(name, value, source)| (name.to_owned(), serde_json::json!({ "value": value, "source": source })))
            .collect();
        output::say(&serde_json::Value::Object(keys).to_string());
    } else {
        output::table(
            &["KEY", "VALUE", "FROM"],
            rows.map(|(name, value, source)| vec![name.to_owned(), value, source]).collect(),
        );
    }
}
