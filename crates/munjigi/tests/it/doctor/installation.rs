//! An installation that is well, to be broken.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Place, Process, RedisServer};

/// A port that nobody listens on.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where a server would run, and what it is told.
pub(super) struct Installation {
    pub(super) place: Place,
    pub(super) port: u16,
}

impl Installation {
    pub(super) fn new() -> Self {
        Self::at(Place::new())
    }

    pub(super) fn on(redis: &RedisServer) -> Self {
        Self::at(Place::on(redis))
    }

    fn at(place: Place) -> Self {
        let port = free_port();
        let place = place.set("server.listen", &format!("127.0.0.1:{port}"));
        Self { place: place.set("server.public_url", &format!("http://localhost:{port}")), port }
    }

    pub(super) fn set(self, key: &str, value: &str) -> Self {
        Self { place: self.place.set(key, value), ..self }
    }

    /// With everything that a first start makes; nobody runs there any more.
    pub(super) async fn begun(self) -> Self {
        drop(self.place.serve().await);
        self
    }

    pub(super) async fn serve(&self) -> Process {
        self.place.serve().await
    }

    pub(super) fn data(&self) -> std::path::PathBuf {
        self.place.path().join("data")
    }

    pub(super) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.data().join("munjigi.db")).unwrap()
    }

    /// Whoever closes the database as the last one puts what is in its log where it belongs, and takes the log away.
    pub(super) fn leave_no_log(&self) {
        self.database().query_row("SELECT count(*) FROM users", [], |_| Ok(())).unwrap();
        assert!(!self.data().join("munjigi.db-wal").exists());
    }

    /// What is found.
    #[track_caller]
    pub(super) fn doctor(&self) -> Findings {
        self.doctor_with(&[])
    }

    #[track_caller]
    pub(super) fn doctor_with(&self, more: &[&str]) -> Findings {
        let ran = self.place.run(&[&["doctor", "--json"][..], more].concat());
        assert!(ran.stderr.is_empty(), "{}", ran.stderr);
        let all = ran.json();
        let code = if all["status"] == "wrong" { 1 } else { 0 };
        assert_eq!(ran.code, Some(code), "{all}");
        Findings(all)
    }
}

/// What the doctor said.
pub(super) struct Findings(pub(super) Value);

impl Findings {
    fn all(&self) -> impl Iterator<Item = (&str, &str, &str, Option<&str>)> {
        self.0["checks"].as_array().unwrap().iter().map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap();
            (text("check"), text("status"), text("what"), finding["mend"].as_str())
        })
    }

    /// Fails unless there is a finding of this check, as bad as this, that says all of this in what it is and how to mend it.
    #[track_caller]
    pub(super) fn says(self, check: &str, status: &str, words: &[&str]) -> Self {
        let fits = |(of, how, what, mend): (&str, &str, &str, Option<&str>)| {
            let text = format!("{what} → {}", mend.unwrap_or_default());
            of == check && how == status && words.iter().all(|word| text.contains(word))
        };
        assert!(self.all().any(fits), "no {status} of {check} with {words:?}:\n{self}");
        // Whatever is to be mended says how.
        for (_, status, what, mend) in self.all() {
            assert_eq!(mend.is_some(), ["warning", "wrong"].contains(&status), "{what}");
        }
        self
    }

    /// Fails unless this check found nothing to mend.
    #[track_caller]
    pub(super) fn finds_well(self, check: &str) -> Self {
        let bad = self.all().find(|(of, status, ..)| *of == check && ["warning", "wrong"].contains(status));
        assert!(bad.is_none() && self.all().any(|(of, ..)| of == check), "{check}:\n{self}");
        self
    }

    /// Fails if anything is to be mended but what these checks say.
    #[track_caller]
    pub(super) fn nothing_else_than(self, checks: &[&str]) -> Self {
        let bad = self.all().find(|(of, status, ..)| !checks.contains(of) && ["warning", "wrong"].contains(status));
        assert!(bad.is_none(), "{bad:?}:\n{self}");
        self
    }
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.all().try_for_each(|(check, status, what, mend)| writeln!(f, "{status} {check}: {what} → {mend:?}"))
    }
}

/// Every file below a folder with what is in it and who may read it.
pub(super) fn contents(folder: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            found.insert(path.display().to_string(), (mode, std::fs::read(&path).unwrap()));
        }
    }
    found
}
