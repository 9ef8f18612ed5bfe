//! What is absent from the source, read off the source: whole families of faults that cannot be where these are not.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> =
        entries.flat_map(|path| if path.is_dir() { files(&path, kind) } else { vec![path] }).collect();
    found.retain(|path| path.extension().is_some_and(|found| found == kind));
    found
}

/// The code of our four crates, without comments and without what is compiled for tests alone.
fn source() -> Vec<(String, String)> {
    let crates = ["munjigi", "munjigi-gate", "munjigi-rules", "munjigi-store"];
    let paths = crates.iter().flat_map(|package| files(&root().join("crates").join(package).join("src"), "rs"));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        (path.display().to_string(), lines.collect::<Vec<_>>().join("\n"))
    };
    paths.map(read).filter(|(path, _)| !path.ends_with("tests.rs")).collect()
}

/// What must not occur, and the files in which it may.
const ABSENT: &[(&str, &str)] = &[
    // No other program is run, so there is no command line to inject into.
    ("process::Command", ""),
    // No pattern is made, of input or of anything else.
    ("Regex", ""),
    // The filter of the log would make some of its directives.
    ("EnvFilter::", "config/values.rs"),
    ("with_regex(true)", ""),
    // Nobody is called but Redis, by its own crate, by a service of its own the server that it trusts, and by `munjigi doctor`
    // the server of its own settings.
    ("TcpStream::connect", "doctor/wire.rs"),
    ("UnixStream::connect", ""),
    ("reqwest", "remote/wire.rs"),
    ("hyper::client", "doctor/wire.rs"),
    // Memory is safe.
    ("unsafe ", ""),
    ("transmute", ""),
    // Randomness is the operating system's, in one place, and in the gate's keys.
    ("thread_rng", ""),
    ("rand::rng", ""),
    ("SmallRng", ""),
    // Broken hashes: SHA-1 only to look into published lists that are made of it, and below PBKDF2's HMAC, where its collisions
    // are no way in, for passwords that were hashed so elsewhere.
    ("SHA1", "passwords/breached.rs passwords/foreign.rs"),
    ("md5", ""),
    ("Md5", ""),
    // No answer is put together from text by hand.
    ("axum::response::Html", ""),
    // Times are made of our own messages.
    ("from_safe_string", "pages/render.rs"),
    // SQL is written, never put together: the statements have no holes.
    ("format!(\"SELECT", ""),
    ("format!(\"INSERT", ""),
    ("format!(\"UPDATE", ""),
    ("format!(\"DELETE", ""),
];

#[test]
fn what_would_make_room_for_faults_is_absent() {
    let source = source();
    assert!(source.len() > 90, "{}", source.len());
    for (path, code) in &source {
        for (word, places) in ABSENT {
            let allowed = places.split_whitespace().any(|place| path.ends_with(place));
            assert!(allowed || !code.contains(word), "{word} in {path}");
        }
    }
    let (_, list) = source.iter().find(|(path, _)| path.ends_with("passwords/breached.rs")).unwrap();
    assert!(list.contains("SHA1"), "the search finds what is there");
}

#[test]
fn every_crate_forbids_unsafe_code_and_our_arithmetic_is_checked() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    for package in ["munjigi", "munjigi-gate", "munjigi-rules", "munjigi-store"] {
        let own = fs::read_to_string(root().join(format!("crates/{package}/Cargo.toml"))).unwrap();
        assert!(own.contains("[lints]\nworkspace = true"), "{package:?}");
    }
    let manifest: toml::Table = manifest.parse().unwrap();
    let (release, dist) = (&manifest["profile"]["release"], &manifest["profile"]["dist"]);
    assert_eq!(release["overflow-checks"].as_bool(), Some(true));
    assert_eq!(dist["inherits"].as_str(), Some("release"));
    // A package with a setting of its own takes the others from nowhere: it would not even be stripped.
    assert!(dist.get("overflow-checks").is_none() && release["package"].as_table().unwrap().keys().eq(["*"]));
}

#[test]
fn templates_escape_everything_and_hold_no_script_of_their_own() {
    let templates = files(&root().join("crates/munjigi/src/templates"), "html");
    assert!(templates.len() > 8);
    for path in templates {
        let module = "<script type=\"module\" src=\"{{ asset(\"munjigi.js\") }}\"></script>";
        let text = fs::read_to_string(&path).unwrap().replace(module, "");
        for word in
            ["|safe", "| safe", "autoescape", "<script", "javascript:", "style=", "http://", "https://", "//cdn"]
        {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
        let handlers = text
            .match_indices(" on")
            .filter(|(at, _)| text[at + 3..].trim_start_matches(char::is_alphabetic).starts_with('='));
        assert_eq!(handlers.count(), 0, "{}", path.display());
    }
}

/// Cargo.lock is the inventory of everything that we stand on.
#[test]
fn every_dependency_is_pinned_and_comes_from_the_registry() {
    let lock: toml::Table = fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    assert!(packages.len() > 200);
    let name = |package: &toml::Value| package["name"].as_str().unwrap().to_owned();
    let uses = |package: &toml::Value, what: &str| {
        let all = package.get("dependencies").and_then(toml::Value::as_array);
        all.is_some_and(|all| all.iter().any(|one| one.as_str().is_some_and(|one| one.split(' ').next() == Some(what))))
    };
    for package in packages {
        match package.get("source") {
            None => assert!(name(package).starts_with("munjigi"), "{package:?}"),
            Some(source) => {
                assert_eq!(source.as_str(), Some("registry+https://github.com/rust-lang/crates.io-index"));
                assert!(package["checksum"].as_str().is_some_and(|sum| sum.len() == 64), "{package:?}");
            }
        }
        let never = ["md-5", "md5", "openssl", "openssl-sys", "native-tls", "fancy-regex", "rsa"];
        assert!(!never.contains(&name(package).as_str()), "{package:?}");
        // Redis names its scripts by SHA-1; nothing else of ours uses it.
        assert!(!uses(package, "sha1_smol") || name(package) == "redis", "{package:?}");
        assert!(!uses(package, "sha1"), "{package:?}");
    }
}
