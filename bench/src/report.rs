//! Figures, and the tables they stand in.

use std::fmt;

/// The rounds of one measurement: their median, and how far they lie apart.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    sorted: Vec<f64>,
}

impl Spread {
    pub(crate) fn of(rounds: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = rounds.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self { sorted }
    }

    /// Round by round, so that what slows the machine down for a while slows down both.
    pub(crate) fn ratio(these: &[f64], those: &[f64]) -> Self {
        Self::of(these.iter().zip(those).map(|(this, that)| this / that))
    }

    pub(crate) fn median(&self) -> f64 {
        let (low, high) = (self.sorted.len().saturating_sub(1) / 2, self.sorted.len() / 2);
        (self.at(low) + self.at(high)) / 2.0
    }

    fn at(&self, index: usize) -> f64 {
        self.sorted.get(index).copied().unwrap_or(f64::NAN)
    }
}

/// `median (lowest – highest)`, in as many digits as mean anything.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.median() {
            median if median >= 100.0 => 0,
            median if median >= 10.0 => 1,
            median if median >= 4.0 => 2,
            _ => 3,
        };
        let last = self.sorted.len().saturating_sub(1);
        write!(f, "{:.digits$} ({:.digits$} – {:.digits$})", self.median(), self.at(0), self.at(last))
    }
}

/// One part's figures.
pub(crate) struct Table {
    title: &'static str,
    /// What the figures mean, and what they do not.
    meaning: &'static str,
    rows: Vec<[String; 3]>,
}

impl Table {
    pub(crate) const fn new(title: &'static str, meaning: &'static str) -> Self {
        Self { title, meaning, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, what: impl Into<String>, figure: impl ToString) {
        self.goal(what, figure, "");
    }

    /// A figure with something to reach.
    pub(crate) fn goal(&mut self, what: impl Into<String>, figure: impl ToString, goal: &str) {
        self.rows.push([what.into(), figure.to_string(), goal.to_owned()]);
    }
}

/// Markdown.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n\n{}\n\n| what | figure | goal |\n| --- | --- | --- |", self.title, self.meaning)?;
        self.rows.iter().try_for_each(|[what, figure, goal]| writeln!(f, "| {what} | {figure} | {goal} |"))
    }
}
