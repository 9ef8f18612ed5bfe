//! The keys that sign access tokens: one signs, the secret decrypts all of them, and the public URL shows them to others.

use munjigi_gate::jws::VerifyingKey;
use munjigi_rules::Timestamp;
use munjigi_store::sqlite::Sqlite;
use munjigi_store::{KeyStatus, Keys as _, StoredKey};
use serde_json::Value;

use super::super::output::moment;
use super::chain;
use super::public::Asked;
use super::report::Report;
use crate::config::Config;
use crate::keys::{PUBLISHED_FOR, opened};
use crate::secret::Secrets;

const CHECK: &str = "keys";
const JWKS: &str = "/.well-known/jwks.json";
/// A key that has signed for so long should give way to another one.
const OLD: i64 = 366 * 24 * 3600;

/// The public keys, if they could be opened.
pub(super) async fn check(
    config: &Config,
    database: Option<&Sqlite>,
    secrets: Option<&Secrets>,
    now: Timestamp,
    report: &mut Report,
) -> Option<Vec<Value>> {
    let Some(database) = database else {
        report.skipped(CHECK, "they are in the database, which could not be looked at");
        return None;
    };
    let stored = match database.keys().await {
        Ok(stored) => stored,
        Err(error) => {
            report.wrong(
                CHECK,
                format!("they cannot be read: {}", chain(&error)),
                "restore a backup (docs/operations.md)",
            );
            return None;
        }
    };
    let before = report.complaints();
    life(config, &stored, now, report);
    let Some(secrets) = secrets else {
        report.skipped(CHECK, "whether the secret decrypts them is not known without it");
        return None;
    };
    match opened(stored, secrets) {
        Ok(keys) => {
            if report.complaints() == before && !keys.is_empty() {
                report.ok(
                    CHECK,
                    format!(
                        "the secret decrypts {}",
                        if keys.len() == 1 { "it".to_owned() } else { format!("all {} of them", keys.len()) }
                    ),
                );
            }
            Some(keys.iter().filter_map(VerifyingKey::jwk).collect())
        }
        Err(error) => {
            let mend = "name the secret that it was made with in server.previous_secrets, or `munjigi key revoke` it";
            report.wrong(CHECK, format!("{error:#}"), mend);
            None
        }
    }
}

fn life(config: &Config, stored: &[StoredKey], now: Timestamp, report: &mut Report) {
    let with = |status| stored.iter().find(move |key| key.status == status);
    let Some(active) = with(KeyStatus::Active) else {
        if stored.is_empty() {
            report.skipped(CHECK, "there is none yet: a server makes it at its first start");
        } else {
            report.wrong(
                CHECK,
                "no key signs: nobody can log in",
                "start a server, which makes one, or `munjigi key rotate --now`",
            );
        }
        return;
    };
    let age = now.millis_since(active.changed_at) / 1000;
    let next = with(KeyStatus::Next).map(|key| {
        let from = key.changed_at.plus(PUBLISHED_FOR);
        if from < now {
            " and the next one waits for a server to run".to_owned()
        } else {
            format!(" and the next one signs from {} on", moment(from))
        }
    });
    let next = next.unwrap_or_else(|| " until `munjigi key rotate`".to_owned());
    let what = format!("{} key {} has signed since {}{next}", active.algorithm, active.kid, moment(active.changed_at));
    if age < 0 {
        report.warning(CHECK, format!("{what}: that is in the future"), "set this machine's clock right");
    } else if age > OLD {
        report.warning(
            CHECK,
            format!("{what}: more than a year"),
            "`munjigi key rotate` makes a new one, and signs nobody out",
        );
    } else {
        report.ok(CHECK, what);
    }
    let wanted = config.tokens.algorithm.name();
    if active.algorithm != wanted {
        let what = format!("tokens.algorithm is {wanted}, and the key that signs is of {}", active.algorithm);
        report.warning(CHECK, what, "restart the server: it makes a key of the configured kind");
    }
}

/// What others are shown is what is here.
pub(super) async fn published(asked: &Asked<'_>, ours: Option<&[Value]>, report: &mut Report) {
    let Some(ours) = ours else {
        return report.skipped(CHECK, "those of the public URL were not compared, because ours could not be read");
    };
    let mend = format!("let the proxy lead {JWKS} to Munjigi, and keep it for five minutes at most");
    let answer = match asked.get(JWKS, &[]).await {
        Ok(answer) if answer.status() == 200 => answer,
        Ok(answer) => return report.wrong(CHECK, format!("{} answers {}", asked.at(JWKS), answer.status()), mend),
        Err(error) => return report.wrong(CHECK, format!("{}: {}", asked.at(JWKS), chain(&error)), mend),
    };
    let set: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let Some(theirs) = set.as_ref().and_then(|set| set.get("keys")?.as_array()) else {
        return report.wrong(CHECK, format!("{} is no key set", asked.at(JWKS)), mend);
    };
    let missing = ours.iter().filter(|key| !theirs.contains(key)).count();
    let strange = theirs.iter().filter(|key| !ours.contains(key)).count();
    if missing + strange == 0 {
        report.ok(CHECK, format!("{} shows the same keys", asked.at(JWKS)));
    } else {
        let what = format!("{} lacks {missing} of our keys and has {strange} others", asked.at(JWKS));
        report.wrong(CHECK, what, format!("{mend}; or that server has another database: see server.data_dir there"));
    }
}
