//! `GET /metrics`

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;

use crate::app::App;
use crate::http::error::{Code, Problem};
use crate::metrics::exposition;

/// Everything that is measured.
pub async fn show(State(app): State<Arc<App>>) -> Response {
    match exposition::text(&app.core, app.gate.outcomes()) {
        Ok(text) => ([(CONTENT_TYPE, exposition::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            ::tracing::error!(code = Code::Internal.name(), cause = %error, "failure");
            Problem::new(Code::Internal).into_response()
        }
    }
}
