//! `/api/v1`: what programs without cookies do. Lists and ends of sessions are those of [`super::sessions`].

use std::sync::Arc;

use axum::extract::State;
use munjigi_gate::{Issued, Persistence, Refusal, Renewal, SignedIn};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::log_in::come_in;
use super::view::UserView;
use crate::app::App;
use crate::flows::Client;
use crate::flows::log_in::Attempt;
use crate::flows::open_session::Previous;
use crate::http::answer::Answer;
use crate::http::error::{Code, Problem, Text};
use crate::http::input::Json;

/// Who logs in.
#[derive(Deserialize, ToSchema)]
pub struct Credentials {
    #[schema(value_type = String, required, min_length = 1)]
    username: Option<String>,
    #[schema(value_type = String, format = Password, required, min_length = 1)]
    password: Option<Zeroizing<String>>,
}

/// Tokens in a body, for whoever keeps them by themselves (the members of RFC 6749 section 5.1, in our spelling).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    access_token: String,
    refresh_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: i64,
}

impl From<&Issued> for Tokens {
    fn from(issued: &Issued) -> Self {
        Self {
            access_token: issued.access_token.clone(),
            refresh_token: issued.refresh_token.clone(),
            token_type: "Bearer",
            expires_in: issued.claims.exp.saturating_sub(issued.claims.iat),
        }
    }
}

/// `POST /api/v1/sessions`: logs in. No cookie is looked at, so that none is ended or renewed, and none is set.
pub async fn log_in(
    State(app): State<Arc<App>>,
    client: Client,
    Json(typed): Json<Credentials>,
) -> Result<Answer, Problem> {
    let (username, password) = (typed.username.unwrap_or_default(), typed.password.unwrap_or_default());
    let (persistence, previous) = (Persistence::Browser, Previous::default());
    let attempt = Attempt { username: &username, password: &password, persistence, previous: &previous };
    let (_, issued) = come_in(&app, &attempt, &client).await?;
    Ok(Answer::json(Tokens::from(&*issued)))
}

/// What is traded in.
#[derive(Deserialize, ToSchema)]
#[schema(as = RefreshToken)]
#[serde(rename_all = "camelCase")]
pub struct Spent {
    #[schema(value_type = String, required, min_length = 1)]
    refresh_token: Option<Zeroizing<String>>,
}

/// `POST /api/v1/sessions/refresh`: trades a refresh token for the next one, by the same rule as the cookies.
pub async fn refresh(State(app): State<Arc<App>>, Json(shown): Json<Spent>) -> Result<Answer, Problem> {
    let token = shown.refresh_token.unwrap_or_default();
    if token.is_empty() {
        return Err(Problem::validation(vec![("refreshToken", Text::new("field-required"))]));
    }
    match app.gate.trade(&token).await {
        Renewal::Renewed(issued) => Ok(Answer::json(Tokens::from(&*issued))),
        Renewal::NotOurs | Renewal::Ended | Renewal::Reused => Err(Problem::new(Code::SessionEnded)),
        Renewal::Unavailable { retry_after } => Err(Refusal::Unavailable { retry_after }.into()),
        Renewal::Limited { retry_after } => Err(Refusal::RateLimited { retry_after }.into()),
    }
}

/// `GET /api/v1/me`: the user, as the access token has them; no store is asked.
pub async fn me(SignedIn(who): SignedIn) -> Answer {
    Answer::json(UserView::from(&who))
}
