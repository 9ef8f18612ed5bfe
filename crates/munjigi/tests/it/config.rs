//! Settings: file, `.env`, environment, flags; and what is said of wrong ones (section 9).

use crate::harness::{Place, Ran};

fn bare() -> Place {
    ["server.data_dir", "server.listen", "server.public_url", "passwords.argon2_memory", "passwords.argon2_passes"]
        .iter()
        .fold(Place::new(), |place, key| place.unset(key))
}

/// Value and source of a key.
fn shown(ran: Ran, key: &str) -> (String, String) {
    let json = ran.expect(0).json();
    let text = |member: &str| json[key][member].as_str().unwrap().to_owned();
    (text("value"), text("source"))
}

#[test]
fn each_layer_lies_over_the_one_before() {
    let key = "tokens.access_ttl";
    let show = ["config", "show", "--json"];
    let place = bare();
    assert_eq!(shown(place.run(&show), key), ("10m".to_owned(), "default".to_owned()));
    let place = place.file("munjigi.toml", "[tokens]\naccess_ttl = \"1m\"\n");
    assert_eq!(shown(place.run(&show), key), ("1m".to_owned(), "munjigi.toml".to_owned()));
    let place = place.file(".env", "MUNJIGI_TOKENS__ACCESS_TTL=2m\nOTHER=x\n");
    assert_eq!(shown(place.run(&show), key), ("2m".to_owned(), ".env MUNJIGI_TOKENS__ACCESS_TTL".to_owned()));
    let place = place.set(key, "3m");
    assert_eq!(shown(place.run(&show), key), ("3m".to_owned(), "environment MUNJIGI_TOKENS__ACCESS_TTL".to_owned()));
    let flag = ["config", "show", "--json", "--set", "tokens.access_ttl=4m"];
    assert_eq!(shown(place.run(&flag), key), ("4m".to_owned(), "flag".to_owned()));
}

#[test]
fn a_file_may_be_named_and_must_then_be_there() {
    let place = bare().file("other.toml", "[log]\nformat = \"json\"\n");
    let show = ["--config", "other.toml", "config", "show", "--json"];
    assert_eq!(shown(place.run(&show), "log.format").0, "json");
    place.run(&["--config", "nowhere.toml", "config", "check"]).complains(3, &["nowhere.toml"]);
}

#[test]
fn right_settings_are_said_to_be_right() {
    assert!(bare().run(&["config", "check"]).expect(0).stdout.contains("right"));
    let every = "[server]\nlisten = \"127.0.0.1:4000\"\ntrusted_proxies = [\"10.0.7.0/28\", \"::1\"]\n\
                 [passwords]\nmin_length = 15\n[limits]\nenabled = false\n";
    bare().file("munjigi.toml", every).run(&["config", "check"]).expect(0);
}

#[test]
fn an_unknown_key_is_an_error_that_names_the_nearest() {
    bare().set("server.listne", "x").run(&["serve"]).complains(3, &["MUNJIGI_SERVER__LISTNE", "server.listen"]);
    let place = bare().file("munjigi.toml", "[tokens]\nacess_ttl = \"1m\"\n");
    place.run(&["serve"]).complains(3, &["munjigi.toml", "tokens.acess_ttl", "tokens.access_ttl"]);
    bare().run(&["--set", "cookie.domain=x.org", "serve"]).complains(3, &["cookie.domain", "cookies.domain"]);
    bare().file("munjigi.toml", "listen = 3\n").run(&["config", "check"]).complains(3, &["listen", "section"]);
}

#[test]
fn a_wrong_value_is_named_with_its_place_and_what_is_allowed() {
    for (key, value, allowed) in [
        ("server.listen", "nonsense", "127.0.0.1:3000"),
        ("server.public_url", "https://a.example/path", "scheme, host and port"),
        ("server.base_path", "user", "/user"),
        ("server.trusted_proxies", "everybody", "10.0.7.0/28"),
        ("server.trusted_origins", "app.example.com", "https://app.example.com"),
        ("store.database_url", "mysql://x", "sqlite:///"),
        ("store.migrate", "maybe", "auto"),
        ("tokens.algorithm", "none", "ES256"),
        ("tokens.access_ttl", "ten", "10s"),
        ("tokens.access_ttl", "999ms", "1 s"),
        ("tokens.refresh_ttl", "5m", "tokens.access_ttl"),
        ("tokens.session_ttl", "1d", "tokens.refresh_ttl"),
        ("cookies.same_site", "none", "lax"),
        ("cookies.domain", "example.com", "https"),
        ("accounts.registration", "sometimes", "closed"),
        ("revocation.when_stale", "panic", "refuse"),
        ("limits.enabled", "yes", "true"),
        ("limits.log_in_account", "many", "10/15m"),
        ("passwords.min_length", "0", "1"),
        ("passwords.argon2_memory", "19", "19MiB"),
        ("pages.after_login", "//evil.example", "path"),
        ("log.format", "xml", "json"),
        ("log.level", "in fo=[", "info"),
    ] {
        let by_environment = bare().set(key, value).run(&["config", "check"]);
        let name = format!("MUNJIGI_{}", key.replace('.', "__").to_uppercase());
        by_environment.complains(3, &[&name, key, value, allowed]);
        let (section, name) = key.split_once('.').unwrap();
        let by_file = bare().file("munjigi.toml", &format!("[{section}]\n{name} = {value:?}\n"));
        by_file.run(&["serve"]).complains(3, &["munjigi.toml", key, value, allowed]);
    }
}

#[test]
fn a_part_of_an_address_is_no_domain_for_cookies() {
    for (url, domain) in
        [("https://10.1.2.3", "2.3"), ("https://a.example.com", "com"), ("https://a.example.com", "b.example.com")]
    {
        let place = bare().set("server.public_url", url).set("cookies.domain", domain);
        place.run(&["config", "check"]).complains(3, &["cookies.domain", domain]);
    }
}

#[test]
fn a_wrong_value_that_may_hold_a_password_is_not_repeated() {
    let place = bare().set("store.redis_url", "http://user:topsecret@localhost");
    let refused = place.run(&["config", "check"]).complains(3, &["store.redis_url", "redis://host:port"]);
    assert!(!refused.stderr.contains("topsecret"), "{}", refused.stderr);
}

#[test]
fn what_the_log_level_says_of_a_field_is_no_pattern() {
    // Neither of them would be one.
    for level in ["munjigi[{user=(}]=debug", "info,munjigi[{user=*}]=debug"] {
        bare().set("log.level", level).run(&["config", "check"]).expect(0);
    }
}

#[test]
fn a_file_without_end_is_not_read_to_its_end() {
    bare()
        .set("server.secret_file", "/dev/zero")
        .run(&["config", "check"])
        .complains(3, &["server.secret_file", "1 MiB"]);
    bare().run(&["config", "check", "--config", "/dev/zero"]).complains(3, &["/dev/zero", "1 MiB"]);
}

#[test]
fn everything_wrong_is_said_at_once() {
    let place = bare().set("tokens.access_ttl", "x").set("log.format", "y").set("server.nothing", "z");
    place.run(&["serve"]).complains(3, &["tokens.access_ttl", "log.format", "server.nothing"]);
}

#[test]
fn secrets_are_never_shown() {
    let secret = "thirty-two bytes that nobody may see";
    let place = bare()
        .set("server.secret", secret)
        .set("server.previous_secrets", &format!("{secret}1,{secret}2"))
        .set("store.redis_url", "redis://user:topsecret@localhost:6379");
    for arguments in [&["config", "show"][..], &["config", "show", "--json"]] {
        let ran = place.run(arguments).expect(0);
        assert!(!ran.stdout.contains("nobody may see") && !ran.stdout.contains("topsecret"), "{}", ran.stdout);
    }
    let short = bare().set("server.secret", "too-short-to-be-one").run(&["serve"]);
    let short = short.complains(3, &["server.secret", "32 bytes"]);
    assert!(!short.stderr.contains("too-short-to-be-one"), "{}", short.stderr);
}

#[tokio::test]
async fn a_secret_may_come_from_a_file() {
    let place = Place::new().file("key", "thirty-two bytes of a secret in a file\n");
    let place = place.variable("MUNJIGI_SERVER__SECRET_FILE", "key");
    let server = place.serve().await;
    let mut browser = server.browser();
    browser.register("mina").await.expect(201);
    assert!(!place.path().join("data/secret").exists(), "none is made then");
    drop(server);
    let place = place.file("key", "thirty-two bytes of a secret in a file");
    assert!(browser.at(&place.serve().await).is_signed_in().await, "a line's end makes no difference");
    let gone = bare().variable("MUNJIGI_SERVER__SECRET_FILE", "nowhere");
    gone.run(&["serve"]).complains(3, &["MUNJIGI_SERVER__SECRET_FILE", "server.secret_file", "nowhere"]);
    let place = bare();
    let long = place.path().join("a-file-that-is-not-there").display().to_string();
    let gone = place.variable("MUNJIGI_SERVER__SECRET_FILE", &long);
    gone.run(&["serve"]).complains(3, &["server.secret_file", "a-file-that-is-not-there"]);
    bare().variable("MUNJIGI_LOG__LEVEL_FILE", "x").run(&["serve"]).complains(3, &["log.level_file"]);
}

#[test]
fn a_secret_that_was_given_for_its_file_is_not_shown() {
    for secret in [
        "Zm9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2VkZm8=",
        "Zm9yZ2VkZm9y/2VkZm9yZ2VkZm9yZ2VkZm9yZ2VkZm8=",
        "/m9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2VkZm8=",
        "//9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2VkZm8=",
        "Zm9yZ2Vk/m9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2Vk/m8=",
    ] {
        let refused = bare().variable("MUNJIGI_SERVER__SECRET_FILE", secret).run(&["config", "check"]);
        let refused = refused.complains(3, &["MUNJIGI_SERVER__SECRET_FILE", "server.secret_file"]);
        assert!(!refused.stderr.contains(&secret[4..]), "{}", refused.stderr);
    }
}

#[test]
fn a_broken_env_file_is_named() {
    bare().file(".env", "MUNJIGI_LOG__LEVEL='open\n").run(&["config", "check"]).complains(3, &[".env"]);
    let place = bare().file(".env", "MUNJIGI_SERVER__SECRET=hunter2 with spaces and no quotes\n");
    let refused = place.run(&["config", "check"]).complains(3, &[".env"]);
    assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
}

#[test]
fn a_former_secret_gives_way_to_a_new_one_and_a_strange_one_does_not() {
    let (old, new) = ("the former secret of thirty-two bytes", "the new secret of thirty-two bytes....");
    let place = Place::new().variable("MUNJIGI_SERVER__SECRET", old);
    place.run(&["migrate"]).expect(0);
    place.run(&["user", "list"]).expect(0);
    let place = place.variable("MUNJIGI_SERVER__SECRET", new);
    place.run(&["user", "list"]).complains(1, &["server.secret", "server.previous_secrets"]);
    let place = place.variable("MUNJIGI_SERVER__PREVIOUS_SECRETS", old);
    place.run(&["user", "list"]).expect(0);
    let place = place.variable("MUNJIGI_SERVER__SECRET", old).variable("MUNJIGI_SERVER__PREVIOUS_SECRETS", "");
    place.run(&["user", "list"]).complains(1, &["server.secret"]);
}
