//! Refresh tokens: signed with a key derived from `server.secret`, so that a forged one is refused before any store is
//! asked, and a stolen store holds nothing that could be shown as one.

use munjigi_gate::jws::{self, Algorithm, Refused, SigningKey, VerifyingKey};
use munjigi_rules::refresh::{Presented, Successor};
use munjigi_rules::{Generation, Nonce, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

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
pub struct RefreshTokens {
    current: SigningKey,
    all: Vec<VerifyingKey>,
}

impl RefreshTokens {
    /// With the keys of all secrets; the present one signs.
    ///
    /// # Errors
    /// Never with derived keys, which are long enough.
    pub fn new(secrets: &Secrets) -> anyhow::Result<Self> {
        let keys = secrets.derive_all(PURPOSE).map(|derived| {
            // The key's name says which secret it is from without saying anything about the secret.
            let name = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, derived.as_ref());
            let kid: String = name.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            SigningKey::from_bytes(Algorithm::Hs256, kid, derived.as_ref())
        });
        let mut keys = keys.collect::<Result<Vec<_>, _>>()?;
        let all = keys.iter().map(SigningKey::verifying_key).collect();
        Ok(Self { current: keys.swap_remove(0), all })
    }

    /// Signs the refresh token at `place`.
    ///
    /// # Errors
    /// If signing fails, which it has no reason to.
    pub fn sign(&self, user: UserId, session: SessionId, place: &Successor, now: Timestamp) -> anyhow::Result<String> {
        let claims = Claims {
            sub: user,
            sid: session,
            generation: place.generation,
            nonce: place.nonce,
            parent: place.parent,
            iat: now.as_secs(),
            exp: place.expires.as_secs(),
        };
        Ok(jws::sign(&self.current, TYP, &claims)?)
    }

    /// Verifies that we signed `token`. Whether it has expired is for the caller to ask.
    ///
    /// # Errors
    /// [`Refused`]: it is not one of ours.
    pub fn verify(&self, token: &str) -> Result<RefreshToken, Refused> {
        let payload = jws::open(token, TYP, |kid| self.all.iter().find(|key| key.kid() == kid).cloned())?;
        // The brace is asked for because serde would also take a list with the members in their order.
        if payload.first() != Some(&b'{') {
            return Err(Refused::Claims);
        }
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| Refused::Claims)?;
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
