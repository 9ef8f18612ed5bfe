//! `GET /auth/revocations`: what has ended, for services elsewhere (docs/feed.md).

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Extension;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;
use tokio::sync::mpsc;

use crate::app::App;
use crate::feed_tokens::Admission;
use crate::flows::FlowError;
use crate::http::answer::Lasting;
use crate::http::error::{Code, Problem};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Or nginx keeps the events to itself until it has a buffer full of them.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Lets whoever shows the feed token through.
pub async fn only_followers(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let admission = bearer(request.headers()).and_then(|token| app.core.feed_tokens.admit(token, app.core.now()));
    let Some(admission) = admission else {
        let mut response = Problem::new(Code::LoginRequired).into_response();
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return response;
    };
    request.extensions_mut().insert(admission);
    next.run(request).await
}

/// Everything in force, and then what ends, as server-sent events.
pub async fn follow(
    State(app): State<Arc<App>>,
    Extension(admission): Extension<Admission>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let core = &app.core;
    // What is told first is as it is now, and a node that cannot know it tells nothing.
    core.feed.ring().await.map_err(FlowError::from)?;
    let still = {
        let core = Arc::clone(core);
        move || core.feed_tokens.still_admits(admission)
    };
    let last_seen = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let Ok(frames) = core.feed.followers().join(core.feed.set(), core.now(), last_seen, still) else {
        tracing::warn!(note = "another service wants to follow the revocations", "followers_full");
        return Err(Problem::new(Code::Unavailable));
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ];
    let mut response = (headers, Body::new(Frames(frames))).into_response();
    response.extensions_mut().insert(Lasting);
    Ok(response)
}

/// The one bearer token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let (line, None) = (lines.next()?.to_str().ok()?, lines.next()) else { return None };
    let (scheme, token) = line.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim_matches(' '))
}

/// Frames as they come, until the follower is dropped.
struct Frames(mpsc::Receiver<Bytes>);

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|frame| frame.map(|frame| Ok(Frame::data(frame))))
    }
}
