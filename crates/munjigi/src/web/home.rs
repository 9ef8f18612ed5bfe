//! Addresses that lead somewhere else.

use std::sync::Arc;

use axum::extract::State;

use crate::app::App;
use crate::http::answer::Answer;

/// `GET /`
pub async fn home(State(app): State<Arc<App>>) -> Answer {
    Answer::see_other(format!("{}/info", app.site.base_path))
}

/// `GET /.well-known/change-password`: where password managers send people (W3C, "A Well-Known URL for Changing
/// Passwords").
pub async fn change_password(State(app): State<Arc<App>>) -> Answer {
    Answer::see_other(format!("{}/account", app.site.base_path))
}
