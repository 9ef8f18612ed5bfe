//! The gate's own table of forged tokens against the whole server, with the keys that it really signs with. While they are
//! tried, the server has no tables any more: a request that asked a store would be answered with a 500 or 503. Names of unknown
//! keys alone make it look for keys, once a second at most, and do without if there are none: the gate's own suite counts that.

use http::header::{ACCEPT, AUTHORIZATION, COOKIE};
use http::{HeaderName, HeaderValue, Method};
use munjigi::gate::Refused;
use munjigi_gate::jws::Algorithm;
use serde_json::json;

use crate::harness::{Reply, Site, forged_by};
use real_keys::{access_mint, refresh_mint};
use table::{Because, Case, Depth, Mint, all, bearer_line, by_kind, cookie_line};

/// The same tests for every algorithm that `tokens.algorithm` takes: a new one is a new line here.
macro_rules! for_every_algorithm {
    ($(async fn $name:ident($algorithm:ident: &str) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn test($algorithm: &str) $body

            #[tokio::test]
            async fn es256() {
                test("ES256").await;
            }

            #[tokio::test]
            async fn eddsa() {
                test("EdDSA").await;
            }

            #[tokio::test]
            async fn rs256() {
                test("RS256").await;
            }

            #[tokio::test]
            async fn hs256() {
                test("HS256").await;
            }
        }
    )+};
}

mod real_keys;
mod states;
#[path = "../../../../munjigi-gate/tests/it/attacks/table/mod.rs"]
mod table;

async fn site_of(algorithm: &str) -> Site {
    Site::with(&[("tokens.algorithm", algorithm)]).await
}

/// Takes all tables away under the server's feet, or puts them back.
fn move_tables(site: &Site, from: &str, to: &str) {
    let database = site.database();
    for table in ["users", "log_ins", "revocations", "sessions", "limits", "signing_keys"] {
        database.execute_batch(&format!("ALTER TABLE {from}{table} RENAME TO {to}{table}")).unwrap();
    }
}

fn blind(site: &Site) {
    move_tables(site, "", "gone_");
}

fn see(site: &Site) {
    move_tables(site, "gone_", "");
}

/// What a visitor without a jar gets who shows exactly this.
async fn shown(site: &Site, method: Method, path: &str, lines: &[(HeaderName, HeaderValue)]) -> Reply {
    let mut visitor = site.browser();
    let mut request = visitor.request(method, path).header(ACCEPT, "application/json");
    for (name, line) in lines {
        request = request.header(name, line);
    }
    visitor.send(request.body(String::new()).unwrap()).await
}

fn cookie(name: &str, token: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((COOKIE, cookie_line(name, token)?))
}

fn bearer(token: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((AUTHORIZATION, bearer_line(token)?))
}

/// A few of the routes behind the gate; log-out reads tokens by itself.
const ROUTES: [(&str, &str); 6] = [
    ("GET", "/user/info"),
    ("GET", "/user/account"),
    ("POST", "/user/refresh"),
    ("POST", "/user/logout"),
    ("GET", "/api/v1/me"),
    ("DELETE", "/api/v1/sessions"),
];

/// Whether this is what nobody gets, on this route.
fn is_nobodys(reply: &Reply, path: &str, by_bearer: bool) -> bool {
    match (path, by_bearer) {
        ("/user/info", false) => reply.status == 200 && reply.json()["loggedIn"] == false && reply.keeps_cookies(),
        ("/user/refresh", false) => reply.status == 401 && reply.code() == "session_ended" && reply.keeps_cookies(),
        // Nothing is ended, and the cookies go in any case.
        ("/user/logout", _) => reply.status == 200 && reply.json() == json!({ "success": true }),
        _ => reply.status == 401 && reply.code() == "login_required" && reply.keeps_cookies(),
    }
}

/// What became of the cases of a suite.
#[derive(Default)]
struct Tally {
    tried: usize,
    accepted: Vec<String>,
    failed: Vec<String>,
    /// Refused, but for another reason than the one that the case is about.
    otherwise: Vec<String>,
}

impl Tally {
    fn note(&mut self, case: &Case, reply: &Reply, path: &str, by_bearer: bool) {
        self.tried += 1;
        if reply.status.is_server_error() {
            self.failed.push(format!("{path} {}: {case}", reply.status));
        } else if !is_nobodys(reply, path, by_bearer) {
            self.accepted.push(format!("{path} {} {}: {case}", reply.status, reply.body));
        }
    }

    #[track_caller]
    #[expect(clippy::print_stdout, reason = "a suite of attacks says how many there were")]
    fn report(&self, what: &str, cases: &[Case], at_least: usize) {
        let (accepted, failed) = (self.accepted.len(), self.failed.len());
        println!("{what}: {} forgeries ({})", cases.len(), by_kind(cases));
        println!("{what}: {} tried, {accepted} accepted, {failed} answered 5xx, {failed} asked a store", self.tried);
        assert!(accepted == 0 && failed == 0, "{}\n{}", self.accepted.join("\n"), self.failed.join("\n"));
        assert!(self.otherwise.is_empty(), "{}", self.otherwise.join("\n"));
        assert!(self.tried >= at_least, "{} tried", self.tried);
    }
}

/// Controls: without its tables, the server still knows a good access token by itself, and whatever needs a store fails.
async fn asking_a_store_shows(site: &Site, access: &str, refresh: &str) {
    for line in [cookie("accessToken", access), bearer(access)] {
        let lines = [line.unwrap()];
        assert_eq!(shown(site, Method::GET, "/user/info", &lines).await.expect(200).json()["loggedIn"], true);
        assert!(shown(site, Method::GET, "/user/account", &lines).await.status.is_server_error());
        assert!(shown(site, Method::POST, "/user/logout", &lines).await.status.is_server_error());
    }
    let lines = [cookie("refreshToken", refresh).unwrap()];
    for (method, path) in ROUTES {
        let reply = shown(site, method.parse().unwrap(), path, &lines).await;
        assert!(reply.status.is_server_error(), "{path} {}", reply.status);
    }
}

for_every_algorithm! {
    async fn no_forged_access_token_is_accepted_or_asks_a_store(algorithm: &str) {
        let site = site_of(algorithm).await;
        let browser = site.registered("mina").await;
        let mint = access_mint(&site, &browser);
        assert_eq!(mint.key.algorithm().name(), algorithm);
        let good = [mint.good(), browser.access()];
        for token in &good {
            for line in [cookie("accessToken", token), bearer(token)] {
                shown(&site, Method::GET, "/user/account", &[line.unwrap()]).await.expect(200);
            }
        }
        blind(&site);
        asking_a_store_shows(&site, &mint.good(), &browser.refresh()).await;
        let (mut cases, mut tally) = (all(&mint, Depth::Some), Tally::default());
        // A token of ours that has expired still names its session to log-out, and so it should.
        cases.retain(|case| case.because != Because::Expired);
        for (n, case) in cases.iter().enumerate() {
            let verified = site.app.core.verifier.verify(&case.token, site.app.core.now());
            let verified = verified.map(|verified| verified.expired);
            if !case.is_met_by(verified) {
                tally.otherwise.push(format!("{verified:?}: {case}"));
            }
            // Everything at /user/info, and at one of the others in turn.
            for (method, path) in [ROUTES[0], ROUTES[1 + n % 5]] {
                for line in [cookie("accessToken", &case.token), bearer(&case.token)].into_iter().flatten() {
                    let by_bearer = line.0 == AUTHORIZATION;
                    let reply = shown(&site, method.parse().unwrap(), path, &[line]).await;
                    tally.note(case, &reply, path, by_bearer);
                }
            }
        }
        asking_a_store_shows(&site, &mint.good(), &browser.refresh()).await;
        see(&site);
        for token in &good {
            shown(&site, Method::GET, "/user/account", &[cookie("accessToken", token).unwrap()]).await.expect(200);
        }
        tally.report(&format!("{algorithm} access tokens at the server"), &cases, 6000);
    }

    async fn no_forged_refresh_token_renews_or_asks_a_store(algorithm: &str) {
        let site = site_of(algorithm).await;
        let browser = site.registered("mina").await;
        let mint = refresh_mint(&site, &browser);
        let renewed = shown(&site, Method::GET, "/user/info", &[cookie("refreshToken", &mint.good()).unwrap()]).await;
        assert!(renewed.json()["loggedIn"] == true && renewed.sets_cookies(), "made by hand, it renews");
        let attacker = munjigi::gate::SigningKey::generate(algorithm.parse().unwrap(), real_keys::access_key(&site).kid());
        let forged_access = forged_by(&attacker.unwrap(), "at+jwt", &access_mint(&site, &browser).claims());
        blind(&site);
        asking_a_store_shows(&site, &browser.access(), &mint.good()).await;
        let (mut cases, mut tally) = (all(&mint, Depth::Some), Tally::default());
        cases.extend(of_other_keys(&mint));
        for (n, case) in cases.iter().enumerate() {
            let verified = site.app.core.refresh_tokens.verify(&case.token, site.app.core.now()).map(drop);
            if !case.is_met_by(verified.map(|()| false)) {
                tally.otherwise.push(format!("{verified:?}: {case}"));
            }
            let (method, path) = ROUTES[n % 6];
            let alone = cookie("refreshToken", &case.token).map(|line| vec![line]);
            let beside = alone.clone().map(|lines| [lines, vec![cookie("accessToken", &forged_access).unwrap()]].concat());
            let as_access = cookie("accessToken", &case.token).map(|line| vec![line]);
            let as_bearer = bearer(&case.token).map(|line| vec![line]);
            for lines in [alone, beside, as_access, as_bearer].into_iter().flatten() {
                let by_bearer = lines[0].0 == AUTHORIZATION;
                let reply = shown(&site, method.parse().unwrap(), path, &lines).await;
                tally.note(case, &reply, path, by_bearer);
            }
        }
        asking_a_store_shows(&site, &browser.access(), &mint.good()).await;
        see(&site);
        let renewed = shown(&site, Method::GET, "/user/info", &[cookie("refreshToken", &mint.good()).unwrap()]).await;
        assert!(renewed.json()["loggedIn"] == true, "and none of them counts as a second holder");
        tally.report("refresh tokens at the server", &cases, 4000);
    }
}

/// What somebody would want a refresh token to say, signed by whatever they have.
fn of_other_keys(mint: &Mint) -> Vec<Case> {
    let claims = mint.claims();
    let next = claims["gen"].as_i64().unwrap() + 1;
    let changes = [
        json!({}),
        json!({ "gen": next, "parent": claims["nonce"] }),
        json!({ "gen": next + 1_000 }),
        json!({ "gen": u32::MAX }),
        json!({ "exp": i64::MAX, "iat": 0 }),
        json!({ "sub": "0190b3f4-0000-7000-8000-000000000000" }),
        json!({ "sid": "0".repeat(32) }),
    ];
    let mut cases = Vec::new();
    for change in changes {
        let mut wanted = claims.clone();
        for (name, value) in change.as_object().unwrap() {
            wanted[name] = value.clone();
        }
        let mut add = |what: String, token: String, because: Refused| {
            let what = format!("{what}: {change}");
            cases.push(Case { kind: "other claims", what, token, because: because.into() });
        };
        for secret in [vec![0; 32], vec![0xff; 64], b"a secret that is only for these tests".to_vec()] {
            let key = munjigi::gate::SigningKey::from_bytes(Algorithm::Hs256, mint.key.kid(), &secret).unwrap();
            add("another secret".to_owned(), forged_by(&key, mint.typ, &wanted), Refused::Signature);
        }
        for peer in &mint.peers {
            add(
                format!("the key of access tokens {}", peer.algorithm()),
                forged_by(peer, mint.typ, &wanted),
                Refused::UnknownKey,
            );
        }
        if change != json!({}) {
            let good = mint.good();
            let (header, signature) = (good.split('.').next().unwrap(), good.rsplit('.').next().unwrap());
            let body = mint.saying(wanted.to_string());
            let body = body.split('.').nth(1).unwrap();
            add("the old signature".to_owned(), format!("{header}.{body}.{signature}"), Refused::Signature);
        }
    }
    cases
}
