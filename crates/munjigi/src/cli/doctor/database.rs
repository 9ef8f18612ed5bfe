//! The SQLite file: it opens, its schema is this program's, the server can write it, and it is whole.

use std::path::Path;
use std::time::Duration;

use munjigi_store::sqlite::{Migrate, Sqlite};
use rustix::fs::{Access, access};

use super::chain;
use super::report::Report;
use crate::config::Config;

const CHECK: &str = "database";
/// A large one is not looked through to its end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The database, open for looking, if there is one that can be.
pub(super) async fn check(config: &Config, report: &mut Report) -> Option<Sqlite> {
    let path = config.sqlite_path();
    let shown = path.display();
    if !path.exists() {
        let folder = path.parent().filter(|folder| folder.exists());
        match folder {
            Some(folder) if access(folder, Access::WRITE_OK).is_err() => report.wrong(
                CHECK,
                format!("there is no {shown}, and this user cannot make it there"),
                format!("`chown` {} to the server's user, and run this as that user", folder.display()),
            ),
            _ => report.skipped(
                CHECK,
                format!("there is no {shown} yet: the first start makes it (or this is another folder: name --config, or --set server.data_dir=…)"),
            ),
        }
        return None;
    }
    let opened = async {
        let database = Sqlite::look(&path)?;
        let schema = database.schema_now().await?;
        Ok::<_, munjigi_store::StoreError>((database, schema))
    };
    let (database, schema) = match opened.await {
        Ok(opened) => opened,
        Err(error) => {
            let mend =
                "run this as the server's user; if it is no database any more, restore a backup (docs/operations.md)";
            report.wrong(CHECK, format!("{shown} cannot be read: {}", chain(&error)), mend);
            return None;
        }
    };
    let before = report.complaints();
    if schema.found > schema.known {
        let what =
            format!("{shown} has schema version {}, and this program knows up to {}", schema.found, schema.known);
        report.wrong(CHECK, what, "run the newer munjigi that it was used with, or restore a backup");
    } else if schema.found < schema.known {
        let what = format!("{shown} has schema version {}, and this program needs {}", schema.found, schema.known);
        match config.store.migrate {
            Migrate::Auto => report.warning(CHECK, what, "the next start migrates it; `munjigi migrate` does it now"),
            Migrate::Check => {
                report.wrong(CHECK, what, "run `munjigi migrate`: store.migrate = check keeps the server from it")
            }
        }
    }
    writable(&path, report);
    whole(&database, &path, report).await;
    if report.complaints() == before {
        report.ok(CHECK, format!("{shown} opens, can be written, is whole, and has schema version {}", schema.found));
    }
    (schema.found > 0 && schema.found <= schema.known).then_some(database)
}

fn writable(path: &Path, report: &mut Report) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for place in [path, folder] {
        if let Err(error) = access(place, Access::WRITE_OK) {
            let what = format!("{} cannot be written by this user: {error}", place.display());
            report.wrong(
                CHECK,
                what,
                "run this as the server's user; if it is that, give it the file and its folder by `chown`",
            );
        }
    }
}

async fn whole(database: &Sqlite, path: &Path, report: &mut Report) {
    match database.quick_check(PATIENCE).await {
        Ok(Some(None)) => {}
        Ok(Some(Some(found))) => {
            let what = format!("{} is damaged: {found}", path.display());
            report.wrong(
                CHECK,
                what,
                "stop the server, keep a copy, and restore a backup (docs/operations.md, \"Restore\")",
            );
        }
        Ok(None) => report.skipped(
            CHECK,
            format!(
                "{} is too large to be looked through in {} s: `sqlite3 {} 'PRAGMA quick_check'` does",
                path.display(),
                PATIENCE.as_secs(),
                path.display()
            ),
        ),
        Err(error) => {
            let what = format!("{} cannot be looked through: {}", path.display(), chain(&error));
            report.wrong(
                CHECK,
                what,
                "stop the server, keep a copy, and restore a backup (docs/operations.md, \"Restore\")",
            );
        }
    }
}
