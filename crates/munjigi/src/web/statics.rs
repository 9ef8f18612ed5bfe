//! `GET …/static/{file}`: styles and pictures, from the binary.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::http::error::{Code, Problem};
use crate::pages::asset;

/// A file. Names carry a hash of what is in them, so that browsers keep them for good.
pub async fn file(Path(file): Path<String>) -> Result<Response, Problem> {
    let asset = asset(&file).ok_or_else(|| Problem::new(Code::NotFound))?;
    let cache = if asset.immutable { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (CACHE_CONTROL, HeaderValue::from_static(cache)),
    ];
    Ok((headers, asset.bytes).into_response())
}
