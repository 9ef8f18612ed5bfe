//! One JSON object a line.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::bounded::{Line, read_line};
use super::{
    CREATED_AT, ENABLED, HASH, ImportError, MOST_RECORD, Malformed, NAME, Record, Records, Row, USERNAME, fold,
};

pub(super) struct JsonLines<R> {
    input: R,
    line: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> JsonLines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: 0, buffer: Vec::new() }
    }
}

impl<R: BufRead> Records for JsonLines<R> {
    fn next(&mut self) -> Result<Option<Row>, ImportError> {
        loop {
            self.line += 1;
            let record = match read_line(&mut self.input, &mut self.buffer, MOST_RECORD)? {
                Line::End => return Ok(None),
                Line::TooLong => Err(Malformed::TooLong),
                Line::Whole if self.buffer.trim_ascii().is_empty() => continue,
                Line::Whole => record(&self.buffer),
            };
            return Ok(Some(Row { line: self.line, record }));
        }
    }
}

fn record(line: &[u8]) -> Result<Record, Malformed> {
    let text = std::str::from_utf8(line).map_err(|_| Malformed::Encoding)?;
    let members: Map<String, Value> = serde_json::from_str(text).map_err(|_| Malformed::Json)?;
    let find = |known: &[&str]| {
        known.iter().find_map(|known| members.iter().find(|(name, _)| fold(name) == *known).map(|(name, _)| name))
    };
    let value = |name: Option<&String>| match name.and_then(|name| members.get(name)) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        // A username may be made of digits alone, and written as a number.
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(value.to_string())),
        Some(_) => Err(Malformed::Json),
    };
    let username = find(USERNAME);
    Ok(Record {
        username: value(username)?,
        name: value(find(NAME))?,
        hash: value(find(HASH))?,
        id: value(find(&["id"]).filter(|id| Some(*id) != username))?,
        enabled: value(find(ENABLED))?,
        created_at: value(find(CREATED_AT))?,
    })
}
