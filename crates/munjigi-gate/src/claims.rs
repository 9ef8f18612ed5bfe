//! What an access token says (section 4).

use munjigi_rules::{Epoch, SessionId, Timestamp, UserId};
use serde::{Deserialize, Deserializer, Serialize};

use crate::jws::Refused;

/// The `typ` of an access token (RFC 9068 section 2.1).
pub const ACCESS_TYPE: &str = "at+jwt";

/// How far in the future a token may have been issued, or begin to be good, in seconds: as far as two nodes' clocks may be apart.
pub const MAX_CLOCK_SKEW_SECS: i64 = 60;

/// A claim that we never make. Whoever shares the key may, and means it (RFC 7519 section 4.1.5).
#[derive(Deserialize)]
struct NotBefore {
    #[serde(default, deserialize_with = "seconds")]
    nbf: Option<i64>,
}

/// A number where the claim is there: `null` is none.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    i64::deserialize(deserializer).map(Some)
}

/// The claims of an access token. All of them are required, each once and of its own type; claims that we do not know
/// are ignored, so that nodes of two versions can share an installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who issued it: the public URL.
    pub iss: String,
    /// The user.
    pub sub: UserId,
    /// Whom it is meant for: one audience, as a string.
    pub aud: String,
    /// The session.
    pub sid: SessionId,
    /// The user's epoch when the session was opened or last renewed.
    pub sep: Epoch,
    /// The name that is shown.
    pub name: String,
    /// The name that one logs in with.
    pub username: String,
    /// When it was issued: whole seconds since the Unix epoch, rounded down.
    pub iat: i64,
    /// When it expires: `iat` and the access TTL.
    pub exp: i64,
    /// The token's own id.
    pub jti: String,
    /// When the person logged in, in seconds since the Unix epoch.
    pub auth_time: i64,
    /// How the person logged in (RFC 8176).
    pub amr: Vec<String>,
}

impl AccessClaims {
    /// Reads a payload whose signature was verified before.
    pub(crate) fn read(payload: &[u8], now: Timestamp) -> Result<Self, Refused> {
        let NotBefore { nbf } = crate::jws::object(payload).ok_or(Refused::Claims)?;
        if nbf.is_some_and(|nbf| is_ahead(nbf, now)) {
            return Err(Refused::NotYet);
        }
        crate::jws::object(payload).ok_or(Refused::Claims)
    }

    /// Whether these claims make sense for this issuer and audience at this time. Expiry is not looked at.
    pub(crate) fn check(&self, issuer: &str, audience: &str, now: Timestamp) -> Result<(), Refused> {
        if self.iss != issuer {
            return Err(Refused::Issuer);
        }
        if self.aud != audience {
            return Err(Refused::Audience);
        }
        if self.exp <= self.iat {
            return Err(Refused::Claims);
        }
        if is_ahead(self.iat, now) {
            return Err(Refused::NotYet);
        }
        Ok(())
    }

    /// Whether the token has expired: `now ≥ exp`, without leeway (section 3).
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires()
    }

    /// When the token expires.
    #[must_use]
    pub const fn expires(&self) -> Timestamp {
        Timestamp::from_secs(self.exp)
    }
}

/// Whether a time lies in the future, beyond what clocks may differ.
fn is_ahead(secs: i64, now: Timestamp) -> bool {
    secs > now.as_secs().saturating_add(MAX_CLOCK_SKEW_SECS)
}
