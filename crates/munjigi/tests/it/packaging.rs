//! What is handed out beside the program: documentation of the metrics, dashboard, unit, image and package say what is so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{Metrics, Place, RedisServer, Site};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// All metrics there are: of a site with both stores that somebody has visited.
async fn everything() -> Metrics {
    let site = Site::on(RedisServer::private()).await;
    site.registered("mina").await;
    site.metrics().await
}

/// What stands between backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[tokio::test]
async fn every_metric_is_explained_with_its_type_and_labels_and_no_other_one_is() {
    let page = read("docs/operations.md");
    let is_row = |line: &&str| line.starts_with("| `munjigi_") || line.starts_with("| `process_");
    let rows: BTreeMap<&str, [&str; 3]> = page
        .lines()
        .filter(is_row)
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .filter(|cells| cells.len() == 6)
        .map(|cells| (cells[1].trim_matches('`'), [cells[2], cells[3], cells[4]]))
        .collect();
    let metrics = everything().await;
    let names: BTreeSet<&str> = metrics.families.keys().map(String::as_str).collect();
    assert_eq!(rows.keys().copied().collect::<BTreeSet<_>>(), names);
    for (name, [kind, labels, what]) in rows {
        assert_eq!(kind, metrics.families[name], "{name}");
        assert!(what.len() > 8, "{name}");
        let series = if kind == "histogram" { format!("{name}_count") } else { name.to_owned() };
        let found = metrics.labels(&series);
        let told: BTreeSet<&str> = spans(labels).collect();
        for (label, values) in &found {
            assert!(told.contains(label), "{name} has {label}");
            // Where the page lists values, it lists them all.
            let listed = labels.contains(&format!("`{label}` ("));
            let values: BTreeSet<&str> = values.iter().copied().filter(|_| listed).collect();
            assert!(told.is_superset(&values), "{name}: {values:?}");
        }
        let known: BTreeSet<&str> =
            found.iter().flat_map(|(label, values)| values.iter().chain([label])).copied().collect();
        let unknown: Vec<_> = told.difference(&known).collect();
        assert!(unknown.is_empty(), "{name} has no {unknown:?}");
    }
}

/// Fails unless all metrics, labels and values that a query names exist.
#[track_caller]
fn could_be_asked(query: &str, metrics: &Metrics) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut labels: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for word in query.split(|c| !is_word(c)).filter(|w| w.starts_with("munjigi_") || w.starts_with("process_")) {
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word);
        let kind = metrics.families.get(family).unwrap_or_else(|| panic!("there is no {word}: {query}"));
        assert_eq!(kind == "histogram", family != word, "{word}: {query}");
        assert!(kind != "counter" || query.contains("rate(") || query.contains("increase("), "{query}");
        labels.extend(metrics.labels(word));
    }
    assert!(query.contains("munjigi_") || query.contains("process_"), "{query}");
    let scraper = ["job", "instance"];
    for matchers in query.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        for matcher in matchers.split(',').map(str::trim) {
            let (name, value) = matcher.split_once('=').unwrap_or_else(|| panic!("{matcher}: {query}"));
            let value = value.trim_start_matches('~').trim_matches('"');
            let known = labels.get(name).is_some_and(|values| values.contains(value) || name == "status");
            assert!(scraper.contains(&name) || known, "{matcher}: {query}");
        }
    }
    for names in query.split("by (").skip(1).filter_map(|rest| rest.split(')').next()) {
        for name in names.split(',').map(str::trim) {
            assert!(scraper.contains(&name) || labels.contains_key(name), "{name}: {query}");
        }
    }
}

#[tokio::test]
async fn whatever_the_dashboard_and_the_alerts_ask_for_is_there() {
    let metrics = everything().await;
    let dashboard: Value = serde_json::from_str(&read("packaging/dashboard.json")).unwrap();
    let targets = dashboard["panels"].as_array().unwrap().iter().filter_map(|panel| panel["targets"].as_array());
    let queries: Vec<&str> = targets.flatten().map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(queries.len() > 25, "{queries:?}");
    for query in &queries {
        could_be_asked(query, &metrics);
    }
    for name in metrics.families.keys() {
        assert!(queries.iter().any(|query| query.contains(name.as_str())), "{name} is not on the dashboard");
    }
    let page = read("docs/operations.md");
    let alerts: Vec<&str> = page
        .lines()
        .skip_while(|line| *line != "## What to be called for")
        .take_while(|line| *line != "## Readiness")
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    for query in alerts {
        could_be_asked(query, &metrics);
    }
}

#[tokio::test]
#[should_panic(expected = "there is no munjigi_nothing_total")]
async fn a_query_for_what_is_not_there_is_noticed() {
    could_be_asked("rate(munjigi_nothing_total[5m])", &everything().await);
}

/// The settings of the unit, as `key=value` lines.
fn unit() -> String {
    read("packaging/munjigi.service")
}

#[cfg(target_os = "linux")]
#[test]
fn systemd_takes_the_unit_and_finds_little_to_say_against_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("munjigi.service");
    // It wants to see a program where the unit says that there is one.
    fs::write(&path, unit().replace("/usr/bin/munjigi", env!("CARGO_BIN_EXE_munjigi"))).unwrap();
    let analyze = |arguments: &[&str]| {
        let ran = Command::new("systemd-analyze").args(arguments).arg(&path).output();
        let ran = ran.expect("systemd-analyze is missing: apt install systemd (scripts/test does)");
        let said = [ran.stdout, ran.stderr].concat();
        (ran.status.success(), String::from_utf8(said).unwrap())
    };
    let (good, said) = analyze(&["verify", "--man=no"]);
    assert!(good && !said.contains("munjigi.service"), "{said}");
    // Tenths of its scale: 2.0 and less is what it calls well kept.
    let (good, said) = analyze(&["security", "--offline=true", "--no-pager", "--threshold=20"]);
    assert!(good && said.contains("Overall exposure level"), "{said}");
}

#[test]
fn the_settings_that_are_packaged_are_right_and_go_with_the_unit() {
    let path = root().join("packaging/munjigi.toml");
    let place = Place::new().unset("server.data_dir").unset("server.listen").unset("server.public_url");
    let shown = place.run(&["--config", path.to_str().unwrap(), "config", "show"]).expect(0).stdout;
    assert!(shown.contains("/var/lib/munjigi") && shown.contains("127.0.0.1:9464"), "{shown}");
    let unit = unit();
    for line in
        ["StateDirectory=munjigi", "--config /etc/munjigi/munjigi.toml", "User=munjigi", "StateDirectoryMode=0700"]
    {
        assert!(unit.contains(line), "{line}");
    }
    assert!(read("packaging/sysusers.conf").starts_with("u munjigi "));
}

#[test]
fn the_package_holds_files_that_are_there() {
    let manifest: toml::Table = read("crates/munjigi/Cargo.toml").parse().unwrap();
    let package = &manifest["package"]["metadata"]["deb"];
    let here = root().join("crates/munjigi");
    let assets = package["assets"].as_array().unwrap();
    let installed: Vec<(&str, &str)> =
        assets.iter().map(|asset| (asset[0].as_str().unwrap(), asset[1].as_str().unwrap())).collect();
    for (source, _) in installed.iter().filter(|(source, _)| !source.starts_with("target/")) {
        let file = source.strip_suffix("*.md").unwrap_or(source);
        assert!(here.join(file).exists(), "{source}");
    }
    for place in ["usr/bin/", "usr/lib/systemd/system/", "usr/lib/sysusers.d/munjigi.conf", "etc/munjigi/"] {
        assert!(installed.iter().any(|(_, to)| *to == place), "{place}");
    }
    let scripts = here.join(package["maintainer-scripts"].as_str().unwrap());
    for name in ["postinst", "prerm", "postrm"] {
        let path = scripts.join(name);
        let checked = Command::new("sh").arg("-n").arg(&path).output().unwrap();
        assert!(checked.status.success(), "{checked:?}");
        assert!(fs::read_to_string(path).unwrap().contains("set -e"), "{name}");
    }
}

#[test]
fn the_image_is_built_with_our_compiler_and_is_sent_what_it_builds() {
    let image = read("Dockerfile");
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let compiler = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
    assert!(image.contains(&format!("rust:{compiler}-")), "{compiler}");
    assert!(image.contains("--locked --profile dist") && manifest["profile"].get("dist").is_some());
    assert!(image.contains(":nonroot") && !image.contains("SECRET"));
    // A workspace is only one with all its members.
    let ignored = read(".dockerignore");
    let members = manifest["workspace"]["members"].as_array().unwrap().iter().map(|member| member.as_str().unwrap());
    for member in members.filter_map(|member| member.split('/').next()) {
        assert!(ignored.lines().all(|line| line.trim_matches('/') != member), "{member}");
    }
    for secret in ["**/.env", "**/munjigi-data", ".git", "**/target"] {
        assert!(ignored.lines().any(|line| line == secret), "{secret}");
    }
}
