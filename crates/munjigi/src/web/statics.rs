//! `GET …/static/{file}`: styles and pictures, from the binary or as they were read at start.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::app::App;
use crate::http::error::{Code, Problem};

/// A file. Names carry a hash of what is in them, so that browsers keep them for good.
pub async fn file(State(app): State<Arc<App>>, Path(file): Path<String>) -> Result<Response, Problem> {
    let asset = app.pages.asset(&file).ok_or_else(|| Problem::new(Code::NotFound))?;
    let cache = if asset.immutable { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (CACHE_CONTROL, HeaderValue::from_static(cache)),
    ];
    Ok((headers, asset.bytes).into_response())
}
