//! The key ring of access tokens: made under a lock in the database, sealed with the secret, and read by every node.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use async_trait::async_trait;
use munjigi_gate::jws::{self, Algorithm, SigningKey, VerifyingKey};
use munjigi_gate::{AccessClaims, BoxError, KeySource};
use munjigi_rules::Timestamp;
use munjigi_store::{KeyStatus, Keys, StoreError, StoredKey};
use secrecy::{ExposeSecret as _, SecretString};

use crate::random;
use crate::secret::Secrets;

/// How often every node reads the ring again, so that it learns of a key that another one made.
pub const REREAD: Duration = Duration::from_secs(30);
/// Beyond the expiry of the last token that can be affected, for clocks that differ.
pub const SLACK: Duration = Duration::from_secs(60);

/// Signs access tokens, and tells the gate which keys verify them.
pub struct KeyRing {
    store: Arc<dyn Keys>,
    secrets: Secrets,
    open: ArcSwap<Ring>,
}

/// The keys of a moment, unsealed.
struct Ring {
    /// None before the first server has started on this database.
    active: Option<SigningKey>,
    verifying: Vec<VerifyingKey>,
}

impl KeyRing {
    /// Reads the ring as it is. Refuses a secret that is not the database's.
    ///
    /// # Errors
    /// The database cannot be reached, or `server.secret` is not the one that it was made with.
    pub async fn open(store: Arc<dyn Keys>, secrets: Secrets) -> anyhow::Result<Self> {
        compare(&*store, &secrets).await?;
        let open = ArcSwap::from_pointee(Ring::open(&store.keys().await?, &secrets)?);
        Ok(Self { store, secrets, open })
    }

    /// Sees to it that there is an active key of the configured kind: only a server does that, and no command.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn prepare(&self, tokens: &crate::config::Tokens, now: Timestamp) -> anyhow::Result<()> {
        let candidate = candidate(&self.secrets, tokens.algorithm, tokens.shared_secret.as_ref(), now)?;
        match tokens.shared_secret {
            Some(_) => self.store.activate(candidate).await?,
            None => drop(self.store.ensure_active(candidate).await?),
        }
        self.store.note_ttl(tokens.lifetimes.access).await?;
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
        Ok(self.store.keys().await?.iter().map(|key| key.longest_ttl).max().unwrap_or_default())
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
    fn open(stored: &[StoredKey], secrets: &Secrets) -> anyhow::Result<Self> {
        let mut active = None;
        let mut verifying = Vec::new();
        for key in stored.iter().filter(|key| key.status != KeyStatus::Revoked) {
            let plain = secrets.unseal(&key.kid, &key.sealed)?;
            let of =
                key.algorithm.parse().ok().with_context(|| format!("key {} is of an unknown algorithm", key.kid))?;
            let opened = SigningKey::from_bytes(of, key.kid.clone(), &plain)?;
            verifying.push(opened.verifying_key());
            // Whatever the database says is active signs, so that all nodes change over together.
            if key.status == KeyStatus::Active {
                active = Some(opened);
            }
        }
        Ok(Self { active, verifying })
    }
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
        let ring = Ring::open(&stored, &self.secrets)?;
        let verifying = ring.verifying.clone();
        self.open.store(Arc::new(ring));
        Ok(verifying)
    }
}

/// A key that may become the active one. A configured shared secret always has the same name, so that giving another one
/// is a new key.
fn candidate(
    secrets: &Secrets,
    algorithm: Algorithm,
    shared: Option<&SecretString>,
    now: Timestamp,
) -> anyhow::Result<StoredKey> {
    let (kid, plain) = match shared {
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
        sealed: secrets.seal(&kid, &plain)?,
        kid,
        algorithm: algorithm.name().to_owned(),
        status: KeyStatus::Active,
        longest_ttl: Duration::ZERO,
        created_at: now,
        changed_at: now,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
