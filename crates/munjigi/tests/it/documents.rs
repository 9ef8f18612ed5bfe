//! The documents promise tests: they are there, and `docs/asvs.md` is complete and counts right.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// The tests that a page names as `file::test`.
fn named(page: &str) -> Vec<(&str, &str)> {
    let spans = page.split('`').skip(1).step_by(2);
    let is_word = |text: &str, more: &str| {
        !text.is_empty()
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || more.contains(c))
    };
    spans
        .filter_map(|span| span.split_once("::"))
        .filter(|(file, test)| is_word(file, "/.-") && is_word(test, ""))
        .collect()
}

/// The file that holds a test: below `tests/it` of the server, of another crate, or in the source.
fn file_of(name: &str) -> PathBuf {
    let crates = root().join("crates");
    if name.contains(".rs") {
        return crates.join(name);
    }
    let own = ["gate", "store", "rules"].iter().find_map(|package| {
        Some(crates.join(format!("munjigi-{package}/tests/it")).join(name.strip_prefix(package)?.strip_prefix('/')?))
    });
    let path = own.unwrap_or_else(|| crates.join("munjigi/tests/it").join(name));
    let file = path.with_extension("rs");
    if file.exists() { file } else { path.join("mod.rs") }
}

fn is_there(file: &str, test: &str) -> bool {
    fs::read_to_string(file_of(file))
        .is_ok_and(|text| ["(", "<"].iter().any(|after| text.contains(&format!("fn {test}{after}"))))
}

#[test]
fn every_test_that_a_document_names_is_there() {
    for (name, least) in [("tutorial.md", 12), ("threat-model.md", 30), ("asvs.md", 180)] {
        let page = page(name);
        let named = named(&page);
        assert!(named.len() >= least, "{name}: {}", named.len());
        for (file, test) in named {
            assert!(is_there(file, test), "{name}: `{file}::{test}`");
        }
    }
    assert!(!is_there("documents", "a_test_that_nobody_has_written") && !is_there("nowhere", "is_there"));
}

/// The rows that concern us, by level.
const ROWS: [&str; 3] = [
    "\
     V1.2.1 V1.2.2 V1.2.3 V1.2.4 V1.2.5 V2.2.1 V2.2.2 V2.3.1 V3.2.1 V3.2.2 V3.3.1 V3.4.1 V3.4.2 V3.5.1 \
     V3.5.2 V3.5.3 V4.1.1 V6.2.1 V6.2.2 V6.2.3 V6.2.4 V6.2.5 V6.2.6 V6.2.7 V6.2.8 V6.3.1 V6.3.2 V6.4.2 \
     V7.2.1 V7.2.2 V7.2.3 V7.2.4 V7.4.1 V7.4.2 V8.2.1 V8.2.2 V8.3.1 V9.1.1 V9.1.2 V9.1.3 V9.2.1 V10.4.5 \
     V11.4.1 V13.4.1 V14.2.1 V14.3.1 V15.2.1 V15.3.1",
    "\
     V1.1.1 V1.1.2 V1.2.9 V1.3.3 V1.3.7 V1.3.10 V1.4.1 V1.4.2 V1.4.3 V1.5.2 V2.2.3 V2.3.2 V2.3.3 V2.3.4 \
     V2.4.1 V3.3.2 V3.3.3 V3.3.4 V3.4.3 V3.4.4 V3.4.5 V3.4.6 V3.7.1 V3.7.2 V4.1.2 V4.1.3 V4.2.1 V6.2.9 \
     V6.2.10 V6.2.11 V6.2.12 V6.3.4 V7.3.1 V7.3.2 V7.4.3 V7.4.4 V7.4.5 V7.5.1 V7.5.2 V7.6.2 V8.2.3 V9.2.2 \
     V9.2.3 V9.2.4 V10.1.1 V10.3.1 V10.3.2 V10.3.3 V10.4.8 V10.4.9 V11.2.1 V11.2.2 V11.2.3 V11.4.2 \
     V11.4.3 V11.5.1 V11.6.1 V12.3.1 V12.3.2 V12.3.4 V13.2.2 V13.2.3 V13.2.4 V13.3.1 V13.4.2 V13.4.3 \
     V13.4.4 V13.4.5 V14.2.2 V14.2.3 V14.2.4 V14.3.2 V14.3.3 V15.1.2 V15.2.2 V15.2.3 V15.3.3 V15.3.4 \
     V15.3.5 V15.3.6 V15.3.7 V16.2.1 V16.2.2 V16.2.3 V16.2.4 V16.2.5 V16.3.1 V16.3.2 V16.3.3 V16.3.4 \
     V16.4.1 V16.5.1 V16.5.2 V16.5.3",
    "\
     V1.3.12 V1.5.3 V2.4.2 V3.2.3 V3.3.5 V3.4.7 V3.4.8 V3.5.6 V3.5.7 V3.5.8 V3.6.1 V3.7.3 V3.7.5 V4.1.4 \
     V4.2.2 V4.2.3 V4.2.4 V4.2.5 V6.3.8 V8.3.2 V11.2.4 V11.2.5 V11.5.2 V11.7.2 V13.2.6 V13.3.4 V13.4.6 \
     V13.4.7 V14.2.5 V14.2.6 V14.2.7 V15.2.4 V15.2.5 V15.4.1 V15.4.2 V15.4.3 V15.4.4 V16.5.4",
];

#[test]
fn every_row_of_the_asvs_stands_in_its_page_once_and_the_totals_are_right() {
    let page = page("asvs.md");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| V"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let mut seen = BTreeSet::new();
    for (level, ids) in ROWS.iter().enumerate() {
        let level = (level + 1).to_string();
        let ids: BTreeSet<&str> = ids.split_whitespace().collect();
        let own: Vec<_> = rows.iter().filter(|row| row[2] == level).collect();
        let found: BTreeSet<&str> = own.iter().map(|row| row[1]).collect();
        assert_eq!(found, ids, "level {level}");
        assert_eq!(own.len(), ids.len(), "level {level}: each once");
        let how_many = |word: &str| own.iter().filter(|row| row[4] == word).count();
        let (met, part, no) = (how_many("met"), how_many("in part"), how_many("no"));
        assert_eq!(met + part + no, own.len());
        let total = format!("| {level} | {} | {met} | {part} | {no} |", own.len());
        assert!(page.contains(&total), "{total}");
        seen.extend(found);
    }
    assert_eq!((seen.len(), rows.len()), (180, 180));
    for row in &rows {
        let tested = row[6].contains("::");
        assert!(tested || row[4] != "met", "{}: met, and no test", row[1]);
        assert!(!row[5].is_empty(), "{}: where and how, or why not", row[1]);
    }
}
