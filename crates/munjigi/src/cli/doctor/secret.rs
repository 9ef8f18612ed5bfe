//! The secret: it is there, is the database's, and is not one that somebody made up.

use std::collections::BTreeSet;
use std::sync::Arc;

use munjigi_gate::Clock;
use munjigi_store::Keys as _;
use munjigi_store::sqlite::Sqlite;
use secrecy::{ExposeSecret as _, SecretString};

use super::chain;
use super::report::Report;
use crate::config::Config;
use crate::secret::{SecretFile, Secrets};

const CHECK: &str = "secret";
/// Random digits have sixteen different ones, and a phrase has more.
const FEWEST_DIFFERENT: usize = 10;

/// The secrets, if they can be read and are those of the database.
pub(super) async fn check(
    config: &Config,
    database: Option<&Sqlite>,
    clock: Arc<dyn Clock>,
    report: &mut Report,
) -> Option<Secrets> {
    let before = report.complaints();
    let server = &config.server;
    let given = [("server.secret", &server.secret), ("tokens.shared_secret", &config.tokens.shared_secret)];
    for (key, secret) in given {
        if secret.as_ref().is_some_and(is_made_up) {
            let what = format!("{key} has hardly any different characters: it could be guessed");
            report.wrong(
                CHECK,
                what,
                format!("replace it by the output of `openssl rand -hex 32` (docs/keys.md) in {key}"),
            );
        }
    }
    let (secrets, place) = match &server.secret {
        Some(secret) => {
            let doubled = |former: &SecretString| former.expose_secret() == secret.expose_secret();
            if server.previous_secrets.iter().any(doubled) {
                let what = "server.previous_secrets has the present secret, too";
                report.warning(
                    CHECK,
                    what,
                    "take it out of server.previous_secrets, or give server.secret the new one",
                );
            }
            (Secrets::configured(secret.clone(), server.previous_secrets.clone()), "server.secret".to_owned())
        }
        None => {
            (of_a_file(config, database, clock, report).await?, server.data_dir.join("secret").display().to_string())
        }
    };
    if let Some(database) = database {
        match database.kept_check_value().await {
            Ok(Some(kept)) if !secrets.matches(&kept) && !secrets.matched_before(&kept) => {
                let what =
                    format!("{place} is not the secret that this database was made with: no server starts with it");
                let mend = "give the former one as server.secret, or name it in server.previous_secrets (docs/keys.md)";
                report.wrong(CHECK, what, mend);
                return None;
            }
            Ok(_) => {}
            Err(error) => {
                report.skipped(CHECK, format!("whether it is the database's is not known: {}", chain(&error)))
            }
        }
    }
    if report.complaints() == before {
        let beside = if database.is_some() { ", and is the one that this database was made with" } else { "" };
        report.ok(CHECK, format!("{place} is long enough{beside}"));
    }
    Some(secrets)
}

/// The one in the data directory. It is only read, never made.
async fn of_a_file(
    config: &Config,
    database: Option<&Sqlite>,
    clock: Arc<dyn Clock>,
    report: &mut Report,
) -> Option<Secrets> {
    let dir = &config.server.data_dir;
    if config.store.redis_url.is_some() {
        let what = "server.secret is missing: with store.redis_url every node needs the same one";
        report.wrong(CHECK, what, "make it once by `openssl rand -hex 32`, and give it as MUNJIGI_SERVER__SECRET_FILE");
        return None;
    }
    let file = SecretFile::new(dir, config.server.previous_secrets.clone(), config.tokens.lifetimes.idle, clock);
    if !file.exists() {
        let in_use = match database {
            Some(database) => database.keys().await.is_ok_and(|keys| !keys.is_empty()),
            None => false,
        };
        if in_use {
            let what = format!(
                "{} is gone, and nothing in this database can be read without it",
                dir.join("secret").display()
            );
            report.wrong(CHECK, what, "restore the file `secret` from a backup (docs/operations.md)");
        } else {
            report
                .skipped(CHECK, format!("there is no {} yet: the first start makes it", dir.join("secret").display()));
        }
        return None;
    }
    match Secrets::from_existing_file(file) {
        Ok(secrets) => Some(secrets),
        Err(error) => {
            report.wrong(
                CHECK,
                format!("{error:#}"),
                "run this as the server's user, or restore the file `secret` from a backup",
            );
            None
        }
    }
}

fn is_made_up(secret: &SecretString) -> bool {
    secret.expose_secret().bytes().collect::<BTreeSet<_>>().len() < FEWEST_DIFFERENT
}
