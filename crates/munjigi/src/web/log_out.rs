//! `GET, POST …/logout`

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use munjigi_gate::{CookieOrder, Presented, Via, Visitor};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::view::{Done, UserView};
use crate::app::App;
use crate::flows::log_out::log_out as flow;
use crate::http::answer::Answer;
use crate::http::error::Problem;

/// Whether there is anybody to log out.
#[derive(Serialize, ToSchema)]
#[schema(as = LogOutAsks)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asks {
    logged_in: bool,
}

/// Asks: a GET changes nothing, so that no picture on a strange page can log anybody out.
pub async fn ask(visitor: Visitor) -> Answer {
    let context = json!({ "user": visitor.identity().map(UserView::from) });
    Answer::json(Asks { logged_in: visitor.identity().is_some() }).or_page("logout", context)
}

/// Logs out. The cookies go in any case, also if the revocation could not be written; then the answer says that the session
/// may go on elsewhere.
pub async fn log_out(State(app): State<Arc<App>>, Extension(tokens): Extension<Presented>) -> Result<Answer, Problem> {
    let done = flow(&app.core, &tokens).await;
    // A program with a bearer token has no cookies, and is told nothing about any.
    let program = tokens.via == Via::Bearer && tokens.unused.is_empty();
    let order = if program { CookieOrder::Keep } else { CookieOrder::Clear };
    done.map_err(|error| Problem::from(error).cookies(order.clone()))?;
    let answer = Answer::json(Done::new()).or_go(format!("{}/login", app.site.base_path));
    Ok(answer.cookies(order))
}
