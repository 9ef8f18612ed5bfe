//! `GET …/style`: every component of the pages on one of them, for whoever works on how they look (`pages.development`).

use serde_json::json;

use crate::http::answer::Answer;

/// The components that pages have and that coming pages will need.
pub async fn show() -> Answer {
    Answer::json(json!({})).or_page("style", json!({}))
}
