//! The table of forged tokens against the bare verification and against the gate as a service: for each algorithm, by cookie
//! and by bearer, at the layer that renews and at the one that only looks.

mod places;
mod stale;
pub(crate) mod table;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::body::Body;
use http::{HeaderValue, Request};
use munjigi_gate::jws::{self, Algorithm, SigningKey};
use munjigi_gate::{Gate, GateParts, Reason, Refused, Renew, Renewal, Verifier, VerifyingKey, Visitor};

use crate::support::*;
use table::{Because, Case, Depth, Mint, all, bearer_line, by_kind, cookie_line};

const ALL: [Algorithm; 4] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Hs256];

/// Opens refresh tokens as the server does, and counts how many made it to where a store would be asked.
struct Counting {
    key: VerifyingKey,
    asked: AtomicUsize,
    at_the_store: AtomicUsize,
}

#[async_trait]
impl Renew for Counting {
    async fn renew(&self, token: &str) -> Renewal {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match jws::open(token, "rt+jwt", |kid| (kid == self.key.kid()).then_some(&self.key)) {
            Err(_) => Renewal::NotOurs,
            Ok(_) => {
                self.at_the_store.fetch_add(1, Ordering::SeqCst);
                Renewal::Ended
            }
        }
    }
}

/// A gate that knows a key of every algorithm, before a renewer that counts.
struct Fort {
    world: World,
    counting: Arc<Counting>,
}

impl Fort {
    async fn new(keys: &[SigningKey], refresh: &SigningKey) -> Self {
        let mut world = World::new().await;
        let counting = Arc::new(Counting {
            key: refresh.verifying_key(),
            asked: AtomicUsize::new(0),
            at_the_store: AtomicUsize::new(0),
        });
        world.keys.put(&keys.iter().collect::<Vec<_>>());
        let parts = world.gate.parts();
        parts.verifier.reload().await;
        world.gate = Gate::new(GateParts {
            verifier: Arc::clone(&parts.verifier),
            revoked: Arc::clone(&parts.revoked),
            renew: Arc::<Counting>::clone(&counting),
            clock: Arc::clone(&parts.clock),
            cookies: parts.cookies.clone(),
            when_stale: parts.when_stale,
            max_staleness: parts.max_staleness,
        });
        world.keys.loads.store(0, Ordering::SeqCst);
        Self { world, counting }
    }

    fn loads(&self) -> i64 {
        self.world.keys.loads.load(Ordering::SeqCst)
    }

    fn asked(&self) -> (usize, usize) {
        (self.counting.asked.load(Ordering::SeqCst), self.counting.at_the_store.load(Ordering::SeqCst))
    }
}

fn keys() -> Vec<SigningKey> {
    ALL.iter().map(|algorithm| SigningKey::generate(*algorithm, format!("of-{algorithm}")).unwrap()).collect()
}

fn refresh_key() -> SigningKey {
    SigningKey::generate(Algorithm::Hs256, "refresh").unwrap()
}

fn access_mint(key: &SigningKey, peers: &[SigningKey]) -> Mint {
    let mut mint = Mint::new(key, "at+jwt", &serde_json::to_value(claims()).unwrap()).beside(peers);
    mint.one_ring = true;
    mint
}

fn with_line(name: &'static str, line: HeaderValue) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    request.headers_mut().insert(name, line);
    request
}

fn by_cookie(name: &str, token: &str) -> Option<Request<Body>> {
    Some(with_line("cookie", cookie_line(name, token)?))
}

fn by_bearer(token: &str) -> Option<Request<Body>> {
    Some(with_line("authorization", bearer_line(token)?))
}

/// The bare verification: refused, and for the reason that the case is about.
fn is_refused(verifier: &Verifier, case: &Case) -> bool {
    case.is_met_by(verifier.verify(&case.token, at(START)).map(|verified| verified.expired))
}

/// Cookie and bearer, at both layers: nobody is signed in, nothing is said of the token, no cookie is touched. Returns how
/// many requests could be sent.
async fn keeps_out(fort: &Fort, case: &Case) -> usize {
    let reason = (case.because == Because::Expired).then_some(Reason::Expired);
    let mut sent = 0;
    for (peek, request) in [false, true].into_iter().map(|peek| (peek, by_cookie("accessToken", &case.token))) {
        let Some(request) = request else { continue };
        let answer = if peek { fort.world.peek(request).await } else { fort.world.send(request).await };
        assert!(matches!(answer.visitor(), Visitor::Anonymous { reason: said } if *said == reason), "{case}");
        assert!(answer.set_cookies().is_empty(), "{case}");
        sent += 1;
    }
    if let Some(request) = by_bearer(&case.token) {
        let answer = fort.world.send(request).await;
        assert_eq!((answer.status(), answer.seen().is_none()), (401, true), "{case}");
        assert!(answer.set_cookies().is_empty(), "{case}");
        sent += 1;
    }
    if let Some(request) = by_bearer(&case.token) {
        let answer = fort.world.peek(request).await;
        assert!(answer.visitor().identity().is_none(), "{case}");
        sent += 1;
    }
    sent
}

/// Controls: the same ways let the untouched token in, also one that was made by hand just now.
async fn lets_in(fort: &Fort, mint: &Mint) {
    for token in [mint.good(), jws::sign(&mint.key, "at+jwt", &claims()).unwrap()] {
        assert!(fort.world.gate.parts().verifier.verify(&token, at(START)).is_ok_and(|verified| !verified.expired));
        for request in [by_cookie("accessToken", &token), by_bearer(&token)] {
            fort.world.send(request.unwrap()).await.is_signed_in();
        }
        fort.world.peek(by_cookie("accessToken", &token).unwrap()).await.is_signed_in();
    }
}

#[expect(clippy::print_stdout, reason = "a suite of attacks says how many there were")]
async fn access_tokens_of(algorithm: Algorithm) {
    let keys = keys();
    let key = keys.iter().find(|key| key.algorithm() == algorithm).unwrap();
    let fort = Fort::new(&keys, &refresh_key()).await;
    let mint = access_mint(key, &keys);
    lets_in(&fort, &mint).await;
    let cases = all(&mint, Depth::Every);
    let cached = fort.world.gate.parts().verifier.cache().len();
    let mut sent = 0;
    let wrong: Vec<_> = cases
        .iter()
        .filter(|case| !is_refused(&fort.world.gate.parts().verifier, case))
        .map(ToString::to_string)
        .collect();
    assert!(wrong.is_empty(), "{} not refused as they should be:\n{}", wrong.len(), wrong.join("\n"));
    for case in &cases {
        sent += keeps_out(&fort, case).await;
    }
    assert_eq!(fort.world.gate.parts().verifier.cache().len(), cached, "nothing of it was remembered");
    lets_in(&fort, &mint).await;
    assert_eq!(fort.asked(), (0, 0), "no renewal is asked for without a refresh token");
    assert_eq!(fort.loads(), 1, "names of unknown keys cause one look at the keys, because the clock stands still");
    println!("attacks on {algorithm} access tokens: {}", by_kind(&cases));
    println!(
        "attacks on {algorithm} access tokens: {} tried, {sent} requests, 0 accepted, 0 asked a store",
        cases.len()
    );
    assert!(cases.len() >= 1500 && sent >= 5000, "{} cases, {sent} requests", cases.len());
}

#[tokio::test]
async fn no_forged_es256_access_token_is_accepted_or_asks_a_store() {
    access_tokens_of(Algorithm::Es256).await;
}

#[tokio::test]
async fn no_forged_eddsa_access_token_is_accepted_or_asks_a_store() {
    access_tokens_of(Algorithm::EdDsa).await;
}

#[tokio::test]
async fn no_forged_rs256_access_token_is_accepted_or_asks_a_store() {
    access_tokens_of(Algorithm::Rs256).await;
}

#[tokio::test]
async fn no_forged_hs256_access_token_is_accepted_or_asks_a_store() {
    access_tokens_of(Algorithm::Hs256).await;
}

#[tokio::test]
async fn without_a_cache_nothing_is_different() {
    let keys = keys();
    for key in &keys {
        let source = ListedKeys::of(&keys.iter().collect::<Vec<_>>());
        let verifier = Verifier::new(ISSUER, AUDIENCE, source).with_cache_bytes(0);
        verifier.reload().await;
        let mint = access_mint(key, &keys);
        assert!(verifier.verify(&mint.good(), at(START)).is_ok());
        for case in all(&mint, Depth::Some) {
            assert!(is_refused(&verifier, &case), "{case}");
        }
    }
}

fn refresh_mint(key: &SigningKey) -> Mint {
    let claims = serde_json::json!({
        "sub": user(1), "sid": session(1), "gen": 1, "nonce": "0a".repeat(16), "parent": "0b".repeat(16),
        "iat": START, "exp": START + 1000,
    });
    Mint::new(key, "rt+jwt", &claims)
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "a suite of attacks says how many there were")]
async fn no_forged_refresh_token_reaches_a_store() {
    let (keys, refresh) = (keys(), refresh_key());
    let fort = Fort::new(&keys, &refresh).await;
    let mint = refresh_mint(&refresh).beside(&keys);
    fort.world.send(by_cookie("refreshToken", &mint.good()).unwrap()).await.is_anonymous(Some(Reason::Expired));
    assert_eq!(fort.asked(), (1, 1), "the untouched one goes to the store");
    // What the claims must say is for the server's own reader; here it is about everything before that.
    let mut cases = all(&mint, Depth::Every);
    cases.retain(|case| case.because != Refused::Claims.into());
    let forged_access = forged(&claims());
    let mut sent = 0;
    for case in &cases {
        let opened = jws::open(&case.token, "rt+jwt", |kid| (kid == refresh.kid()).then(|| refresh.verifying_key()));
        assert!(opened.is_err(), "{case}");
        for beside in [None, Some(&forged_access)] {
            let Some(mut request) = by_cookie("refreshToken", &case.token) else { continue };
            if let Some(access) = beside {
                request.headers_mut().append("cookie", format!("accessToken={access}").parse().unwrap());
            }
            let answer = fort.world.send(request).await;
            answer.is_anonymous(None);
            answer.leaves_cookies_alone();
            sent += 1;
        }
        for request in [by_cookie("accessToken", &case.token), by_bearer(&case.token)].into_iter().flatten() {
            let answer = fort.world.send(request).await;
            assert!(answer.seen().is_none_or(|seen| seen.visitor.identity().is_none()), "{case}");
            sent += 1;
        }
    }
    assert_eq!(fort.asked().1, 1, "and no other one does");
    fort.world.send(by_cookie("refreshToken", &mint.good()).unwrap()).await.is_anonymous(Some(Reason::Expired));
    println!("attacks on refresh tokens: {} tried, {sent} requests, 0 accepted, 0 asked a store", cases.len());
    assert!(cases.len() >= 1000, "{}", cases.len());
}
