//! Browsers from which somebody has logged in before, and what they are known by (section 8).

use munjigi_gate::{DeviceToken, Presented};
use munjigi_rules::{UserId, Username};
use munjigi_store::User;

use super::FlowError;
use crate::core::Core;
use crate::device_tokens::Device;

/// What the browser is known by, if anything.
#[must_use]
pub fn presented(core: &Core, tokens: &Presented) -> Option<Device> {
    tokens.device.as_deref().and_then(|token| core.device_tokens.read(token, core.now()))
}

/// The browser, if somebody has logged in from it to the account of this name since every session of it was last ended.
///
/// The user is looked up only for a browser that has a token for the name: for all others nothing here depends on whether
/// there is such a user.
///
/// # Errors
/// The store cannot be reached.
pub async fn known<'a>(
    core: &Core,
    device: Option<&'a Device>,
    username: &str,
) -> Result<Option<&'a Device>, FlowError> {
    let known = device.and_then(|device| Some((device, device.known_for(&core.account_names.of(username))?)));
    let (Some((device, epoch)), Ok(username)) = (known, Username::parse(username)) else { return Ok(None) };
    let now = core.users.credentials(&username).await?;
    Ok(now.is_some_and(|now| now.user.epoch == epoch).then_some(device))
}

/// What the browser is known by from now on, for this user too.
///
/// # Errors
/// Signing fails, which it has no reason to.
pub fn know(core: &Core, device: Option<&Device>, user: &User) -> Result<DeviceToken, FlowError> {
    let account = core.account_names.of(user.username.as_str());
    core.device_tokens.issue(device.cloned(), account, user.epoch, core.now()).map_err(FlowError::Broken)
}

/// The same after the user has ended everything but the session at hand, which makes strangers of their browsers. `device` was known until
/// then, and stays so. What was done is done: if this cannot be, the browser is a stranger at its next log-in, and nothing else.
pub async fn know_again(core: &Core, device: Option<&Device>, user: UserId) -> Option<DeviceToken> {
    let device = device?;
    let again = async {
        let user = core.users.find(user).await?;
        user.map(|user| know(core, Some(device), &user)).transpose()
    };
    again.await.unwrap_or_else(|error| {
        tracing::warn!(%user, error = crate::telemetry::chain(&error), "browser_not_known");
        None
    })
}
