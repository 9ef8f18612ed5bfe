//! Every route there is, grouped by who may call, with its guard in plain sight.
//!
//! | guard | means |
//! | --- | --- |
//! | `open` | no user is looked at: outside the gate |
//! | `feed` | no user is looked at: whoever shows the feed token |
//! | `doctor` | no user is looked at: whoever shows a call that the installation's secret has signed a moment ago |
//! | `peek` | the gate says who it is, and neither renews nor refuses nor touches cookies: log-in, log-out, registration |
//! | `gate` | the gate with all its outcomes; anonymous visitors pass |
//! | `user` | the gate, and signed in |
//!
//! Around all of them, from the outside in: the count of answers, request id, form and language and security headers, what trusted origins may read,
//! no panics, heads that can be read in one way, the same-origin check for unsafe methods, the size of bodies.
//!
//! `/auth/verify` stands apart: a proxy asks it with the method and the headers of a request that is for somebody else. Who may make
//! that request is for the app to say, so neither the same-origin check nor what trusted origins may read applies. (An answer to
//! `OPTIONS` from there would be a yes to the proxy.)

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, any, on};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, StatusCode};
use munjigi_gate::GateLayer;
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;

use crate::app::{App, Site};
use crate::doctor_calls;
use crate::http::error::{Code, Problem};
use crate::http::{input, measure, render, same_origin, tracing as request_id};
use crate::metrics::Routes;
use crate::web::{
    account, api, check, doctor, health, home, info, jwks, log_in, log_out, metrics, openapi, refresh, register,
    revocations, sessions, statics, style, verify,
};

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const VERIFY: &str = "/auth/verify";
const DELETE: MethodFilter = MethodFilter::DELETE;

/// The whole service, as `munjigi serve` runs it.
pub fn router(app: &Arc<App>) -> Router {
    let mut table = table_of(&app.site);
    standing_alone(&mut table);
    let counted = table.counted(app);
    let router = table.router(app).fallback(|| async { Problem::new(Code::NotFound) });
    around(router, app).layer(from_fn_with_state(counted, measure::answers))
}

/// What proxies ask.
fn for_proxies(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route(VERIFY, any(verify::verify))
        .route_layer(app.gate.layer())
        .route_layer(from_fn_with_state(Arc::clone(app), verify::repeat_cookies))
        .layer(from_fn(input::check_head))
        .layer(CatchPanicLayer::custom(panicked))
}

/// The pages and calls alone, to be merged into an app that has its own `/`, its own health and its own 404. Serve that app
/// `into_make_service_with_connect_info::<SocketAddr>()`: without the address of the other end nothing can be limited by it.
pub fn embed(app: &Arc<App>) -> Router {
    let table = table_of(&app.site);
    let counted = table.counted(app);
    around(table.router(app), app).layer(from_fn_with_state(counted, measure::answers))
}

/// What whoever runs it looks at, for a listener of its own (`server.operations_listen`): metrics and health, and nothing else.
pub fn operations(app: &Arc<App>) -> Router {
    let mut table = Table::default();
    table.open(GET, "/metrics", metrics::show);
    table.open(GET, "/healthz", health::alive);
    table.open(GET, "/readyz", health::ready);
    // For programs alone: a failure is its status.
    let router = table.open.fallback(|| async { StatusCode::NOT_FOUND });
    router
        .layer(from_fn(input::check_head))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(app), render::render))
        .layer(from_fn_with_state(Arc::clone(app), request_id::with_id))
        .with_state(Arc::clone(app))
}

fn standing_alone(table: &mut Table) {
    table.open(GET, "/", home::home);
    table.open(GET, "/healthz", health::alive);
    table.open(GET, "/readyz", health::ready);
    table.open(GET, "/openapi.json", openapi::show);
}

/// What there is below the base path, and what is shown besides to whoever works on the pages.
fn table_of(site: &Site) -> Table {
    let mut table = table(&site.base_path);
    if site.development {
        table.open(GET, &format!("{}/style", site.base_path), style::show);
    }
    table
}

fn table(base_path: &str) -> Table {
    let at = |path: &str| format!("{base_path}{path}");
    let mut table = Table::default();

    table.open(GET, "/.well-known/jwks.json", jwks::keys);
    table.open(GET, "/.well-known/change-password", home::change_password);
    table.open(GET, &at("/static/{file}"), statics::file);

    table.feed(GET, "/auth/revocations", revocations::follow);
    table.doctor(GET, &at(doctor_calls::PATH), doctor::show);

    table.gate(GET, &at("/info"), info::show);
    table.gate(GET, &at("/login"), log_in::ask);
    table.peek(POST, &at("/login"), log_in::log_in);
    table.gate(GET, &at("/register"), register::ask);
    table.peek(POST, &at("/register"), register::register);
    table.gate(GET, &at("/logout"), log_out::ask);
    table.peek(POST, &at("/logout"), log_out::log_out);
    table.gate(POST, &at("/refresh"), refresh::refresh);
    table.open(POST, &at("/check"), check::check);

    table.user(GET, &at("/account"), account::show);
    table.user(POST, &at("/account/name"), account::rename);
    table.user(POST, &at("/account/password"), account::change_password);
    table.user(GET, &at("/account/sessions"), sessions::list);
    table.user(POST, &at("/account/sessions/end-others"), sessions::end_others);
    table.user(POST, &at("/account/sessions/{sid}/end"), sessions::end_one);

    table.open(POST, "/api/v1/sessions", api::log_in);
    table.open(POST, "/api/v1/sessions/refresh", api::refresh);
    table.user(GET, "/api/v1/sessions", sessions::list);
    table.user(DELETE, "/api/v1/sessions", sessions::end_others);
    table.user(DELETE, "/api/v1/sessions/{sid}", sessions::end_one);
    table.user(GET, "/api/v1/me", api::me);
    table
}

/// What stands before a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guard {
    Open,
    Feed,
    Doctor,
    Peek,
    Gate,
    User,
}

/// Routes and their guards, before they become a router.
#[derive(Default)]
struct Table {
    open: Router<Arc<App>>,
    feed: Router<Arc<App>>,
    doctor: Router<Arc<App>>,
    peek: Router<Arc<App>>,
    gate: Router<Arc<App>>,
    user: Router<Arc<App>>,
    listing: Vec<(Guard, String, String)>,
}

impl Table {
    fn open<H: Handler<T, Arc<App>>, T: 'static>(&mut self, method: MethodFilter, path: &str, handler: H) {
        self.put(Guard::Open, method, path, handler);
    }

    fn feed<H: Handler<T, Arc<App>>, T: 'static>(&mut self, method: MethodFilter, path: &str, handler: H) {
        self.put(Guard::Feed, method, path, handler);
    }

    fn doctor<H: Handler<T, Arc<App>>, T: 'static>(&mut self, method: MethodFilter, path: &str, handler: H) {
        self.put(Guard::Doctor, method, path, handler);
    }

    fn peek<H: Handler<T, Arc<App>>, T: 'static>(&mut self, method: MethodFilter, path: &str, handler: H) {
        self.put(Guard::Peek, method, path, handler);
    }

    fn gate<H: Handler<T, Arc<App>>, T: 'static>(&mut self, method: MethodFilter, path: &str, handler: H) {
        self.put(Guard::Gate, method, path, handler);
    }

    fn user<H: Handler<T, Arc<App>>, T: 'static>(&mut self, method: MethodFilter, path: &str, handler: H) {
        self.put(Guard::User, method, path, handler);
    }

    fn put<H: Handler<T, Arc<App>>, T: 'static>(&mut self, guard: Guard, method: MethodFilter, path: &str, handler: H) {
        self.listing.push((guard, format!("{method:?}"), path.to_owned()));
        let group = match guard {
            Guard::Open => &mut self.open,
            Guard::Feed => &mut self.feed,
            Guard::Doctor => &mut self.doctor,
            Guard::Peek => &mut self.peek,
            Guard::Gate => &mut self.gate,
            Guard::User => &mut self.user,
        };
        *group = std::mem::take(group).route(path, on(method, handler));
    }

    /// The counters of its routes.
    fn counted(&self, app: &App) -> Arc<Routes> {
        let paths = self.listing.iter().map(|(_, _, path)| path.clone());
        Arc::new(app.core.metrics.requests.of_routes(paths.chain([VERIFY.to_owned()])))
    }

    fn router(self, app: &Arc<App>) -> Router<Arc<App>> {
        let renewing: GateLayer = app.gate.layer().keep_tokens();
        let peeking = app.gate.peek_layer().keep_tokens();
        // A route layer that was added first stands inside: the gate is asked before `user`.
        let user = self.user.route_layer(from_fn_with_state(Arc::clone(app), account::only_signed_in));
        let feed = self.feed.route_layer(from_fn_with_state(Arc::clone(app), revocations::only_followers));
        // The gate writes the cookies of its answer, too.
        let doctor = self.doctor.route_layer(from_fn_with_state(Arc::clone(app), doctor::only_the_doctor));
        let with_a_user =
            self.peek.merge(doctor).route_layer(peeking).merge(self.gate.merge(user).route_layer(renewing));
        self.open
            .merge(feed)
            .merge(with_a_user.route_layer(from_fn(same_origin::not_as_a_part)))
            .method_not_allowed_fallback(|| async { Problem::new(Code::MethodNotAllowed) })
    }
}

/// What stands around all routes.
fn around(router: Router<Arc<App>>, app: &Arc<App>) -> Router {
    router
        .layer(DefaultBodyLimit::max(input::MOST))
        .layer(from_fn_with_state(Arc::clone(app), same_origin::check))
        .layer(from_fn(input::check_head))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(option_layer(cors(&app.site.trusted_origins)))
        .merge(for_proxies(app))
        .layer(from_fn_with_state(Arc::clone(app), render::render))
        .layer(from_fn_with_state(Arc::clone(app), request_id::with_id))
        .with_state(Arc::clone(app))
}

/// Pages of `server.trusted_origins` may call with the visitor's cookies; nobody else's may.
fn cors(trusted: &[url::Origin]) -> Option<CorsLayer> {
    let origins = trusted.iter().filter_map(|origin| origin.ascii_serialization().try_into().ok());
    let allowed: Vec<HeaderValue> = origins.collect();
    let layer = CorsLayer::new()
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([ACCEPT, AUTHORIZATION, CONTENT_TYPE])
        .expose_headers([RETRY_AFTER]);
    (!allowed.is_empty()).then(|| layer.allow_origin(allowed))
}

/// One request failed in a way that it should not have been able to; the others go on.
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let cause = text.unwrap_or("a panic without words");
    ::tracing::error!(code = Code::Internal.name(), cause, note = "a handler panicked", "failure");
    Problem::new(Code::Internal).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::body::{Body, to_bytes};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_the_failure_of_one_request_and_tells_the_caller_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let layers = crate::Layers::new().flag("server.data_dir", dir.path().to_str().unwrap().to_owned());
        let config = crate::Config::read(&layers).unwrap();
        let app = App::open(&config, Arc::new(crate::AnchoredClock::start())).await.unwrap();
        let mut rooms = table("/user");
        rooms.gate(GET, "/falls", || async { [1][usize::from(std::hint::black_box(true))].to_string() });
        rooms.gate(GET, "/stands", || async { "here" });
        let router = around(rooms.router(&app), &app);
        for (path, accept, status) in
            [("/falls", "application/json", 500), ("/falls", "text/html", 500), ("/stands", "*/*", 200)]
        {
            let request = http::Request::get(path).header(ACCEPT, accept).body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), status, "{path}");
            assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            let body = String::from_utf8(to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap();
            for told in ["index", "bounds", "panic", ".rs", "falls"] {
                assert!(!body.contains(told) || (told == "falls" && accept == "text/html"), "{told}: {body}");
            }
        }
    }

    /// Files apart, which are no calls.
    #[test]
    fn every_route_is_described_and_nothing_else_is() {
        let mut table = table("/login");
        standing_alone(&mut table);
        let methods = [(MethodFilter::GET, "get"), (MethodFilter::POST, "post"), (MethodFilter::DELETE, "delete")];
        let name = |shown: &str| methods.iter().find(|(filter, _)| format!("{filter:?}") == shown).unwrap().1;
        let there: BTreeSet<_> = table
            .listing
            .iter()
            .filter(|(_, _, path)| !path.contains("{file}"))
            .map(|(_, method, path)| format!("{} {path}", name(method)))
            .chain([format!("get {VERIFY}")])
            .collect();
        let document = serde_json::to_value(openapi::document("/login", "accessToken")).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let described: BTreeSet<_> = paths
            .iter()
            .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| format!("{method} {path}")))
            .collect();
        assert_eq!(there, described);
    }

    /// Every route with its guard. A change here is a change of who may do what: look twice.
    #[test]
    fn every_route_has_its_guard() {
        let lines = {
            let mut table = table("/user");
            standing_alone(&mut table);
            table.listing
        }
        .into_iter()
        .map(|(guard, method, path)| format!("{guard:?} {method} {path}"));
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
        Open MethodFilter(4) /.well-known/jwks.json
        Open MethodFilter(4) /.well-known/change-password
        Open MethodFilter(4) /user/static/{file}
        Feed MethodFilter(4) /auth/revocations
        Doctor MethodFilter(4) /user/doctor
        Gate MethodFilter(4) /user/info
        Gate MethodFilter(4) /user/login
        Peek MethodFilter(64) /user/login
        Gate MethodFilter(4) /user/register
        Peek MethodFilter(64) /user/register
        Gate MethodFilter(4) /user/logout
        Peek MethodFilter(64) /user/logout
        Gate MethodFilter(64) /user/refresh
        Open MethodFilter(64) /user/check
        User MethodFilter(4) /user/account
        User MethodFilter(64) /user/account/name
        User MethodFilter(64) /user/account/password
        User MethodFilter(4) /user/account/sessions
        User MethodFilter(64) /user/account/sessions/end-others
        User MethodFilter(64) /user/account/sessions/{sid}/end
        Open MethodFilter(64) /api/v1/sessions
        Open MethodFilter(64) /api/v1/sessions/refresh
        User MethodFilter(4) /api/v1/sessions
        User MethodFilter(2) /api/v1/sessions
        User MethodFilter(2) /api/v1/sessions/{sid}
        User MethodFilter(4) /api/v1/me
        Open MethodFilter(4) /
        Open MethodFilter(4) /healthz
        Open MethodFilter(4) /readyz
        Open MethodFilter(4) /openapi.json
        ");
    }
}
