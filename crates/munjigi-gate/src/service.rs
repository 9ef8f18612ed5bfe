//! The service that [`crate::GateLayer`] makes, and its future.
//!
//! A request whose access token is in the cache goes straight to the inner service: no boxed future, no clone of the
//! service. Only a renewal, or a key that must be read first, takes the boxed path.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::cookies;
use crate::decide::{First, Verdict, first, later, presented};
use crate::layer::{Gate, Refusal, Ways};
use crate::order::CookieOrder;
use crate::outcomes::Outcome;
use crate::visitor::{Presented, Via};

/// A service with a gate before it.
#[derive(Clone)]
pub struct GateService<S> {
    inner: S,
    gate: Gate,
    ways: Ways,
}

impl<S> GateService<S> {
    pub(crate) const fn new(inner: S, gate: Gate, ways: Ways) -> Self {
        Self { inner, gate, ways }
    }
}

impl<S, B, R> Service<Request<B>> for GateService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = GateFuture<S, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let first = first(self.gate.parts(), self.ways.mode, request.headers());
        let tokens = self.ways.keep_tokens.then(|| presented(&self.gate, request.headers()));
        if !self.ways.keep_cookies {
            cookies::strip(request.headers_mut());
        }
        let state = match first {
            First::Settled(verdict) => admit(&self.gate, &mut self.inner, request, tokens, verdict),
            First::Pending(pending) => {
                // The one that was polled ready goes along; the clone stays behind.
                let clone = self.inner.clone();
                let service = mem::replace(&mut self.inner, clone);
                let verdict = Box::pin(later(self.gate.clone(), self.ways.mode, pending));
                State::Deciding { verdict, waiting: Some(Waiting { service, request, tokens }) }
            }
        };
        GateFuture { state, gate: self.gate.clone() }
    }
}

type Deciding = Pin<Box<dyn Future<Output = Verdict> + Send>>;

/// What waits for a verdict.
struct Waiting<S, B> {
    service: S,
    request: Request<B>,
    tokens: Option<Presented>,
}

pin_project! {
    /// The answer to a request that went through the gate. To drop it is safe at any moment.
    pub struct GateFuture<S, B, R>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, R>,
        gate: Gate,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, R>
    where
        S: Service<Request<B>>,
    {
        Deciding { verdict: Deciding, waiting: Option<Waiting<S, B>> },
        Serving { #[pin] answer: S::Future, own: CookieOrder },
        Refused { response: Option<Response<R>> },
    }
}

/// Lets the request through to the service, or answers it.
fn admit<S, B, R>(
    gate: &Gate,
    service: &mut S,
    mut request: Request<B>,
    tokens: Option<Presented>,
    verdict: Verdict,
) -> State<S, B, R>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<String>,
{
    gate.outcomes().note(Outcome::of(&verdict));
    match verdict {
        Verdict::Pass(visitor, own) => {
            if let Some(shown) = tokens {
                request.extensions_mut().insert(match &own {
                    CookieOrder::Set(issued) => Presented {
                        access: Some(issued.access_token.clone()),
                        refresh: Some(issued.refresh_token.clone()),
                        unused: Vec::new(),
                        device: shown.device,
                        via: Via::Cookie,
                    },
                    _ => shown,
                });
            }
            request.extensions_mut().insert(visitor);
            State::Serving { answer: service.call(request), own }
        }
        Verdict::Refuse(refusal) => State::Refused { response: Some(refusal.response()) },
        Verdict::RefuseBearer => State::Refused { response: Some(Refusal::bearer_response()) },
    }
}

impl<S, B, R> Future for GateFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<String>,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Deciding { verdict, waiting } => {
                    let verdict = ready!(verdict.as_mut().poll(cx));
                    match waiting.take() {
                        Some(Waiting { mut service, request, tokens }) => {
                            admit(this.gate, &mut service, request, tokens, verdict)
                        }
                        // Cannot be: the state is left when this is taken.
                        None => return Poll::Pending,
                    }
                }
                StateProjection::Serving { answer, own } => {
                    let mut response = ready!(answer.poll(cx))?;
                    let order = response.extensions_mut().remove::<CookieOrder>();
                    let own = mem::replace(own, CookieOrder::Keep);
                    let order = match order {
                        Some(order) => order.instead_of(own),
                        None => own,
                    };
                    if order != CookieOrder::Keep {
                        let parts = this.gate.parts();
                        order.carry_out(&parts.cookies, parts.clock.now(), response.headers_mut());
                    }
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Refused { response } => match response.take() {
                    Some(response) => return Poll::Ready(Ok(response)),
                    // Polled again after its end, which nobody does.
                    None => return Poll::Pending,
                },
            };
            this.state.set(next);
        }
    }
}
