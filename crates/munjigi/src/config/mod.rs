//! Settings: `munjigi.toml`, then the environment (and `.env`), then flags.
//!
//! [`keys`] lists every key with its default and what it is for; [`layers`] lays file, environment and flags over each
//! other and refuses what it does not know; this module reads the values into types, and names file, key, value and what
//! is allowed for each that is wrong, all of them at once and before anything starts.

pub mod keys;
pub mod layers;
pub mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use munjigi_gate::{SameSite, WhenStale, jws::Algorithm};
use munjigi_rules::password::Policy;
use munjigi_rules::register::Mode;
use munjigi_rules::session::Lifetimes;
use munjigi_rules::throttle::Quota;
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;
use url::Url;

use crate::pages::{self, Colour};
pub use layers::{Layers, Source};
use values::Reader;

/// The settings are wrong; every line names one of them.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is wrong:\n  {}", .0.join("\n  "))]
pub struct ConfigError(pub Vec<String>);

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// `server.*`
    pub server: Server,
    /// `store.*`
    pub store: Store,
    /// `tokens.*`
    pub tokens: Tokens,
    /// `cookies.*`
    pub cookies: Cookies,
    /// `accounts.*`
    pub accounts: Accounts,
    /// `revocation.*`
    pub revocation: Revocation,
    /// `limits.*`; `None` where they are off.
    pub limits: Option<Limits>,
    /// `passwords.*`
    pub passwords: Passwords,
    /// `pages.*`
    pub pages: Pages,
    /// `log.*`
    pub log: Log,
}

/// Where the server is and what it trusts.
#[derive(Debug, Clone)]
pub struct Server {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Address to listen on for those who run it.
    pub operations_listen: Option<SocketAddr>,
    /// The address that visitors type in: scheme, host and port, nothing else.
    pub public_url: Url,
    /// What the paths for people begin with, for example `/user`.
    pub base_path: String,
    /// Folder of the embedded stores and of the secret that was made at the first start.
    pub data_dir: PathBuf,
    /// The secret that everything else is derived from, if it was given.
    pub secret: Option<SecretString>,
    /// Former secrets: they verify and decrypt, and sign nothing.
    pub previous_secrets: Vec<SecretString>,
    /// Peers whose forwarded headers are believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Origins besides the public URL's that visitors may be sent to and that may post here.
    pub trusted_origins: Vec<url::Origin>,
    /// Connections at once.
    pub max_connections: usize,
    /// How long a client may keep the server waiting.
    pub client_timeout: Duration,
    /// What https visitors' browsers are told to insist on.
    pub hsts: Hsts,
}

/// How far HSTS reaches where the public URL is https.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hsts {
    /// This host and every host below it.
    Subdomains,
    /// This host alone.
    Host,
    /// Not said: the proxy says it, or nobody.
    Off,
}

/// Which stores.
#[derive(Debug, Clone)]
pub struct Store {
    /// Path of the SQLite file; `None`: `munjigi.db` in the data directory.
    pub sqlite_path: Option<PathBuf>,
    /// Redis for sessions and limits; `None`: beside the users. Shown without its password.
    pub redis_url: Option<SecretString>,
    /// The authorities that Redis' certificate is from; `None`: those of the web.
    pub redis_ca_file: Option<PathBuf>,
    /// Whether the schema is brought up to date at start.
    pub migrate: munjigi_store::sqlite::Migrate,
}

/// Tokens.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// What access tokens are signed with.
    pub algorithm: Algorithm,
    /// For HS256: the secret shared with the app.
    pub shared_secret: Option<SecretString>,
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// How long access tokens, unused sessions and sessions live.
    pub lifetimes: Lifetimes,
}

/// Cookies.
#[derive(Debug, Clone)]
pub struct Cookies {
    /// `SameSite`.
    pub same_site: SameSite,
    /// `Domain`, to share log-in between hosts.
    pub domain: Option<String>,
}

/// Accounts.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// Who may register.
    pub registration: Mode,
}

/// Revocation.
#[derive(Debug, Clone)]
pub struct Revocation {
    /// How old a node's knowledge may be before it says so.
    pub max_staleness: Duration,
    /// What it does then.
    pub when_stale: WhenStale,
}

/// Limits on tries.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Failed log-ins of one account from one address.
    pub log_in_account: Quota,
    /// Failed log-ins from one address.
    pub log_in_address: Quota,
    /// Failed log-ins of one account from anywhere.
    pub log_in_anywhere: Quota,
    /// Registrations from one address.
    pub registration_address: Quota,
    /// Renewals of one session.
    pub renewal_session: Quota,
    /// Changes of an account by one session.
    pub account_session: Quota,
}

/// Passwords.
#[derive(Debug, Clone)]
pub struct Passwords {
    /// Which may be set.
    pub policy: Policy,
    /// Sorted SHA-1 hashes of passwords from breaches.
    pub breached: Option<PathBuf>,
    /// Argon2id memory in KiB.
    pub argon2_memory: u32,
    /// Argon2id passes.
    pub argon2_passes: u32,
    /// Argon2id lanes.
    pub argon2_lanes: u32,
    /// Hashes at once.
    pub workers: usize,
    /// Hashes that may wait.
    pub queue: usize,
}

/// Pages.
#[derive(Debug, Clone)]
pub struct Pages {
    /// What the site is called.
    pub name: String,
    /// Where a log-in leads that was not on its way anywhere.
    pub after_login: String,
    /// A logo.
    pub logo: Option<PathBuf>,
    /// A logo for the dark.
    pub logo_dark: Option<PathBuf>,
    /// The colour of buttons and links.
    pub accent: Option<Colour>,
    /// The same in the dark.
    pub accent_dark: Option<Colour>,
    /// Where the terms are.
    pub terms_url: Option<String>,
    /// Where it says what becomes of people's data.
    pub privacy_url: Option<String>,
    /// Folder with pages of one's own.
    pub folder: Option<PathBuf>,
    /// Somebody works on the pages, on their own machine.
    pub development: bool,
}

/// Log.
#[derive(Debug, Clone)]
pub struct Log {
    /// For people or for programs.
    pub format: LogFormat,
    /// `tracing` filter directives, for example `info` or `munjigi=debug`.
    pub level: String,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One readable line an event.
    Text,
    /// One JSON object a line.
    Json,
}

impl Config {
    /// Reads the settings from their layers.
    ///
    /// # Errors
    /// [`ConfigError`] lists everything that is wrong.
    pub fn read(layers: &Layers) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(layers);
        let r = &mut reader;
        let server = Server::read(r);
        let tokens = Tokens::read(r, &server);
        let site_name = r.text("pages.name");
        let development = r.on_this_machine("pages.development", &server.public_url);
        let config = Self {
            store: Store::read(r),
            cookies: Cookies::read(r, &server.public_url),
            accounts: Accounts { registration: r.one_of("accounts.registration", values::REGISTRATION) },
            revocation: Revocation {
                max_staleness: r.duration("revocation.max_staleness", Duration::from_secs(1)),
                when_stale: r.one_of("revocation.when_stale", values::WHEN_STALE),
            },
            limits: Limits::read(r, tokens.lifetimes.access),
            tokens,
            passwords: Passwords::read(r, &site_name, &server.public_url),
            pages: Pages {
                name: site_name,
                after_login: r.path("pages.after_login").unwrap_or_else(|| format!("{}/info", server.base_path)),
                logo: r.optional_text("pages.logo").map(PathBuf::from),
                logo_dark: r.optional_text("pages.logo_dark").map(PathBuf::from),
                accent: r.colour("pages.accent"),
                accent_dark: r.colour("pages.accent_dark"),
                terms_url: r.link("pages.terms_url"),
                privacy_url: r.link("pages.privacy_url"),
                folder: r.optional_text("pages.folder").map(PathBuf::from),
                development,
            },
            log: Log { format: r.one_of("log.format", values::LOG_FORMAT), level: r.log_level("log.level") },
            server,
        };
        reader.finish(config)
    }

    /// Whether the public URL is https: cookies are then `Secure` and prefixed.
    #[must_use]
    pub fn https(&self) -> bool {
        self.server.public_url.scheme() == "https"
    }

    /// What the pages say and show of this installation.
    #[must_use]
    pub fn site(&self) -> pages::Site {
        let own = self.pages.clone();
        pages::Site {
            name: own.name,
            base_path: self.server.base_path.clone(),
            logo: own.logo,
            logo_dark: own.logo_dark,
            accent: own.accent,
            accent_dark: own.accent_dark,
            terms: own.terms_url,
            privacy: own.privacy_url,
            folder: own.folder,
            development: own.development,
        }
    }

    /// The SQLite file.
    #[must_use]
    pub fn sqlite_path(&self) -> PathBuf {
        self.store.sqlite_path.clone().unwrap_or_else(|| self.server.data_dir.join("munjigi.db"))
    }
}

impl Server {
    fn read(r: &mut Reader<'_>) -> Self {
        let listen = r.parsed("server.listen", "an address and port such as 127.0.0.1:3000");
        Self {
            listen,
            operations_listen: r.other_address("server.operations_listen", listen),
            public_url: r.public_url("server.public_url", listen),
            base_path: r.base_path("server.base_path"),
            data_dir: PathBuf::from(r.text("server.data_dir")),
            secret: r.secret("server.secret"),
            previous_secrets: r.secrets("server.previous_secrets"),
            trusted_proxies: r.networks("server.trusted_proxies"),
            trusted_origins: r.origins("server.trusted_origins"),
            max_connections: r.number("server.max_connections", 16..=1_000_000),
            hsts: r.one_of("server.hsts", values::HSTS),
            client_timeout: r.duration("server.client_timeout", Duration::from_secs(1)),
        }
    }
}

impl Store {
    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            sqlite_path: r.sqlite_path("store.database_url"),
            redis_url: r.redis_url("store.redis_url"),
            redis_ca_file: r.redis_ca_file("store.redis_ca_file", "store.redis_url"),
            migrate: r.one_of("store.migrate", values::MIGRATE),
        }
    }

    /// What is in `store.redis_ca_file`.
    ///
    /// # Errors
    /// It cannot be read, or there is no certificate in it.
    pub fn redis_ca(&self) -> anyhow::Result<Option<Vec<u8>>> {
        let Some(path) = &self.redis_ca_file else { return Ok(None) };
        let named = || format!("store.redis_ca_file = {}", path.display());
        let pem = std::fs::read(path).with_context(named)?;
        let found = String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----");
        anyhow::ensure!(found, "{}: there is no certificate in it (PEM)", named());
        Ok(Some(pem))
    }
}

impl Tokens {
    fn read(r: &mut Reader<'_>, server: &Server) -> Self {
        let own = server.public_url.as_str().trim_end_matches('/').to_owned();
        let algorithm = r.one_of("tokens.algorithm", values::ALGORITHM);
        let second = Duration::from_secs(1);
        let lifetimes = Lifetimes {
            access: r.whole_seconds("tokens.access_ttl"),
            idle: r.duration("tokens.refresh_ttl", second),
            absolute: r.duration("tokens.session_ttl", second),
        };
        if lifetimes.idle < lifetimes.access {
            r.refuse("tokens.refresh_ttl", "not shorter than tokens.access_ttl");
        }
        if lifetimes.absolute < lifetimes.idle {
            r.refuse("tokens.session_ttl", "not shorter than tokens.refresh_ttl");
        }
        let shared_secret = r.secret("tokens.shared_secret");
        if shared_secret.is_some() && algorithm != Algorithm::Hs256 {
            r.refuse("tokens.shared_secret", "only with tokens.algorithm = \"HS256\"");
        }
        let ours = server.secret.iter().chain(&server.previous_secrets);
        if shared_secret
            .as_ref()
            .is_some_and(|shared| ours.map(SecretString::expose_secret).any(|own| own == shared.expose_secret()))
        {
            r.refuse("tokens.shared_secret", "another secret than server.secret: whoever has it would have everything");
        }
        Self {
            algorithm,
            shared_secret,
            issuer: r.optional_text("tokens.issuer").unwrap_or_else(|| own.clone()),
            audience: r.optional_text("tokens.audience").unwrap_or(own),
            lifetimes,
        }
    }
}

impl Cookies {
    fn read(r: &mut Reader<'_>, public_url: &Url) -> Self {
        Self {
            same_site: r.one_of("cookies.same_site", values::SAME_SITE),
            domain: r.domain("cookies.domain", public_url),
        }
    }
}

impl Limits {
    /// Renewals of one session in an access token's life, unless it is configured: of many requests at once each may be one,
    /// in every tab.
    const RENEWALS: u32 = 120;

    fn read(r: &mut Reader<'_>, access_ttl: Duration) -> Option<Self> {
        let limits = Self {
            log_in_account: r.quota("limits.log_in_account"),
            log_in_address: r.quota("limits.log_in_address"),
            log_in_anywhere: r.quota("limits.log_in_anywhere"),
            registration_address: r.quota("limits.registration_address"),
            renewal_session: r
                .optional_quota("limits.renewal_session")
                .unwrap_or(Quota::per(Self::RENEWALS, access_ttl)),
            account_session: r.quota("limits.account_session"),
        };
        r.one_of("limits.enabled", values::BOOL).then_some(limits)
    }
}

impl Passwords {
    /// Most memory of an Argon2id hash, ours or brought along, in KiB: 1 GiB.
    pub const MOST_MEMORY: u32 = 1024 * 1024;
    /// Most passes of one.
    pub const MOST_PASSES: u32 = 64;
    /// Most memory times passes of one, in KiB: 4 GiB, some seconds. The dearest in use, libsodium's "sensitive", is just that.
    pub const MOST_WORK: u32 = 4 * 1024 * 1024;

    fn read(r: &mut Reader<'_>, site_name: &str, public_url: &Url) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (min, max) = (r.number("passwords.min_length", 1..=256), r.number("passwords.max_length", 8..=1024));
        if max < min {
            r.refuse("passwords.max_length", "not less than passwords.min_length");
        }
        let lanes: u32 = r.number("passwords.argon2_lanes", 1..=16);
        let memory = r.kibibytes("passwords.argon2_memory", 8 * lanes..=Self::MOST_MEMORY);
        let passes = Self::MOST_PASSES.min(Self::MOST_WORK / memory.max(1));
        let workers = r.optional_number("passwords.workers", 1..=256).unwrap_or(cores);
        // `localhost`, `example.com` and the like: what stands in the address says whose site it is.
        let host = public_url.host_str().unwrap_or_default();
        let name = host.rsplit_once('.').map_or(host, |(name, _)| name);
        Self {
            policy: Policy::new(min, max, &[site_name, name]),
            breached: r.optional_text("passwords.breached_file").map(PathBuf::from),
            argon2_memory: memory,
            argon2_passes: r.number("passwords.argon2_passes", 1..=passes),
            argon2_lanes: lanes,
            workers,
            queue: r.optional_number("passwords.queue", 1..=100_000).unwrap_or(32 * workers),
        }
    }
}
