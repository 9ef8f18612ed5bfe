//! Settings that are wrong, or do not go together well.

use super::Installation;

#[test]
fn wrong_settings_are_findings_each_with_its_place() {
    let installation = Installation::new().set("server.listn", "x").set("tokens.access_ttl", "soon");
    let found = installation.doctor();
    let found = found.says("configuration", "wrong", &["MUNJIGI_SERVER__LISTN", "server.listen"]);
    let found = found.says("configuration", "wrong", &["tokens.access_ttl", "soon", "munjigi config show"]);
    found.says("everything else", "skipped", &[]);
    for (file, text, word) in [("munjigi.toml", "[server\n", "line 1"), (".env", "MUNJIGI_X='\n", ".env")] {
        let place = Installation::new().place.file(file, text);
        let ran = place.run(&["doctor", "--json"]).expect(1);
        assert!(ran.stdout.contains(word) && ran.stdout.contains("\"wrong\""), "{}", ran.stdout);
    }
    Installation::new().place.run(&["doctor", "--config", "nowhere.toml"]).expect(1);
}

#[test]
fn what_each_layer_gives_and_what_follows_what_is_told() {
    let installation = Installation::new();
    let place = installation.place.unset("server.public_url").file("munjigi.toml", "[pages]\nname = \"Guild\"\n");
    let place = place.file(".env", "MUNJIGI_LOG__LEVEL=warn\n");
    let ran = place.run(&["doctor", "--set", "log.format=json"]).expect(0);
    for word in [
        "1 from .env",
        "1 from flags",
        "1 from munjigi.toml",
        "from the environment",
        "public_url follows server.listen: http://localhost:",
    ] {
        assert!(ran.stdout.contains(word), "{word}: {}", ran.stdout);
    }
    assert!(ran.stdout.contains("tokens.issuer and tokens.audience follow server.public_url"), "{}", ran.stdout);
}

#[test]
fn settings_that_do_not_go_together_are_found() {
    let https = ("server.public_url", "https://auth.example.co.kr");
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a [&'a str]);
    let cases: [Case<'_>; 7] = [
        (&[("server.public_url", "http://auth.example.com")], "warning", &["not https", "TLS"]),
        (&[("server.listen", "0.0.0.0:1")], "warning", &["only this machine reaches", "server.public_url"]),
        (&[https, ("server.listen", "0.0.0.0:1")], "warning", &["without the proxy", "server.listen"]),
        (&[("server.trusted_proxies", "10.0.0.1,0.0.0.0/0")], "wrong", &["0.0.0.0/0", "server.trusted_proxies"]),
        (&[https, ("cookies.domain", "co.kr")], "wrong", &["cookies.domain = co.kr", "browsers refuse"]),
        (&[("limits.enabled", "false")], "warning", &["not limited", "limits.enabled"]),
        (&[("tokens.access_ttl", "10s")], "warning", &["tokens.access_ttl", "60s or more"]),
    ];
    for (settings, status, words) in cases {
        let installation = settings.iter().fold(Installation::new(), |all, (key, value)| all.set(key, value));
        installation.doctor().says("configuration", status, words);
    }
    // A domain that is not the public URL's is refused as the server refuses it.
    let domain =
        Installation::new().set("server.public_url", "https://a.example.com").set("cookies.domain", "b.example.com");
    domain.doctor().says("configuration", "wrong", &["cookies.domain", "public URL's host"]);
}

#[test]
fn lists_and_listeners_that_are_named_are_looked_at() {
    let named = |text: &str| {
        let installation = Installation::new().set("passwords.breached_file", "list");
        std::fs::write(installation.place.path().join("list"), text).unwrap();
        installation
    };
    let backwards: String = (0..500).rev().map(|number| format!("{number:010X}\n")).collect();
    named("0123456789\nABCDEF0123\n").doctor().says("passwords", "ok", &["list can be searched"]);
    named(&backwards).doctor().says("passwords", "wrong", &["ascending", "passwords.breached_file"]);
    let gone = Installation::new().set("passwords.breached_file", "nowhere");
    gone.doctor().says("passwords", "wrong", &["nowhere", "passwords.breached_file"]);
    let exposed = Installation::new().set("server.operations_listen", "0.0.0.0:9464");
    exposed.doctor().says("operations", "warning", &["from everywhere", "server.operations_listen"]);
    let here = Installation::new().set("server.operations_listen", "127.0.0.1:9464");
    here.doctor().says("operations", "ok", &["127.0.0.1:9464"]).says("pages", "ok", &["rendered"]);
}
