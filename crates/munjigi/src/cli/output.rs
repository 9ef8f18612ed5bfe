//! What commands print.
use std::io::Write;

use comfy_table::{Table, presets};
use munjigi_rules::Timestamp;

/// One line for people, or the whole for programs.
pub(super) fn say(line: &str) {
    write(&mut std::io::stdout().lock(), line);
}

/// A line that nobody reads any more is no reason to end: a server goes on, and so does a command that has begun.
fn write(out: &mut impl Write, line: &str) {
    // Nor is there anybody to tell that it could not be written.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Something went wrong.
pub(super) fn complain(line: &str) {
    write(&mut std::io::stderr().lock(), &format!("munjigi: {line}"));
}

/// A question, on standard error, where it does not mix with what programs read.
pub(super) fn ask(question: &str) -> std::io::Result<()> {
    let mut out = std::io::stderr().lock();
    out.write_all(question.as_bytes())?;
    out.flush()
}

/// A table for people.
pub(super) fn table(head: &[&str], rows: Vec<Vec<String>>) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    say(&table.to_string());
}

/// A moment in words: RFC 3339 in UTC, to the second.
pub(super) fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.as_secs()).unwrap_or_default().to_string()
}

/// What came from people, without what a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
