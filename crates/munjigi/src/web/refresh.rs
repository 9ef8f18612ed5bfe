//! `POST …/refresh`: for scripts that want to know when the access token expires. The gate has renewed already if it had to.

use munjigi_gate::Visitor;
use munjigi_rules::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::rfc3339;
use crate::http::answer::Answer;
use crate::http::error::{Code, Problem};

/// The access token is good until then.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Renewed {
    success: bool,
    #[schema(format = DateTime)]
    access_expires_at: String,
}

/// Says until when the access token is good.
pub async fn refresh(visitor: Visitor) -> Result<Answer, Problem> {
    let who = visitor.identity().ok_or_else(|| Problem::new(Code::SessionEnded))?;
    let expires = rfc3339(Timestamp::from_secs(who.claims.exp));
    Ok(Answer::json(Renewed { success: true, access_expires_at: expires }))
}
