//! The keys that tokens are checked with at the moment.

use ahash::HashMap;

use crate::jws::VerifyingKey;

/// A set of keys by name. Its generation rises with each change, so that what was verified under another set is known.
pub(crate) struct Ring {
    generation: u64,
    keys: HashMap<Box<str>, VerifyingKey>,
}

impl Ring {
    /// The ring before the first load: it knows nobody.
    pub(crate) fn empty() -> Self {
        Self { generation: 0, keys: HashMap::default() }
    }

    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.keys.get(kid)
    }

    /// The ring of these keys after this one, or nothing where they are the same. Of two keys of one name neither is
    /// believed: which of them a token meant cannot be said.
    pub(crate) fn replaced_by(&self, loaded: Vec<VerifyingKey>) -> Option<Self> {
        let mut keys = HashMap::default();
        let mut doubled = Vec::new();
        for key in loaded {
            if let Some(other) = keys.insert(Box::<str>::from(key.kid()), key.clone())
                && other != key
            {
                tracing::error!(
                    kid = key.kid(),
                    note = "two different keys of one id: neither is used",
                    "keys_collide"
                );
                doubled.push(key);
            }
        }
        for key in doubled {
            keys.remove(key.kid());
        }
        if keys == self.keys { None } else { Some(Self { generation: self.generation + 1, keys }) }
    }
}
