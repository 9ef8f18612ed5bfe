//! Who else on this machine can look into the files, and whether the server can work with them.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::report::Report;
use crate::config::keys::KEYS;
use crate::config::{Config, Layers, Source};

const CHECK: &str = "permissions";

pub(super) fn check(config: &Config, layers: &Layers, report: &mut Report) {
    let before = report.complaints();
    let dir = &config.server.data_dir;
    let mut seen = 0;
    if let Ok(found) = fs::metadata(dir) {
        seen += 1;
        if found.permissions().mode() & 0o077 != 0 {
            let what = format!("others on this machine can look into {} (mode {})", dir.display(), mode(&found));
            report.warning(CHECK, what, format!("`chmod 700 {}`", dir.display()));
        }
    }
    let database = config.sqlite_path();
    let beside = |end: &str| PathBuf::from(format!("{}{end}", database.display()));
    let of_the_server =
        [dir.join("secret"), dir.join("secret.previous"), database.clone(), beside("-wal"), beside("-shm")];
    let owner = fs::metadata(database.parent().unwrap_or(dir)).ok().map(|found| found.uid());
    for path in &of_the_server {
        seen += usize::from(look(path, 0o077, owner, report));
    }
    // Such a file may be the administrator's, and its group the server's. What is handed over in /run is in a folder of its own.
    for path in with_secrets(layers).iter().filter(|path| !path.starts_with("/run")) {
        seen += usize::from(look(path, 0o007, None, report));
    }
    if report.complaints() == before {
        report.ok(
            CHECK,
            match seen {
                0 => "nothing is there yet that others could read".to_owned(),
                _ => "nobody else on this machine can read the data or a secret".to_owned(),
            },
        );
    }
}

/// Whether it is there. None of these bits of its mode may be set.
fn look(path: &Path, others: u32, owner: Option<u32>, report: &mut Report) -> bool {
    let Ok(found) = fs::metadata(path) else { return false };
    if !found.is_file() {
        return false;
    }
    let shown = path.display();
    if found.permissions().mode() & others != 0 {
        let what = format!("others on this machine can read {shown} (mode {})", mode(&found));
        report.wrong(CHECK, what, format!("`chmod 600 {shown}`, and think of it as known to them"));
    }
    if let Some(owner) = owner.filter(|owner| *owner != found.uid()) {
        let folder = path.parent().unwrap_or(Path::new(".")).display();
        let what = format!(
            "{shown} belongs to user {}, and its folder to user {owner}: the server may not be able to use it",
            found.uid()
        );
        report.wrong(
            CHECK,
            what,
            format!("`chown --reference={folder} {shown}`, and run commands as the server's user"),
        );
    }
    true
}

/// Files in which a secret is configured.
fn with_secrets(layers: &Layers) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for given in KEYS.iter().filter(|key| key.secret).filter_map(|key| layers.get(key.name)) {
        match &given.source {
            _ if !given.files.is_empty() => paths.extend(given.files.iter().cloned()),
            Source::File(path) => paths.push(path.clone()),
            Source::DotEnv(_) => paths.push(PathBuf::from(".env")),
            Source::Default | Source::Env(_) | Source::Flag => {}
        }
    }
    paths.sort();
    paths.dedup();
    paths
}

fn mode(found: &Metadata) -> String {
    format!("{:03o}", found.permissions().mode() & 0o777)
}
