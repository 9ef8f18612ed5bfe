//! Files of users from elsewhere: whatever is in them, reading comes to its end, takes a bounded amount, and does not depend on the
//! pieces in which the system hands the file out.

use std::io::BufReader;

use munjigi::import::{self, Format, MOST_RECORD};

/// What a reader makes of a file, in words.
fn read(file: &[u8], format: Option<Format>, piece: usize) -> Vec<String> {
    let mut said = Vec::new();
    let mut records = match import::open(BufReader::with_capacity(piece, file), format, "users") {
        Ok((_, records)) => records,
        Err(error) => return vec![error.to_string()],
    };
    let mut last = 0;
    loop {
        match records.next() {
            Ok(None) => return said,
            Err(error) => {
                said.push(error.to_string());
                return said;
            }
            Ok(Some(row)) => {
                assert!(row.line >= last && row.line <= file.len() as u64 + 1, "line {} after {last}", row.line);
                last = row.line;
                said.push(match row.record {
                    Err(why) => format!("{last}: {why}"),
                    Ok(record) => {
                        let members = [
                            &record.username,
                            &record.name,
                            &record.hash,
                            &record.id,
                            &record.enabled,
                            &record.created_at,
                        ];
                        let bytes: usize = members.iter().filter_map(|member| member.as_ref().map(String::len)).sum();
                        assert!(bytes <= 2 * MOST_RECORD, "{bytes} bytes of one user");
                        format!("{last}: {members:?}")
                    }
                });
                assert!(said.len() <= file.len(), "more users than bytes");
            }
        }
    }
}

pub(super) fn holds(data: &[u8]) {
    let Some((kind, file)) = data.split_first() else { return };
    let format = match kind {
        b'c' => Some(Format::Csv),
        b'j' => Some(Format::JsonLines),
        b's' => Some(Format::Mysqldump),
        // Recognised by how it begins, for which a piece must be large enough.
        _ => {
            let _ = read(file, None, 8192);
            return;
        }
    };
    // No mark at the beginning, which is looked for in the first piece.
    if !file.starts_with(b"\xef") {
        assert_eq!(read(file, format, 8192), read(file, format, 1), "in one piece, and byte by byte");
    }
}
