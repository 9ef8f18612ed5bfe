//! Comma-separated values (RFC 4180), the first line names the columns.

use std::io::BufRead;

use csv_core::{ReadRecordResult, Reader};

use super::{Columns, ImportError, MOST_RECORD, Malformed, Records, Row};

/// Most columns of a file.
const MOST_COLUMNS: usize = 256;

pub(super) struct Csv<R> {
    columns: Columns,
    lines: Lines<R>,
}

/// Records of texts.
struct Lines<R> {
    input: R,
    reader: Reader,
    output: Vec<u8>,
    ends: Vec<usize>,
    last: u8,
}

/// What was read: `Some` number of fields, or `None` where it was too long.
type Fields = Option<usize>;

impl<R: BufRead> Csv<R> {
    pub(super) fn open(input: R) -> Result<Self, ImportError> {
        let (output, ends) = (vec![0; MOST_RECORD], vec![0; MOST_COLUMNS]);
        let mut lines = Lines { input, reader: Reader::new(), output, ends, last: b'\n' };
        let header = lines.next()?.and_then(|(line, fields)| Some((line, fields?)));
        let (line, fields) = header.unwrap_or((1, 0));
        let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
        let names: Vec<String> = lines.fields(fields).map(text).collect();
        Ok(Self { columns: Columns::of(&names, line)?, lines })
    }
}

impl<R: BufRead> Records for Csv<R> {
    fn next(&mut self) -> Result<Option<Row>, ImportError> {
        let Some((line, fields)) = self.lines.next()? else { return Ok(None) };
        let record = match fields {
            None => Err(Malformed::TooLong),
            Some(count) => {
                let values: Vec<_> = self.lines.fields(count).map(Some).collect();
                self.columns.record(&values)
            }
        };
        Ok(Some(Row { line, record }))
    }
}

impl<R: BufRead> Lines<R> {
    /// The next record, and the line on which it begins.
    fn next(&mut self) -> Result<Option<(u64, Fields)>, ImportError> {
        // Empty lines before it are the reader's to skip; it counts them as it reads.
        let (mut line, mut begun, mut fits) = (self.reader.line(), false, true);
        let (mut written, mut ended) = (0, 0);
        loop {
            let input = self.input.fill_buf()?;
            if !begun {
                line = self.reader.line() + leading_ends(input);
            }
            let (output, ends) =
                (self.output.get_mut(written..).unwrap_or_default(), self.ends.get_mut(ended..).unwrap_or_default());
            let (result, used, wrote, closed) = self.reader.read_record(input, output, ends);
            let taken = input.get(..used).unwrap_or_default();
            begun |= !taken.iter().all(|byte| matches!(byte, b'\n' | b'\r'));
            // Of MySQL's own CSV, where it stands for a quote: what somebody typed behind it would be read as further users.
            let two_ways = std::iter::once(&self.last).chain(taken).zip(taken).any(|pair| pair == (&b'\\', &b'"'));
            self.last = taken.last().copied().unwrap_or(self.last);
            self.input.consume(used);
            if two_ways {
                return Err(ImportError::Escape { line });
            }
            (written, ended) = (written + wrote, ended + closed);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    (written, ended, fits) = (0, 0, false);
                }
                ReadRecordResult::Record => return Ok(Some((line, fits.then_some(ended)))),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    fn fields(&self, count: usize) -> impl Iterator<Item = &[u8]> {
        let ends = self.ends.get(..count).unwrap_or_default();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(ends).map(|(start, end)| self.output.get(start..*end).unwrap_or_default())
    }
}

/// Empty lines that a reader passes over before a record.
fn leading_ends(input: &[u8]) -> u64 {
    input.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).filter(|byte| **byte == b'\n').count() as u64
}
