//! `GET /healthz`, `GET /readyz`

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use munjigi_store::StoreError;
use serde_json::{Value, json};

use crate::app::App;
use crate::http::answer::Answer;
use crate::telemetry::chain;

/// The process answers.
pub async fn alive() -> Answer {
    Answer::json(json!({ "status": "ok" }))
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
    let checks = [("users", users), ("sessions", sessions), ("revocations", revocations), ("clock", clock)];
    let ready = checks.iter().all(|(_, check)| check.is_ok());
    let shown: serde_json::Map<String, Value> = checks
        .into_iter()
        .map(|(name, check)| (name.to_owned(), check.map_or_else(Value::from, |()| "ok".into())))
        .collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Answer::json(json!({ "status": if ready { "ready" } else { "unready" }, "checks": shown })).status(status)
}

fn unreachable(error: StoreError) -> String {
    tracing::warn!(error = chain(&error), "not_ready");
    "cannot be reached".to_owned()
}
