//! A small world around a gate: one signing key, a clock that stands still, a renewer that follows a script.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{Request, Response};
use munjigi_gate::jws::{self, Algorithm, SigningKey, VerifyingKey};
use munjigi_gate::{
    AccessClaims, BoxError, Clock, CookieOrder, CookieSettings, Gate, GateLayer, GateParts, Issued, KeySource,
    Persistence, Presented, Reason, Renew, Renewal, RevokedSet, SameSite, Verifier, Visitor, WhenStale,
};
use munjigi_rules::revocation::Ended;
use munjigi_rules::{Epoch, SessionId, Timestamp, UserId};
use tower::{Layer as _, ServiceExt as _, service_fn};

pub(crate) const ISSUER: &str = "https://auth.example.com";
pub(crate) const AUDIENCE: &str = "https://app.example.com";
/// The moment at which the tests begin, in seconds.
pub(crate) const START: i64 = 1_800_000_000;
pub(crate) const TTL: i64 = 600;

pub(crate) static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(Algorithm::Es256, "first").unwrap());
pub(crate) static OTHER_KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(Algorithm::Es256, "other").unwrap());

pub(crate) fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

pub(crate) fn session(n: u8) -> SessionId {
    SessionId::from_bytes([n; 16])
}

pub(crate) fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}

/// What a token of session 1 of user 1 says that was issued at the start.
pub(crate) fn claims() -> AccessClaims {
    AccessClaims {
        iss: ISSUER.to_owned(),
        sub: user(1),
        aud: AUDIENCE.to_owned(),
        sid: session(1),
        sep: Epoch(3),
        name: "문지기".to_owned(),
        username: "keeper".to_owned(),
        iat: START,
        exp: START + TTL,
        jti: "01".to_owned(),
        auth_time: START - 5,
        amr: vec!["pwd".to_owned()],
    }
}

pub(crate) fn token() -> String {
    token_of(&claims())
}

pub(crate) fn token_of(claims: &AccessClaims) -> String {
    jws::sign(&KEY, "at+jwt", claims).unwrap()
}

/// A token that verifies but expired a minute before the start.
pub(crate) fn expired_token() -> String {
    token_of(&AccessClaims { iat: START - TTL - 60, exp: START - 60, ..claims() })
}

/// A token with all the right claims and a signature of somebody else's key of the same name.
pub(crate) fn forged(claims: &AccessClaims) -> String {
    let key = SigningKey::generate(Algorithm::Es256, KEY.kid()).unwrap();
    jws::sign(&key, "at+jwt", claims).unwrap()
}

/// Signed once: ECDSA signs differently every time.
static NEW_TOKEN: LazyLock<String> = LazyLock::new(|| token_of(&new_claims()));

fn new_claims() -> AccessClaims {
    AccessClaims { jti: "02".to_owned(), ..claims() }
}

/// What a renewal of the session hands out.
pub(crate) fn issued() -> Issued {
    Issued {
        access_token: NEW_TOKEN.clone(),
        refresh_token: "new.refresh.token".to_owned(),
        claims: Arc::new(new_claims()),
        refresh_expires: at(START + 1000),
        persistence: Persistence::Browser,
        device: None,
    }
}

/// A clock that moves only when it is told to.
pub(crate) struct StillClock(AtomicI64);

impl StillClock {
    pub(crate) fn set(&self, secs: i64) {
        self.0.store(secs * 1000, Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A key source that holds what a test puts there, and counts how often it was asked.
#[derive(Default)]
pub(crate) struct ListedKeys {
    pub(crate) keys: Mutex<Vec<VerifyingKey>>,
    pub(crate) broken: Mutex<bool>,
    pub(crate) loads: AtomicI64,
}

impl ListedKeys {
    pub(crate) fn of(keys: &[&SigningKey]) -> Arc<Self> {
        let source = Self::default();
        source.put(keys);
        Arc::new(source)
    }

    pub(crate) fn put(&self, keys: &[&SigningKey]) {
        *self.keys.lock().unwrap() = keys.iter().map(|key| key.verifying_key()).collect();
    }
}

#[async_trait]
impl KeySource for ListedKeys {
    async fn load(&self) -> Result<Vec<VerifyingKey>, BoxError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        // Others get a chance to pile up behind this load.
        tokio::task::yield_now().await;
        if *self.broken.lock().unwrap() { Err("out of reach".into()) } else { Ok(self.keys.lock().unwrap().clone()) }
    }
}

/// A renewer that answers by a script, and notes what it was shown. Simulated: no session stands behind it.
#[derive(Default)]
pub(crate) struct ScriptedRenewer {
    answers: Mutex<VecDeque<Renewal>>,
    pub(crate) shown: Mutex<Vec<String>>,
    /// Whether it never answers at all.
    pub(crate) hangs: Mutex<bool>,
}

#[async_trait]
impl Renew for ScriptedRenewer {
    async fn renew(&self, refresh_token: &str) -> Renewal {
        self.shown.lock().unwrap().push(refresh_token.to_owned());
        if *self.hangs.lock().unwrap() {
            std::future::pending::<()>().await;
        }
        self.answers.lock().unwrap().pop_front().expect("the renewer was asked more often than the script says")
    }
}

/// What the inner service saw of a request.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) visitor: Visitor,
    pub(crate) presented: Option<Presented>,
    pub(crate) cookies: Vec<String>,
}

pub(crate) struct World {
    pub(crate) clock: Arc<StillClock>,
    pub(crate) keys: Arc<ListedKeys>,
    pub(crate) revoked: Arc<RevokedSet>,
    pub(crate) renewer: Arc<ScriptedRenewer>,
    pub(crate) gate: Gate,
    /// What the handler orders.
    pub(crate) order: Option<CookieOrder>,
    /// What else the handler's response carries.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
}

impl World {
    /// A gate that has read its keys and its revocations.
    pub(crate) async fn new() -> Self {
        let world = Self::with(WhenStale::Serve, CookieSettings::new(false, None, SameSite::Lax)).await;
        world.revoked.mark_read(at(START));
        world
    }

    /// A gate that has read its keys, but no revocations yet.
    pub(crate) async fn with(when_stale: WhenStale, cookies: CookieSettings) -> Self {
        let clock = Arc::new(StillClock(AtomicI64::new(START * 1000)));
        let keys = ListedKeys::of(&[&KEY]);
        let revoked = Arc::new(RevokedSet::new());
        let renewer = Arc::new(ScriptedRenewer::default());
        let verifier = Arc::new(Verifier::new(ISSUER, AUDIENCE, Arc::<ListedKeys>::clone(&keys)));
        verifier.reload().await;
        let gate = Gate::new(GateParts {
            verifier,
            revoked: Arc::clone(&revoked),
            renew: Arc::<ScriptedRenewer>::clone(&renewer),
            clock: Arc::<StillClock>::clone(&clock),
            cookies,
            when_stale,
            max_staleness: Duration::from_secs(5),
        });
        Self { clock, keys, revoked, renewer, gate, order: None, headers: Vec::new() }
    }

    pub(crate) fn script(self, answer: Renewal) -> Self {
        self.renewer.answers.lock().unwrap().push_back(answer);
        self
    }

    pub(crate) fn ordering(mut self, order: CookieOrder) -> Self {
        self.order = Some(order);
        self
    }

    pub(crate) fn end_session(&self) {
        self.revoked.apply([Ended::Session { session: session(1), feed_until: at(START + 9999) }]);
    }

    pub(crate) fn end_epochs_below(&self, epoch: u32) {
        self.revoked.apply([Ended::Epoch { user: user(1), min_epoch: Epoch(epoch), feed_until: at(START + 9999) }]);
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        self.send_through(self.gate.layer(), request).await
    }

    pub(crate) async fn peek(&self, request: Request<Body>) -> Answer {
        self.send_through(self.gate.peek_layer(), request).await
    }

    pub(crate) async fn send_through(&self, layer: GateLayer, request: Request<Body>) -> Answer {
        let handler = service_fn(|request: Request<Body>| async move {
            let mut response = Response::new(Body::empty());
            if let Some(order) = &self.order {
                response.extensions_mut().insert(order.clone());
            }
            for (name, value) in &self.headers {
                response.headers_mut().append(*name, value.parse().unwrap());
            }
            response.extensions_mut().insert(Seen {
                visitor: request.extensions().get().cloned().expect("the gate leaves a visitor"),
                presented: request.extensions().get().cloned(),
                cookies: lines(request.headers(), COOKIE.as_str()),
            });
            Ok::<_, Infallible>(response)
        });
        Answer(layer.layer(handler).oneshot(request).await.unwrap())
    }

    pub(crate) fn renewals(&self) -> Vec<String> {
        self.renewer.shown.lock().unwrap().clone()
    }
}

pub(crate) struct Answer(pub(crate) Response<Body>);

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// What the inner service saw; nothing if the gate answered by itself.
    pub(crate) fn seen(&self) -> Option<&Seen> {
        self.0.extensions().get()
    }

    #[track_caller]
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.seen().expect("the gate let the request through").visitor
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let lines = lines(self.0.headers(), name);
        assert!(lines.len() <= 1, "{name} twice: {lines:?}");
        lines.into_iter().next()
    }

    pub(crate) fn set_cookies(&self) -> Vec<String> {
        lines(self.0.headers(), SET_COOKIE.as_str())
    }

    #[track_caller]
    pub(crate) fn is_signed_in(&self) {
        assert!(matches!(self.visitor(), Visitor::SignedIn(_)), "{:?}", self.visitor());
    }

    #[track_caller]
    pub(crate) fn is_anonymous(&self, expected: Option<Reason>) {
        assert_eq!(self.status(), 200);
        assert!(self.visitor().identity().is_none(), "signed in");
        assert_eq!(self.visitor().reason(), expected);
    }

    #[track_caller]
    pub(crate) fn leaves_cookies_alone(&self) {
        assert_eq!(self.set_cookies(), Vec::<String>::new());
    }

    #[track_caller]
    pub(crate) fn clears_cookies(&self) {
        let cleared = self.set_cookies();
        assert_eq!(cleared.len(), 2, "{cleared:?}");
        assert!(cleared[0].starts_with("accessToken=; ") && cleared[0].ends_with("; Max-Age=0"), "{cleared:?}");
        assert!(cleared[1].starts_with("refreshToken=; ") && cleared[1].ends_with("; Max-Age=0"), "{cleared:?}");
        self.is_kept_by_no_cache();
    }

    #[track_caller]
    pub(crate) fn is_kept_by_no_cache(&self) {
        assert_eq!(self.header("cache-control").as_deref(), Some("no-store"));
        assert!(self.header("vary").unwrap().contains("Cookie"));
    }
}

fn lines(headers: &http::HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|line| line.to_str().unwrap().to_owned()).collect()
}

/// A request with these cookies.
pub(crate) fn with_cookies(access: Option<&str>, refresh: Option<&str>) -> Request<Body> {
    let mut cookies = Vec::new();
    cookies.extend(access.map(|token| format!("accessToken={token}")));
    cookies.extend(refresh.map(|token| format!("refreshToken={token}")));
    let mut request = Request::new(Body::empty());
    if !cookies.is_empty() {
        request.headers_mut().insert(COOKIE, cookies.join("; ").parse().unwrap());
    }
    request
}

/// A request with this `Authorization`, and good cookies beside it.
pub(crate) fn with_authorization(line: &str) -> Request<Body> {
    let mut request = with_cookies(Some(&token()), Some("r"));
    request.headers_mut().insert(AUTHORIZATION, line.parse().unwrap());
    request
}
