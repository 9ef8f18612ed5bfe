//! What must not stand in the product's sources, whatever it would be good for; compilers and lints see to the rest.

use std::fs;
use std::path::{Path, PathBuf};

/// Words that do not occur in some kind of file, but in the places named.
struct Rule {
    why: &'static str,
    kind: &'static str,
    words: &'static [&'static str],
    /// File and what may stand there all the same.
    but_for: &'static [(&'static str, &'static str)],
}

const RULES: &[Rule] = &[
    Rule {
        why: "the server starts no other program",
        kind: "rs",
        words: &["process::", "Command::new", "posix_spawn", "libc::"],
        but_for: &[
            ("", "std::process::ExitCode"),
            // The priority of the hashing threads.
            ("passwords/pool.rs", "rustix::process::setpriority_process"),
        ],
    },
    Rule {
        why: "no regular expression reads what came in: some take for ever",
        kind: "rs",
        words: &["regex", "Regex", "RegexSet"],
        but_for: &[],
    },
    Rule {
        why: "a statement is a constant, and its values are parameters",
        kind: "rs",
        words: &[
            "format!(\"SELECT",
            "format!(\"INSERT",
            "format!(\"UPDATE",
            "format!(\"DELETE",
            "format!(\"CREATE",
            "format!(\"PRAGMA",
            "query_row(&format",
            "prepare(&",
            "execute_batch(&",
            "execute(&format",
            "push_str(\" WHERE",
            "push_str(\" AND",
        ],
        but_for: &[],
    },
    Rule {
        why: "only the pages' own filters make safe texts, of times",
        kind: "rs",
        words: &["from_safe_string", "AutoEscape::None", "Html("],
        but_for: &[("pages/render.rs", "time::")],
    },
    Rule {
        why: "templates escape everything",
        kind: "html",
        words: &["|safe", "| safe", "autoescape", "{% raw", "javascript:", "onclick", "style="],
        but_for: &[],
    },
    Rule {
        why: "every certificate is checked",
        kind: "rs",
        words: &["danger_accept", "dangerous()", "SslVerifyMode", "verify_none"],
        but_for: &[],
    },
    Rule {
        why: "no broken hash function",
        kind: "rs",
        words: &["md5::", "Md5", "sha1::", "Sha1", "SHA1", "rand::thread_rng", "fastrand", "SmallRng"],
        but_for: &[],
    },
];

/// Lines of a file of this kind that break the rule.
fn offences<'a>(rule: &Rule, file: &str, text: &'a str) -> Vec<&'a str> {
    // Tests stand at the end of a file, and may do what the product may not.
    let product = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let allowed = |line: &str| rule.but_for.iter().any(|(place, what)| file.ends_with(place) && line.contains(what));
    let lines = product.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.filter(|line| rule.words.iter().any(|word| line.contains(word)) && !allowed(line)).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn nothing_in_the_sources_breaks_a_rule_of_the_house() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sources: Vec<_> = ["munjigi", "munjigi-gate", "munjigi-rules", "munjigi-store"]
        .iter()
        .flat_map(|name| files(&crates.join(name).join("src")))
        .map(|path| (path.to_str().unwrap().to_owned(), path))
        .collect();
    for rule in RULES {
        let of_kind: Vec<_> =
            sources.iter().filter(|(_, path)| path.extension().is_some_and(|kind| kind == rule.kind)).collect();
        assert!(of_kind.len() >= 10, "{} files of {}", of_kind.len(), rule.kind);
        for (name, path) in of_kind {
            let text = fs::read_to_string(path).unwrap();
            assert_eq!(offences(rule, name, &text), Vec::<&str>::new(), "{name}: {}", rule.why);
        }
    }
}

#[test]
fn each_rule_of_the_house_notices_what_breaks_it() {
    let broken = [
        "std::process::Command::new(\"sh\");",
        "let pattern = regex::Regex::new(typed);",
        "db.query_row(&format!(\"SELECT 1 FROM users WHERE name = '{name}'\"), [], read)",
        "Value::from_safe_string(name)",
        "<p>{{ name | safe }}</p>",
        "config.dangerous().set_certificate_verifier(nobody)",
        "md5::compute(password)",
    ];
    assert_eq!(broken.len(), RULES.len());
    for (rule, line) in RULES.iter().zip(broken) {
        assert_eq!(offences(rule, "pages/render.rs", line), [line], "{}", rule.why);
        assert!(offences(rule, "x.rs", &format!("// {line}")).is_empty());
    }
}

#[test]
fn the_libraries_that_are_banned_are_not_locked() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let banned = fs::read_to_string(top.join("deny.toml")).unwrap();
    let lock = fs::read_to_string(top.join("Cargo.lock")).unwrap();
    let is_locked = |name: &str| lock.contains(&format!("name = \"{name}\"\n"));
    let names = banned.split("{ crate = \"").skip(1).filter_map(|rest| rest.split_once('"'));
    // What another library of the tests may bring, and what no target that we build for brings, cargo-deny tells apart.
    let bare = names.filter(|(_, rest)| !rest.lines().next().unwrap_or_default().contains("wrappers"));
    let bare: Vec<_> = bare.map(|(name, _)| name.split('@').next().unwrap_or_default()).collect();
    assert!(bare.len() >= 10 && is_locked("aws-lc-rs"), "{bare:?}");
    for name in bare {
        assert!(!is_locked(name), "{name} is in Cargo.lock, and banned by deny.toml");
    }
}
