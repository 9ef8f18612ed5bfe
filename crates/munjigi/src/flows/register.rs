//! A visitor registers, and is signed in at once.

use std::time::Duration;

use munjigi_gate::{Issued, Persistence};
use munjigi_rules::password::WeakPassword;
use munjigi_rules::register::{self, Applicant, Form, Mode, Problems, decide};
use munjigi_rules::{Epoch, UserId, Username};
use munjigi_store::{NewUser, Registered, User};

use super::open_session::{Previous, open_session};
use super::{Client, FlowError, TooMany, known_browser, limits};
use crate::core::Core;
use crate::random;

/// For so long a form that comes again is taken for the same one.
const MOMENT: Duration = Duration::from_secs(600);

/// What became of a registration.
#[derive(Debug)]
pub enum Registration {
    /// The account exists, and its first session is open.
    Welcome(Box<User>, Box<Issued>),
    /// Something about the form is wrong.
    Invalid(Problems),
    /// Somebody has, or once had, that username.
    Taken,
    /// Nobody may register here.
    Closed,
    /// Too many registrations from there.
    TooMany(TooMany),
}

/// Registers. The sessions that the request's cookies name end.
///
/// # Errors
/// A store cannot be reached, or too many passwords wait. If only the session could not be opened, the account exists all the
/// same, and logging in goes on from there.
pub async fn register(
    core: &Core,
    form: &Form<'_>,
    client: &Client,
    previous: &Previous,
) -> Result<Registration, FlowError> {
    let outcome = applied(core, form, client, previous).await;
    core.metrics.registrations.note(&outcome);
    outcome
}

async fn applied(
    core: &Core,
    form: &Form<'_>,
    client: &Client,
    previous: &Previous,
) -> Result<Registration, FlowError> {
    if core.registration == Mode::Closed {
        return Ok(Registration::Closed);
    }
    let registration = match decide(form, Applicant::Visitor, &core.policy) {
        Ok(registration) => registration,
        Err(problems) => return Ok(Registration::Invalid(problems)),
    };
    core.passwords.room()?;
    if core.passwords.is_breached(&registration.password).await? {
        return Ok(Registration::Invalid(breached()));
    }
    if let Some(too_many) = limits::registration(core, client).take(core).await? {
        tracing::warn!(from = %client, "registration_limited");
        return Ok(Registration::TooMany(too_many));
    }
    let Some(user) = make(core, registration).await? else { return Ok(Registration::Taken) };
    tracing::info!(user = %user.id, from = %client, "registered");
    let mut issued = open_session(core, &user, client, Persistence::Browser).await?;
    issued.device = Some(known_browser::know(core, previous.device.as_ref(), &user)?);
    previous.end(core).await?;
    Ok(Registration::Welcome(Box::new(user), Box::new(issued)))
}

/// Whether the account was made a moment ago, so that the same form may have come twice.
///
/// # Errors
/// The store cannot be reached.
pub async fn is_new(core: &Core, username: &str) -> Result<bool, FlowError> {
    let Ok(username) = Username::parse(username) else { return Ok(false) };
    let known = core.users.credentials(&username).await?;
    Ok(known.is_some_and(|known| core.now() < known.user.created_at.plus(MOMENT)))
}

/// What is wrong with a registration whose password is in the list.
pub(super) fn breached() -> Problems {
    Problems { password: Some(WeakPassword::Breached), ..Problems::default() }
}

/// Makes the account. `None`: somebody has, or once had, that username.
pub(super) async fn make(core: &Core, registration: register::Registration) -> Result<Option<User>, FlowError> {
    let hash = core.passwords.hash(registration.password).await?;
    let now = core.now();
    let user = User {
        id: UserId::new(now, random::bytes()),
        username: registration.username,
        name: registration.name,
        enabled: true,
        epoch: Epoch(0),
        created_at: now,
    };
    let (id, username, name) = (user.id, user.username.clone(), user.name.clone());
    let made = core.users.register(NewUser { id, username, name, hash, created_at: now }).await?;
    Ok((made == Registered::Created).then_some(user))
}
