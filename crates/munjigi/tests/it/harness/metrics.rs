//! What `/metrics` says, read as strictly as OpenMetrics is written (a Python library reads it once more in `e2e/metrics.py`).

use std::collections::{BTreeMap, BTreeSet};

/// All series of one scrape.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// By name and sorted labels.
    series: BTreeMap<(String, Vec<(String, String)>), f64>,
    /// Type by name of the family, as it is queried: a counter's with `_total`.
    pub(crate) families: BTreeMap<String, String>,
}

impl Metrics {
    #[track_caller]
    pub(crate) fn parse(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("the end is marked");
        let mut metrics = Self { series: BTreeMap::new(), families: BTreeMap::new() };
        let (mut helped, mut family, mut kind) = (String::new(), String::new(), String::new());
        for line in body.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect(line);
                assert!(is_name(name) && help.len() > 5 && !help.ends_with(".."), "{line}");
                name.clone_into(&mut helped);
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, of) = rest.split_once(' ').expect(line);
                assert_eq!(name, helped, "help comes before the type");
                (family, kind) = (name.to_owned(), of.to_owned());
                let queried = match of {
                    "counter" => format!("{name}_total"),
                    "info" => format!("{name}_info"),
                    "gauge" | "histogram" => name.to_owned(),
                    other => panic!("{other}: {line}"),
                };
                assert!(metrics.families.insert(queried, of.to_owned()).is_none(), "once: {line}");
            } else {
                metrics.sample(line, &family, &kind);
            }
        }
        metrics.histograms_add_up();
        metrics
    }

    #[track_caller]
    fn sample(&mut self, line: &str, family: &str, kind: &str) {
        let (series, value) = line.rsplit_once(' ').expect(line);
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').expect(line)),
            None => (series, ""),
        };
        let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{line} stands among {family}"));
        let suffixes: &[&str] = match kind {
            "counter" => &["_total"],
            "info" => &["_info"],
            "gauge" => &[""],
            _ => &["_bucket", "_sum", "_count"],
        };
        assert!(suffixes.contains(&suffix), "{line} in a {kind}");
        let value: f64 = if value == "+Inf" { f64::INFINITY } else { value.parse().expect(line) };
        assert!(kind == "gauge" || value >= 0.0, "{line}");
        let mut labels: Vec<_> = labels.split_terminator(',').map(|label| parsed_label(label, line)).collect();
        labels.sort();
        assert!(labels.is_sorted_by(|one, two| one.0 < two.0), "a label twice: {line}");
        assert!(self.series.insert((name.to_owned(), labels), value).is_none(), "a series twice: {line}");
    }

    #[track_caller]
    fn histograms_add_up(&self) {
        for (name, _) in self.families.iter().filter(|(_, kind)| *kind == "histogram") {
            let of = |suffix: &str| {
                let name = format!("{name}{suffix}");
                self.series.iter().filter(move |((found, _), _)| *found == name)
            };
            for ((_, labels), count) in of("_count") {
                let mut buckets: Vec<(f64, f64)> = of("_bucket")
                    .filter(|((_, own), _)| own.iter().filter(|(label, _)| label != "le").eq(labels))
                    .map(|((_, own), value)| {
                        let bound = &own.iter().find(|(label, _)| label == "le").unwrap().1;
                        (if bound == "+Inf" { f64::INFINITY } else { bound.parse().unwrap() }, *value)
                    })
                    .collect();
                buckets.sort_by(|one, two| one.0.total_cmp(&two.0));
                assert!(buckets.is_sorted_by(|one, two| one.1 <= two.1), "{name}{labels:?}: {buckets:?}");
                assert_eq!(buckets.last(), Some(&(f64::INFINITY, *count)), "{name}{labels:?}");
            }
        }
    }

    /// The value of one series, if it is there.
    pub(crate) fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut labels: Vec<_> = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        labels.sort();
        self.series.get(&(name.to_owned(), labels)).copied()
    }

    /// The value of one series that has to be there.
    #[track_caller]
    pub(crate) fn get(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels).unwrap_or_else(|| panic!("no {name}{labels:?} in {:#?}", self.series.keys()))
    }

    /// The sum of all series of a name that have this label.
    pub(crate) fn sum(&self, name: &str, label: (&str, &str)) -> f64 {
        let has = |labels: &[(String, String)]| labels.iter().any(|(name, value)| (&**name, &**value) == label);
        self.series.iter().filter(|((found, labels), _)| found == name && has(labels)).map(|(_, value)| value).sum()
    }

    /// Every label that a name has anywhere, with its values.
    pub(crate) fn labels(&self, name: &str) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for ((_, labels), _) in self.series.iter().filter(|((series, _), _)| series == name) {
            for (label, value) in labels {
                found.entry(label).or_default().insert(value);
            }
        }
        found
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
}

/// No value of ours holds what would have to be escaped, or a comma.
#[track_caller]
fn parsed_label(label: &str, line: &str) -> (String, String) {
    let (name, value) = label.split_once("=\"").expect(line);
    let value = value.strip_suffix('"').expect(line);
    assert!(is_name(name) && !value.contains(['"', '\\', '\n']), "{line}");
    (name.to_owned(), value.to_owned())
}
