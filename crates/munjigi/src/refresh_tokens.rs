//! Refresh tokens: signed with a key derived from `server.secret`, so that a forged one is refused before any store is
//! asked, and a stolen store holds nothing that could be shown as one.

use munjigi_gate::jws::Refused;
use munjigi_rules::refresh::{Presented, Successor};
use munjigi_rules::{Generation, Nonce, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use crate::derived_keys::DerivedKeys;
use crate::secret::Secrets;

const TYP: &str = "rt+jwt";
const PURPOSE: &str = "munjigi refresh tokens v1";

/// What a refresh token says (the wire form of [`RefreshToken`]).
#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    sid: SessionId,
    #[serde(rename = "gen")]
    generation: Generation,
    nonce: Nonce,
    parent: Nonce,
    iat: i64,
    exp: i64,
}

/// A refresh token whose signature was verified.
#[derive(Clone, Copy, Debug)]
pub struct RefreshToken {
    /// Whose.
    pub user: UserId,
    /// Which session.
    pub session: SessionId,
    /// Its place in the chain.
    pub presented: Presented,
    /// Idle expiry of the session when it was issued.
    pub expires: Timestamp,
}

/// Signs and verifies refresh tokens.
pub struct RefreshTokens(DerivedKeys);

impl RefreshTokens {
    /// With the keys of all secrets; the present one signs.
    ///
    /// # Errors
    /// Never with derived keys, which are long enough.
    pub fn new(secrets: Secrets) -> anyhow::Result<Self> {
        Ok(Self(DerivedKeys::new(secrets, PURPOSE, TYP)?))
    }

    /// Signs the refresh token at `place`.
    ///
    /// # Errors
    /// If signing fails, which it has no reason to.
    pub fn sign(&self, user: UserId, session: SessionId, place: &Successor, now: Timestamp) -> anyhow::Result<String> {
        self.0.sign(&Claims {
            sub: user,
            sid: session,
            generation: place.generation,
            nonce: place.nonce,
            parent: place.parent,
            iat: now.as_secs(),
            exp: place.expires.as_secs(),
        })
    }

    /// Verifies that we signed `token`. Whether it has expired is for the caller to ask.
    ///
    /// # Errors
    /// [`Refused`]: it is not one of ours.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<RefreshToken, Refused> {
        let claims: Claims = self.0.open(token, now)?;
        Ok(RefreshToken {
            user: claims.sub,
            session: claims.sid,
            presented: Presented {
                generation: claims.generation,
                nonce: claims.nonce,
                parent: claims.parent,
                issued_at: Timestamp::from_secs(claims.iat),
            },
            expires: Timestamp::from_secs(claims.exp),
        })
    }
}
