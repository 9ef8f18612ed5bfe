//! The processes that are measured: each is started here, on 127.0.0.1 and with a directory of its own, and ended by its own
//! id when the measurement is over or was broken off.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::thread::{CpuSet, sched_setaffinity};
use tempfile::TempDir;

use crate::load::{Connection, get};

/// So long may a server take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process, and the directory that goes when it goes.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    directory: TempDir,
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it, as a crash would, and gives its directory for another one.
    pub(crate) fn kill(mut self) -> anyhow::Result<TempDir> {
        let directory = std::mem::replace(&mut self.directory, directory()?);
        Ok(directory)
    }

    /// Closes its standard input, at which our own servers end by themselves.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        ensure!(self.child.wait()?.success(), "a server did not end well");
        Ok(())
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<f64> {
        self.memory("VmRSS:")
    }

    /// The most resident memory that it has had so far, in bytes.
    pub(crate) fn highest_resident(&self) -> anyhow::Result<f64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, name: &'static str) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context(name)?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
    }

    /// How many descriptors it holds.
    pub(crate) fn open_files(&self) -> anyhow::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.id()))?.count())
    }

    /// Runs a command of the program beside it, on its database.
    pub(crate) fn command(&self, binary: &Path, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(fs::canonicalize(binary)?);
        let status =
            command.args(arguments).current_dir(self.directory.path()).env_clear().stdout(Stdio::null()).status()?;
        ensure!(status.success(), "{arguments:?} did not end well");
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A directory on the disk that the program lies on: `/tmp` may be memory.
pub(crate) fn directory() -> anyhow::Result<TempDir> {
    let program = std::env::current_exe()?;
    Ok(tempfile::Builder::new().prefix("munjigi-bench-").tempdir_in(program.parent().context("no directory")?)?)
}

/// Starts the server with these settings, on one core with one worker where a core is given, and waits for its first answer.
pub(crate) async fn munjigi(
    binary: &Path,
    directory: TempDir,
    settings: &[(&str, &str)],
    core: Option<usize>,
) -> anyhow::Result<Process> {
    let program = fs::canonicalize(binary).with_context(|| binary.display().to_string())?;
    let mut command = Command::new(program);
    command.env_clear();
    if core.is_some() {
        command.env("TOKIO_WORKER_THREADS", "1");
    }
    serve(command, directory, settings, core).await
}

/// The same with no more open files than these, and no way to more.
pub(crate) async fn munjigi_with_files(
    binary: &Path,
    directory: TempDir,
    settings: &[(&str, &str)],
    files: u32,
) -> anyhow::Result<Process> {
    let program = fs::canonicalize(binary).with_context(|| binary.display().to_string())?;
    let mut command = Command::new("/bin/sh");
    command.env_clear().args(["-c", &format!("ulimit -n {files} && exec \"$0\" \"$@\"")]).arg(program);
    serve(command, directory, settings, None).await
}

async fn serve(
    mut command: Command,
    directory: TempDir,
    settings: &[(&str, &str)],
    core: Option<usize>,
) -> anyhow::Result<Process> {
    let address = free()?;
    command.arg("serve").current_dir(directory.path()).stdout(Stdio::null());
    command.env("MUNJIGI_SERVER__LISTEN", address.to_string()).env("MUNJIGI_LOG__LEVEL", "error");
    command.env("MUNJIGI_LIMITS__ENABLED", "false").envs(settings.iter().copied());
    let process = Process { child: spawn(command, core)?, address, directory };
    first_answer(address).await?;
    Ok(process)
}

/// The secret that nodes on Redis have to be given.
pub(crate) const SECRET: (&str, &str) = ("MUNJIGI_SERVER__SECRET", "a benchmark's secret, which guards nothing at all");

/// A Redis of our own, without persistence.
pub(crate) async fn redis() -> anyhow::Result<Process> {
    let (address, directory) = (free()?, directory()?);
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string(), "--save", "", "--appendonly", "no"]);
    command.arg("--dir").arg(directory.path()).stdout(Stdio::null());
    let child = spawn(command, None).context("redis-server (Debian: the package of that name)")?;
    let process = Process { child, address, directory };
    let begin = Instant::now();
    while tokio::net::TcpStream::connect(address).await.is_err() {
        ensure!(begin.elapsed() < PATIENCE, "redis-server does not answer");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(process)
}

/// Starts this very program as a server (see `gate`), by another program if one is named, and reads where it listens.
pub(crate) fn own(by: &[&str], stand: &str, core: Option<usize>) -> anyhow::Result<Process> {
    let program = std::env::current_exe()?;
    let mut words = by.iter().map(OsStr::new).chain([program.as_os_str()]);
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).args(["--stand", stand]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = spawn(command, core)?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
    let address = line.trim().parse().context("the server did not say where it listens")?;
    Ok(Process { child, address, directory: directory()? })
}

/// Starts it from a thread that is kept to the core already, which the new process then inherits.
fn spawn(mut command: Command, core: Option<usize>) -> anyhow::Result<Child> {
    let start = std::thread::spawn(move || {
        if let Some(core) = core {
            pin(core)?;
        }
        Ok(command.stderr(Stdio::null()).spawn()?)
    });
    start.join().unwrap_or_else(|_| anyhow::bail!("the starting thread panicked"))
}

/// Keeps this thread to one core.
pub(crate) fn pin(core: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

/// Asks until it is answered.
async fn first_answer(address: SocketAddr) -> anyhow::Result<()> {
    let begin = Instant::now();
    loop {
        if let Ok(mut connection) = Connection::open(address).await {
            return connection.succeed(&get("/healthz", "application/json", "")).await;
        }
        ensure!(begin.elapsed() < PATIENCE, "the server does not answer at {address}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// User and system time of all threads of some processes, to the nanosecond.
pub(crate) fn cpu_time(processes: &[u32]) -> anyhow::Result<Duration> {
    let mut nanos = 0;
    for process in processes {
        for thread in fs::read_dir(format!("/proc/{process}/task"))? {
            let times = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanos += times.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
    }
    Ok(Duration::from_nanos(nanos))
}

fn free() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
