//! Holds message files of one's own against those that are built in: keys, variables, functions, languages.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Message, Pattern, PatternElement};
use fluent_syntax::parser;
use unic_langid::LanguageIdentifier;

use super::folder::OwnMessages;
use super::report::{Report, line_of, nearest};
use super::sources::LOCALES;

/// Messages that a new language must have: nobody else's can stand in for them.
const ITS_OWN: [&str; 2] = ["language-name", "language-direction"];
/// Functions, and how many arguments they take.
const FUNCTIONS: [(&str, usize); 2] = [("JOSA", 2), ("MINUTES", 1)];
/// Keys that are named in one warning.
const NAMED: usize = 8;

/// What a message uses.
#[derive(Debug, Default)]
struct Uses<'a> {
    variables: BTreeSet<&'a str>,
    messages: BTreeSet<&'a str>,
    terms: BTreeSet<&'a str>,
    functions: Vec<(&'a str, usize)>,
}

/// The keys that are built in, and the variables that each is given.
pub(super) fn known() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut all: BTreeMap<&str, Uses<'_>> = BTreeMap::new();
    for (_, source) in LOCALES {
        let (Ok(resource) | Err((resource, _))) = parser::parse(*source);
        for entry in &resource.body {
            if let Entry::Message(message) = entry {
                let uses = all.entry(message.id.name).or_default();
                message.value.iter().for_each(|value| uses.pattern(value));
            }
        }
    }
    all.keys().map(|key| (*key, reachable(key, &all))).collect()
}

/// The variables of a message and of those that it refers to.
fn reachable<'a>(key: &'a str, all: &BTreeMap<&'a str, Uses<'a>>) -> BTreeSet<&'a str> {
    let (mut seen, mut left, mut variables) = (BTreeSet::new(), vec![key], BTreeSet::new());
    while let Some(key) = left.pop() {
        if let Some(uses) = all.get(key).filter(|_| seen.insert(key)) {
            variables.extend(&uses.variables);
            left.extend(&uses.messages);
        }
    }
    variables
}

/// Whether a message comes back to itself.
fn is_circle(key: &str, all: &BTreeMap<&str, Uses<'_>>) -> bool {
    let (mut seen, mut left) = (BTreeSet::new(), vec![key]);
    while let Some(next) = left.pop() {
        let Some(uses) = all.get(next).filter(|_| seen.insert(next)) else { continue };
        if uses.messages.contains(key) {
            return true;
        }
        left.extend(&uses.messages);
    }
    false
}

/// Looks at a file; `false` if it cannot be used.
pub(super) fn check(file: &OwnMessages, report: &mut Report) -> bool {
    let (place, source) = (&file.place, file.source.as_str());
    let before = report.faults().count();
    let tag = file.tag.parse::<LanguageIdentifier>().map(|tag| tag.to_string()).unwrap_or_default();
    if tag != file.tag {
        let example = if tag.is_empty() { "ja" } else { &tag };
        report.fault(
            place,
            None,
            format!("a message file is called as its language (BCP 47), for example {example}.ftl"),
        );
        return false;
    }
    let resource = match parser::parse(source) {
        Ok(resource) => resource,
        Err((resource, errors)) => {
            for error in errors {
                report.fault(place, line_of(source, error.pos.start), error.kind.to_string());
            }
            resource
        }
    };
    let known = known();
    let line = |name: &str| line_of(source, (name.as_ptr() as usize).saturating_sub(source.as_ptr() as usize));
    let (mut own, mut terms): (BTreeMap<&str, Uses<'_>>, BTreeSet<&str>) = Default::default();
    for entry in &resource.body {
        match entry {
            Entry::Term(term) => drop(terms.insert(term.id.name)),
            Entry::Message(message) => {
                let key = message.id.name;
                let mut uses = Uses::default();
                message.value.iter().for_each(|value| uses.pattern(value));
                if let Some(what) = wrong(message, own.contains_key(key)) {
                    report.fault(place, line(key), what);
                }
                own.entry(key).or_insert(uses);
            }
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) | Entry::Junk { .. } => {}
        }
    }
    for (key, uses) in &own {
        let Some(given) = known.get(key) else {
            let meant = nearest(key, known.keys().copied()).map(|meant| format!("; do you mean {meant}?"));
            report.warn(
                place,
                line(key),
                format!("{key}: nothing says this{} Take it out", meant.unwrap_or(".".into())),
            );
            continue;
        };
        for variable in uses.variables.iter().filter(|variable| !given.contains(*variable)) {
            let there = given.iter().map(|name| format!("${name}")).collect::<Vec<_>>().join(", ");
            let there = if there.is_empty() { "it has none".to_owned() } else { format!("it has {there}") };
            report.fault(place, line(variable), format!("{key}: there is no variable ${variable}; {there}"));
        }
        for other in uses.messages.iter().filter(|other| !known.contains_key(*other) && !own.contains_key(*other)) {
            report.fault(place, line(other), format!("{key}: there is no message {other}"));
        }
        for term in uses.terms.iter().filter(|term| !terms.contains(*term)) {
            report.fault(place, line(term), format!("{key}: this file has no -{term}"));
        }
        for (function, arguments) in &uses.functions {
            match FUNCTIONS.iter().find(|(known, _)| known == function) {
                Some((_, wanted)) if wanted == arguments => {}
                Some((_, wanted)) => {
                    report.fault(place, line(function), format!("{key}: {function} takes {wanted} arguments"))
                }
                None => report.fault(
                    place,
                    line(function),
                    format!("{key}: there is no function {function}; there are JOSA and MINUTES"),
                ),
            }
        }
        if is_circle(key, &own) {
            report.fault(place, line(key), format!("{key}: refers to itself"));
        }
    }
    let built_in = LOCALES.iter().any(|(tag, _)| *tag == file.tag);
    if !built_in {
        missing(&known, &own, place, report);
    }
    let count = own.keys().filter(|key| known.contains_key(*key)).count();
    let new = if built_in { "" } else { "a new language, " };
    report.owns(place, format!("{new}{count} of {} messages", known.len()));
    report.faults().count() == before
}

/// What is wrong with a message by itself.
fn wrong(message: &Message<&str>, twice: bool) -> Option<String> {
    let key = message.id.name;
    if twice {
        return Some(format!("{key}: stands here twice"));
    }
    if message.value.is_none() {
        return Some(format!("{key}: has no text"));
    }
    (!message.attributes.is_empty()).then(|| format!("{key}: has attributes, which nothing says"))
}

/// Notes what a new language lacks.
fn missing(known: &BTreeMap<&str, BTreeSet<&str>>, own: &BTreeMap<&str, Uses<'_>>, place: &str, report: &mut Report) {
    for key in ITS_OWN.iter().filter(|key| !own.contains_key(*key)) {
        report.fault(place, None, format!("{key} is missing: what the language calls itself, and ltr or rtl"));
    }
    let missing: Vec<_> = known.keys().filter(|key| !own.contains_key(*key)).copied().collect();
    if !missing.is_empty() {
        let named = missing.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = missing.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        report.warn(
            place,
            None,
            format!("{} messages are missing, and English stands in for them: {named}{more}", missing.len()),
        );
    }
}

impl<'a> Uses<'a> {
    fn pattern(&mut self, pattern: &Pattern<&'a str>) {
        for element in &pattern.elements {
            if let PatternElement::Placeable { expression } = element {
                self.expression(expression);
            }
        }
    }

    fn expression(&mut self, expression: &Expression<&'a str>) {
        match expression {
            Expression::Inline(inline) => self.inline(inline),
            Expression::Select { selector, variants } => {
                self.inline(selector);
                variants.iter().for_each(|variant| self.pattern(&variant.value));
            }
        }
    }

    fn inline(&mut self, inline: &InlineExpression<&'a str>) {
        match inline {
            InlineExpression::VariableReference { id } => drop(self.variables.insert(id.name)),
            InlineExpression::MessageReference { id, .. } => drop(self.messages.insert(id.name)),
            InlineExpression::TermReference { id, .. } => drop(self.terms.insert(id.name)),
            InlineExpression::FunctionReference { id, arguments } => {
                self.functions.push((id.name, arguments.positional.len()));
                arguments.positional.iter().for_each(|argument| self.inline(argument));
                arguments.named.iter().for_each(|argument| self.inline(&argument.value));
            }
            InlineExpression::Placeable { expression } => self.expression(expression),
            InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => {}
        }
    }
}
