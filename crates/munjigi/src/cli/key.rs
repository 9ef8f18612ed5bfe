//! `munjigi key`

use std::process::ExitCode;

use clap::Subcommand;
use munjigi_gate::jws::SigningKey;
use munjigi_store::{KeyStatus, Revoked, StoredKey};
use serde_json::{Value, json};

use super::{NOT_FOUND, output};
use crate::core::Core;
use crate::keys::{Rotated, When};

/// Shows, rotates and revokes the keys that sign access tokens
#[derive(Subcommand)]
pub(super) enum Key {
    /// Lists the keys: next (published, does not sign yet), active, retired, revoked
    List {
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Shows a key as a JSON Web Key: the public one, or for HS256 the shared secret
    #[command(after_help = "An app that checks HS256 tokens itself needs the secret: `k` is base64url.")]
    Show {
        /// Its id, as `munjigi key list` shows it [default: the active key]
        kid: Option<String>,
    },
    /// Makes a new key: published first, it signs as soon as every service can know it
    #[command(after_help = "The old key goes on verifying until its last token has expired. Nobody is signed out.")]
    Rotate {
        /// Signs at once; services that keep the key set may refuse its tokens for some minutes
        #[arg(long)]
        now: bool,
    },
    /// Makes a key worth nothing within a second: whoever was signed in by it is renewed by another key
    Revoke {
        /// Its id, as `munjigi key list` shows it
        kid: String,
    },
}

impl Key {
    pub(super) async fn run(self, core: &Core) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { json } => list(core, json).await,
            Self::Show { kid } => show(core, kid).await,
            Self::Rotate { now } => rotate(core, if now { When::Now } else { When::Published }).await,
            Self::Revoke { kid } => revoke(core, &kid).await,
        }
    }
}

async fn list(core: &Core, json: bool) -> anyhow::Result<ExitCode> {
    let keys = core.keys.list().await?;
    if json {
        for key in &keys {
            output::say(&line(key).to_string());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let rows = keys.iter().map(|key| {
        let (made, since) = (output::moment(key.created_at), output::moment(key.changed_at));
        vec![key.kid.clone(), key.algorithm.clone(), word(key.status).to_owned(), made, since]
    });
    output::table(&["ID", "ALGORITHM", "STATUS", "MADE", "SINCE"], rows.collect());
    Ok(ExitCode::SUCCESS)
}

fn line(key: &StoredKey) -> Value {
    json!({
        "kid": key.kid,
        "algorithm": key.algorithm,
        "status": word(key.status),
        "createdAt": output::moment(key.created_at),
        "changedAt": output::moment(key.changed_at),
    })
}

const fn word(status: KeyStatus) -> &'static str {
    match status {
        KeyStatus::Next => "next",
        KeyStatus::Active => "active",
        KeyStatus::Retired => "retired",
        KeyStatus::Revoked => "revoked",
    }
}

async fn show(core: &Core, kid: Option<String>) -> anyhow::Result<ExitCode> {
    let kid = match kid {
        Some(kid) => kid,
        None => {
            let keys = core.keys.list().await?;
            let active = keys.into_iter().find(|key| key.status == KeyStatus::Active);
            let Some(active) = active else {
                output::complain("there is no active key yet: a server makes it at its first start");
                return Ok(ExitCode::from(NOT_FOUND));
            };
            active.kid
        }
    };
    let Some(key) = core.keys.show(&kid).await? else { return no_such(&kid) };
    output::say(&serde_json::to_string_pretty(&jwk(&key))?);
    Ok(ExitCode::SUCCESS)
}

/// RFC 7517; a shared secret as RFC 7518 section 6.4 has it.
fn jwk(key: &SigningKey) -> Value {
    key.verifying_key().jwk().unwrap_or_else(|| {
        let secret = key.to_bytes();
        let k = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, secret.as_slice());
        json!({ "kty": "oct", "kid": key.kid(), "alg": key.algorithm().name(), "use": "sig", "k": k })
    })
}

async fn rotate(core: &Core, when: When) -> anyhow::Result<ExitCode> {
    output::say(&match core.keys.rotate(when, core.now()).await? {
        Rotated::Published(key, from) => {
            format!("{} key {} is published, and signs from {} on", key.algorithm, key.kid, output::moment(from))
        }
        Rotated::Waiting(key, from) => {
            format!("{} key {} is waiting already, and signs from {} on", key.algorithm, key.kid, output::moment(from))
        }
        Rotated::Signs(key) => format!("{} key {} signs from now on", key.algorithm, key.kid),
    });
    Ok(ExitCode::SUCCESS)
}

async fn revoke(core: &Core, kid: &str) -> anyhow::Result<ExitCode> {
    match core.keys.revoke(kid, core.now()).await? {
        Revoked::Done => {
            output::say(&format!("key {kid} verifies nothing any more"));
            Ok(ExitCode::SUCCESS)
        }
        Revoked::Unknown | Revoked::Needed => no_such(kid),
    }
}

fn no_such(kid: &str) -> anyhow::Result<ExitCode> {
    output::complain(&format!("{}: no such key, or it was revoked", output::plain(kid)));
    Ok(ExitCode::from(NOT_FOUND))
}
