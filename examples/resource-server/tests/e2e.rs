//! The example and the real server, as two programs. `cargo build -p munjigi` makes the server, if nothing else has.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it has seen")]

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::json;
use tempfile::TempDir;

/// A program; ends with the test.
struct Running {
    child: Child,
    /// What it said first.
    greeting: String,
    /// A program whose output nobody takes ends when it says more.
    _said: BufReader<ChildStdout>,
}

impl Running {
    /// Starts it, and waits until it says this.
    fn start(command: &mut Command, awaited: &str) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains(awaited) {
            assert_ne!(said.read_line(&mut greeting).unwrap(), 0, "it ended: {greeting}");
        }
        Self { child, greeting, _said: said }
    }

    fn kill(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// A Munjigi server in a folder of its own, always at the same address.
struct Munjigi {
    dir: TempDir,
    url: String,
    listen: String,
}

impl Munjigi {
    fn new() -> Self {
        // Free a moment ago; a restart needs the same one.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (url, listen) = (format!("http://localhost:{port}"), format!("127.0.0.1:{port}"));
        Self { dir: tempfile::tempdir().unwrap(), url, listen }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_resource-server")).with_file_name("munjigi");
        assert!(program.exists(), "there is no {}: cargo build -p munjigi", program.display());
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.dir.path()).env_clear().stderr(Stdio::null());
        command.env("MUNJIGI_SERVER__LISTEN", &self.listen).env("MUNJIGI_PASSWORDS__ARGON2_MEMORY", "64KiB");
        command
    }

    fn serve(&self) -> Running {
        Running::start(&mut self.command(&["serve"]), "listens on")
    }

    fn feed_token(&self) -> String {
        let output = self.command(&["secret", "feed-token"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Registers somebody; returns the cookies.
    async fn registered(&self, username: &str) -> Vec<(String, String)> {
        let password = "blue kettle, seven spoons";
        let form = json!({ "username": username, "password": password, "confirmPassword": password, "name": "김미나" });
        let answer = Client::new().post(format!("{}/user/register", self.url)).json(&form).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let lines = answer.headers().get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
        let pairs = lines.map(|line| line.split(';').next().unwrap().split_once('=').unwrap());
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    async fn log_out(&self, access: &str) {
        let logout = Client::new().post(format!("{}/user/logout", self.url)).bearer_auth(access);
        assert_eq!(logout.send().await.unwrap().status(), 200);
    }
}

fn access(cookies: &[(String, String)]) -> &str {
    cookies.iter().find_map(|(name, value)| (name == "accessToken").then_some(value.as_str())).unwrap()
}

/// The example.
struct Resource(Running);

impl Resource {
    fn command(issuer: &str, feed_token: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_resource-server"));
        command.args([issuer, "127.0.0.1:0"]).env_clear().env("FEED_TOKEN", feed_token);
        command
    }

    fn start(issuer: &str, feed_token: &str) -> Self {
        Self(Running::start(&mut Self::command(issuer, feed_token), "listens on"))
    }

    fn url(&self) -> &str {
        self.0.greeting.trim().strip_prefix("listens on ").unwrap()
    }

    async fn status(&self, method: Method, path: &str, token: &str) -> u16 {
        let request = Client::new().request(method, format!("{}{path}", self.url())).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    }

    /// Asks until it answers so, and says how long that took.
    async fn until(&self, token: &str, expected: u16, what: &str) {
        let begun = Instant::now();
        let asking = async {
            while self.status(Method::GET, "/notes", token).await != expected {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(60), asking).await.is_ok(), "never {expected}: {what}");
        println!("{what}: {expected} after {} ms", begun.elapsed().as_millis());
    }
}

#[tokio::test]
async fn a_service_elsewhere_learns_of_a_log_out_and_survives_the_server() {
    let munjigi = Munjigi::new();
    let mut server = munjigi.serve();
    let resource = Resource::start(&munjigi.url, &munjigi.feed_token());
    let (mina, zoe) = (munjigi.registered("mina").await, munjigi.registered("zoe.").await);
    let (mina, zoe_access) = (access(&mina), access(&zoe));

    for token in [mina, zoe_access] {
        assert_eq!(resource.status(Method::GET, "/notes", token).await, 200);
        assert_eq!(resource.status(Method::POST, "/transfer", token).await, 200);
    }
    assert_eq!(resource.status(Method::GET, "/notes", "rubbish").await, 401);
    assert_eq!(Client::new().get(format!("{}/notes", resource.url())).send().await.unwrap().status(), 401);
    let cookies: Vec<_> = zoe.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let by_cookie = Client::new().get(format!("{}/notes", resource.url())).header("cookie", cookies.join("; "));
    assert_eq!(by_cookie.send().await.unwrap().text().await.unwrap(), "김미나, these are your notes.");

    munjigi.log_out(mina).await;
    resource.until(mina, 401, "a log-out").await;
    assert_eq!(resource.status(Method::GET, "/notes", zoe_access).await, 200);

    server.kill();
    resource.until(zoe_access, 503, "the server was killed").await;
    let mut server = munjigi.serve();
    resource.until(zoe_access, 200, "the server was started again").await;
    assert_eq!(resource.status(Method::GET, "/notes", mina).await, 401, "what had ended is told again");
    munjigi.log_out(zoe_access).await;
    resource.until(zoe_access, 401, "a log-out after that").await;
    server.kill();
}

#[tokio::test]
async fn a_wrong_feed_token_is_said_at_the_start() {
    let munjigi = Munjigi::new();
    let _server = munjigi.serve();
    let refused = Resource::command(&munjigi.url, "munjigi-feed-wrong").output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("munjigi secret feed-token"), "{said}");
    assert!(!said.contains("munjigi-feed-wrong"), "{said}");
    let other =
        Resource::command(&munjigi.url.replace("localhost", "127.0.0.1"), &munjigi.feed_token()).output().unwrap();
    let said = String::from_utf8(other.stderr).unwrap();
    assert!(!other.status.success() && said.contains("tokens.issuer"), "{said}");
}
