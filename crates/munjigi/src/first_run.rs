//! Whether anybody has an account yet: until then a visitor is told what to do first.

use std::sync::atomic::{AtomicBool, Ordering};

use munjigi_store::{StoreError, Users};

/// Remembers that somebody has an account. From then on no store is asked.
#[derive(Debug, Default)]
pub struct FirstRun {
    over: AtomicBool,
}

impl FirstRun {
    /// As the users have it.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn of(users: &dyn Users) -> Result<Self, StoreError> {
        Ok(Self { over: AtomicBool::new(!users.list(None, 1).await?.is_empty()) })
    }

    /// Whether nobody has an account. Somebody may have made the first one in another process, so the users are asked as long as
    /// there are none; where they cannot be asked, the usual page says enough.
    pub async fn goes_on(&self, users: &dyn Users) -> bool {
        if self.over.load(Ordering::Relaxed) {
            return false;
        }
        let is_empty = users.list(None, 1).await.map(|users| users.is_empty());
        self.over.fetch_or(matches!(is_empty, Ok(false)), Ordering::Relaxed);
        is_empty.unwrap_or(false)
    }
}
