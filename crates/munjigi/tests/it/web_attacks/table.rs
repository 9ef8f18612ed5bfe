//! The server's routes, read from the table that its own test keeps right (`src/routes.rs`).

use http::Method;

const SOURCE: &str = include_str!("../../../src/routes.rs");

/// A route with its guard.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// `Open`, `Feed`, `Doctor`, `Peek`, `Gate` or `User`.
    pub(super) guard: &'static str,
    pub(super) method: Method,
    /// A path that the route answers: parameters have a value.
    pub(super) path: String,
}

/// All of them.
pub(super) fn routes() -> Vec<Route> {
    let routes: Vec<_> = SOURCE.lines().filter_map(route).collect();
    assert!(routes.len() >= 20, "the table in src/routes.rs could not be read: {routes:?}");
    routes
}

/// Those that may change something.
pub(super) fn unsafe_routes() -> Vec<Route> {
    let routes: Vec<_> = routes().into_iter().filter(|route| route.method != Method::GET).collect();
    assert!(routes.len() >= 8, "{routes:?}");
    routes
}

/// Those that only show something.
pub(super) fn pages() -> Vec<Route> {
    routes().into_iter().filter(|route| route.method == Method::GET).collect()
}

/// A line of the snapshot: `User MethodFilter(64) /user/account/name`.
fn route(line: &'static str) -> Option<Route> {
    let mut words = line.split_whitespace();
    let guard = words.next().filter(|word| ["Open", "Feed", "Doctor", "Peek", "Gate", "User"].contains(word))?;
    let bits: u16 = words.next()?.strip_prefix("MethodFilter(")?.strip_suffix(')')?.parse().ok()?;
    let method = match bits {
        2 => Method::DELETE,
        4 => Method::GET,
        32 => Method::PATCH,
        64 => Method::POST,
        128 => Method::PUT,
        other => panic!("which method is {other}?"),
    };
    let path = words.next()?.replace("{sid}", "current").replace("{file}", "style.css");
    assert!(!path.contains('{'), "a value for the parameter of {path} is missing here");
    Some(Route { guard, method, path })
}
