//! What the system knows of this process, under the names that are usual everywhere. On Linux; elsewhere there is none of it.

use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// From `proc_pid_stat(5)`, counted behind the name in brackets, which may hold anything: `utime`, `stime`, `starttime`.
const STAT: [usize; 3] = [11, 12, 19];

pub(super) fn register(registry: &mut Registry) {
    if let Some([user, system, start]) = stat() {
        #[expect(clippy::cast_precision_loss, reason = "ticks of a process' life are far below 2^53")]
        let seconds = |ticks: u64| ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
        let cpu = ConstCounter::new(seconds(user + system));
        registry.register("process_cpu_seconds", "Time on the cores, in user and system mode", cpu);
        if let Some(boot) = boot_seconds() {
            let started = ConstGauge::new(boot + seconds(start));
            registry.register("process_start_time_seconds", "When the process started, as a Unix time", started);
        }
    }
    if let Some(bytes) = resident() {
        registry.register("process_resident_memory_bytes", "Memory that is in use", ConstGauge::new(bytes));
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        // One of them is the look itself.
        let open = i64::try_from(open.count().saturating_sub(1)).unwrap_or(i64::MAX);
        registry.register("process_open_fds", "Open files and connections", ConstGauge::new(open));
    }
    if let Some(most) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        registry.register("process_max_fds", "Most open files and connections", ConstGauge::new(most));
    }
}

fn stat() -> Option<[u64; 3]> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<_> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |at: usize| fields.get(at)?.parse().ok();
    let [user, system, start] = STAT.map(field);
    Some([user?, system?, start?])
}

fn boot_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime ")?.parse().ok())
}

fn resident() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * i64::try_from(rustix::param::page_size()).ok()?)
}
