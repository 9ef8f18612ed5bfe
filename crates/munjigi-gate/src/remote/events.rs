//! Server-sent events, as they are parsed (HTML standard, section 9.2.6), with a bound on what one may hold.

/// One event has at most so many bytes, and so has one line.
pub(super) const MOST_EVENT: usize = 1 << 20;
/// An id is at most so long; a longer one is as none.
const MOST_ID: usize = 256;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: String,
    /// The id of this event, or of the last one that had one.
    pub(super) id: Option<String>,
}

/// What cannot be a stream of events, or not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("an event of more than 1 MiB")]
    TooLong,
    #[error("an event that is no UTF-8")]
    NoText,
}

/// Puts lines and events together from what comes.
#[derive(Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    name: String,
    data: String,
    id: Option<String>,
    /// The last byte was a CR, so that a LF belongs to it.
    after_cr: bool,
    /// Something has come: no byte order mark follows.
    begun: bool,
}

impl Parser {
    /// Takes what came, and adds the events that it completes.
    pub(super) fn take(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), Malformed> {
        for byte in bytes {
            let after_cr = std::mem::replace(&mut self.after_cr, *byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => {
                    events.extend(self.end_line()?);
                    self.line.clear();
                }
                _ if self.line.len() + self.data.len() >= MOST_EVENT => return Err(Malformed::TooLong),
                byte => self.line.push(*byte),
            }
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<Event>, Malformed> {
        let mut line = std::str::from_utf8(&self.line).map_err(|_| Malformed::NoText)?;
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            let (name, mut data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
            return Ok(data.pop().map(|_| Event { name, data, id: self.id.clone() }));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.id = (value.len() <= MOST_ID).then(|| value.to_owned()),
            // Comments, `retry`, and what is not known.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(pieces: &[&[u8]]) -> Result<Vec<Event>, Malformed> {
        let (mut parser, mut events) = (Parser::default(), Vec::new());
        pieces.iter().try_for_each(|piece| parser.take(piece, &mut events))?;
        Ok(events)
    }

    fn event(name: &str, data: &str, id: Option<&str>) -> Event {
        Event { name: name.to_owned(), data: data.to_owned(), id: id.map(str::to_owned) }
    }

    #[test]
    fn events_are_put_together_as_the_standard_has_it() {
        for (text, expected) in [
            ("event: a\nid: 1\ndata: x\n\n", vec![event("a", "x", Some("1"))]),
            ("\u{feff}data:x\r\n\r\ndata: y\r\r", vec![event("", "x", None), event("", "y", None)]),
            ("data: x\ndata:  y\n\n", vec![event("", "x\n y", None)]),
            (": comment\nretry: 5\nnothing\ndata\n\n", vec![event("", "", None)]),
            ("event: a\n\ndata: x\n\n", vec![event("", "x", None)]),
            ("id: 1\ndata: x\n\ndata: y\n\n", vec![event("", "x", Some("1")), event("", "y", Some("1"))]),
            ("id: 1\nid: \0\ndata: x\n\n", vec![event("", "x", Some("1"))]),
            ("data: not ended\n", vec![]),
        ] {
            assert_eq!(parse(&[text.as_bytes()]), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn nothing_grows_without_bound() {
        let long = vec![b'x'; MOST_EVENT + 1];
        assert_eq!(parse(&[&long]), Err(Malformed::TooLong));
        assert_eq!(parse(&[b": ", &long]), Err(Malformed::TooLong));
        let lines: Vec<&[u8]> = std::iter::repeat_n(&b"data: 0123456789abcdef\n"[..], MOST_EVENT / 16).collect();
        assert_eq!(parse(&lines), Err(Malformed::TooLong));
        // Empty lines of data count as what they add.
        let lines: Vec<&[u8]> = std::iter::repeat_n(&b"data:\n"[..], MOST_EVENT + 8).collect();
        assert_eq!(parse(&lines), Err(Malformed::TooLong));
        let id = format!("id: {}\ndata: x\n\n", "9".repeat(MOST_ID + 1));
        assert_eq!(parse(&[id.as_bytes()]), Ok(vec![event("", "x", None)]));
        assert_eq!(parse(&[b"data: \xff\n\n"]), Err(Malformed::NoText));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_it_comes_in(text in "(data|id|event|:|\r|\n|x|é|: |\u{feff}){0,40}", cut in 0usize..200) {
            let bytes = text.as_bytes();
            let (head, tail) = bytes.split_at(cut.min(bytes.len()));
            let whole = parse(&[bytes]);
            prop_assert_eq!(&parse(&[head, tail]), &whole);
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(&parse(&single), &whole);
        }
    }
}
