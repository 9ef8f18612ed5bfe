//! What was found, and how it is told.

use std::io::IsTerminal as _;

use serde_json::{Value, json};

use super::super::output;

/// How bad it is, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Ok,
    Skipped,
    Warning,
    Wrong,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::Ok => "\x1b[32m",
            Self::Skipped => "\x1b[2m",
            Self::Warning => "\x1b[33m",
            Self::Wrong => "\x1b[1;31m",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    what: String,
    /// What to do, in a sentence that names the key or the command.
    mend: Option<String>,
}

/// All of them, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Finding>);

impl Report {
    pub(super) fn ok(&mut self, check: &'static str, what: impl Into<String>) {
        self.put(check, Verdict::Ok, what.into(), None);
    }

    /// It could not be looked at.
    pub(super) fn skipped(&mut self, check: &'static str, what: impl Into<String>) {
        self.put(check, Verdict::Skipped, what.into(), None);
    }

    pub(super) fn warning(&mut self, check: &'static str, what: impl Into<String>, mend: impl Into<String>) {
        self.put(check, Verdict::Warning, what.into(), Some(mend.into()));
    }

    pub(super) fn wrong(&mut self, check: &'static str, what: impl Into<String>, mend: impl Into<String>) {
        self.put(check, Verdict::Wrong, what.into(), Some(mend.into()));
    }

    /// As bad as the verdict says.
    pub(super) fn judged(&mut self, verdict: Verdict, check: &'static str, what: String, mend: &str) {
        self.put(check, verdict, what, (verdict >= Verdict::Warning).then(|| mend.to_owned()));
    }

    /// How often there is something to mend so far: whoever looks at several things says "all is well" only if it stays the same.
    pub(super) fn complaints(&self) -> usize {
        self.0.iter().filter(|finding| finding.verdict >= Verdict::Warning).count()
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.worst() == Verdict::Wrong
    }

    fn put(&mut self, check: &'static str, verdict: Verdict, what: String, mend: Option<String>) {
        // What a proxy or a file said must not steer the terminal.
        self.0.push(Finding {
            check,
            verdict,
            what: output::plain(&what),
            mend: mend.map(|mend| output::plain(&mend)),
        });
    }

    fn worst(&self) -> Verdict {
        self.0.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok)
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.0.iter().filter(|finding| finding.verdict == verdict).count()
    }

    pub(super) fn print(&self, for_programs: bool) {
        if for_programs {
            output::say(&self.json().to_string());
        } else {
            let colours =
                std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
            self.lines(colours).iter().for_each(|line| output::say(line));
        }
    }

    fn json(&self) -> Value {
        let checks = self.0.iter().map(|finding| {
            json!({ "check": finding.check, "status": finding.verdict.word(), "what": finding.what, "mend": finding.mend })
        });
        let worst = if self.worst() == Verdict::Skipped { Verdict::Ok } else { self.worst() };
        json!({ "status": worst.word(), "checks": checks.collect::<Vec<_>>() })
    }

    fn lines(&self, colours: bool) -> Vec<String> {
        let paint = |verdict: Verdict, text: String| {
            if colours { format!("{}{text}\x1b[0m", verdict.colour()) } else { text }
        };
        let mut lines = Vec::new();
        for finding in &self.0 {
            let word = paint(finding.verdict, format!("{:<8}", finding.verdict.word()));
            lines.push(format!("{word} {:<14} {}", finding.check, finding.what));
            lines.extend(finding.mend.iter().map(|mend| format!("{:23}  → {mend}", "")));
        }
        let (wrong, warnings, skipped) =
            (self.count(Verdict::Wrong), self.count(Verdict::Warning), self.count(Verdict::Skipped));
        let mut sum = match (wrong, warnings) {
            (0, 0) => "nothing is wrong".to_owned(),
            (wrong, 0) => format!("{wrong} wrong"),
            (wrong, warnings) => format!("{wrong} wrong, {warnings} to be warned of"),
        };
        if skipped > 0 {
            sum += &format!("; {skipped} could not be looked at");
        }
        lines.push(String::new());
        lines.push(paint(self.worst(), sum));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        report.ok("disk", "3.1 GiB are free");
        report.skipped("server", "nobody answers at server.listen");
        report.warning("public url", "it is \x1b[31mnot https", "set server.public_url");
        report
    }

    #[test]
    fn what_is_found_stands_in_columns_with_what_to_do_below_it() {
        insta::assert_snapshot!(report().lines(false).join("\n"), @r"
        ok       disk           3.1 GiB are free
        skipped  server         nobody answers at server.listen
        warning  public url     it is �[31mnot https
                                 → set server.public_url

        0 wrong, 1 to be warned of; 1 could not be looked at
        ");
        assert_eq!(Report::default().lines(false).last().unwrap(), "nothing is wrong");
    }

    #[test]
    fn colours_are_ours_alone() {
        let coloured = report().lines(true).join("\n");
        assert_eq!(coloured.matches("\x1b[33m").count(), 2, "{coloured:?}");
        assert!(!coloured.contains("\x1b[31m"), "{coloured:?}");
    }

    #[test]
    fn a_warning_is_no_failure_and_what_is_wrong_is() {
        let mut report = report();
        assert!(!report.is_wrong() && report.json()["status"] == "warning");
        report.wrong("keys", "gone", "restore them");
        assert!(report.is_wrong() && report.json()["status"] == "wrong");
        assert_eq!(report.json()["checks"][3]["mend"], "restore them");
        assert_eq!(Report::default().json()["status"], "ok");
    }
}
