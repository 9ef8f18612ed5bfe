//! `GET …/info`: who am I?

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use munjigi_gate::{Presented, Visitor};
use munjigi_rules::register::Mode;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::view::{SessionView, UserView};
use crate::app::App;
use crate::http::answer::Answer;

/// Who asks.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Info {
    logged_in: bool,
    #[schema(required)]
    user: Option<UserView>,
    #[schema(required)]
    session: Option<SessionView>,
    /// Why somebody who was signed in is no longer: `expired`, `ended` or `reused`.
    #[schema(required)]
    reason: Option<&'static str>,
}

/// Says who asks, from the token alone. While nobody has an account, a visitor is told what to do first.
pub async fn show(State(app): State<Arc<App>>, visitor: Visitor, Extension(tokens): Extension<Presented>) -> Answer {
    let who = visitor.identity();
    let user = who.map(UserView::from);
    let session = who.map(|who| SessionView::of(&app, who, &tokens));
    let reason = visitor.reason().map(munjigi_gate::Reason::as_str);
    let registration_open = app.core.registration == Mode::Open;
    let page = json!({ "user": user, "session": session, "reason": reason, "registration_open": registration_open });
    // Whoever was signed in before learns why they no longer are.
    let first = visitor.reason().is_none() && who.is_none() && app.core.first_run.goes_on(&*app.core.users).await;
    let template = if first { "welcome" } else { "info" };
    Answer::json(Info { logged_in: user.is_some(), user, session, reason }).or_page(template, page)
}
