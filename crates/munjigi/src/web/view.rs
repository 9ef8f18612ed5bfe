//! Shapes that several answers share.

use jiff::Timestamp as Moment;
use munjigi_gate::{CookieOrder, Identity, Presented};
use munjigi_rules::{SessionId, Timestamp, UserId};
use munjigi_store::User;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::device_tokens::Device;
use crate::flows::known_browser;
use crate::http::answer::Answer;
use crate::http::error::Problem;

/// A user, as programs and pages get to see them.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserView {
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    username: String,
    name: String,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self { id: user.id, username: user.username.to_string(), name: user.name.to_string() }
    }
}

impl From<&Identity> for UserView {
    fn from(who: &Identity) -> Self {
        Self { id: who.user_id(), username: who.username().to_owned(), name: who.name().to_owned() }
    }
}

/// The session at hand. Times are RFC 3339.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionView {
    #[schema(value_type = String)]
    id: SessionId,
    /// When it ends if it is not used again.
    #[schema(format = DateTime)]
    expires_at: String,
    #[schema(format = DateTime)]
    access_expires_at: String,
}

impl SessionView {
    /// What the tokens at hand say; no store is asked.
    pub(super) fn of(app: &App, who: &Identity, tokens: &Presented) -> Self {
        let access = Timestamp::from_secs(who.claims.exp);
        Self {
            id: who.session_id(),
            expires_at: rfc3339(idle_expiry(app, who, tokens)),
            access_expires_at: rfc3339(access),
        }
    }
}

/// It is done.
#[derive(Serialize, ToSchema)]
pub(super) struct Done {
    success: bool,
}

impl Done {
    pub(super) const fn new() -> Self {
        Self { success: true }
    }
}

/// It is done, and this is whom it was done to.
#[derive(Serialize, ToSchema)]
pub(super) struct DoneTo {
    success: bool,
    user: UserView,
}

impl DoneTo {
    pub(super) fn user(user: impl Into<UserView>) -> Self {
        Self { success: true, user: user.into() }
    }
}

/// The idle expiry, as the refresh token says it; a caller without one is only known until the access token expires.
pub(super) fn idle_expiry(app: &App, who: &Identity, tokens: &Presented) -> Timestamp {
    let refresh =
        tokens.refresh.as_deref().and_then(|token| app.core.refresh_tokens.verify(token, app.core.now()).ok());
    let of_session = refresh.filter(|token| token.session == who.session_id());
    of_session.map_or(Timestamp::from_secs(who.claims.exp), |token| token.expires)
}

/// RFC 3339, in UTC, to the second.
pub(super) fn rfc3339(at: Timestamp) -> String {
    Moment::from_second(at.as_secs()).unwrap_or_default().to_string()
}

/// Where a form of the account page leads once it is done; the page then says so.
pub(super) fn saved(app: &App, what: &str) -> String {
    format!("{}/account?saved={what}", app.site.base_path)
}

/// The browser at hand, if it is known now: it stays so, though every session but its own is about to be ended.
pub(super) async fn known_now(app: &App, who: &Identity, tokens: &Presented) -> Result<Option<Device>, Problem> {
    let device = known_browser::presented(&app.core, tokens);
    Ok(known_browser::known(&app.core, device.as_ref(), who.username()).await?.cloned())
}

/// The answer once they were ended.
pub(super) async fn known_again(app: &App, who: &Identity, device: Option<Device>, answer: Answer) -> Answer {
    match known_browser::know_again(&app.core, device.as_ref(), who.user_id()).await {
        Some(device) => answer.cookies(CookieOrder::SetDevice(device)),
        None => answer,
    }
}
