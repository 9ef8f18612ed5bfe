//! A private Redis server.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// A `redis-server` that ends with the value, or the one that `MUNJIGI_TEST_REDIS_URL` names.
pub(crate) struct Server {
    pub(crate) url: String,
    child: Option<Running>,
}

struct Running {
    process: Child,
    /// Kept open, so that the server can go on to log.
    _log: BufReader<ChildStdout>,
    _directory: TempDir,
}

impl Server {
    /// For tests that share a server well: random ids keep them apart.
    pub(crate) fn start() -> Self {
        match std::env::var_os("MUNJIGI_TEST_REDIS_URL") {
            Some(url) => Self { url: url.into_string().unwrap(), child: None },
            None => Self::private(),
        }
    }

    /// For tests that hurt it.
    pub(crate) fn private() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("redis.sock").display().to_string();
        let child = run(&["--port", "0", "--unixsocket", &socket], directory);
        Self { url: format!("unix://{socket}"), child: Some(child) }
    }

    /// For tests that stop it and start another in its place.
    pub(crate) fn on_port(port: u16) -> Self {
        let child = run(&["--port", &port.to_string(), "--bind", "127.0.0.1"], tempfile::tempdir().unwrap());
        Self { url: format!("redis://127.0.0.1:{port}/"), child: Some(child) }
    }

    /// Of a private server.
    pub(crate) fn process_id(&self) -> Option<u32> {
        self.child.as_ref().map(|child| child.process.id())
    }

    /// A plain connection, to look behind the store.
    pub(crate) async fn raw(&self) -> redis::aio::MultiplexedConnection {
        redis::Client::open(self.url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(Running { process, .. }) = &mut self.child {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn run(arguments: &[&str], directory: TempDir) -> Running {
    let mut process = Command::new("redis-server")
        .args(arguments)
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("redis-server is not on PATH: install it (Debian: the package `redis-server`)");
    let mut log = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("eady to accept connections") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "redis-server ended at once");
    }
    Running { process, _log: log, _directory: directory }
}
