//! The key ring of access tokens: made under a lock in the database, sealed with the secret, and read by every node.
//!
//! ```text
//!   next  -- published long enough -->  active  -- another one is active -->  retired  -- its last token is over -->  gone
//!     \____________________________________|_____________________________________/
//!                                           `-- munjigi key revoke -->  revoked
//! ```

mod operate;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use async_trait::async_trait;
use munjigi_gate::jws::{self, SigningKey, VerifyingKey};
use munjigi_gate::{AccessClaims, BoxError, KeySource};
use munjigi_rules::Timestamp;
use munjigi_store::{KeyStatus, Keys, StoreError, StoredKey};
use secrecy::ExposeSecret as _;

use crate::secret::{Secrets, Under};
use crate::{config, random};

pub use operate::{Rotated, When};

/// How often every node reads the ring again, so that it learns within a second of a key that was made or revoked.
pub const REREAD: Duration = Duration::from_millis(500);
/// How long a service may keep the public keys.
pub const JWKS_CACHE_CONTROL: &str = "public, max-age=300";
/// A key is published for so long before it signs: until no service has a key set without it.
pub const PUBLISHED_FOR: Duration = Duration::from_secs(300).saturating_add(SLACK);
/// Beyond the expiry of the last token that can be affected, for clocks that differ.
pub const SLACK: Duration = Duration::from_secs(60);

/// Signs access tokens, and tells the gate which keys verify them.
pub struct KeyRing {
    store: Arc<dyn Keys>,
    secrets: Secrets,
    tokens: config::Tokens,
    open: ArcSwap<Ring>,
}

/// The keys of a moment, unsealed.
struct Ring {
    /// As the database had them.
    stored: Vec<StoredKey>,
    /// None before the first server has started on this database.
    active: Option<SigningKey>,
    verifying: Vec<VerifyingKey>,
}

impl KeyRing {
    /// Reads the ring as it is. Refuses a secret that is not the database's.
    ///
    /// # Errors
    /// The database cannot be reached, or `server.secret` is not the one that it was made with.
    pub async fn open(store: Arc<dyn Keys>, secrets: Secrets, tokens: config::Tokens) -> anyhow::Result<Self> {
        let open = ArcSwap::from_pointee(Ring::read(&*store, &secrets).await?);
        Ok(Self { store, secrets, tokens, open })
    }

    /// Sees to it that there is an active key of the configured kind, and that nothing is sealed with a former secret: only a
    /// server does that, and no command.
    ///
    /// # Errors
    /// The database cannot be reached, or the configured shared secret was revoked.
    pub async fn prepare(&self, now: Timestamp) -> anyhow::Result<()> {
        let held = self.hold().await?;
        let candidate = self.candidate(now)?;
        match self.tokens.shared_secret {
            Some(_) => anyhow::ensure!(
                self.store.activate(candidate).await?,
                "tokens.shared_secret was revoked with `munjigi key revoke`: give another one"
            ),
            None => drop(self.store.ensure_active(candidate).await?),
        }
        self.store.note_ttl(self.tokens.lifetimes.access).await?;
        self.settle(held.as_ref(), now).await
    }

    /// Lets the next key sign, once it was published long enough. Whichever node is first does it for all.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn advance(&self, now: Timestamp) -> Result<(), StoreError> {
        let published = now.minus(PUBLISHED_FOR);
        let due = |key: &StoredKey| key.status == KeyStatus::Next && key.changed_at <= published;
        if self.open.load().stored.iter().any(due) && self.store.promote(published, now).await? {
            tracing::info!(note = "the next key signs from now on", "key_promoted");
        }
        Ok(())
    }

    /// Signs an access token with the active key.
    ///
    /// # Errors
    /// If signing fails, which it has no reason to.
    pub fn sign(&self, claims: &AccessClaims) -> anyhow::Result<String> {
        let ring = self.open.load();
        let active = ring.active.as_ref().context("the database holds no active signing key")?;
        Ok(jws::sign(active, "at+jwt", claims)?)
    }

    /// The longest life of an access token that any live key has signed, as the database knows it at this moment: another
    /// node may just have begun to sign longer ones.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn longest_ttl(&self) -> Result<Duration, StoreError> {
        let keys = self.store.keys().await?;
        let live = keys.iter().filter(|key| key.status != KeyStatus::Revoked);
        Ok(live.map(|key| key.longest_ttl).max().unwrap_or_default())
    }

    /// Reads the secret again, where it is in a file: another process may have replaced it, or a former one's time may be over.
    ///
    /// # Errors
    /// It cannot be read; what was read before stays in use.
    pub fn reread_secret(&self) -> anyhow::Result<()> {
        self.secrets.reread()
    }

    /// The same as this node has read it: at most [`REREAD`] ago, if the database can be reached.
    #[must_use]
    pub fn longest_ttl_known(&self) -> Duration {
        let ring = self.open.load();
        let live = ring.stored.iter().filter(|key| key.status != KeyStatus::Revoked);
        live.map(|key| key.longest_ttl).max().unwrap_or_default()
    }

    /// Where each key is in its life as this node knows it, and since when.
    #[must_use]
    pub fn states(&self) -> Vec<(KeyStatus, Timestamp)> {
        self.open.load().stored.iter().map(|key| (key.status, key.changed_at)).collect()
    }

    /// Forgets keys whose last token has expired.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn prune(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.store.prune(now).await
    }

    /// The public keys, as a JSON Web Key Set (RFC 7517 section 5). Keys that are shared secrets are not in it.
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        let keys: Vec<_> = self.open.load().verifying.iter().filter_map(VerifyingKey::jwk).collect();
        serde_json::json!({ "keys": keys })
    }
}

impl Ring {
    /// Reads the ring. Where that fails with the secret at hand, another process may just have replaced it.
    async fn read(store: &dyn Keys, secrets: &Secrets) -> anyhow::Result<Self> {
        loop {
            let generation = secrets.generation();
            let ring = async {
                compare(store, secrets).await?;
                Self::open(store.keys().await?, secrets)
            };
            match ring.await {
                Err(error) => {
                    secrets.reread()?;
                    anyhow::ensure!(secrets.generation() != generation, error);
                }
                ring => return ring,
            }
        }
    }

    fn open(stored: Vec<StoredKey>, secrets: &Secrets) -> anyhow::Result<Self> {
        let mut active = None;
        let mut verifying = Vec::new();
        for key in stored.iter().filter(|key| key.status != KeyStatus::Revoked) {
            let opened = unseal(key, secrets)?.0;
            verifying.push(opened.verifying_key());
            // Whatever the database says is active signs, so that all nodes change over together.
            if key.status == KeyStatus::Active {
                active = Some(opened);
            }
        }
        Ok(Self { stored, active, verifying })
    }
}

/// The public keys of what is stored, for whoever only looks: opened with these secrets, and nothing is written.
///
/// # Errors
/// One of them cannot be decrypted; the message names it.
pub fn opened(stored: Vec<StoredKey>, secrets: &Secrets) -> anyhow::Result<Vec<VerifyingKey>> {
    Ok(Ring::open(stored, secrets)?.verifying)
}

fn unseal(key: &StoredKey, secrets: &Secrets) -> anyhow::Result<(SigningKey, Under)> {
    let (plain, under) = secrets.unseal(&key.kid, &key.sealed)?;
    let of = key.algorithm.parse().ok().with_context(|| format!("key {} is of an unknown algorithm", key.kid))?;
    Ok((SigningKey::from_bytes(of, key.kid.clone(), &plain)?, under))
}

/// A node with another secret must not start: it could read no key, and nobody its tokens. A former secret gives way to the
/// present one.
async fn compare(store: &dyn Keys, secrets: &Secrets) -> anyhow::Result<()> {
    let present = secrets.check_value();
    let kept = store.check_value(present.as_ref()).await?;
    if secrets.matches(&kept) {
        return Ok(());
    }
    anyhow::ensure!(
        secrets.matched_before(&kept),
        "server.secret is not the one that this database was made with: start with the former secret, name it in \
         server.previous_secrets, or start with an empty database. The one that was made at the first start is in the file \
         `secret` in the data directory"
    );
    store.replace_check_value(&kept, present.as_ref()).await?;
    tracing::info!("secret_replaced");
    Ok(())
}

#[async_trait]
impl KeySource for KeyRing {
    async fn load(&self) -> Result<Vec<VerifyingKey>, BoxError> {
        let stored = self.store.keys().await?;
        if self.open.load().stored != stored {
            self.open.store(Arc::new(Ring::read(&*self.store, &self.secrets).await?));
        }
        Ok(self.open.load().verifying.clone())
    }
}

impl KeyRing {
    /// A key that may become the active one. A configured shared secret always has the same name, so that giving another
    /// one is a new key.
    fn candidate(&self, now: Timestamp) -> anyhow::Result<StoredKey> {
        let algorithm = self.tokens.algorithm;
        let (kid, plain) = match &self.tokens.shared_secret {
            Some(shared) => {
                let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, shared.expose_secret().as_bytes());
                (hex(digest.as_ref().get(..8).unwrap_or_default()), shared.expose_secret().as_bytes().to_vec().into())
            }
            None => {
                let kid = hex(&random::bytes::<8>());
                (kid.clone(), SigningKey::generate(algorithm, kid)?.to_bytes())
            }
        };
        Ok(StoredKey {
            sealed: self.secrets.seal(&kid, &plain)?,
            kid,
            algorithm: algorithm.name().to_owned(),
            status: KeyStatus::Active,
            longest_ttl: Duration::ZERO,
            created_at: now,
            changed_at: now,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
