//! What a route demands of its visitor, beyond what the gate says of every one: a layer that stands inside the gate.
//!
//! ```
//! use std::time::Duration;
//! # use munjigi_gate::Gate;
//! # fn app(gate: Gate, transfer: axum::routing::MethodRouter) -> axum::Router {
//! axum::Router::new()
//!     .route("/transfer", transfer)
//!     .route_layer(gate.demand().max_age(Duration::from_secs(300)))
//!     .route_layer(gate.layer())
//! # }
//! ```

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use munjigi_rules::Timestamp;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::layer::{Gate, Refusal};
use crate::problem;
use crate::visitor::{Identity, Visitor};

/// Lets those through who are signed in and meet what was demanded; made by [`Gate::demand`].
#[derive(Clone)]
pub struct DemandLayer {
    gate: Gate,
    demands: Demands,
}

/// All that can be demanded. What a person may do (roles) will be another field here.
#[derive(Clone, Copy, Default)]
struct Demands {
    max_age: Option<Duration>,
}

impl Demands {
    fn refusal(self, visitor: &Visitor, now: Timestamp) -> Option<Refusal> {
        let Visitor::SignedIn(who) = visitor else { return Some(Refusal::Unauthorized) };
        self.max_age.filter(|max_age| who.since_log_in(now) > *max_age).map(|max_age| Refusal::LogInTooOld { max_age })
    }
}

impl Gate {
    /// A layer for routes that demand more than that the gate was passed: that somebody is signed in, and what is added. It
    /// stands inside [`Gate::layer`], which in axum means that it is added before.
    #[must_use]
    pub fn demand(&self) -> DemandLayer {
        DemandLayer { gate: self.clone(), demands: Demands::default() }
    }
}

impl DemandLayer {
    /// The log-in is no older than this; a renewal does not make it younger. Others are answered with 401 `login_required`, with
    /// the member `reason` `log_in_too_old`, and the challenge of RFC 9470.
    #[must_use]
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.demands.max_age = Some(max_age);
        self
    }
}

impl Identity {
    /// How long ago the person logged in, by the clock that `now` comes from.
    #[must_use]
    pub fn since_log_in(&self, now: Timestamp) -> Duration {
        let millis = now.millis_since(Timestamp::from_secs(self.claims.auth_time));
        Duration::from_millis(u64::try_from(millis).unwrap_or_default())
    }
}

impl<S> Layer<S> for DemandLayer {
    type Service = DemandService<S>;

    fn layer(&self, inner: S) -> DemandService<S> {
        DemandService { inner, layer: self.clone() }
    }
}

/// A service with a demand before it.
#[derive(Clone)]
pub struct DemandService<S> {
    inner: S,
    layer: DemandLayer,
}

impl<S, B, R> Service<Request<B>> for DemandService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = DemandFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let refused = match request.extensions().get::<Visitor>() {
            None => Some(problem::no_gate(request.uri())),
            Some(visitor) => {
                let now = self.layer.gate.parts().clock.now();
                self.layer.demands.refusal(visitor, now).map(Refusal::response)
            }
        };
        match refused {
            Some(response) => DemandFuture::Refused { response: Some(response) },
            None => DemandFuture::Serving { answer: self.inner.call(request) },
        }
    }
}

pin_project! {
    /// The answer to a request of which something was demanded.
    #[project = DemandProjection]
    pub enum DemandFuture<F, R> {
        #[doc(hidden)]
        Serving { #[pin] answer: F },
        #[doc(hidden)]
        Refused { response: Option<Response<R>> },
    }
}

impl<F, R, E> Future for DemandFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            DemandProjection::Serving { answer } => answer.poll(cx),
            DemandProjection::Refused { response } => match response.take() {
                Some(response) => Poll::Ready(Ok(response)),
                // Polled again after its end, which nobody does.
                None => Poll::Pending,
            },
        }
    }
}
