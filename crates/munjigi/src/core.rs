//! What the flows work with: the stores, and the few services that stand on them. No HTTP here.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use munjigi_gate::{Clock, Verifier};
use munjigi_rules::Timestamp;
use munjigi_rules::password::Policy;
use munjigi_rules::register::Mode;
use munjigi_rules::session::Lifetimes;
use munjigi_store::redis::Redis;
use munjigi_store::sqlite::Sqlite;
use munjigi_store::{Keys, Limits, Revocations, Sessions, StoreError, Users};
use secrecy::{ExposeSecret as _, SecretString};

use crate::account_names::AccountNames;
use crate::config::values::shown_url;
use crate::config::{self, Config};
use crate::device_tokens::DeviceTokens;
use crate::doctor_calls::DoctorCalls;
use crate::feed_tokens::FeedTokens;
use crate::first_run::FirstRun;
use crate::followers::{Followers, MOST_FOLLOWERS};
use crate::keys::KeyRing;
use crate::metrics::Metrics;
use crate::passwords::Passwords;
use crate::refresh_tokens::RefreshTokens;
use crate::revocations::Feed;
use crate::secret::{self, SecretFile, Secrets};

/// Who opens the stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A server, which issues tokens: it makes keys where there are none, and needs every store.
    Server,
    /// A command beside it.
    Command,
}

/// Stores and services, chosen once at start.
pub struct Core {
    /// Accounts.
    pub users: Arc<dyn Users>,
    /// Hot state of sessions.
    pub sessions: Arc<dyn Sessions>,
    /// What has ended.
    pub revocations: Arc<dyn Revocations>,
    /// Counters of tries.
    pub limits: Arc<dyn Limits>,
    /// The limits; `None`: off.
    pub quotas: Option<config::Limits>,
    /// Hashing.
    pub passwords: Passwords,
    /// Signs access tokens.
    pub keys: Arc<KeyRing>,
    /// Verifies access tokens, of this node and of others.
    pub verifier: Arc<Verifier>,
    /// Signs refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// Names accounts in counters.
    pub account_names: AccountNames,
    /// Signs device tokens.
    pub device_tokens: DeviceTokens,
    /// Knows who may follow the revocations.
    pub feed_tokens: FeedTokens,
    /// Knows what `munjigi doctor` may ask.
    pub doctor_calls: DoctorCalls,
    /// Reads the revocations into memory.
    pub feed: Arc<Feed>,
    /// Whether anybody has an account yet.
    pub first_run: FirstRun,
    /// What is counted.
    pub metrics: Metrics,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Since when this has been open.
    pub started: Timestamp,
    /// How long tokens and sessions live.
    pub lifetimes: Lifetimes,
    /// Which passwords may be set.
    pub policy: Policy,
    /// Who may register.
    pub registration: Mode,
    /// `iss` of access tokens.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
}

impl Core {
    /// Opens the stores and everything that stands on them, and reads the revocations once. A command makes no
    /// keys by that, and does without a Redis that is down; like a server it makes the secret where there is no database yet, and brings the
    /// schema up to date where `store.migrate` says so.
    ///
    /// # Errors
    /// A store cannot be opened, the secret is missing or not the database's; the message says what to do.
    pub async fn open(config: &Config, clock: Arc<dyn Clock>, role: Role) -> anyhow::Result<Self> {
        let metrics = Metrics::default();
        let meter = Arc::new(metrics.stores.clone());
        let sqlite = open_sqlite(config)?.measured(Arc::clone(&meter) as _);
        let secrets = secrets(config, &clock, &sqlite).await?;
        let (sessions, limits): (Arc<dyn Sessions>, Arc<dyn Limits>) = match &config.store.redis_url {
            None => (Arc::new(sqlite.clone()), Arc::new(sqlite.clone())),
            Some(url) => {
                let named = || format!("store.redis_url: {}", shown_url(url.expose_secret()));
                let redis = redis_at(url, config.store.redis_ca()?).with_context(named)?;
                let redis = if role == Role::Server { redis.reached().await.with_context(named)? } else { redis };
                let redis = redis.measured(meter);
                (Arc::new(redis.clone()), Arc::new(redis))
            }
        };
        let keys = Arc::new(KeyRing::open(Arc::new(sqlite.clone()), secrets.clone(), config.tokens.clone()).await?);
        if role == Role::Server {
            keys.prepare(clock.now()).await?;
        }
        let tokens = &config.tokens;
        let verifier = Verifier::new(tokens.issuer.clone(), tokens.audience.clone(), Arc::clone(&keys) as _);
        verifier.try_reload().await?;
        // Followers stay, so that they must never take all connections.
        let followers = Followers::new(MOST_FOLLOWERS.min(config.server.max_connections / 2), &tokens.issuer);
        let feed = Feed::new(Arc::new(sqlite.clone()), Arc::clone(&keys), Arc::clone(&clock), followers);
        feed.ring().await?;
        let first_run = FirstRun::of(&sqlite).await?;
        Ok(Self {
            first_run,
            users: Arc::new(sqlite.clone()),
            revocations: Arc::new(sqlite),
            sessions,
            limits,
            quotas: config.limits,
            passwords: Passwords::start(&config.passwords)?,
            keys,
            verifier: Arc::new(verifier),
            refresh_tokens: RefreshTokens::new(secrets.clone())?,
            account_names: AccountNames::new(secrets.clone()),
            device_tokens: DeviceTokens::new(secrets.clone())?,
            doctor_calls: DoctorCalls::new(secrets.clone())?,
            feed_tokens: FeedTokens::new(secrets),
            feed: Arc::new(feed),
            metrics,
            started: clock.now(),
            clock,
            lifetimes: config.tokens.lifetimes,
            policy: config.passwords.policy.clone(),
            registration: config.accounts.registration,
            issuer: config.tokens.issuer.clone(),
            audience: config.tokens.audience.clone(),
        })
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Until when nodes have to remember that something ended now: the last access token that it concerns has expired.
    ///
    /// A clock that is behind would let other nodes forget too early, so the later one of this node's and the database's
    /// counts.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn feed_until(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        let longest = self.keys.longest_ttl().await?;
        Ok(now.plus(self.feed.behind()).plus(longest).plus(crate::keys::SLACK))
    }
}

impl Core {
    /// Keeps the keys in memory as the database has them, and lets a published key sign when its time has come, for as long as
    /// the process runs.
    pub async fn keep_keys(&self) {
        let mut tick = tokio::time::interval(crate::keys::REREAD);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // What was last said in the log, so that a change is said once and not twice a second.
        let mut readable = true;
        loop {
            tick.tick().await;
            let kept = async {
                self.verifier.try_reload().await?;
                self.keys.reread_secret()?;
                if self.feed.clock_off_by().is_none() {
                    self.keys.advance(self.now()).await?;
                }
                Ok::<_, anyhow::Error>(())
            };
            match kept.await {
                Err(error) if readable => {
                    let error = format!("{error:#}");
                    tracing::error!(error, note = "those that were read before stay in use", "keys_unreadable");
                    readable = false;
                }
                Ok(()) if !readable => {
                    tracing::info!(note = "the keys can be read again", "keys_readable");
                    readable = true;
                }
                _ => {}
            }
        }
    }
}

/// The secret: as configured, or made at the first start where nobody else has to know it.
async fn secrets(config: &Config, clock: &Arc<dyn Clock>, database: &dyn Keys) -> anyhow::Result<Secrets> {
    let (dir, previous) = (&config.server.data_dir, config.server.previous_secrets.clone());
    let current = match &config.server.secret {
        Some(secret) => secret.clone(),
        None if config.store.redis_url.is_some() => anyhow::bail!(
            "server.secret is missing: with store.redis_url every node needs the same one. Make it once with \
             `openssl rand -hex 32` and give it as MUNJIGI_SERVER__SECRET, or in a file as MUNJIGI_SERVER__SECRET_FILE"
        ),
        None => {
            secret::make_data_dir(dir)?;
            // Asked in this order: another process makes the secret before the first key.
            let in_use = !database.keys().await?.is_empty();
            let file = SecretFile::new(dir, previous, config.tokens.lifetimes.idle, Arc::clone(clock));
            anyhow::ensure!(
                file.exists() || !in_use,
                "{}: the file `secret` is gone, and nothing in this database can be read without it: restore it from a backup. If it is \
                 lost, move the signing keys' table away with the whole database, and start anew",
                dir.display()
            );
            return Secrets::from_file(file);
        }
    };
    Ok(Secrets::configured(current, previous))
}

/// A Redis, not reached yet.
///
/// # Errors
/// The URL is none, or the authorities cannot be read.
pub fn redis_at(url: &SecretString, authorities: Option<Vec<u8>>) -> Result<Redis, StoreError> {
    match authorities {
        Some(authorities) => Redis::trusting(url.expose_secret(), &authorities),
        None => Redis::new(url.expose_secret()),
    }
}

/// Opens the database, in a folder that is made when it is the data directory.
///
/// # Errors
/// It cannot be opened, or its schema is not this binary's.
pub fn open_sqlite(config: &Config) -> anyhow::Result<Sqlite> {
    let path: PathBuf = config.sqlite_path();
    if config.store.sqlite_path.is_none() {
        secret::make_data_dir(&config.server.data_dir)?;
    }
    Sqlite::open(&path, config.store.migrate).with_context(|| format!("cannot open the database {}", path.display()))
}
