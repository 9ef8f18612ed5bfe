//! Opens a session: the end of every way in.

use std::sync::Arc;

use munjigi_gate::{AccessClaims, Issued, Persistence, Presented};
use munjigi_rules::refresh::Successor;
use munjigi_rules::{Nonce, SessionId, Timestamp, UserId};
use munjigi_store::{LogIn, User};

use super::end::end_session;
use super::log_out::named;
use super::{Client, FlowError, known_browser};
use crate::core::Core;
use crate::device_tokens::Device;
use crate::random;

/// Most bytes of a `User-Agent` that are kept.
const MOST_USER_AGENT: usize = 256;

/// Opens a session for a user who has just shown who they are. `user` was read together with the password hash, so that a
/// password change in between ends this session too.
///
/// # Errors
/// A store cannot be reached; nothing is handed out then.
pub async fn open_session(
    core: &Core,
    user: &User,
    client: &Client,
    persistence: Persistence,
) -> Result<Issued, FlowError> {
    refuse_if_clock_is_off(core)?;
    let now = core.now();
    let session = SessionId::from_bytes(random::bytes());
    let (spent, nonce) = (Nonce::from_bytes(random::bytes()), Nonce::from_bytes(random::bytes()));
    let opening = munjigi_rules::session::open(&core.lifetimes, user.epoch, spent, nonce, now);
    let log_in = LogIn {
        session,
        user: user.id,
        user_agent: cut(&client.user_agent, MOST_USER_AGENT).to_owned(),
        address: client.address.map(|address| address.to_canonical().to_string()).unwrap_or_default(),
        remembered: persistence == Persistence::Remembered,
        at: now,
        until: opening.record.until,
    };
    core.users.record_log_in(log_in.clone()).await?;
    let removed = core.sessions.open(user.id, session, opening.record, now).await?;
    if !removed.is_empty() {
        core.users.forget_log_ins(removed).await?;
    }
    issue(core, user, &log_in, Refresh::sign(core, &log_in, &opening.first, now)?, now)
}

/// What a browser brings along that somebody logs in or registers with.
#[derive(Clone, Debug, Default)]
pub struct Previous {
    /// The sessions that its cookies name.
    pub sessions: Vec<(UserId, SessionId)>,
    /// What it is known by.
    pub device: Option<Device>,
}

impl Previous {
    /// Reads what the cookies say.
    pub async fn of(core: &Core, tokens: &Presented) -> Self {
        Self { sessions: named(core, tokens).await, device: known_browser::presented(core, tokens) }
    }

    /// Ends the sessions, so that none is carried into another log-in.
    ///
    /// # Errors
    /// A row could not be written.
    pub async fn end(&self, core: &Core) -> Result<(), FlowError> {
        for (user, session) in &self.sessions {
            end_session(core, *user, *session).await?;
        }
        Ok(())
    }
}

/// A refresh token that is to be handed out.
pub struct Refresh {
    /// The token.
    pub token: String,
    /// Its expiry.
    pub expires: Timestamp,
}

impl Refresh {
    /// Signs the one at `place`.
    ///
    /// # Errors
    /// Signing fails, which it has no reason to.
    pub fn sign(core: &Core, log_in: &LogIn, place: &Successor, now: Timestamp) -> Result<Self, FlowError> {
        let token = core.refresh_tokens.sign(log_in.user, log_in.session, place, now).map_err(FlowError::Broken)?;
        Ok(Self { token, expires: place.expires })
    }
}

/// Signs an access token and puts it beside a refresh token.
///
/// # Errors
/// Signing fails, which it has no reason to.
pub fn issue(core: &Core, user: &User, log_in: &LogIn, refresh: Refresh, now: Timestamp) -> Result<Issued, FlowError> {
    let claims = claims(core, user, log_in, now);
    Ok(Issued {
        access_token: core.keys.sign(&claims).map_err(FlowError::Broken)?,
        refresh_token: refresh.token,
        claims: Arc::new(claims),
        refresh_expires: refresh.expires,
        persistence: if log_in.remembered { Persistence::Remembered } else { Persistence::Browser },
        device: None,
    })
}

/// A fresh `jti`.
pub(super) fn token_id() -> String {
    format!("{:032x}", u128::from_be_bytes(random::bytes()))
}

fn claims(core: &Core, user: &User, log_in: &LogIn, now: Timestamp) -> AccessClaims {
    AccessClaims {
        iss: core.issuer.clone(),
        sub: user.id,
        aud: core.audience.clone(),
        sid: log_in.session,
        sep: user.epoch,
        name: user.name.to_string(),
        username: user.username.to_string(),
        iat: now.as_secs(),
        exp: now.as_secs().saturating_add(core.lifetimes.access.as_secs().cast_signed()),
        jti: token_id(),
        auth_time: log_in.at.as_secs(),
        amr: vec!["pwd".to_owned()],
    }
}

/// A node whose clock is off would issue tokens that others take for expired, or for good too long.
///
/// # Errors
/// [`FlowError::ClockOff`].
pub fn refuse_if_clock_is_off(core: &Core) -> Result<(), FlowError> {
    core.feed.clock_off_by().map_or(Ok(()), |millis| Err(FlowError::ClockOff(millis)))
}

/// The beginning of `text`, at most `most` bytes, never half a character.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}
