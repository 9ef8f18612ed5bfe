//! A gate in a service of its own, which trusts a Munjigi server (feature `remote`).
//!
//! ```text
//!   Munjigi server                               this service
//!   /.well-known/jwks.json ── max-age, or an unknown key ──► Verifier ──┐
//!   /auth/revocations ─────── events, as things end ───────► RevokedSet ┴─► Gate
//! ```
//!
//! Nothing is asked of the server when a request comes in, and nothing is renewed: whoever shows an access token that has
//! expired is anonymous here, and is renewed at the server. Until the server has said what has ended, every token is answered
//! with 503. docs/embedding.md shows it at work, docs/feed.md says what happens at faults.

mod events;
mod follow;
mod keys;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::{AnchoredClock, Clock};
use crate::cookies::{CookieSettings, SameSite};
use crate::layer::{Gate, GateParts, WhenStale};
use crate::renew::NoRenewal;
use crate::revoked::RevokedSet;
use crate::verify::Verifier;

use follow::{Follow, Seen};
use keys::Jwks;
use wire::Wire;

/// How long [`connect`] waits for a server that does not answer, before it goes on without.
const FIRST_CONTACT: Duration = Duration::from_secs(3);

/// Which server is trusted, and how far.
#[derive(Clone)]
pub struct RemoteSettings {
    /// `iss` of its tokens: its public URL, unless it says otherwise in `tokens.issuer`.
    pub issuer: String,
    /// `aud` of its tokens; the issuer, unless it says otherwise in `tokens.audience`.
    pub audience: String,
    /// Where it is reached from here; the issuer, unless there is a shorter way.
    pub url: String,
    /// What `munjigi secret feed-token` prints there.
    pub feed_token: String,
    /// `cookies.domain` of the server, where its cookies reach this service too. A service that takes bearers only needs none.
    pub cookie_domain: Option<String>,
    /// What is done with tokens that verify when nothing was heard of the server for [`RemoteSettings::max_staleness`].
    pub when_stale: WhenStale,
    /// How long that is.
    pub max_staleness: Duration,
}

impl RemoteSettings {
    /// A server with its own defaults: tokens are for whom they are from, and go on being accepted when it cannot be heard.
    pub fn new(issuer: impl Into<String>, feed_token: impl Into<String>) -> Self {
        let issuer = issuer.into();
        Self {
            audience: issuer.clone(),
            url: issuer.clone(),
            issuer,
            feed_token: feed_token.into(),
            cookie_domain: None,
            when_stale: WhenStale::Serve,
            max_staleness: Duration::from_secs(5),
        }
    }
}

impl fmt::Debug for RemoteSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSettings").field("issuer", &self.issuer).field("url", &self.url).finish_non_exhaustive()
    }
}

/// Why there is no gate.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// Not the address of a server.
    #[error("{0:?} is not the URL of a Munjigi server: expected something like https://id.example.com")]
    Url(String),
    /// Not what `munjigi secret feed-token` prints.
    #[error("the feed token is not what `munjigi secret feed-token` prints")]
    Token,
    /// TLS could not be set up.
    #[error("no HTTP client could be made")]
    Client(#[source] crate::BoxError),
    /// The server knows another token.
    #[error("{0} refuses the feed token: `munjigi secret feed-token` prints the right one there")]
    Refused(String),
    /// The server issues other tokens.
    #[error("{url} issues tokens as {found:?}, and not as {expected:?}: see tokens.issuer there")]
    OtherIssuer {
        /// Where that is.
        url: String,
        /// What it says it is.
        found: String,
        /// What was expected.
        expected: String,
    },
}

/// A gate that trusts a Munjigi server. What it has to know is kept up to date in the background, for as long as any clone of
/// the gate lives.
///
/// A server that cannot be reached is no error: the gate answers 503 wherever it would have to accept a token, until it can.
///
/// # Errors
/// [`RemoteError`], where waiting would not help: the settings are wrong, or the server says that they are.
pub async fn connect(settings: RemoteSettings) -> Result<Gate, RemoteError> {
    let wire = Arc::new(Wire::new(&settings)?);
    let clock: Arc<dyn Clock> = Arc::new(AnchoredClock::start());
    let jwks = Arc::new(Jwks::new(Arc::clone(&wire), Arc::clone(&clock)));
    let verifier =
        Arc::new(Verifier::new(settings.issuer.clone(), settings.audience.clone(), Arc::clone(&jwks) as Arc<_>));
    let revoked = Arc::new(RevokedSet::new());
    let (seen, mut first) = watch::channel(Seen::Nothing);
    let follow = Follow::new(wire, Arc::downgrade(&revoked), Arc::clone(&clock), settings.issuer.clone(), seen);
    let following = tokio::spawn(follow.forever());
    // Whatever it comes to, both are tried again in the background.
    let contact = async { tokio::join!(verifier.reload(), first.changed()) };
    let _ = tokio::time::timeout(FIRST_CONTACT, contact).await;
    let refused = match first.borrow().clone() {
        Seen::Refused => Some(RemoteError::Refused(settings.url.clone())),
        Seen::OtherIssuer(found) => {
            let (url, expected) = (settings.url.clone(), settings.issuer.clone());
            Some(RemoteError::OtherIssuer { url, found, expected })
        }
        Seen::Nothing | Seen::Fault | Seen::Current => None,
    };
    if let Some(error) = refused {
        following.abort();
        return Err(error);
    }
    tokio::spawn(keys::keep(Arc::downgrade(&verifier), jwks));
    let https = settings.issuer.starts_with("https://");
    Ok(Gate::new(GateParts {
        verifier,
        revoked,
        renew: Arc::new(NoRenewal),
        clock,
        cookies: CookieSettings::new(https, settings.cookie_domain, SameSite::Lax),
        when_stale: settings.when_stale,
        max_staleness: settings.max_staleness,
    }))
}
