//! The real program, in a folder of its own.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal};
use serde_json::Value;
use tempfile::TempDir;

use super::browser::Door;
use super::{Browser, RedisServer};

/// A folder with data and settings, in which the program is run; nothing of the environment of the tests reaches it.
pub(crate) struct Place {
    dir: TempDir,
    variables: Vec<(String, String)>,
    open_files: Option<u32>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), variables: Vec::new(), open_files: None }
            .set("server.data_dir", "data")
            .set("server.listen", "127.0.0.1:0")
            // Fixed, because tokens name it and a restart may listen on another port.
            .set("server.public_url", "http://localhost:3999")
            .set("passwords.argon2_memory", "64KiB")
            .set("passwords.argon2_passes", "1")
    }

    /// With sessions in this Redis.
    pub(crate) fn on(redis: &RedisServer) -> Self {
        Self::new().set("store.redis_url", &redis.url).set("server.secret", "a secret that is only for these tests")
    }

    /// With this setting, by the environment.
    pub(crate) fn set(self, key: &str, value: &str) -> Self {
        let (section, name) = key.split_once('.').unwrap();
        let variable = format!("MUNJIGI_{}__{}", section.to_uppercase(), name.to_uppercase());
        self.variable(&variable, value)
    }

    /// With this variable in the environment.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without any setting for `key`.
    pub(crate) fn unset(mut self, key: &str) -> Self {
        let name = format!("MUNJIGI_{}", key.replace('.', "__").to_uppercase());
        self.variables.retain(|(known, _)| *known != name);
        self
    }

    /// With no more open files than these, and no way to more.
    pub(crate) fn open_files(self, most: u32) -> Self {
        Self { open_files: Some(most), ..self }
    }

    /// With this file.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.dir.path().join(name), text).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_munjigi");
        let mut command = Command::new(if self.open_files.is_some() { "/bin/sh" } else { program });
        if let Some(most) = self.open_files {
            command.args(["-c", &format!("ulimit -n {most} && exec \"$0\" \"$@\""), program]);
        }
        command.args(arguments).current_dir(self.dir.path()).env_clear();
        for kept in ["PATH", "HOME"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with_input(arguments, "")
    }

    /// Runs a command that reads this.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that fails at once may never read it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Starts the server, and waits until it is ready.
    pub(crate) async fn serve(&self) -> Process {
        self.greeted(self.spawn()).await
    }

    /// Starts the server, to listen on this port, with nobody at the other end of its standard output and its log.
    pub(crate) async fn serve_unheard(&self, port: u16) -> Process {
        let mut child = self.command(&["serve"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stderr.take());
        let stdout = child.stdout.take().unwrap();
        // Something that never says anything stands in for it.
        let mut silence = Command::new("true").stdout(Stdio::piped()).spawn().unwrap();
        drop(stdout);
        let stdout = BufReader::new(silence.stdout.take().unwrap());
        silence.wait().unwrap();
        let process = Process { child, stdout, url: format!("http://127.0.0.1:{port}"), greeting: String::new() };
        super::eventually("it listens", || async { std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() }).await;
        process
    }

    /// Starts two at the same moment.
    pub(crate) async fn serve_twice(&self) -> (Process, Process) {
        let (one, two) = (self.spawn(), self.spawn());
        (self.greeted(one).await, self.greeted(two).await)
    }

    fn spawn(&self) -> Child {
        let log = OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        self.command(&["serve"]).stdout(Stdio::piped()).stderr(log).spawn().unwrap()
    }

    async fn greeted(&self, mut child: Child) -> Process {
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("listens on") {
            assert_ne!(stdout.read_line(&mut greeting).unwrap(), 0, "the server ended: {}", self.log());
        }
        let line = greeting.lines().find(|line| line.contains("listens on")).unwrap();
        let url = format!("http://{}", line.split_whitespace().next_back().unwrap());
        let process = Process { child, stdout, url, greeting };
        process.browser().get_json("/readyz").await.expect(200);
        process
    }

    /// What the server has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }
}

/// What became of a command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Fails unless it ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails unless it ended with this code and complained of all of this.
    #[track_caller]
    pub(crate) fn complains(self, code: i32, of: &[&str]) -> Self {
        let ran = self.expect(code);
        for text in of {
            assert!(ran.stderr.contains(text), "{text} is not in:\n{}", ran.stderr);
        }
        ran
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// One JSON value a line.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// Ours to see are redirects, and a proxy of the environment is none of ours.
fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}

/// A running server. It is killed when the value goes.
pub(crate) struct Process {
    child: Child,
    /// Kept open, so that the server can go on to speak.
    stdout: BufReader<ChildStdout>,
    pub(crate) url: String,
    /// What it said when it started.
    pub(crate) greeting: String,
}

impl Process {
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.door())
    }

    pub(super) fn door(&self) -> Door {
        Door::There { client: client(), url: self.url.clone() }
    }

    /// Whoever looks at its operations listener, which it tells of after all else.
    pub(crate) fn operator(&mut self) -> Browser {
        while !self.greeting.contains("operations") {
            assert_ne!(
                self.stdout.read_line(&mut self.greeting).unwrap(),
                0,
                "no operations listener: {}",
                self.greeting
            );
        }
        let url = self.greeting.split_whitespace().next_back().unwrap().strip_suffix("/metrics").unwrap();
        Browser::new(Door::There { client: client(), url: url.to_owned() })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the system tells of it.
    pub(crate) fn proc_file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id())
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, without waiting.
    pub(crate) fn terminate(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, Signal::TERM).unwrap();
    }

    /// Waits for its end, and returns what else it said on standard output.
    pub(crate) fn last_words(mut self) -> String {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap();
        rest
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
