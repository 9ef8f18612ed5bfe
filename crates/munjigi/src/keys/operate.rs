//! What an operator does with keys and the secret: rotate, show, revoke.

use anyhow::{Context as _, ensure};
use munjigi_gate::jws::SigningKey;
use munjigi_rules::Timestamp;
use munjigi_store::{KeyStatus, Revoked, StoreError, StoredKey};

use super::{KeyRing, PUBLISHED_FOR, compare, unseal};
use crate::secret::{Former, Locked, Under};

/// When a new key begins to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Once it was published long enough ([`PUBLISHED_FOR`]), and a server runs.
    Published,
    /// At once: a service that keeps the key set may refuse its tokens until it reads the set again.
    Now,
}

/// What a rotation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// This key is published, and signs from then on.
    Published(StoredKey, Timestamp),
    /// This one was waiting already.
    Waiting(StoredKey, Timestamp),
    /// This key signs.
    Signs(StoredKey),
}

impl KeyRing {
    /// All keys, as the database has them now.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn list(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.store.keys().await
    }

    /// The key of this id, unsealed. `None`: there is none that verifies anything.
    ///
    /// # Errors
    /// The database cannot be reached, or the key cannot be decrypted.
    pub async fn show(&self, kid: &str) -> anyhow::Result<Option<SigningKey>> {
        let keys = self.store.keys().await?;
        let live = keys.iter().find(|key| key.kid == kid && key.status != KeyStatus::Revoked);
        live.map(|key| Ok(unseal(key, &self.secrets)?.0)).transpose()
    }

    /// Adds a key of the configured algorithm.
    ///
    /// # Errors
    /// The database cannot be reached, or the secret is a configured one.
    pub async fn rotate(&self, when: When, now: Timestamp) -> anyhow::Result<Rotated> {
        ensure!(
            self.tokens.shared_secret.is_none(),
            "tokens.shared_secret is configured: give another one there and restart the server; the old one goes on verifying \
             until its last token has expired"
        );
        let _held = self.hold().await?;
        let candidate = self.candidate(now)?;
        if when == When::Now {
            // One that waits already is known to more services than a new one.
            let keys = self.store.keys().await?;
            let key = keys.into_iter().find(|key| key.status == KeyStatus::Next).unwrap_or(candidate);
            let key = StoredKey { changed_at: now, ..key };
            ensure!(self.store.activate(key.clone()).await?, "key {} was revoked meanwhile", key.kid);
            return Ok(Rotated::Signs(key));
        }
        let ours = candidate.kid.clone();
        let next = self.store.publish(candidate).await?;
        let from = next.changed_at.plus(PUBLISHED_FOR);
        Ok(if next.kid == ours { Rotated::Published(next, from) } else { Rotated::Waiting(next, from) })
    }

    /// Revokes a key at once. Where it was the active one, another takes its place.
    ///
    /// # Errors
    /// The database cannot be reached, or it is the configured shared secret that signs now.
    pub async fn revoke(&self, kid: &str, now: Timestamp) -> anyhow::Result<Revoked> {
        let _held = self.hold().await?;
        let replacement = if self.tokens.shared_secret.is_some() { None } else { Some(self.candidate(now)?) };
        let revoked = self.store.revoke(kid, replacement, now).await?;
        ensure!(
            revoked != Revoked::Needed,
            "key {kid} is tokens.shared_secret, which signs now: give another one there, restart the server, then revoke this one"
        );
        Ok(revoked)
    }

    /// Puts a new secret in the place of the one in the data directory, and seals the keys with it; if somebody may know the
    /// former one, and with it every key, it makes new keys too. Servers that run learn of it by themselves.
    ///
    /// # Errors
    /// The secret is a configured one, a file cannot be written, or the database cannot be reached.
    pub async fn rotate_secret(&self, former: Former, now: Timestamp) -> anyhow::Result<()> {
        let held = self.hold().await?.context(
            "server.secret is configured, so the new one is given there. Make it with `openssl rand -hex 32`. One server: put it in \
             server.secret and the present one in server.previous_secrets, and restart. Several: first put it in \
             server.previous_secrets of all and restart them, then exchange the two and restart them again. The former one can \
             go once tokens.refresh_ttl has passed",
        )?;
        // In this order, whoever stops in the middle of it leaves an installation that works: the former secret goes last.
        held.replace(former)?;
        self.secrets.reread()?;
        compare(&*self.store, &self.secrets).await?;
        self.settle(Some(&held), now).await
    }

    /// Sees to it that nobody replaces the secret while a key is sealed with it: with another one it could not be opened again.
    /// `None`: it is configured, and nobody replaces it.
    pub(super) async fn hold(&self) -> anyhow::Result<Option<Locked<'_>>> {
        let Some(file) = self.secrets.file() else { return Ok(None) };
        let held = file.lock().await?;
        self.secrets.reread()?;
        Ok(Some(held))
    }

    /// Revokes every key, but for one that is configured: it was not made here.
    async fn revoke_all(&self, now: Timestamp) -> anyhow::Result<()> {
        let keys = self.store.keys().await?;
        let (active, others): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| key.status == KeyStatus::Active);
        // The next one first, so that it does not take the place of the active one.
        for key in others.iter().filter(|key| key.status != KeyStatus::Revoked) {
            self.store.revoke(&key.kid, None, now).await?;
        }
        if self.tokens.shared_secret.is_none() {
            for key in &active {
                self.store.revoke(&key.kid, Some(self.candidate(now)?), now).await?;
            }
        }
        Ok(())
    }

    /// The key that is not ours to replace, if it is configured.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn configured(&self) -> Result<Option<String>, StoreError> {
        let active = self.store.keys().await?.into_iter().find(|key| key.status == KeyStatus::Active);
        Ok(active.map(|key| key.kid).filter(|_| self.tokens.shared_secret.is_some()))
    }

    /// Ends what the replacement of a secret began, also one that was interrupted: replaces the keys that somebody may know, seals with
    /// the present secret what was sealed with a former one, and forgets those that are good for nothing else.
    pub(super) async fn settle(&self, held: Option<&Locked<'_>>, now: Timestamp) -> anyhow::Result<()> {
        if held.map_or(Ok(false), Locked::is_known)? {
            self.revoke_all(now).await?;
        }
        for key in self.store.keys().await?.iter().filter(|key| key.status != KeyStatus::Revoked) {
            if let (opened, Under::Former) = unseal(key, &self.secrets)? {
                let sealed = self.secrets.seal(&key.kid, &opened.to_bytes())?;
                // Another node may have been faster.
                self.store.reseal(&key.kid, &key.sealed, &sealed).await?;
            }
        }
        held.map_or(Ok(()), Locked::forget_over)
    }
}
