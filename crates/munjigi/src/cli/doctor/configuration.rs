//! The settings: where they come from, what follows what, and what does not go together well.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::is_private;
use super::listed;
use super::report::Report;
use crate::config::keys::KEYS;
use crate::config::{Config, ConfigError, Layers, Source};

const CHECK: &str = "configuration";

/// They are wrong: all else waits until they are right.
pub(super) fn refused(error: &ConfigError, report: &mut Report) {
    for line in &error.0 {
        report.wrong(CHECK, line, "correct it there; `munjigi config show` and docs/configuration.md list every key");
    }
    report.skipped("everything else", "it depends on the configuration: ask again once that is right");
}

/// They are right, as far as each alone can be.
pub(super) fn check(config: &Config, layers: &Layers, report: &mut Report) {
    let before = report.complaints();
    addresses(config, report);
    if config.limits.is_none() {
        let mend = "set limits.enabled = true, unless something before it limits them";
        report.warning(CHECK, "tries are not limited: anybody may guess passwords as fast as the cores can hash", mend);
    }
    if config.tokens.lifetimes.access < Duration::from_secs(60) {
        let what = "tokens.access_ttl is under 60s: a request that takes a third of it from sending to answer can sign somebody out";
        report.warning(CHECK, what, "set tokens.access_ttl to 60s or more");
    }
    if report.complaints() == before {
        report.ok(CHECK, given(layers));
        report.ok(CHECK, following(config, layers));
    }
}

fn addresses(config: &Config, report: &mut Report) {
    let server = &config.server;
    let host = server.public_url.host_str().unwrap_or_default();
    let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if !config.https() && !here {
        let what = format!(
            "{} is not https: passwords and cookies can be read, and cookies planted, on the way",
            server.public_url
        );
        report.warning(
            CHECK,
            what,
            "put a proxy with TLS before it, and set server.public_url to its https:// address",
        );
    }
    if here && !server.listen.ip().is_loopback() {
        let what = format!(
            "{} listens for others, but server.public_url is {}, which only this machine reaches",
            server.listen, server.public_url
        );
        report.warning(CHECK, what, "set server.public_url to what visitors type in");
    }
    if config.https() && !is_private(server.listen.ip()) {
        let what = format!(
            "{} can be reached without the proxy that has the TLS: passwords could travel in clear",
            server.listen
        );
        report.warning(CHECK, what, "set server.listen to a loopback or private address that only the proxy reaches");
    }
    if let Some(wide) = server.trusted_proxies.iter().find(|net| net.prefix_len() == 0) {
        let what = format!(
            "server.trusted_proxies has {wide}: everybody can say any address, and no limit by address binds anybody"
        );
        report.wrong(CHECK, what, "name the proxy's own address in server.trusted_proxies");
    }
    if let Some(domain) = config.cookies.domain.as_deref().filter(|domain| is_public_suffix(domain)) {
        let what = format!("cookies.domain = {domain} belongs to everybody: browsers refuse cookies for it");
        report.wrong(CHECK, what, "set cookies.domain to your own domain below it");
    }
}

/// Second-level domains of countries under which anybody registers: `co.kr`, `com.au`. Not all there are, but the usual ones.
fn is_public_suffix(domain: &str) -> bool {
    let kinds = ["ac", "co", "com", "edu", "go", "gov", "mil", "ne", "net", "or", "org", "pe", "re"];
    domain.split_once('.').is_some_and(|(kind, country)| country.len() == 2 && kinds.contains(&kind))
}

/// How many keys each layer gives.
fn given(layers: &Layers) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for source in KEYS.iter().filter_map(|key| layers.get(key.name)).map(|given| &given.source) {
        let place = match source {
            Source::Default => continue,
            Source::File(path) => path.display().to_string(),
            Source::Env(_) => "the environment".to_owned(),
            Source::DotEnv(_) => ".env".to_owned(),
            Source::Flag => "flags".to_owned(),
        };
        *counts.entry(place).or_default() += 1;
    }
    let places: Vec<_> = counts.iter().map(|(place, count)| format!("{count} from {place}")).collect();
    if places.is_empty() { "every key has its default".to_owned() } else { format!("keys: {}", listed(&places)) }
}

/// What was not said, and follows something else.
fn following(config: &Config, layers: &Layers) -> String {
    let absent = |key: &str| layers.get(key).is_none();
    let url = config.server.public_url.as_str().trim_end_matches('/');
    let mut parts = Vec::new();
    if absent("server.public_url") {
        parts.push(format!("server.public_url follows server.listen: {url}"));
    }
    let named: Vec<_> = ["tokens.issuer", "tokens.audience"].into_iter().filter(|key| absent(key)).collect();
    if !named.is_empty() {
        let verb = if named.len() == 1 { "follows" } else { "follow" };
        parts.push(format!("{} {verb} server.public_url", listed(&named)));
    }
    let store = if config.store.redis_url.is_some() { "in Redis" } else { "beside the users" };
    parts.push(format!("sessions are {store}"));
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_everybody_is_no_domain_for_cookies() {
        for suffix in ["co.kr", "or.kr", "com.au", "co.uk"] {
            assert!(is_public_suffix(suffix), "{suffix}");
        }
        for own in ["example.com", "example.co.kr", "co.example", "munjigi.kr"] {
            assert!(!is_public_suffix(own), "{own}");
        }
    }
}
