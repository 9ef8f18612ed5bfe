//! Overload: whatever clients do with their connections, others are served meanwhile, and afterwards everything is back.

mod bodies;
mod connections;
mod log_ins;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::harness::{Browser, Process, eventually};

/// Longer than anything here takes; a test that waits so long has failed.
const NEVER: Duration = Duration::from_secs(10);

fn address(server: &Process) -> SocketAddr {
    server.url.strip_prefix("http://").unwrap().parse().unwrap()
}

/// A connection without a client's manners.
struct Raw(TcpStream);

impl Raw {
    async fn open(server: &Process) -> Self {
        Self(TcpStream::connect(address(server)).await.unwrap())
    }

    /// With as little room for what arrives as the system allows.
    async fn with_small_window(server: &Process) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(1024).unwrap();
        Self(socket.connect(address(server)).await.unwrap())
    }

    /// From another address of this machine.
    async fn from(server: &Process, own: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{own}:0").parse().unwrap()).unwrap();
        Self(socket.connect(address(server)).await.unwrap())
    }

    /// Fails when the server has closed it.
    async fn send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.0.write_all(bytes.as_ref()).await
    }

    /// Everything that the server says until it closes.
    async fn rest(&mut self) -> String {
        let mut said = Vec::new();
        // It may be closed with a reset, where it was still being sent to.
        let _ = tokio::time::timeout(NEVER, self.0.read_to_end(&mut said)).await.expect("it was never closed");
        String::from_utf8_lossy(&said).into_owned()
    }

    /// The head of the next answer, whose body is read too.
    async fn answer(&mut self) -> String {
        let head = self.head().await;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        self.0.read_exact(&mut vec![0; length.parse().unwrap()]).await.expect("it was closed within an answer");
        head
    }

    /// The head of the next answer.
    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        let reading = async {
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.0.read_u8().await.expect("it was closed before an answer"));
            }
        };
        tokio::time::timeout(NEVER, reading).await.expect("it was never answered");
        String::from_utf8(head).unwrap()
    }

    /// Whether the server has closed it, or says anything.
    fn is_over(&self) -> bool {
        let mut byte = [0];
        !matches!(self.0.try_read(&mut byte), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

/// A JSON log-in, as bytes.
fn log_in(username: &str, password: &str) -> String {
    post_login("application/json", &serde_json::json!({ "username": username, "password": password }).to_string())
}

fn post_login(kind: &str, body: &str) -> String {
    format!("{}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", HEAD, body.len())
}

const HEAD: &str = "POST /user/login HTTP/1.1\r\nHost: localhost\r\n";
const GET: &str = "GET /user/login HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// All descriptors that a process holds.
fn open_files(server: &Process) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count()
}

/// What a process holds; of its descriptors those that are not the database's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Vitals {
    descriptors: usize,
    threads: u64,
    resident: u64,
}

impl Vitals {
    fn of(server: &Process) -> Self {
        let proc = format!("/proc/{}", server.id());
        let status = std::fs::read_to_string(format!("{proc}/status")).unwrap();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        // SQLite opens its log for each of its threads when that thread first reads.
        let of_the_database = |path: std::path::PathBuf| path.to_string_lossy().contains("munjigi.db");
        let links = std::fs::read_dir(format!("{proc}/fd")).unwrap().flatten();
        let targets = links.filter_map(|link| std::fs::read_link(link.path()).ok());
        let descriptors = targets.filter(|target| !of_the_database(target.clone())).count();
        Self { descriptors, threads: number("Threads:"), resident: number("VmRSS:") }
    }

    /// Before anything was done to it, but after it has done everything once.
    async fn at_rest(server: &Process) -> (Self, Browser) {
        let mut visitor = server.browser();
        visitor.register("visitor").await.expect(201);
        is_served(&visitor, server).await;
        // The visitor's own connection is kept by the client, and closed by the server after its timeout.
        eventually("the server closes what is idle", || async { !has_connections(server) }).await;
        (Self::of(server), visitor)
    }

    /// Descriptors and threads are as many as before, and no more than 64 MiB were added.
    async fn are_back(self, server: &Process) {
        let mut now = Self::of(server);
        let waiting = async {
            while now.descriptors > self.descriptors || now.threads > self.threads {
                tokio::time::sleep(Duration::from_millis(10)).await;
                now = Self::of(server);
            }
        };
        let waited = tokio::time::timeout(NEVER, waiting).await;
        assert!(waited.is_ok() && now.resident < self.resident + 64 * 1024, "{self:?} before, {now:?} after");
    }
}

/// Whether the process has sockets besides the one it listens at.
fn has_connections(server: &Process) -> bool {
    let port = format!(":{:04X}", address(server).port());
    let table = std::fs::read_to_string(format!("/proc/{}/net/tcp", server.id())).unwrap();
    // Columns: number, local address, remote address, state (01: established, 08: closed by the other side).
    table.lines().skip(1).any(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        columns[1].ends_with(&port) && matches!(columns[3], "01" | "08")
    })
}

/// Somebody who is signed in gets an answer, over a connection of their own, and so does somebody who logs in.
async fn is_served(visitor: &Browser, server: &Process) {
    let serving = async {
        let info = visitor.clone().at(server).get_json("/user/info").await.expect(200).json();
        assert_eq!(info["loggedIn"], true);
        server.browser().log_in("visitor").await.expect(200);
    };
    tokio::time::timeout(NEVER, serving).await.expect("others are not served");
}
