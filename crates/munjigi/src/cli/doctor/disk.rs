//! Room on the disk of the database.

use std::fs;
use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

use super::report::{Report, Verdict};
use crate::config::Config;

const CHECK: &str = "disk";
const MIB: u64 = 1 << 20;
/// With less, the next write may fail.
const TOO_LITTLE: u64 = 64 * MIB;
/// With less, somebody should look.
const LITTLE: u64 = 512 * MIB;

pub(super) fn check(config: &Config, report: &mut Report) {
    let path = config.sqlite_path();
    let Some(folder) = path.ancestors().skip(1).find(|folder| folder.exists()) else {
        // `munjigi.db` without a folder is in the present one.
        return look(Path::new("."), 0, report);
    };
    look(folder, fs::metadata(&path).map_or(0, |found| found.len()), report);
}

fn look(folder: &Path, database: u64, report: &mut Report) {
    let found = match statvfs(folder) {
        Ok(found) => found,
        Err(error) => return report.skipped(CHECK, format!("{}: {error}", folder.display())),
    };
    if found.f_flag.contains(StatVfsMountFlags::RDONLY) {
        let what = format!("{} is on a file system that is mounted for reading only", folder.display());
        return report.wrong(CHECK, what, "mount it for writing, or move server.data_dir");
    }
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let what = format!("{} are free in {}, and the database has {}", amount(free), folder.display(), amount(database));
    report.judged(
        judge(free, database),
        CHECK,
        what,
        "make room: a database that cannot be written logs nobody in or out",
    );
}

/// A backup beside it needs as much again.
fn judge(free: u64, database: u64) -> Verdict {
    match free {
        free if free < TOO_LITTLE => Verdict::Wrong,
        free if free < LITTLE.max(database) => Verdict::Warning,
        _ => Verdict::Ok,
    }
}

fn amount(bytes: u64) -> String {
    match bytes / MIB {
        0 => format!("{} KiB", bytes / 1024),
        mib if mib < 10 * 1024 => format!("{mib} MiB"),
        mib => format!("{} GiB", mib / 1024),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_room_is_wrong_and_less_than_a_backup_needs_is_warned_of() {
        for (free, database, verdict) in [
            (0, 0, Verdict::Wrong),
            (TOO_LITTLE - 1, 0, Verdict::Wrong),
            (TOO_LITTLE, 0, Verdict::Warning),
            (LITTLE, 0, Verdict::Ok),
            (LITTLE, LITTLE + 1, Verdict::Warning),
            (LITTLE + 1, LITTLE, Verdict::Ok),
        ] {
            assert_eq!(judge(free, database), verdict, "{free} {database}");
        }
        assert_eq!([amount(2048), amount(3 * MIB), amount(20_000 * MIB)], ["2 KiB", "3 MiB", "19 GiB"]);
    }
}
