//! `…/account/sessions`: where am I signed in, and ending that.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use munjigi_gate::{CookieOrder, Identity, Presented, SignedIn, Via};
use munjigi_rules::SessionId;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::{Done, known_again, known_now, rfc3339, saved};
use crate::app::App;
use crate::flows::device::Device;
use crate::flows::sessions::{self, Ending};
use crate::http::answer::Answer;
use crate::http::error::{Code, Problem};
use crate::http::negotiate::{Form, Reader};
use crate::pages::{Lang, Value};

/// A session, as its user sees it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionSeen {
    #[schema(value_type = String)]
    id: SessionId,
    /// Browser and system, in words.
    device: String,
    /// Where the log-in came from; empty where that is not known.
    address: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    last_used_at: String,
    /// Whether it is the one at hand.
    current: bool,
}

/// Where a user is signed in, the session used last first.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionList {
    sessions: Vec<SessionSeen>,
}

/// Lists them; people get the account page, where they stand too.
pub async fn list(
    State(app): State<Arc<App>>,
    SignedIn(who): SignedIn,
    Extension(reader): Extension<Reader>,
) -> Result<Answer, Problem> {
    let sessions = views(&app, &who, reader.lang).await?;
    Ok(Answer::json(SessionList { sessions }).or_go(format!("{}/account", app.site.base_path)))
}

/// Ends one, by its id or as `current`. Ending the one at hand is logging out.
pub async fn end_one(
    State(app): State<Arc<App>>,
    SignedIn(who): SignedIn,
    Extension(reader): Extension<Reader>,
    Path(sid): Path<String>,
) -> Result<Answer, Problem> {
    let session = if sid == "current" { Some(who.session_id()) } else { sid.parse().ok() };
    let session: SessionId = session.ok_or_else(|| Problem::new(Code::NotFound))?;
    match sessions::end_one(&app.core, &who, session).await? {
        Ending::Ended => {}
        // A button that was pressed twice, or on a page of an hour ago: the page as it is now says it best.
        Ending::NotTheirs if reader.form == Form::Page => {
            return Ok(Answer::see_other(format!("{}/account", app.site.base_path)));
        }
        Ending::NotTheirs => return Err(Problem::new(Code::NotFound)),
        Ending::TooMany(too_many) => return Err(too_many.into()),
    }
    let answer = Answer::json(Done::new());
    if session != who.session_id() {
        return Ok(answer.or_go(saved(&app, "session")));
    }
    let answer = answer.or_go(format!("{}/login", app.site.base_path));
    Ok(if who.via == Via::Cookie { answer.cookies(CookieOrder::Clear) } else { answer })
}

/// Ends all but the one at hand.
pub async fn end_others(
    State(app): State<Arc<App>>,
    SignedIn(who): SignedIn,
    Extension(tokens): Extension<Presented>,
) -> Result<Answer, Problem> {
    let device = known_now(&app, &who, &tokens).await?;
    if let Ending::TooMany(too_many) = sessions::end_others(&app.core, &who).await? {
        return Err(too_many.into());
    }
    let answer = Answer::json(Done::new()).or_go(saved(&app, "sessions"));
    Ok(known_again(&app, &who, device, answer).await)
}

/// The sessions in words.
pub(super) async fn views(app: &App, who: &Identity, lang: Lang) -> Result<Vec<SessionSeen>, Problem> {
    let seen = sessions::list(&app.core, who.user_id()).await?;
    let view = |seen: sessions::Seen| SessionSeen {
        id: seen.log_in.session,
        device: device(app, lang, &seen.log_in.user_agent),
        address: seen.log_in.address,
        created_at: rfc3339(seen.log_in.at),
        last_used_at: rfc3339(seen.last_used),
        current: seen.log_in.session == who.session_id(),
    };
    Ok(seen.into_iter().map(view).collect())
}

fn device(app: &App, lang: Lang, user_agent: &str) -> String {
    match Device::of(user_agent) {
        Device { browser: Some(browser), system: Some(system) } => {
            let args = [("browser", Value::from(browser)), ("system", Value::from(system))];
            app.pages.messages().text(lang, "device-on", &args)
        }
        Device { browser: Some(one), .. } | Device { system: Some(one), .. } => one.to_owned(),
        Device { browser: None, system: None } => app.pages.messages().text(lang, "device-unknown", &[]),
    }
}
