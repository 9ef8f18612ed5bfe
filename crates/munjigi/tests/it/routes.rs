//! Every route with its guard, told from outside: `routes.rs` of the server is the table, this is what it does.

use http::header::ACCEPT;

use crate::harness::{Browser, Site};

/// `/user` is the base path.
const ROUTES: [(&str, &str); 30] = [
    ("GET", "/"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/openapi.json"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/.well-known/change-password"),
    ("GET", "/auth/verify"),
    ("GET", "/user/static/nothing"),
    ("GET", "/user/doctor"),
    ("GET", "/user/info"),
    ("GET", "/user/login"),
    ("POST", "/user/login"),
    ("GET", "/user/register"),
    ("POST", "/user/register"),
    ("GET", "/user/logout"),
    ("POST", "/user/logout"),
    ("POST", "/user/refresh"),
    ("POST", "/user/check"),
    ("GET", "/user/account"),
    ("POST", "/user/account/name"),
    ("POST", "/user/account/password"),
    ("GET", "/user/account/sessions"),
    ("POST", "/user/account/sessions/end-others"),
    ("POST", "/user/account/sessions/current/end"),
    ("POST", "/api/v1/sessions"),
    ("POST", "/api/v1/sessions/refresh"),
    ("GET", "/api/v1/sessions"),
    ("DELETE", "/api/v1/sessions"),
    ("DELETE", "/api/v1/sessions/current"),
    ("GET", "/api/v1/me"),
];

async fn status(mut browser: Browser, method: &str, path: &str) -> u16 {
    let request = browser.request(method.parse().unwrap(), path).header(ACCEPT, "application/json");
    browser.send(request.body(String::new()).unwrap()).await.status.as_u16()
}

/// Told apart by who is refused: a stranger, and somebody with a bad bearer token; and by who is renewed, somebody whose
/// access token is missing.
#[tokio::test]
async fn every_route_has_its_guard() {
    let site = Site::embedded().await;
    site.registered("mina").await;
    let mut table = String::new();
    for (method, path) in ROUTES {
        let stranger = status(site.browser(), method, path).await;
        let bad = status(site.browser().with("authorization", "Bearer rubbish"), method, path).await;
        let mut asleep = site.logged_in("mina").await.without("accessToken");
        let refresh = asleep.refresh();
        let request = asleep.request(method.parse().unwrap(), path).header(ACCEPT, "application/json");
        let answer = asleep.send(request.body(String::new()).unwrap()).await;
        let renewed = answer.cookies().iter().any(|line| line.contains(&refresh) || line.contains("accessToken="));
        let guard = match (bad, stranger, renewed) {
            (401, 401, true) => "must be signed in",
            (401, _, true) => "the gate",
            (401, _, false) => "refuses, but does not renew",
            (_, _, _) => "no gate, or one that only looks",
        };
        table += &format!("{method:6} {path:36} {stranger} {guard}\n");
    }
    insta::assert_snapshot!(table, @r"
    GET    /                                    303 no gate, or one that only looks
    GET    /healthz                             200 no gate, or one that only looks
    GET    /readyz                              200 no gate, or one that only looks
    GET    /openapi.json                        200 no gate, or one that only looks
    GET    /.well-known/jwks.json               200 no gate, or one that only looks
    GET    /.well-known/change-password         303 no gate, or one that only looks
    GET    /auth/verify                         401 must be signed in
    GET    /user/static/nothing                 404 no gate, or one that only looks
    GET    /user/doctor                         404 no gate, or one that only looks
    GET    /user/info                           200 the gate
    GET    /user/login                          200 the gate
    POST   /user/login                          422 no gate, or one that only looks
    GET    /user/register                       200 the gate
    POST   /user/register                       422 no gate, or one that only looks
    GET    /user/logout                         200 the gate
    POST   /user/logout                         200 no gate, or one that only looks
    POST   /user/refresh                        401 must be signed in
    POST   /user/check                          200 no gate, or one that only looks
    GET    /user/account                        401 must be signed in
    POST   /user/account/name                   401 must be signed in
    POST   /user/account/password               401 must be signed in
    GET    /user/account/sessions               401 must be signed in
    POST   /user/account/sessions/end-others    401 must be signed in
    POST   /user/account/sessions/current/end   401 must be signed in
    POST   /api/v1/sessions                     422 no gate, or one that only looks
    POST   /api/v1/sessions/refresh             422 no gate, or one that only looks
    GET    /api/v1/sessions                     401 must be signed in
    DELETE /api/v1/sessions                     401 must be signed in
    DELETE /api/v1/sessions/current             401 must be signed in
    GET    /api/v1/me                           401 must be signed in
    ");
}
