//! A connection to the real server, byte by byte.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than any answer takes; a server that neither answers nor hangs up is noticed by it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asked last on each connection, so that it is known which answers came before.
const LAST: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// What was heard.
#[derive(Debug)]
pub(super) struct Heard {
    /// All of it.
    pub(super) text: String,
    /// The status of each answer, but for the one to [`LAST`].
    pub(super) answers: Vec<u16>,
    /// The server hung up before it was asked for the last time.
    pub(super) hung_up: bool,
}

/// Sends this, hears the first answer, asks for the last time, and hears the rest.
pub(super) fn exchange(url: &str, bytes: &[u8]) -> Heard {
    let mut connection = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    // The server may hang up before it has all of it.
    let _ = connection.write_all(bytes);
    let mut heard = Vec::new();
    let mut buffer = [0; 65_536];
    let mut ended = false;
    while !ended && !is_answer(&heard) {
        match connection.read(&mut buffer) {
            Ok(0) | Err(_) => ended = true,
            Ok(count) => heard.extend_from_slice(&buffer[..count]),
        }
    }
    let last = !ended && connection.write_all(LAST.as_bytes()).is_ok();
    let first = statuses(&heard).len();
    let _ = connection.read_to_end(&mut heard);
    let mut answers = statuses(&heard);
    // Whoever closes after an answer may do so while we ask.
    let answered = last && answers.len() > first && String::from_utf8_lossy(&heard).contains("{\"status\":\"ok\"}");
    if answered {
        answers.pop();
    }
    Heard { text: String::from_utf8_lossy(&heard).into_owned(), answers, hung_up: !answered }
}

/// Whether there is a whole answer.
fn is_answer(heard: &[u8]) -> bool {
    let text = String::from_utf8_lossy(heard);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn statuses(heard: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(heard);
    let answers = text.split("HTTP/1.1 ").skip(1).chain(text.split("HTTP/1.0 ").skip(1));
    answers.filter_map(|answer| answer.get(..3)?.parse().ok()).collect()
}
