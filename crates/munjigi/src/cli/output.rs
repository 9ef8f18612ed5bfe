//! What commands print.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is where the command line speaks")]

use std::io::Write as _;

use comfy_table::{Table, presets};
use munjigi_rules::Timestamp;

/// One line for people, or the whole for programs.
pub(super) fn say(line: &str) {
    println!("{line}");
}

/// Something went wrong.
pub(super) fn complain(line: &str) {
    eprintln!("munjigi: {line}");
}

/// A question, on standard error, where it does not mix with what programs read.
pub(super) fn ask(question: &str) -> std::io::Result<()> {
    eprint!("{question}");
    std::io::stderr().flush()
}

/// A table for people.
pub(super) fn table(head: &[&str], rows: Vec<Vec<String>>) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    println!("{table}");
}

/// A moment in words: RFC 3339 in UTC, to the second.
pub(super) fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.as_secs()).unwrap_or_default().to_string()
}

/// What came from people, without what a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
