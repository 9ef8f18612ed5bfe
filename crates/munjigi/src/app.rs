//! The application: what every handler can reach. Everything is chosen here, once, and nothing is global.

use std::sync::Arc;
use std::time::Duration;

use munjigi_gate::{Clock, CookieSettings, Gate, GateParts};
use url::Url;

use crate::config::{Config, Hsts};
use crate::core::{Core, Role};
use crate::flows::renew::Renewer;
use crate::http::headers::SecurityHeaders;
use crate::pages::Pages;

/// Everything that handlers share.
pub struct App {
    /// Stores and services, for the flows.
    pub core: Arc<Core>,
    /// Who asks.
    pub gate: Gate,
    /// What people see.
    pub pages: Pages,
    /// Where we are, and whom we trust.
    pub site: Site,
}

/// What is known of the site.
pub struct Site {
    /// What paths for people begin with: `/…`.
    pub base_path: String,
    /// The page that `return_to` is resolved against.
    pub log_in_page: Url,
    /// Other origins that `return_to` may lead to.
    pub trusted_origins: Vec<url::Origin>,
    /// Origins whose pages may post here: our own and the trusted ones.
    pub allowed_origins: Vec<String>,
    /// Peers whose forwarded headers are believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// The address that visitors type in, without a slash at the end.
    pub public_url: String,
    /// Where a log-in leads that was not on its way anywhere.
    pub after_login: String,
    /// How long a client may take to send a body.
    pub client_timeout: Duration,
    /// What it is called.
    pub name: String,
    /// Visitors use https.
    pub https: bool,
    /// Somebody works on the pages.
    pub development: bool,
    /// What every answer carries.
    pub security_headers: SecurityHeaders,
}

impl App {
    /// Opens the stores and puts everything together.
    ///
    /// # Errors
    /// A store cannot be opened, or something configured does not go together; the message says what to do.
    pub async fn open(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Arc<Self>> {
        let core = Arc::new(Core::open(config, Arc::clone(&clock), Role::Server).await?);
        let gate = Gate::new(GateParts {
            verifier: Arc::clone(&core.verifier),
            revoked: core.feed.set(),
            renew: Arc::new(Renewer::new(Arc::clone(&core))),
            clock,
            cookies: CookieSettings::new(config.https(), config.cookies.domain.clone(), config.cookies.same_site),
            when_stale: config.revocation.when_stale,
            max_staleness: config.revocation.max_staleness,
        });
        let pages = Pages::new(config.site())?;
        let site = Site::new(config, &pages)?;
        Ok(Arc::new(Self { core, gate, pages, site }))
    }

    /// Keeps what is in memory up to date, for as long as the process runs.
    pub async fn keep_up(self: Arc<Self>) {
        let parts = self.gate.parts();
        let core = &self.core;
        tokio::join!(core.feed.keep_reading(parts.max_staleness), core.feed.keep_pruning(&core.keys), core.keep_keys(),);
    }
}

impl App {
    /// Ends the streams of services that follow the revocations. A server that ends when its last answer is done calls this
    /// first: they would never be.
    pub fn stop(&self) {
        self.core.feed.followers().stop();
    }
}

impl Site {
    fn new(config: &Config, pages: &Pages) -> anyhow::Result<Self> {
        let server = &config.server;
        let others: Vec<String> = server.trusted_origins.iter().map(url::Origin::ascii_serialization).collect();
        let own = server.public_url.origin().ascii_serialization();
        Ok(Self {
            base_path: server.base_path.clone(),
            log_in_page: server.public_url.join(&format!("{}/login", server.base_path))?,
            trusted_origins: server.trusted_origins.clone(),
            allowed_origins: std::iter::once(own).chain(others.clone()).collect(),
            trusted_proxies: server.trusted_proxies.clone(),
            public_url: server.public_url.as_str().trim_end_matches('/').to_owned(),
            after_login: config.pages.after_login.clone(),
            client_timeout: server.client_timeout,
            name: config.pages.name.clone(),
            https: config.https(),
            development: config.pages.development,
            security_headers: SecurityHeaders::new(
                if config.https() { server.hsts } else { Hsts::Off },
                &others,
                pages.have_fonts(),
            )?,
        })
    }
}
