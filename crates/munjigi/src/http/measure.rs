//! Counts and times every answer under the route that it found, as the table of routes writes it: outside of everything else, so that what
//! is refused on the way counts too.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::metrics::Routes;

/// The measurement.
pub async fn answers(State(routes): State<Arc<Routes>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let series = routes.series(route, request.method());
    let begun = Instant::now();
    let response = next.run(request).await;
    if let Some(series) = series {
        series.note(response.status(), begun.elapsed());
    }
    response
}
