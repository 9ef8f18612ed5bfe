//! What the system knows of this process, under the names that are usual everywhere. On Linux; elsewhere there is none of it.

use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::core::Core;

/// `utime` and `stime` of `proc_pid_stat(5)`, counted behind the name in brackets, which may hold anything.
const STAT: [usize; 2] = [11, 12];

pub(super) fn register(registry: &mut Registry, core: &Core) {
    let started = ConstGauge::new(core.started.as_secs());
    registry.register("process_start_time_seconds", "When the process started, as a Unix time", started);
    if let Some(ticks) = cpu_ticks() {
        #[expect(clippy::cast_precision_loss, reason = "ticks of a process' life are far below 2^53")]
        let seconds = ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
        let cpu = ConstCounter::new(seconds);
        registry.register("process_cpu_seconds", "Time on the cores, in user and system mode", cpu);
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

fn cpu_ticks() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<_> = text.rsplit_once(')')?.1.split_whitespace().collect();
    STAT.iter().map(|at| fields.get(*at)?.parse::<u64>().ok()).sum()
}

fn resident() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * i64::try_from(rustix::param::page_size()).ok()?)
}
