//! The fuzzing targets as ordinary tests: each takes its corpus, and mutations of it that are the same each time. Searching for
//! new inputs with coverage to guide it is `scripts/fuzz`; what that finds is put into `fuzz/corpus` and tried here from then on.
//!
//! `MUNJIGI_FUZZ_ROUNDS` says how many mutations (4,000), `MUNJIGI_FUZZ_SEED` which ones.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::{env, fs};

#[path = "../../../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "a library of its own, which is also compiled in here")]
mod targets;

/// Pieces that mean something to one target or another, to be put where they hurt.
const PIECES: &[&str] = &[
    "//",
    "\\",
    "/\\",
    "\t",
    "\r\n",
    "..",
    "%2f",
    "%5c",
    "@",
    ":",
    "?",
    "#",
    "evil.example",
    "https:",
    "javascript:",
    "\u{200b}",
    "\u{202e}",
    "\u{3164}",
    "\u{34f}",
    "\u{1100}",
    "\u{e0100}",
    "\u{130}",
    "é",
    "e\u{301}",
    "가",
    "\0",
    " ",
    "\"",
    "'",
    ";",
    "; ",
    "=",
    ",",
    "accessToken=",
    "__Host-",
    "__Secure-",
    "refreshToken",
    "$",
    "$2b$04$",
    "m=",
    "t=",
    ",p=1",
    "4294967295",
    "-1",
    "+4",
    "1e9",
    "null",
    "true",
    "{",
    "}",
    "[",
    "]",
    "\"exp\":",
    "\"alg\":\"none\"",
    "\\u0000",
    "\n",
    "\n---\n",
    "MUNJIGI_",
    "0",
    "18446744073709551616",
    ".",
    "A",
    "==",
    "&",
    "+",
    "%00",
    "%",
    "application/json",
    "0s",
    "10y",
    "0/1s",
    "[server]\n",
    "secret = ",
    "INSERT INTO `users` VALUES (",
    "),(",
    "/*",
    "*/",
    "-- ",
    "`",
    "DELIMITER ;;",
];

/// SplitMix64: a few lines, and the same numbers everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to under `end`; 0 where there is nothing.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end as u64).max(1)).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}

/// One of the inputs with one to four changes.
fn mutation(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut data = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(data.len() + 1);
        let to = at + random.below((data.len() - at).min(16) + 1);
        match random.below(8) {
            0 if at < data.len() => data[at] ^= 1 << random.below(8),
            1 if at < data.len() => data[at] = random.byte(),
            2 => data.insert(at, random.byte()),
            3 => drop(data.drain(at..to)),
            4 => {
                let piece = data[at..to].to_vec();
                data.splice(at..at, piece);
            }
            5 => {
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len() + 1);
                data.splice(at.., other[from..].iter().copied());
            }
            6 => drop(data.splice(at..to, PIECES[random.below(PIECES.len())].bytes())),
            _ => drop(data.splice(at..at, PIECES[random.below(PIECES.len())].bytes())),
        }
    }
    data
}

fn corpus_of(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// How an input is written in a shell, so that it can be put into the corpus.
fn for_a_shell(data: &[u8]) -> String {
    data.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b' '..=b'~' if !matches!(byte, b'\'' | b'\\' | b'%') => text.push(char::from(*byte)),
            _ => write!(text, "\\{byte:03o}").unwrap(),
        }
        text
    })
}

fn number(variable: &str) -> Option<u64> {
    env::var_os(variable).map(|text| text.to_str().and_then(|text| text.parse().ok()).expect("a number"))
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "says what was tried, and what broke a promise")]
fn nothing_breaks(name: &str) {
    let corpus = corpus_of(name);
    assert!(corpus.len() >= 12, "{name}: a corpus of {}", corpus.len());
    let rounds = number("MUNJIGI_FUZZ_ROUNDS").unwrap_or(4_000);
    let seed = number("MUNJIGI_FUZZ_SEED").unwrap_or(1);
    let mut random = Random(seed);
    let mutations = (0..rounds).map(|_| mutation(&corpus, &mut random));
    let mut tried = 0u64;
    for input in corpus.iter().cloned().chain(mutations) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| targets::run(name, &input))) {
            eprintln!("to keep it: printf '{}' > fuzz/corpus/{name}/what-it-shows", for_a_shell(&input));
            resume_unwind(panic);
        }
        tried += 1;
    }
    println!("fuzz {name}: {tried} inputs tried, {} of them kept, seed {seed}, 0 promises broken", corpus.len());
    assert!(tried >= rounds + 12);
}

#[test]
fn settings_are_right_or_clearly_wrong_and_never_show_a_secret() {
    nothing_breaks("config");
}

#[test]
fn cookies_are_read_stripped_and_set_as_the_plain_way_would() {
    nothing_breaks("cookies");
}

#[test]
fn a_hash_that_was_brought_along_costs_little_and_lets_nobody_in() {
    nothing_breaks("hashes");
}

#[test]
fn a_file_of_users_is_read_to_its_end_whatever_is_in_it() {
    nothing_breaks("imports");
}

#[test]
fn a_body_is_read_as_another_reader_reads_it() {
    nothing_breaks("input");
}

#[test]
fn names_and_passwords_mean_what_they_look_like() {
    nothing_breaks("names");
}

#[test]
fn no_text_is_a_refresh_token_but_what_was_issued() {
    nothing_breaks("refresh_token");
}

#[test]
fn whatever_is_followed_stays_on_an_allowed_origin() {
    nothing_breaks("return_to");
}

#[test]
fn no_text_is_an_access_token_but_what_was_issued() {
    nothing_breaks("token");
}

#[test]
fn every_target_is_tried_here_and_by_the_fuzzer() {
    let here = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fuzz.rs")).unwrap();
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/Cargo.toml")).unwrap();
    for (name, _) in targets::TARGETS {
        assert!(here.contains(&format!("nothing_breaks(\"{name}\")")), "{name}");
        assert!(manifest.contains(&format!("fuzz_targets/{name}.rs")), "{name}");
    }
}
