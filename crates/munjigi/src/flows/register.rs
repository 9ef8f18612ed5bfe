//! A visitor registers, and is signed in at once.

use munjigi_gate::{Issued, Persistence};
use munjigi_rules::register::{self, Applicant, Form, Mode, Problems, decide};
use munjigi_rules::{Epoch, SessionId, UserId};
use munjigi_store::{LimitKey, NewUser, Registered, Take, User};

use super::end::end_session;
use super::open_session::open_session;
use super::{Client, FlowError, TooMany};
use crate::core::Core;
use crate::random;

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

/// Registers. The sessions that the request's cookies name (`previous`) end.
///
/// # Errors
/// A store cannot be reached, or too many passwords wait. If only the session could not be opened, the account exists all the
/// same, and logging in goes on from there.
pub async fn register(
    core: &Core,
    form: &Form<'_>,
    client: &Client,
    previous: &[(UserId, SessionId)],
) -> Result<Registration, FlowError> {
    if core.registration == Mode::Closed {
        return Ok(Registration::Closed);
    }
    let registration = match decide(form, Applicant::Visitor, &core.policy) {
        Ok(registration) => registration,
        Err(problems) => return Ok(Registration::Invalid(problems)),
    };
    core.passwords.room()?;
    if let Take::Refused { retry_after } = core.take(&counters(core, client)).await? {
        tracing::warn!(from = %client, "registration_limited");
        return Ok(Registration::TooMany(TooMany { retry_after }));
    }
    let Some(user) = make(core, registration).await? else { return Ok(Registration::Taken) };
    tracing::info!(user = %user.id, from = %client, "registered");
    let issued = open_session(core, &user, client, Persistence::Browser).await?;
    for (user, session) in previous {
        end_session(core, *user, *session).await?;
    }
    Ok(Registration::Welcome(Box::new(user), Box::new(issued)))
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

fn counters(core: &Core, client: &Client) -> Vec<(LimitKey, munjigi_rules::throttle::Quota)> {
    let quota = core.quotas.map(|quotas| quotas.registration_address);
    let address = client.limited_address();
    quota
        .zip(address)
        .map(|(quota, address)| (LimitKey(format!("register:address:{address}")), quota))
        .into_iter()
        .collect()
}
