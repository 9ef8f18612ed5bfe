//! Something between a visitor and the server that does to what passes whatever a test wants: the faults of all proxies in one.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

type Change = dyn Fn(String) -> String + Send + Sync;

/// Listens for as long as the tests run.
pub(super) struct Middle {
    pub(super) url: String,
}

/// The head as it came.
pub(super) fn untouched(head: String) -> String {
    head
}

/// Without the lines of these headers.
pub(super) fn without(names: &'static [&'static str]) -> impl Fn(String) -> String + Send + Sync {
    move |head| lines(&head, |line| (!names.iter().any(|name| begins(line, name))).then(|| line.to_owned()))
}

/// With this line instead of those of its header.
pub(super) fn with(line: &'static str) -> impl Fn(String) -> String + Send + Sync {
    let name = line.split(':').next().unwrap();
    move |head| {
        let rest = lines(&head, |other| (!begins(other, name)).then(|| other.to_owned()));
        rest.replacen("\r\n", &format!("\r\n{line}\r\n"), 1)
    }
}

/// With another text in the place of this one.
pub(super) fn replacing(old: &'static str, new: &'static str) -> impl Fn(String) -> String + Send + Sync {
    move |head| head.replace(old, new)
}

pub(super) fn begins(line: &str, name: &str) -> bool {
    line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
}

pub(super) fn lines(head: &str, mut change: impl FnMut(&str) -> Option<String>) -> String {
    head.split("\r\n")
        .filter_map(|line| if line.is_empty() { Some(String::new()) } else { change(line) })
        .collect::<Vec<_>>()
        .join("\r\n")
}

impl Middle {
    /// Before the server on this port: changes the head of each question and of each answer.
    pub(super) fn before(
        port: u16,
        question: impl Fn(String) -> String + Send + Sync + 'static,
        answer: impl Fn(String) -> String + Send + Sync + 'static,
    ) -> Self {
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        let (question, answer): (Arc<Change>, Arc<Change>) = (Arc::new(question), Arc::new(answer));
        Self::listening(move |visitor| {
            let question = Arc::clone(&question);
            let answer = Arc::clone(&answer);
            let head = question(head_of(&mut &visitor));
            let mut there = TcpStream::connect(server).unwrap();
            there.write_all(with("Connection: close")(head).as_bytes()).unwrap();
            let mut whole = Vec::new();
            there.read_to_end(&mut whole).unwrap();
            let text = String::from_utf8(whole).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let _ = (&visitor).write_all(format!("{}{body}", answer(format!("{head}\r\n\r\n"))).as_bytes());
        })
    }

    /// In the place of a server: always this answer.
    pub(super) fn saying(answer: &'static str) -> Self {
        Self::listening(move |visitor| {
            head_of(&mut &visitor);
            let _ = (&visitor).write_all(answer.as_bytes());
        })
    }

    /// A cache that keeps whatever it once got.
    pub(super) fn caching(port: u16) -> Self {
        let behind = Self::before(port, untouched, untouched);
        let server = behind.url.replace("http://", "");
        let kept = std::sync::OnceLock::new();
        Self::listening(move |visitor| {
            let head = head_of(&mut &visitor);
            let answer = kept.get_or_init(|| {
                let mut there = TcpStream::connect(&server).unwrap();
                there.write_all(head.as_bytes()).unwrap();
                let mut whole = Vec::new();
                there.read_to_end(&mut whole).unwrap();
                whole
            });
            let _ = (&visitor).write_all(answer);
        })
    }

    fn listening(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        std::thread::spawn(move || listener.incoming().for_each(|visitor| serve(visitor.unwrap())));
        Self { url }
    }
}

/// A question without a body.
fn head_of(visitor: &mut impl std::io::Read) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && visitor.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}
