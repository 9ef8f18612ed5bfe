//! Every key there is. `docs/configuration.md` is checked against this list by a test.

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Section and name, for example `server.listen`.
    pub name: &'static str,
    /// Its default as it would stand in the file; empty where there is none or where `note` says what it follows.
    pub default: &'static str,
    /// What the default follows, where it is no constant.
    pub follows: &'static str,
    /// What it is, and what is allowed.
    pub what: &'static str,
    /// Never shown; may come from a file (`…_file`).
    pub secret: bool,
}

const fn key(name: &'static str, default: &'static str, what: &'static str) -> Key {
    Key { name, default, follows: "", what, secret: false }
}

const fn following(name: &'static str, follows: &'static str, what: &'static str) -> Key {
    Key { name, default: "", follows, what, secret: false }
}

const fn secret(name: &'static str, follows: &'static str, what: &'static str) -> Key {
    Key { name, default: "", follows, what, secret: true }
}

/// All of them, in the order of the documentation.
pub const KEYS: &[Key] = &[
    key("server.listen", "127.0.0.1:3000", "Address and port to listen on."),
    following(
        "server.operations_listen",
        "none",
        "Address and port of a second listener with `/metrics`, `/healthz` and `/readyz` and nothing else, for you alone: a loopback or private address. [Operations](operations.md).",
    ),
    following(
        "server.public_url",
        "`http://localhost:` and the port of `server.listen`",
        "The address that visitors type in: scheme, host and port. With `https` cookies are `Secure` and prefixed. TLS itself is the proxy's.",
    ),
    key("server.base_path", "/user", "What the paths of the pages begin with."),
    key(
        "server.data_dir",
        "./munjigi-data",
        "Folder of the embedded database and of the secret made at the first start; made when absent, mode 0700.",
    ),
    secret(
        "server.secret",
        "made at the first start with SQLite and embedded sessions, else required",
        "At least 32 bytes that everything else is derived from. All nodes of one installation share it.",
    ),
    secret(
        "server.previous_secrets",
        "none",
        "Former secrets, in a list: they still verify and decrypt, and sign nothing.",
    ),
    following(
        "server.trusted_proxies",
        "none",
        "Addresses of your proxies, or networks in which nobody else is, in a list (`10.0.0.5`, `10.0.7.0/28`). Only their `X-Forwarded-For` is believed: whoever else is in such a network can say any address.",
    ),
    following(
        "server.trusted_origins",
        "none",
        "Origins besides the public URL's, in a list (`https://app.example.com`): `return_to` may lead there and they may post here.",
    ),
    key(
        "server.max_connections",
        "4096",
        "Connections at once. For one more, an idle one of the address that has the most is closed. Never more than the limit of open files leaves room for.",
    ),
    key(
        "server.client_timeout",
        "10s",
        "How long a client may take to send a request's head, to send its body, to take the answer, and to be silent between two requests.",
    ),
    key(
        "server.hsts",
        "subdomains",
        "With an https public URL, `Strict-Transport-Security` for two years: for its host and all `subdomains`, for the `host` alone, or `off`.",
    ),
    following(
        "store.database_url",
        "`munjigi.db` in the data directory",
        "Where users are: `sqlite:///absolute/path`. Made when absent.",
    ),
    secret(
        "store.redis_url",
        "none: sessions are beside the users",
        "Redis or Valkey for sessions and limits: `redis://…` or `rediss://…`.",
    ),
    following(
        "store.redis_ca_file",
        "the authorities of the web",
        "With `rediss://`: the certificates (PEM) of the only authorities that Redis' certificate may be from.",
    ),
    key("store.migrate", "auto", "`auto` brings the schema up to date at start, `check` only looks."),
    key(
        "tokens.algorithm",
        "ES256",
        "What access tokens are signed with: `ES256`, `EdDSA`, `RS256` or `HS256`. A change adds a key; old tokens go on until they expire.",
    ),
    secret(
        "tokens.shared_secret",
        "made and kept like every key",
        "HS256 only: at least 32 bytes, shared with the app. Whoever holds it can issue tokens.",
    ),
    following("tokens.issuer", "`server.public_url`", "`iss` of access tokens."),
    following("tokens.audience", "`server.public_url`", "`aud` of access tokens."),
    key("tokens.access_ttl", "10m", "How long an access token is good."),
    key("tokens.refresh_ttl", "14d", "How long a session may be unused."),
    key("tokens.session_ttl", "90d", "How long a session lasts in any case."),
    key("cookies.same_site", "lax", "`lax` or `strict`."),
    following(
        "cookies.domain",
        "none",
        "Share the log-in between hosts: `example.com` for `auth.example.com` and `app.example.com`. Needs an https public URL below it.",
    ),
    key("accounts.registration", "open", "Who may register: `open` or `closed` (then `munjigi user add`)."),
    key("revocation.max_staleness", "5s", "How long a node may be unable to read the revocations before it says so."),
    key(
        "revocation.when_stale",
        "serve",
        "What it does then: `serve` valid tokens all the same, or `refuse` them with 503.",
    ),
    key("limits.enabled", "true", "Whether tries are limited."),
    key("limits.log_in_account", "10/15m", "Failed log-ins of one account from one address (IPv6: from one /64)."),
    key("limits.log_in_address", "100/15m", "Failed log-ins from one address."),
    key(
        "limits.log_in_anywhere",
        "100/1d",
        "Failed log-ins of one account from anywhere, but for browsers from which somebody has logged in to it before: these have the limit of `limits.log_in_account` to themselves.",
    ),
    key("limits.registration_address", "20/1h", "Registrations from one address."),
    following("limits.renewal_session", "`120` in every `tokens.access_ttl`", "Renewals of one session."),
    key("limits.account_session", "60/10m", "Changes of an account by one session: its name, ending sessions."),
    key(
        "passwords.min_length",
        "8",
        "Fewest characters of a new password. 15 is NIST's figure where the password is the only factor.",
    ),
    key("passwords.max_length", "256", "Most characters of a new password."),
    following(
        "passwords.breached_file",
        "none",
        "File of breached passwords: a sorted line for each, its SHA-1 in hex or the first 10 digits of it and more. See below.",
    ),
    key("passwords.argon2_memory", "19MiB", "Memory of one Argon2id hash."),
    key("passwords.argon2_passes", "2", "Passes of one Argon2id hash."),
    key("passwords.argon2_lanes", "1", "Lanes of one Argon2id hash."),
    following(
        "passwords.workers",
        "the number of cores",
        "Hashes at once, each at the lowest priority and with memory of its own.",
    ),
    following("passwords.queue", "32 for each worker", "Hashes that may wait; more are answered 503."),
    key("pages.name", "Munjigi", "What the site is called on its pages."),
    following(
        "pages.after_login",
        "`info` under `server.base_path`",
        "Path where a log-in leads that was not on its way anywhere.",
    ),
    following(
        "pages.logo",
        "the built-in mark and `pages.name`",
        "File with a logo: svg, png or webp, at most 64 KiB. [Pages](pages.md).",
    ),
    following("pages.logo_dark", "`pages.logo`", "File with the logo for readers who like it dark."),
    following(
        "pages.accent",
        "the built-in green",
        "Colour of buttons and links, as `#rrggbb`. One that cannot be read as text (4.5 to 1) is refused, and one that can is named.",
    ),
    following("pages.accent_dark", "`pages.accent`, made light enough", "The same for readers who like it dark."),
    following(
        "pages.terms_url",
        "none",
        "Where your terms are: `https://…` or a path. Linked at the bottom and where one registers.",
    ),
    following("pages.privacy_url", "none", "Where it says what becomes of people's data, likewise."),
    following(
        "pages.folder",
        "none",
        "Folder with pages of your own: `templates`, `locales` and `static`. Checked at start, or by `munjigi pages check`. [Pages](pages.md).",
    ),
    key(
        "pages.development",
        "false",
        "For whoever works on the pages, on their own machine: logo and folder are read again for each request, and all components are shown at `style` under `server.base_path`.",
    ),
    key("log.format", "text", "`text` for people, `json` for programs."),
    key(
        "log.level",
        "info",
        "`error`, `warn`, `info`, `debug`, `trace`, or filter directives such as `info,munjigi=debug`.",
    ),
];

/// The key of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The known key that is spelled most like `name`.
#[must_use]
pub fn nearest(name: &str) -> &'static str {
    let likeness = |key: &Key| strsim::jaro_winkler(key.name, name);
    KEYS.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).map_or("", |key| key.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> String {
        let mut table = "| key | default | what it is |\n| --- | --- | --- |\n".to_owned();
        for key in KEYS {
            let default = if key.default.is_empty() { key.follows.to_owned() } else { format!("`{}`", key.default) };
            let secret = if key.secret { " A secret." } else { "" };
            table += &format!("| `{}` | {default} | {}{secret} |\n", key.name, key.what);
        }
        table
    }

    #[test]
    fn the_documentation_lists_every_key_as_it_is() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let text = std::fs::read_to_string(path).unwrap();
        let (before, rest) = text.split_once("do not edit -->\n").unwrap();
        let (found, after) = rest.split_once("<!-- /table -->").unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, format!("{before}do not edit -->\n{}<!-- /table -->{after}", table())).unwrap();
        } else {
            assert_eq!(found, table(), "run `UPDATE_DOCS=1 cargo test -p munjigi --lib config`");
        }
    }

    #[test]
    fn every_default_is_right_and_every_key_has_its_section() {
        let config = crate::config::Config::read(&crate::config::Layers::new());
        assert!(config.is_ok(), "{config:?}");
        assert!(KEYS.iter().all(|key| key.name.matches('.').count() == 1));
        assert!(
            KEYS.iter().all(|key| key.default.is_empty() != key.follows.is_empty()),
            "a default or what it follows"
        );
    }

    #[test]
    fn the_nearest_key_is_the_one_that_was_meant() {
        for (typed, meant) in [
            ("server.listn", "server.listen"),
            ("token.access_ttl", "tokens.access_ttl"),
            ("passwords.minlength", "passwords.min_length"),
            ("redis.url", "store.redis_url"),
        ] {
            assert_eq!(nearest(typed), meant);
        }
    }
}
