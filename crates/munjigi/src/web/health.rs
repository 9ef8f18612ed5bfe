//! `GET /healthz`, `GET /readyz`

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use munjigi_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::http::answer::Answer;
use crate::telemetry::chain;

/// The process answers.
#[derive(Serialize, ToSchema)]
pub(super) struct Alive {
    status: &'static str,
}

/// Whether the node can do its work.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    /// `ready` or `unready`.
    status: &'static str,
    checks: Checks,
}

/// `ok`, or what is wrong.
#[derive(Serialize, ToSchema)]
pub(super) struct Checks {
    users: String,
    sessions: String,
    revocations: String,
    clock: String,
}

/// The process answers.
pub async fn alive() -> Answer {
    Answer::json(Alive { status: "ok" })
}

/// The node can do its work; if not, what is wrong. The cause of a store's failure goes to the log and not to strangers.
pub async fn ready(State(app): State<Arc<App>>) -> Answer {
    let most = app.gate.parts().max_staleness;
    let users = app.core.users.schemes().await.map(drop).map_err(unreachable);
    let sessions = app.core.sessions.ping().await.map_err(unreachable);
    let revocations = match app.core.feed.staleness() {
        None => Err("not read yet".to_owned()),
        Some(age) if age > most => Err(format!("last read {} s ago", age.as_secs())),
        Some(_) => Ok(()),
    };
    let clock = app.core.feed.clock_off_by().map_or(Ok(()), |ms| Err(format!("{ms} ms off the database's clock")));
    let ready = [&users, &sessions, &revocations, &clock].iter().all(|check| check.is_ok());
    let [users, sessions, revocations, clock] =
        [users, sessions, revocations, clock].map(|check| check.map_or_else(|wrong| wrong, |()| "ok".to_owned()));
    let checks = Checks { users, sessions, revocations, clock };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Answer::json(Readiness { status: if ready { "ready" } else { "unready" }, checks }).status(status)
}

fn unreachable(error: StoreError) -> String {
    tracing::warn!(error = chain(&error), "not_ready");
    "cannot be reached".to_owned()
}
