//! The public URL: it leads to this installation, by whatever proxy is before it.

use munjigi_gate::Clock;
use munjigi_rules::Timestamp;
use url::Url;

use super::chain;
use super::report::Report;
use super::server::Running;
use super::wire::{self, Answer, WireError};
use crate::config::Config;
use crate::doctor_calls::{self, CALL, DoctorCalls, Sight};

const CHECK: &str = "public url";
/// An address that nobody has (RFC 5737), as a visitor would make one up.
pub(super) const MADE_UP: &str = "192.0.2.123";
/// A cookie like those of any app.
pub(super) const COOKIE: &str = "munjigi-doctor=here";

/// Where is asked, and with what.
pub(super) struct Asked<'a> {
    pub(super) url: &'a Url,
    /// None without the secret.
    pub(super) calls: Option<&'a DoctorCalls>,
    pub(super) clock: &'a dyn Clock,
}

/// What came of it.
pub(super) struct Seen {
    /// What the server saw of a question as a browser puts it.
    pub(super) sight: Sight,
    /// The same where the visitor says to be somewhere else.
    pub(super) made_up: Option<Sight>,
    /// The answer to the first.
    pub(super) answer: Answer,
}

impl Seen {
    /// When whoever is in front says it was.
    pub(super) fn date(&self) -> Option<Timestamp> {
        let date = self.answer.headers().get(http::header::DATE)?.to_str().ok()?;
        let moment = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
        Some(Timestamp::from_millis(moment.as_millisecond()))
    }
}

impl Asked<'_> {
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url.as_str().trim_end_matches('/'))
    }

    pub(super) async fn get(&self, path: &str, headers: &[(&str, String)]) -> Result<Answer, WireError> {
        let mut url = self.url.clone();
        url.set_path(path);
        wire::get(&url, headers).await
    }

    pub(super) async fn check(&self, config: &Config, running: Running, report: &mut Report) -> Option<Seen> {
        let Some(calls) = self.calls else {
            report.skipped(CHECK, "without the secret the server cannot be asked what it sees");
            return None;
        };
        let path = format!("{}{}", config.server.base_path, doctor_calls::PATH);
        let (call, nonce) = calls.sign(self.clock.now()).ok()?;
        let answer = match self.get(&path, &self.as_a_browser(config, call)).await {
            Ok(answer) => answer,
            Err(error) => {
                self.unreachable(&error, running, config, report);
                return None;
            }
        };
        let sight = self.understood(&answer, report)?;
        if sight.nonce != nonce {
            let what = format!("{} was answered out of a cache", self.at(&path));
            report.wrong(
                CHECK,
                what,
                "let the proxy cache nothing that says no-store: it would hand sessions to strangers",
            );
            return None;
        }
        self.same_installation(config, &sight, report);
        // Only of whoever is believed is it worth asking; the server would warn of anybody else in its log.
        let made_up = if sight.trusted { self.made_up(config, calls, &path).await } else { None };
        Some(Seen { sight, made_up, answer })
    }

    /// What a browser sends of itself with a question from a page of ours.
    fn as_a_browser(&self, config: &Config, call: String) -> Vec<(&'static str, String)> {
        let origin = config.server.public_url.origin().ascii_serialization();
        vec![
            (CALL, call),
            ("cookie", COOKIE.to_owned()),
            ("origin", origin),
            ("sec-fetch-site", "same-origin".to_owned()),
            ("sec-fetch-dest", "empty".to_owned()),
        ]
    }

    async fn made_up(&self, config: &Config, calls: &DoctorCalls, path: &str) -> Option<Sight> {
        let (call, _) = calls.sign(self.clock.now()).ok()?;
        let mut headers = self.as_a_browser(config, call);
        headers.push(("x-forwarded-for", MADE_UP.to_owned()));
        let answer = self.get(path, &headers).await.ok()?;
        serde_json::from_slice(&answer.body).ok()
    }

    fn unreachable(&self, error: &WireError, running: Running, config: &Config, report: &mut Report) {
        let what = format!("{}: {}", self.at(""), chain(error));
        let mend = match (error, running) {
            (WireError::Tls(_) | WireError::NoAuthorities, _) => {
                "give the proxy a certificate that visitors' browsers trust; one of your own authority is known by SSL_CERT_FILE"
            }
            (_, Running::Here) => {
                "a server runs here: lead server.public_url to it, by name server and proxy, or correct server.public_url"
            }
            (error, Running::Nobody) if error.is_refusal() && *self.url == config.server.public_url => {
                return report.skipped(CHECK, format!("{what}; start the server and ask again"));
            }
            _ => "correct server.public_url, or let its name lead to the machine of the proxy",
        };
        report.wrong(CHECK, what, mend);
    }

    fn understood(&self, answer: &Answer, report: &mut Report) -> Option<Sight> {
        let status = answer.status();
        if status == 200
            && let Ok(sight) = serde_json::from_slice(&answer.body)
        {
            return Some(sight);
        }
        let at = self.at("");
        let ours =
            answer.headers().get(http::header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
        let location = answer.headers().get(http::header::LOCATION).and_then(|location| location.to_str().ok());
        let (what, mend) = match (status.as_u16(), location) {
            (301..=308, Some(location)) => {
                (format!("{at} leads on to {location}"), "set server.public_url to the address where visitors end up")
            }
            (404, _) if ours => (
                format!(
                    "{at} is a Munjigi that does not know this installation's secret, is older than this one, or has another time"
                ),
                "run this with that server's settings and as its user (--config), or restart it with these",
            ),
            (502..=504, _) => (
                format!("{at} answers {status}: the proxy does not reach Munjigi"),
                "start the server, or lead the proxy to server.listen",
            ),
            _ => (
                format!("{at} answers {status}, and is no Munjigi"),
                "let the proxy lead everything below server.base_path to Munjigi",
            ),
        };
        report.wrong(CHECK, what, mend);
        None
    }

    fn same_installation(&self, config: &Config, sight: &Sight, report: &mut Report) {
        let before = report.complaints();
        let own = config.server.public_url.as_str().trim_end_matches('/');
        if sight.public_url != own {
            let what =
                format!("the server that runs has server.public_url = {}, and here it is {own}", sight.public_url);
            report.warning(CHECK, what, "restart it, or run this with its settings (--config)");
        }
        if sight.version != env!("CARGO_PKG_VERSION") {
            let what =
                format!("the server that runs is version {}, and this is {}", sight.version, env!("CARGO_PKG_VERSION"));
            report.warning(CHECK, what, "restart it");
        }
        if report.complaints() == before {
            report.ok(CHECK, format!("{} leads to this installation", self.at("")));
        }
    }
}
