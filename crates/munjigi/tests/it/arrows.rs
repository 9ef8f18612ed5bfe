//! Which room may know which: the arrows of ARCHITECTURE.md, read off the `use` lines.

use std::fs;
use std::path::{Path, PathBuf};

/// A room, and what nothing in it may name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("flows", &["crate::web", "crate::http", "crate::routes", "crate::app", "crate::cli", "crate::pages", "axum"]),
    ("passwords", &["crate::web", "crate::http", "crate::flows", "axum"]),
    ("metrics", &["crate::web", "crate::http", "crate::routes", "crate::app", "crate::cli", "axum"]),
    ("config", &["crate::web", "crate::http", "crate::flows", "axum"]),
    ("pages", &["crate::web", "crate::http", "crate::flows", "crate::core", "axum"]),
    ("http", &["crate::web", "crate::routes", "crate::cli"]),
    ("web", &["crate::routes", "crate::cli", "rusqlite", "redis::"]),
    ("cli", &["crate::web", "rusqlite", "redis::"]),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn named_in(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn arrows_point_one_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (room, forbidden) in FORBIDDEN {
        let files = files(&source.join(room));
        assert!(!files.is_empty(), "{room}");
        for file in files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "rs")) {
            let text = fs::read_to_string(file).unwrap();
            for line in named_in(&text) {
                let names = forbidden.iter().find(|name| line.contains(*name));
                assert!(names.is_none(), "{}: {line}", file.display());
            }
        }
    }
}

#[test]
fn the_rules_never_wait_and_never_ask_for_the_time_or_a_random_number() {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../munjigi-rules/src"));
    for file in files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "rs")) {
        let text = fs::read_to_string(file).unwrap();
        for line in named_in(&text) {
            for word in ["async ", ".await", "SystemTime", "Instant::now", "rand::", "std::fs", "std::net", "tokio"] {
                assert!(!line.contains(word), "{}: {line}", file.display());
            }
        }
    }
}
