//! What was found in pages of one's own.

use std::fmt;

/// Whether the server may start with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// A page would break, or could not be read: the server does not start.
    Fault,
    /// Everything works; somebody should look at it.
    Warning,
}

/// Something that is wrong, where it is and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether the server may start with it.
    pub weight: Weight,
    /// The file, or the setting.
    pub place: String,
    /// The line of the file, from 1.
    pub line: Option<usize>,
    /// What is wrong, and what to do.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What stands in somebody's file does not speak to the terminal.
        let plain = |text: &str| text.replace(|c: char| c.is_control(), "\u{fffd}");
        f.write_str(&plain(&self.place))?;
        if let Some(line) = self.line {
            write!(f, ": line {line}")?;
        }
        write!(f, ": {}", plain(&self.what))
    }
}

/// A file of one's own, and what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// The file, below the folder.
    pub file: String,
    /// In a few words.
    pub does: String,
}

/// What a look at the pages found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Files of one's own.
    pub own: Vec<Own>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How many pages were rendered, each state in each language.
    pub rendered: usize,
}

impl Report {
    /// What keeps the server from starting.
    pub fn faults(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.weight == Weight::Fault)
    }

    /// What should be looked at.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.weight == Weight::Warning)
    }

    pub(super) fn fault(&mut self, place: &str, line: Option<usize>, what: impl Into<String>) {
        self.note(Weight::Fault, place, line, what.into());
    }

    pub(super) fn warn(&mut self, place: &str, line: Option<usize>, what: impl Into<String>) {
        self.note(Weight::Warning, place, line, what.into());
    }

    /// Whether something was found there already.
    pub(super) fn knows(&self, place: &str, line: Option<usize>) -> bool {
        self.findings.iter().any(|finding| finding.place == place && finding.line == line)
    }

    pub(super) fn owns(&mut self, file: &str, does: impl Into<String>) {
        self.own.push(Own { file: file.to_owned(), does: does.into() });
    }

    /// Each is said once, however many languages and states it is seen in.
    fn note(&mut self, weight: Weight, place: &str, line: Option<usize>, what: String) {
        let finding = Finding { weight, place: place.to_owned(), line, what };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// The line of a place in a text, from 1.
pub(super) fn line_of(text: &str, at: usize) -> Option<usize> {
    Some(text.get(..at)?.matches('\n').count() + 1)
}

/// The name that is spelled most like `name`, if one is close.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |other: &str| strsim::jaro_winkler(other, name);
    known.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|best| likeness(best) > 0.8)
}
