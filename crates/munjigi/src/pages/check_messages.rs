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
/// What keys begin with that only templates of one's own say.
const FOR_ONES_OWN: &str = "own-";
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

/// Looks at a file. The keys of messages for templates of one's own in it; `None` if it cannot be used.
pub(super) fn check(file: &OwnMessages, report: &mut Report) -> Option<Vec<String>> {
    let (place, source) = (&file.place, file.source.as_str());
    let before = report.faults().count();
    let tag = file.tag.parse::<LanguageIdentifier>().map(|tag| tag.to_string()).unwrap_or_default();
    if tag != file.tag {
        let example = if tag.is_empty() { "ja" } else { &tag };
        let what = format!("a message file is called as its language (BCP 47), for example {example}.ftl");
        report.fault(place, None, what);
        return None;
    }
    let known = known();
    let (own, terms) = read(place, source, report);
    for (key, uses) in &own {
        let mut fault = |at: &str, what: String| report.fault(place, line(source, at), format!("{key}: {what}"));
        match known.get(key) {
            Some(given) => {
                for variable in uses.variables.iter().filter(|variable| !given.contains(*variable)) {
                    let there: Vec<_> = given.iter().map(|name| format!("${name}")).collect();
                    let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
                    fault(variable, format!("there is no variable ${variable}; there is {there}"));
                }
            }
            None if key.starts_with(FOR_ONES_OWN) => {}
            None => {
                let meant = nearest(key, known.keys().copied()).map(|meant| format!("; do you mean {meant}?"));
                let what = format!("{key}: nothing says this{} Take it out", meant.unwrap_or_else(|| ".".to_owned()));
                report.warn(place, line(source, key), what);
                continue;
            }
        }
        for other in uses.messages.iter().filter(|other| !known.contains_key(*other) && !own.contains_key(*other)) {
            fault(other, format!("there is no message {other}"));
        }
        for term in uses.terms.iter().filter(|term| !terms.contains(*term)) {
            fault(term, format!("this file has no -{term}"));
        }
        for (function, arguments) in &uses.functions {
            match FUNCTIONS.iter().find(|(known, _)| known == function) {
                Some((_, wanted)) if wanted == arguments => {}
                Some((_, wanted)) => fault(function, format!("{function} takes {wanted} arguments")),
                None => fault(function, format!("there is no function {function}; there are JOSA and MINUTES")),
            }
        }
        if is_circle(key, &own) {
            fault(key, "refers to itself".to_owned());
        }
    }
    let built_in = LOCALES.iter().any(|(tag, _)| *tag == file.tag);
    if !built_in {
        missing(&known, &own, place, report);
    }
    let count = own.keys().filter(|key| known.contains_key(*key)).count();
    let new = if built_in { "" } else { "a new language, " };
    report.owns(place, format!("{new}{count} of {} messages", known.len()));
    let for_ones_own = own.keys().filter(|key| key.starts_with(FOR_ONES_OWN));
    (report.faults().count() == before).then(|| for_ones_own.map(|key| (*key).to_owned()).collect())
}

/// The messages of a file, and the names of its terms.
fn read<'a>(place: &str, source: &'a str, report: &mut Report) -> (BTreeMap<&'a str, Uses<'a>>, BTreeSet<&'a str>) {
    let resource = parser::parse(source).unwrap_or_else(|(resource, errors)| {
        for error in errors {
            report.fault(place, line_of(source, error.pos.start), error.kind.to_string());
        }
        resource
    });
    let (mut own, mut terms) = (BTreeMap::new(), BTreeSet::new());
    for entry in &resource.body {
        match entry {
            Entry::Term(term) => drop(terms.insert(term.id.name)),
            Entry::Message(message) => {
                let key = message.id.name;
                let mut uses = Uses::default();
                message.value.iter().for_each(|value| uses.pattern(value));
                if let Some(what) = wrong(message, own.contains_key(key)) {
                    report.fault(place, line(source, key), what);
                }
                own.entry(key).or_insert(uses);
            }
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) | Entry::Junk { .. } => {}
        }
    }
    (own, terms)
}

/// The line of a name that was read from `source`: it is a part of it.
fn line(source: &str, name: &str) -> Option<usize> {
    line_of(source, (name.as_ptr() as usize).checked_sub(source.as_ptr() as usize)?)
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
