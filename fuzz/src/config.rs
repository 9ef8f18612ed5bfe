//! Settings: a file, a line `---`, and variables of the environment. Right or wrong, they never show a secret.

use std::path::Path;

use argon2::Params;
use munjigi::config::{ConfigError, Source};
use munjigi::passwords::Scheme;
use munjigi::{Config, Layers, config::keys};
use secrecy::ExposeSecret as _;

/// Fewest characters of a secret that would be noticed in what is said: shorter ones stand in ordinary words.
const NOTICED: usize = 12;
/// Fewest letters and digits in a row that no word of a message has.
const RUN: usize = 16;

fn read(file: &str, variables: &[(String, String)]) -> (Result<Config, ConfigError>, Option<Layers>) {
    match Layers::new().toml(Path::new("munjigi.toml"), file) {
        Err(error) => (Err(error), None),
        Ok(layers) => {
            let layers = layers.variables(variables.iter().cloned(), Source::Env);
            (Config::read(&layers), Some(layers))
        }
    }
}

fn is_right(config: &Config) {
    let (server, tokens, passwords) = (&config.server, &config.tokens, &config.passwords);
    assert!(matches!(server.public_url.scheme(), "http" | "https") && server.public_url.path() == "/");
    assert!(server.public_url.username().is_empty() && server.public_url.query().is_none());
    assert!(server.base_path.starts_with('/') && !server.base_path.ends_with('/') && !server.base_path.contains("//"));
    assert!(server.trusted_origins.iter().all(url::Origin::is_tuple));
    let secrets = server.secret.iter().chain(&server.previous_secrets).chain(&tokens.shared_secret);
    assert!(secrets.clone().all(|secret| secret.expose_secret().len() >= 32));
    let terms = &tokens.lifetimes;
    assert!(terms.access.as_secs() >= 1 && terms.access.subsec_nanos() == 0);
    assert!(terms.access <= terms.idle && terms.idle <= terms.absolute);
    assert!(passwords.policy.min >= 1 && passwords.policy.min <= passwords.policy.max && passwords.policy.max <= 1024);
    assert!(passwords.workers >= 1 && passwords.queue >= 1);
    let (memory, passes, lanes) = (passwords.argon2_memory, passwords.argon2_passes, passwords.argon2_lanes);
    assert!(Params::new(memory, passes, lanes, None).is_ok(), "{passwords:?}");
    assert!(Scheme::named(&format!("argon2id:m={memory},t={passes},p={lanes}")).is_some(), "what is set is verified");
    assert!(config.pages.after_login.starts_with('/') && !config.pages.after_login.starts_with("//"));
    assert!(server.public_url.join(&config.pages.after_login).unwrap().origin() == server.public_url.origin());
    if let Some(domain) = &config.cookies.domain {
        assert!(config.https() && server.public_url.host_str().unwrap_or_default().ends_with(domain.as_str()));
        assert!(!domain.contains([';', ',', ' ', '=']) && domain.is_ascii(), "{domain:?} stands in a cookie");
    }
}

/// Every text that was given for a secret key.
fn secrets(layers: &Layers) -> Vec<&str> {
    let given = keys::KEYS.iter().filter(|key| key.secret).filter_map(|key| layers.get(key.name));
    given.flat_map(|given| &given.texts).map(String::as_str).filter(|text| text.len() >= NOTICED).collect()
}

/// Whether a secret stands in what was given beside it, so that it may be shown as that.
fn is_given_elsewhere(layers: &Layers, secret: &str) -> bool {
    let others = keys::KEYS.iter().filter(|key| !key.secret).filter_map(|key| layers.get(key.name));
    others.flat_map(|given| &given.texts).any(|text| text.contains(secret))
}

pub(super) fn holds(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (file, environment) = text.split_once("\n---\n").unwrap_or((&text, ""));
    let lines = environment.lines().filter_map(|line| line.split_once('='));
    let variables: Vec<_> = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    // What is named there would be read from this machine's disk.
    if text.to_ascii_lowercase().contains("_file") {
        return;
    }
    let (config, layers) = read(file, &variables);
    match &config {
        Ok(config) => is_right(config),
        Err(ConfigError(problems)) => {
            assert!(!problems.is_empty() && problems.iter().all(|problem| problem.len() > 10), "{problems:?}");
        }
    }
    let Some(layers) = layers else {
        // Not TOML. Messages are made of words; a secret is a longer run of letters and digits than any of them.
        let said = config.err().map(|error| error.to_string()).unwrap_or_default();
        let runs = file.split(|c: char| !c.is_ascii_alphanumeric()).filter(|run| run.len() >= RUN);
        runs.for_each(|run| assert!(!said.contains(run), "a line is shown"));
        return;
    };
    let said = match &config {
        Ok(config) => format!("{config:?}{layers:?}"),
        // An unknown key is named, and what follows it in the file may be anything.
        Err(error) if layers.problems().is_empty() => format!("{error}{error:?}{layers:?}"),
        Err(_) => format!("{layers:?}").split("problems").next().unwrap_or_default().to_owned(),
    };
    for secret in secrets(&layers) {
        assert!(!said.contains(secret) || is_given_elsewhere(&layers, secret), "a secret is shown");
    }
    // The same, said by flags: no setting depends on where it was said.
    if let Ok(config) = config {
        let one = |key: &&keys::Key| layers.get(key.name).filter(|given| given.texts.len() == 1);
        let given = keys::KEYS.iter().filter_map(|key| one(&key).map(|given| (key.name, given.texts[0].clone())));
        let several = keys::KEYS.iter().any(|key| layers.get(key.name).is_some() && one(&key).is_none());
        if !several {
            let flags = given.fold(Layers::new(), |layers, (name, text)| layers.flag(name, text));
            let again = Config::read(&flags).expect("right by flags too");
            assert_eq!(format!("{again:?}"), format!("{config:?}"));
        }
    }
}
