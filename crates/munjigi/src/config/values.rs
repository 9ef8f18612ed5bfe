//! From texts to types. Each reader method takes one key, and a wrong value is noted with what would be right, while a
//! stand-in lets the reading go on, so that everything wrong is told at once.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use munjigi_gate::{SameSite, WhenStale, jws::Algorithm};
use munjigi_rules::register::Mode;
use munjigi_rules::throttle::Quota;
use munjigi_store::sqlite::Migrate;
use secrecy::SecretString;
use tracing_subscriber::filter::{self, EnvFilter};
use url::Url;

use super::layers::{Given, Layers, Source};
use super::{ConfigError, Hsts, LogFormat, keys};
use crate::pages::Colour;

/// Words and what they mean.
pub type Words<T> = &'static [(&'static str, T)];

/// `accounts.registration`
pub const REGISTRATION: Words<Mode> = &[("open", Mode::Open), ("closed", Mode::Closed)];
/// `revocation.when_stale`
pub const WHEN_STALE: Words<WhenStale> = &[("serve", WhenStale::Serve), ("refuse", WhenStale::Refuse)];
/// `log.format`
pub const LOG_FORMAT: Words<LogFormat> = &[("text", LogFormat::Text), ("json", LogFormat::Json)];
/// `store.migrate`
pub const MIGRATE: Words<Migrate> = &[("auto", Migrate::Auto), ("check", Migrate::Check)];
/// `tokens.algorithm`
pub const ALGORITHM: Words<Algorithm> = &[
    ("ES256", Algorithm::Es256),
    ("EdDSA", Algorithm::EdDsa),
    ("RS256", Algorithm::Rs256),
    ("HS256", Algorithm::Hs256),
];
/// `cookies.same_site`
pub const SAME_SITE: Words<SameSite> = &[("lax", SameSite::Lax), ("strict", SameSite::Strict)];
/// `server.hsts`
pub const HSTS: Words<Hsts> = &[("subdomains", Hsts::Subdomains), ("host", Hsts::Host), ("off", Hsts::Off)];
/// Truth values.
pub const BOOL: Words<bool> = &[("true", true), ("false", false)];

/// Fewest bytes of a secret.
pub const SECRET_MIN: usize = 32;

/// Reads values and collects what is wrong.
pub struct Reader<'a> {
    layers: &'a Layers,
    problems: Vec<String>,
}

impl<'a> Reader<'a> {
    /// Reads from `layers`.
    #[must_use]
    pub fn new(layers: &'a Layers) -> Self {
        Self { layers, problems: layers.problems().to_vec() }
    }

    /// `value`, unless something was wrong.
    ///
    /// # Errors
    /// Everything that was wrong.
    pub fn finish<T>(self, value: T) -> Result<T, ConfigError> {
        if self.problems.is_empty() { Ok(value) } else { Err(ConfigError(self.problems)) }
    }

    /// Notes that the value of `name` is not what is `allowed`.
    pub fn refuse(&mut self, name: &str, allowed: &str) {
        let given = self.given(name);
        let shown = match keys::find(name) {
            Some(key) if key.secret => "(not shown)".to_owned(),
            _ => format!("{:?}", given.texts.iter().map(|text| without_password(text)).collect::<Vec<_>>().join(", ")),
        };
        self.problems.push(format!("{}: {name} = {shown}: expected {allowed}", given.source));
    }

    fn given(&self, name: &str) -> Given {
        self.layers.get(name).cloned().unwrap_or_else(|| {
            let default = keys::find(name).map_or("", |key| key.default);
            let texts = if default.is_empty() { vec![] } else { vec![default.to_owned()] };
            Given { texts, source: Source::Default, files: vec![] }
        })
    }

    /// The one text of `name`, if there is one.
    pub fn optional_text(&mut self, name: &str) -> Option<String> {
        let mut texts = self.given(name).texts;
        if texts.len() > 1 {
            self.refuse(name, "one value, not a list");
        }
        texts.pop().filter(|text| !text.is_empty())
    }

    /// The text of `name`.
    pub fn text(&mut self, name: &str) -> String {
        self.optional_text(name).unwrap_or_else(|| {
            self.refuse(name, "a text that is not empty");
            String::new()
        })
    }

    /// The texts of `name`: a list in the file, separated by commas in a variable.
    fn list(&self, name: &str) -> Vec<String> {
        let texts = self.given(name).texts;
        texts
            .iter()
            .flat_map(|text| text.split(','))
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A value that has one form of text. A stand-in is read from the default, which is right (a test sees to that).
    pub fn parsed<T: FromStr + StandIn>(&mut self, name: &str, allowed: &str) -> T {
        let text = self.text(name);
        text.parse().unwrap_or_else(|_| {
            self.refuse(name, allowed);
            T::stand_in()
        })
    }

    /// An address to listen on besides another one.
    pub fn other_address(&mut self, name: &str, taken: SocketAddr) -> Option<SocketAddr> {
        let text = self.optional_text(name)?;
        let address = text.parse::<SocketAddr>().ok();
        // Of two ports that the system chooses neither is the other.
        if address.is_none_or(|address| address == taken && address.port() != 0) {
            self.refuse(name, "an address and port such as 127.0.0.1:9464, and not that of server.listen");
        }
        address
    }

    /// One of some words.
    pub fn one_of<T: Copy>(&mut self, name: &str, words: &'static [(&'static str, T)]) -> T {
        let text = self.text(name);
        let (_, first) = words.first().copied().unwrap_or_else(|| unreachable!("every list of words has one"));
        words.iter().find(|(word, _)| *word == text).map_or_else(
            || {
                let allowed: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
                self.refuse(name, &allowed.join(" or "));
                first
            },
            |(_, value)| *value,
        )
    }

    /// True or false; true only where nobody but this machine comes.
    pub fn on_this_machine(&mut self, name: &str, public_url: &Url) -> bool {
        let here = match public_url.host() {
            Some(url::Host::Domain(host)) => host == "localhost" || host.ends_with(".localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let wanted = self.one_of(name, BOOL);
        if wanted && !here {
            self.refuse(name, "false, because server.public_url is not on this machine");
        }
        wanted && here
    }

    /// A whole number.
    pub fn number<N: Number>(&mut self, name: &str, range: RangeInclusive<N>) -> N {
        self.optional_number(name, range.clone()).unwrap_or(*range.start())
    }

    /// A whole number, if there is one.
    pub fn optional_number<N: Number>(&mut self, name: &str, range: RangeInclusive<N>) -> Option<N> {
        let text = self.optional_text(name)?;
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.refuse(name, &format!("a whole number from {} to {}", range.start(), range.end()));
        }
        number
    }

    /// An amount of memory, in KiB.
    pub fn kibibytes(&mut self, name: &str, range: RangeInclusive<u32>) -> u32 {
        let text = self.text(name);
        let (digits, factor) = match (text.strip_suffix("MiB"), text.strip_suffix("KiB")) {
            (Some(digits), _) => (digits, 1024),
            (_, Some(digits)) => (digits, 1),
            _ => ("", 1),
        };
        let kib = digits.trim().parse::<u32>().ok().and_then(|n| n.checked_mul(factor));
        kib.filter(|kib| range.contains(kib)).unwrap_or_else(|| {
            self.refuse(name, &format!("an amount such as \"19MiB\", from {} to {} KiB", range.start(), range.end()));
            *range.start()
        })
    }

    /// A span of time, at least `least`.
    pub fn duration(&mut self, name: &str, least: Duration) -> Duration {
        let text = self.text(name);
        parse_duration(&text).filter(|span| *span >= least && *span <= LONGEST).unwrap_or_else(|| {
            self.refuse(
                name,
                &format!("a span such as \"10s\", \"15m\", \"12h\" or \"14d\", from {} s to 10 years", least.as_secs()),
            );
            least
        })
    }

    /// A span of time that a token can say: whole seconds, from one.
    pub fn whole_seconds(&mut self, name: &str) -> Duration {
        let span = self.duration(name, Duration::from_secs(1));
        if span.subsec_nanos() > 0 {
            self.refuse(name, "whole seconds");
        }
        span
    }

    /// So many in a span.
    pub fn quota(&mut self, name: &str) -> Quota {
        let text = self.text(name);
        self.quota_of(name, &text)
    }

    /// The same, where something else is followed without one.
    pub fn optional_quota(&mut self, name: &str) -> Option<Quota> {
        let text = self.optional_text(name)?;
        Some(self.quota_of(name, &text))
    }

    fn quota_of(&mut self, name: &str, text: &str) -> Quota {
        let parsed = text.split_once('/').and_then(|(burst, span)| {
            let burst = burst.trim().parse::<u32>().ok().filter(|burst| (1..=1_000_000).contains(burst))?;
            Some(Quota::per(burst, parse_duration(span.trim()).filter(|span| *span <= LONGEST)?))
        });
        parsed.unwrap_or_else(|| {
            self.refuse(name, "a count and a span such as \"10/15m\"");
            Quota::per(1, Duration::from_secs(60))
        })
    }

    /// A secret of at least 32 bytes.
    pub fn secret(&mut self, name: &str) -> Option<SecretString> {
        let text = self.optional_text(name)?;
        if text.len() < SECRET_MIN {
            self.refuse(name, "at least 32 bytes, for example the output of `openssl rand -hex 32`");
        }
        Some(text.into())
    }

    /// Secrets.
    pub fn secrets(&mut self, name: &str) -> Vec<SecretString> {
        let texts = self.list(name);
        if texts.iter().any(|text| text.len() < SECRET_MIN) {
            self.refuse(name, "at least 32 bytes each");
        }
        texts.into_iter().map(SecretString::from).collect()
    }

    /// Addresses and networks.
    pub fn networks(&mut self, name: &str) -> Vec<ipnet::IpNet> {
        let parse = |text: &str| text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(ipnet::IpNet::from));
        self.each(name, "addresses or networks such as \"10.0.0.5\" or \"10.0.7.0/28\"", parse)
    }

    /// Origins.
    pub fn origins(&mut self, name: &str) -> Vec<url::Origin> {
        self.each(name, "origins such as \"https://app.example.com\"", |text| origin_url(text).map(|url| url.origin()))
    }

    fn each<T>(&mut self, name: &str, allowed: &str, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let texts = self.list(name);
        let parsed: Vec<T> = texts.iter().filter_map(|text| parse(text)).collect();
        if parsed.len() < texts.len() {
            self.refuse(name, allowed);
        }
        parsed
    }

    /// The public URL; without one, `localhost` and the port that is listened on.
    pub fn public_url(&mut self, name: &str, listen: SocketAddr) -> Url {
        let own = format!("http://localhost:{}", listen.port());
        let text = self.optional_text(name).unwrap_or(own);
        origin_url(&text).unwrap_or_else(|| {
            self.refuse(name, "scheme, host and port, such as \"https://auth.example.com\"");
            Url::stand_in()
        })
    }

    /// What paths begin with.
    pub fn base_path(&mut self, name: &str) -> String {
        let text = self.text(name);
        let good = text.len() > 1
            && text.split('/').skip(1).all(|part| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            });
        let for_programs =
            ["/api", "/auth"].iter().any(|taken| text == *taken || text.starts_with(&format!("{taken}/")));
        if !good || !text.starts_with('/') || for_programs {
            self.refuse(
                name,
                "a path such as \"/user\", without a slash at the end, and not below \"/api\" or \"/auth\"",
            );
        }
        text
    }

    /// A path on this server.
    pub fn path(&mut self, name: &str) -> Option<String> {
        let text = self.optional_text(name)?;
        if !text.starts_with('/') || text.starts_with("//") || text.contains(|c: char| c == '\\' || c.is_control()) {
            // Browsers drop tabs and line ends, so that a slash after one would be a second one.
            self.refuse(name, "a path that begins with one slash");
        }
        Some(text)
    }

    /// A colour.
    pub fn colour(&mut self, name: &str) -> Option<Colour> {
        let colour = self.optional_text(name)?.parse().ok();
        if colour.is_none() {
            self.refuse(name, "a colour such as \"#0f6b5c\"");
        }
        colour
    }

    /// Where a link of the pages leads: elsewhere by https, or to a path of this host.
    pub fn link(&mut self, name: &str) -> Option<String> {
        let text = self.optional_text(name)?;
        if text.starts_with('/') {
            return self.path(name);
        }
        let good = Url::parse(&text).is_ok_and(|url| url.scheme() == "https" && url.username().is_empty());
        if !good {
            self.refuse(name, "an address that begins with https:// or a path that begins with one slash");
        }
        Some(text)
    }

    /// The SQLite file of a database URL.
    pub fn sqlite_path(&mut self, name: &str) -> Option<PathBuf> {
        let text = self.optional_text(name)?;
        let path = text.strip_prefix("sqlite://").filter(|path| path.starts_with('/') && path.len() > 1);
        if path.is_none() {
            self.refuse(name, "\"sqlite:///absolute/path/munjigi.db\"");
        }
        path.map(PathBuf::from)
    }

    /// The URL of a Redis.
    pub fn redis_url(&mut self, name: &str) -> Option<SecretString> {
        let text = self.optional_text(name)?;
        let good = Url::parse(&text).is_ok_and(|url| {
            // What follows a `#` would be taken for "do not look at the certificate".
            matches!(url.scheme(), "redis" | "rediss") && url.has_host() && url.fragment().is_none()
        });
        if !good {
            self.refuse(name, "\"redis://host:port\" or \"rediss://host:port\"");
        }
        Some(text.into())
    }

    /// The authorities for a Redis that is spoken to by TLS.
    pub fn redis_ca_file(&mut self, name: &str, of: &str) -> Option<PathBuf> {
        let path = self.optional_text(name)?;
        if !self.optional_text(of).is_some_and(|url| url.starts_with("rediss://")) {
            self.refuse(name, "only with a store.redis_url that begins with \"rediss://\"");
        }
        Some(PathBuf::from(path))
    }

    /// A domain above the public URL's host.
    pub fn domain(&mut self, name: &str, public_url: &Url) -> Option<String> {
        let text = self.optional_text(name)?.trim_start_matches('.').to_ascii_lowercase();
        // A number has nothing above it, though it has dots.
        let host = public_url.domain().unwrap_or_default();
        let above = host == text || host.ends_with(&format!(".{text}"));
        if public_url.scheme() != "https" || !above || !text.contains('.') {
            self.refuse(name, "a domain that the https public URL's host is in, such as \"example.com\"");
        }
        Some(text)
    }

    /// Filter directives of the log.
    pub fn log_level(&mut self, name: &str) -> String {
        let text = self.text(name);
        // A bare word that is no level would be taken for a target's name, and silence everything else.
        let words = text.split(',').map(str::trim).filter(|word| !word.contains(['=', '[']));
        let unknown = words.into_iter().any(|word| word.parse::<filter::LevelFilter>().is_err());
        if unknown || log_filter(&text).is_err() {
            self.refuse(name, "\"info\", \"debug\" or directives such as \"info,munjigi=debug\"");
        }
        text
    }
}

/// The filter of the log. What a directive says of a field is compared as it stands: as a pattern it could take minutes, and all memory,
/// to be compiled, and would be held against what visitors type.
///
/// # Errors
/// They are no filter directives.
pub fn log_filter(directives: &str) -> Result<EnvFilter, filter::ParseError> {
    EnvFilter::builder().with_regex(false).parse(directives)
}

/// A value to go on with after a wrong one was noted; never used by a server that starts.
pub trait StandIn {
    /// The value.
    fn stand_in() -> Self;
}

impl StandIn for SocketAddr {
    fn stand_in() -> Self {
        Self::from(([127, 0, 0, 1], 3000))
    }
}

impl StandIn for Url {
    fn stand_in() -> Self {
        Url::parse("http://localhost:3000").unwrap_or_else(|_| unreachable!("a constant URL"))
    }
}

/// Whole numbers.
pub trait Number: FromStr + PartialOrd + std::fmt::Display + Copy {}
impl Number for u32 {}
impl Number for usize {}

/// A value as it may be shown: a URL without the password in it.
fn without_password(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if url.password().is_some() => shown_url(text),
        _ => text.to_owned(),
    }
}

const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// `500ms`, `10s`, `15m`, `12h`, `14d`.
fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    let unit = match text.get(digits.len()..)? {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return None,
    };
    number.checked_mul(unit).map(Duration::from_secs)
}

/// A URL that is nothing but an origin.
fn origin_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let plain = url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "http" | "https") && bare && plain && url.has_host()).then_some(url)
}

/// A URL without the password in it.
#[must_use]
pub fn shown_url(url: &str) -> String {
    Url::parse(url).map_or_else(
        |_| "(not a URL)".to_owned(),
        |mut url| {
            if url.password().is_some() {
                let _ = url.set_password(Some("…"));
            }
            url.to_string()
        },
    )
}
