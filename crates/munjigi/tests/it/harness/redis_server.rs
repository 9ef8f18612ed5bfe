//! A Redis server of a test's own.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// A `redis-server` that ends with the value, or the one that `MUNJIGI_TEST_REDIS_URL` names.
pub(crate) struct RedisServer {
    pub(crate) url: String,
    port: u16,
    directory: TempDir,
    running: Option<Running>,
}

struct Running {
    process: Child,
    /// Kept open, so that the server can go on to log.
    _log: BufReader<ChildStdout>,
}

impl RedisServer {
    /// For tests that share a server well: random ids keep them apart.
    pub(crate) fn shared() -> Self {
        match std::env::var_os("MUNJIGI_TEST_REDIS_URL") {
            Some(url) => {
                let url = url.into_string().unwrap();
                Self { url, port: 0, directory: tempfile::tempdir().unwrap(), running: None }
            }
            None => Self::private(),
        }
    }

    /// For tests that hurt it, or look at everything in it. Every write is on the disk before it is answered.
    pub(crate) fn private() -> Self {
        let directory = tempfile::tempdir().unwrap();
        loop {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            // Somebody else may take the port in between; then there is another one.
            if let Some(running) = start(port, &directory, &[]) {
                return Self { url: format!("redis://127.0.0.1:{port}"), port, directory, running: Some(running) };
            }
        }
    }

    /// A command to it.
    pub(crate) async fn tell(&self, command: &str) {
        let mut words = command.split(' ');
        let mut told = redis::cmd(words.next().unwrap());
        for word in words {
            told.arg(word);
        }
        let () = told.query_async(&mut self.raw().await).await.unwrap();
    }

    /// One that is spoken to by TLS alone, as `localhost`, with a certificate of the authority in `tls/ca.pem`.
    pub(crate) fn by_tls() -> Self {
        let directory = tempfile::tempdir().unwrap();
        loop {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let tls = format!(
                "--tls-port {port} --tls-cert-file {} --tls-key-file {} --tls-ca-cert-file {} --tls-auth-clients no",
                tls("server.pem"),
                tls("server.key"),
                tls("ca.pem"),
            );
            if let Some(running) = start(0, &directory, &tls.split(' ').collect::<Vec<_>>()) {
                return Self { url: format!("rediss://localhost:{port}"), port, directory, running: Some(running) };
            }
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        let mut running = self.running.take().expect("a private server");
        running.process.kill().unwrap();
        running.process.wait().unwrap();
    }

    /// Again, on the same port, with what it had kept.
    pub(crate) fn restart(&mut self) {
        self.running = Some(start(self.port, &self.directory, &[]).expect("the port is free again"));
    }

    /// A plain connection, to look behind the server's back.
    pub(crate) async fn raw(&self) -> redis::aio::MultiplexedConnection {
        redis::Client::open(self.url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap()
    }

    /// Every key and value there is, as bytes.
    pub(crate) async fn contents(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut raw = self.raw().await;
        let mut contents = Vec::new();
        for key in self.keys().await {
            let dump: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(&mut raw).await.unwrap();
            contents.push((key, dump));
        }
        contents
    }

    pub(crate) async fn keys(&self) -> Vec<Vec<u8>> {
        redis::cmd("KEYS").arg("*").query_async(&mut self.raw().await).await.unwrap()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.kill();
        }
    }
}

/// A file of the certificates that are only for tests.
pub(crate) fn tls(name: &str) -> String {
    format!("{}/tests/it/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn start(port: u16, directory: &TempDir, more: &[&str]) -> Option<Running> {
    let mut process = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .args(more)
        .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
        .arg(directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("redis-server is not on PATH: install it (Debian: the package `redis-server`)");
    let mut log = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("eady to accept connections") {
        line.clear();
        if log.read_line(&mut line).unwrap() == 0 {
            process.wait().unwrap();
            return None;
        }
    }
    Some(Running { process, _log: log })
}
