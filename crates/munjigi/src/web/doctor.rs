//! `GET …/doctor`: what the server sees of a question that `munjigi doctor` asks by the public URL.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use munjigi_gate::CookieOrder;

use crate::app::App;
use crate::doctor_calls::{CALL, Sight, TOLD};
use crate::flows::Client;
use crate::http::answer::Answer;
use crate::http::client::Peer;
use crate::http::error::{Code, Problem};

/// The nonce of a call that is good.
#[derive(Clone)]
pub struct Nonce(String);

/// Lets through what the installation's secret has signed a moment ago; for everybody else there is nothing here.
pub async fn only_the_doctor(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let shown = request.headers().get(CALL).and_then(|call| call.to_str().ok());
    let call = shown.and_then(|call| app.core.doctor_calls.open(call, app.core.now()).ok());
    let Some(call) = call else { return Problem::new(Code::NotFound).into_response() };
    request.extensions_mut().insert(Nonce(call.nonce));
    next.run(request).await
}

/// Tells what came. The cookies that it takes away are written as all of ours are, so that what becomes of them on the way shows;
/// whoever asks has none.
pub async fn show(
    State(app): State<Arc<App>>,
    Extension(Nonce(nonce)): Extension<Nonce>,
    peer: Peer,
    client: Client,
    headers: HeaderMap,
) -> Answer {
    let told = |name: &str| {
        let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        (name.to_owned(), values.collect())
    };
    let sight = Sight {
        nonce,
        now: app.core.now().as_millis(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        public_url: app.site.public_url.clone(),
        peer: peer.address,
        trusted: peer.trusted,
        address: client.address,
        headers: TOLD.iter().map(|name| told(name)).collect(),
    };
    Answer::json(sight).cookies(CookieOrder::Clear)
}
