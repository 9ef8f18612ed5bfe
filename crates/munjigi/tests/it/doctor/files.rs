//! Files: who may read them, and whether they are whole.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use super::Installation;

fn open_to(mode: u32, path: &Path) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn what_others_can_read_is_found() {
    let installation = Installation::new().begun().await;
    installation.doctor().finds_well("permissions");
    open_to(0o755, &installation.data());
    installation.doctor().says("permissions", "warning", &["data (mode 755)", "`chmod 700 data`"]);
    open_to(0o700, &installation.data());
    fs::write(installation.data().join("secret.previous"), "").unwrap();
    for file in ["secret", "secret.previous", "munjigi.db"] {
        let path = installation.data().join(file);
        for mode in [0o604, 0o640] {
            open_to(mode, &path);
            let (name, shown) = (format!("data/{file} (mode"), format!("{mode:o}"));
            installation.doctor().says("permissions", "wrong", &[&name, &shown, "chmod 600"]);
        }
        open_to(0o600, &path);
    }
    installation.doctor().finds_well("permissions");
}

#[test]
fn a_secret_in_a_file_of_settings_is_looked_after_too() {
    let secret = "a secret that is only for these tests";
    let (toml, dot_env) =
        (format!("[server]\nsecret = \"{secret}\"\n"), format!("MUNJIGI_SERVER__SECRET=\"{secret}\"\n"));
    for (name, text) in [("munjigi.toml", toml.as_str()), (".env", dot_env.as_str()), ("by-itself", secret)] {
        let mut installation = Installation::new();
        if name == "by-itself" {
            installation = installation.set("server.secret_file", name);
        }
        let path = installation.place.path().join(name);
        fs::write(&path, text).unwrap();
        open_to(0o644, &path);
        installation.doctor().says("permissions", "wrong", &[name, "mode 644", "chmod 600"]);
        // The administrator's, and readable for the server's group.
        open_to(0o640, &path);
        installation.doctor().finds_well("permissions");
    }
    // Without a secret in it anybody may read it.
    let installation = Installation::new();
    let path = installation.place.path().join("munjigi.toml");
    fs::write(&path, "[pages]\nname = \"Guild\"\n").unwrap();
    open_to(0o644, &path);
    installation.doctor().finds_well("permissions");
}

/// What a command leaves behind that somebody ran as root, and what somebody finds who is not the server's user. Only root can make
/// files of others, and everybody else is somebody who cannot write.
#[tokio::test]
async fn files_of_another_user_are_found() {
    let installation = Installation::new().begun().await;
    if !rustix::process::geteuid().is_root() {
        open_to(0o400, &installation.data().join("munjigi.db"));
        return drop(installation.doctor().says("database", "wrong", &["cannot be written by this user"]));
    }
    installation.leave_no_log();
    chown(installation.data().join("secret"), Some(65534), None).unwrap();
    installation.doctor().says(
        "permissions",
        "wrong",
        &["data/secret belongs to user 65534", "user 0", "chown --reference=data"],
    );
    // Now as somebody who may read all of it, and write nothing.
    for path in [installation.place.path(), &installation.data()] {
        open_to(0o755, path);
    }
    open_to(0o644, &installation.data().join("munjigi.db"));
    let program = [env!("CARGO_BIN_EXE_munjigi"), "doctor", "--set", "server.data_dir=data"];
    let mut other = Command::new("setpriv");
    other
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args(program)
        .current_dir(installation.place.path());
    let output = other.env_clear().output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("data/munjigi.db cannot be written by this user"), "{told} {:?}", output.stderr);
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn a_database_that_is_none_or_damaged_or_of_another_version_is_found() {
    let installation = Installation::new().begun().await;
    let path = installation.data().join("munjigi.db");
    installation.database().execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = delete").unwrap();
    let good = fs::read(&path).unwrap();
    let with = |version: u32, migrate: &str| {
        fs::write(&path, &good).unwrap();
        installation.database().pragma_update(None, "user_version", version).unwrap();
        let ran = installation.place.run(&["doctor", "--json", "--set", &format!("store.migrate={migrate}")]);
        super::Findings(ran.json())
    };
    with(99, "auto").says("database", "wrong", &["schema version 99", "newer munjigi"]);
    with(1, "check").says("database", "wrong", &["schema version 1", "munjigi migrate"]);
    with(1, "auto").says("database", "warning", &["schema version 1", "munjigi migrate"]);

    fs::write(&path, b"this is no database, though it is long enough to be one".repeat(100)).unwrap();
    installation.doctor().says("database", "wrong", &["data/munjigi.db", "not a database", "backup"]);
    // A page in the middle, of an index: what is left can be opened.
    let mut damaged = good.clone();
    let page = usize::from(u16::from_be_bytes([good[16], good[17]]));
    damaged[page * 3..page * 4].fill(0xaa);
    fs::write(&path, &damaged).unwrap();
    installation.doctor().says("database", "wrong", &["data/munjigi.db", "backup"]);
    fs::write(&path, &good).unwrap();
    installation.doctor().finds_well("database");
}
