//! `GET …/info`: who am I?

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use munjigi_gate::{Presented, Visitor};
use munjigi_rules::register::Mode;
use serde_json::json;

use super::view::{SessionView, UserView};
use crate::app::App;
use crate::http::answer::Answer;

/// Says who asks, from the token alone.
pub async fn show(State(app): State<Arc<App>>, visitor: Visitor, Extension(tokens): Extension<Presented>) -> Answer {
    let who = visitor.identity();
    let user = who.map(UserView::from);
    let session = who.map(|who| SessionView::of(&app, who, &tokens));
    let reason = visitor.reason().map(munjigi_gate::Reason::as_str);
    let registration_open = app.core.registration == Mode::Open;
    let page = json!({ "user": user, "session": session, "reason": reason, "registration_open": registration_open });
    let answer = json!({ "loggedIn": user.is_some(), "user": user, "session": session, "reason": reason });
    Answer::json(answer).or_page("info", page)
}
