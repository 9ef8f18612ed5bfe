//! The whole service in this process, with a clock that is moved by hand.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use munjigi::{App, Config, Layers};
use tempfile::TempDir;

use super::browser::Door;
use super::{Browser, HandClock, Metrics, RedisServer};

/// How long access tokens live here. Short, because a clock that is moved by more than 30 s is off the database's.
const ACCESS_TTL: Duration = Duration::from_secs(4);

pub(crate) struct Site {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<HandClock>,
    router: Router,
    settings: Vec<(String, String)>,
    dir: Arc<TempDir>,
    redis: Option<Arc<RedisServer>>,
}

impl Site {
    pub(crate) async fn embedded() -> Self {
        Self::with(&[]).await
    }

    /// With a Redis that others may use too.
    pub(crate) async fn on_redis() -> Self {
        Self::on(RedisServer::shared()).await
    }

    /// With this Redis.
    pub(crate) async fn on(redis: RedisServer) -> Self {
        Self::open(&[], Some(redis)).await
    }

    /// With other settings than the usual ones.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        Self::open(settings, None).await
    }

    /// With other settings than the usual ones, and this Redis.
    pub(crate) async fn open(settings: &[(&str, &str)], redis: Option<RedisServer>) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Self::start(settings, dir, redis.map(Arc::new), HandClock::start()).await
    }

    /// Another node of the same installation, at the same time.
    pub(crate) async fn second_node(&self) -> Self {
        let (dir, redis) = (Arc::clone(&self.dir), self.redis.clone());
        Self::start(self.settings.clone(), dir, redis, Arc::clone(&self.clock)).await
    }

    async fn start(
        settings: Vec<(String, String)>,
        dir: Arc<TempDir>,
        redis: Option<Arc<RedisServer>>,
        clock: Arc<HandClock>,
    ) -> Self {
        let usual = [
            ("server.data_dir", dir.path().to_str().unwrap()),
            ("tokens.access_ttl", "4s"),
            ("passwords.argon2_memory", "64KiB"),
            ("passwords.argon2_passes", "1"),
        ];
        let mut layers = usual.iter().fold(Layers::new(), |layers, (key, value)| layers.flag(key, (*value).to_owned()));
        if let Some(redis) = &redis {
            layers = layers.flag("store.redis_url", redis.url.clone());
            layers = layers.flag("server.secret", "a secret that is only for these tests".to_owned());
        }
        let layers = settings.iter().fold(layers, |layers, (key, value)| layers.flag(key, value.clone()));
        let config = Config::read(&layers).unwrap();
        let app = App::open(&config, Arc::clone(&clock) as _).await.unwrap();
        Self { router: munjigi::router(&app), app, clock, settings, dir, redis }
    }

    /// A browser that was never here.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(Door::Here(self.router.clone()))
    }

    /// A browser in which somebody has just registered.
    pub(crate) async fn registered(&self, username: &str) -> Browser {
        let mut browser = self.browser();
        browser.register(username).await.expect(201);
        browser
    }

    /// A browser in which a registered user has logged in.
    pub(crate) async fn logged_in(&self, username: &str) -> Browser {
        let mut browser = self.browser();
        browser.log_in(username).await.expect(200);
        browser
    }

    pub(crate) fn let_access_expire(&self) {
        self.clock.advance(ACCESS_TTL);
    }

    /// The bell, for what another node ended; the server rings it every half second.
    pub(crate) async fn ring(&self) {
        self.app.core.feed.ring().await.unwrap();
    }

    pub(crate) fn redis(&self) -> &RedisServer {
        self.redis.as_ref().expect("a site on Redis")
    }

    /// Whoever looks at the operations listener.
    pub(crate) fn operator(&self) -> Browser {
        Browser::new(Door::Here(munjigi::operations(&self.app)))
    }

    /// What is measured now.
    pub(crate) async fn metrics(&self) -> Metrics {
        Metrics::parse(&self.operator().get("/metrics").await.expect(200).body)
    }

    /// Everything on the disk that belongs to the database.
    pub(crate) fn database_bytes(&self) -> Vec<u8> {
        let files = ["munjigi.db", "munjigi.db-wal"].map(|name| self.dir.path().join(name));
        files.iter().flat_map(|file| std::fs::read(file).unwrap_or_default()).collect()
    }

    /// The database, to look behind the server's back.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.dir.path().join("munjigi.db")).unwrap()
    }
}
