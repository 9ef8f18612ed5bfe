//! `munjigi user import`

use std::fs::File;
use std::io::{BufReader, IsTerminal as _, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{IN_PART, output};
use crate::core::Core;
use crate::flows::import::{Import as Mode, Importer, Refused};
use crate::import::{self, Counted, Format};

/// Most refusals that are shown to people one by one.
const MOST_SHOWN: u64 = 100;
/// Users between two movements of the progress bar.
const STEP: u64 = 256;

/// Brings users along from another system: CSV, JSON lines, or a dump of a MySQL database
///
/// A CSV file's first line, a JSON object's members or the dumped table's columns say what is what. The username is in `username`,
/// `user`, `login`, `user_id` or `id`; the hash in `password_hash`, `hash`, `password` or `encrypted_password`; the shown name, which
/// may be missing, in `name`, `nickname` or `display_name`. An `id` that is a UUID, `enabled` and `created_at` are taken over too.
///
/// Hashes: the tutorial's PBKDF2, bcrypt, Argon2id, Django's, Werkzeug's (Flask), passlib's PBKDF2, scrypt and bcrypt, Better Auth's.
/// Each user's is replaced by Argon2id at their first log-in. Passwords in clear are refused.
///
/// Users who are there already are left as they are and counted, so that it can be repeated. Who is refused is named with the line,
/// the how-manieth user of the file they are, and the reason, and the others are imported. The exit code is 5 if anybody was refused.
#[derive(Args)]
pub(super) struct Import {
    /// The file; - is standard input
    file: PathBuf,
    /// What the file is [default: by how it begins]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Which table of a dump
    #[arg(long, default_value = "users")]
    table: String,
    /// Looks at everything and writes nothing
    #[arg(long)]
    dry_run: bool,
    /// For programs: one JSON object a line for everybody who was refused, the last one is the sum
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) async fn run(self, core: &Core) -> anyhow::Result<ExitCode> {
        let shown = output::plain(&self.file.display().to_string());
        let (input, size) = self.input().with_context(|| format!("cannot open {shown}"))?;
        let (input, read) = Counted::new(input);
        let (format, mut records) = import::open(BufReader::with_capacity(128 * 1024, input), self.format, &self.table)
            .with_context(|| shown.clone())?;
        let bar = Bar::new(size, read);
        let mode = if self.dry_run { Mode::Dry } else { Mode::Real };
        let mut importer = Importer::new(core, mode);
        let mut report = Report { json: self.json, bar: &bar, shown: 0 };
        let mut ended = Ok(());
        for number in 0_u64.. {
            match records.next() {
                Ok(Some(row)) => report.refused(importer.take(row).await?),
                Ok(None) => break,
                Err(error) => {
                    // What was read before it is imported all the same, and told.
                    ended = Err(error);
                    break;
                }
            }
            if number % STEP == 0 {
                bar.moves();
            }
        }
        report.refused(importer.finish().await?);
        bar.ends();
        self.sum(&importer, format);
        ended.with_context(|| format!("{shown}: it was not read to its end"))?;
        Ok(if importer.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(IN_PART) })
    }

    /// The file, and how large it is where that is known.
    fn input(&self) -> std::io::Result<(Box<dyn Read>, Option<u64>)> {
        if self.file.as_os_str() == "-" {
            return Ok((Box::new(std::io::stdin()), None));
        }
        let file = File::open(&self.file)?;
        let about = file.metadata()?;
        Ok((Box::new(file), about.is_file().then_some(about.len())))
    }

    fn sum(&self, importer: &Importer<'_>, format: Format) {
        let Importer { imported, skipped, refused, .. } = *importer;
        if self.json {
            let dry_run = self.dry_run;
            output::say(
                &json!({ "imported": imported, "skipped": skipped, "refused": refused, "dryRun": dry_run }).to_string(),
            );
            return;
        }
        if refused > MOST_SHOWN {
            output::complain(&format!("and {} more; --json names them all", refused - MOST_SHOWN));
        }
        let kind = match format {
            Format::Csv => "CSV",
            Format::JsonLines => "JSON lines",
            Format::Mysqldump => "a dump of MySQL",
        };
        let what = if self.dry_run { "would be imported" } else { "imported" };
        output::say(&format!(
            "{imported} {what}, {skipped} skipped (they are there already), {refused} refused; read as {kind}"
        ));
    }
}

/// Tells of those who were refused.
struct Report<'a> {
    json: bool,
    bar: &'a Bar,
    shown: u64,
}

impl Report<'_> {
    fn refused(&mut self, refused: Vec<Refused>) {
        for Refused { line, number, username, why } in refused {
            if self.json {
                let (code, reason) = (why.code(), why.to_string());
                output::say(
                    &json!({ "line": line, "number": number, "username": username, "code": code, "reason": reason })
                        .to_string(),
                );
            } else if self.shown < MOST_SHOWN {
                self.shown += 1;
                let who = username.map(|name| format!("{name}: ")).unwrap_or_default();
                self.bar.aside(|| output::complain(&format!("line {line}, user {number}: {who}{why}")));
            }
        }
    }
}

/// How far it is: on a terminal only.
struct Bar {
    bar: ProgressBar,
    read: Arc<AtomicU64>,
}

impl Bar {
    fn new(size: Option<u64>, read: Arc<AtomicU64>) -> Self {
        let bar = match size {
            _ if !std::io::stderr().is_terminal() => ProgressBar::hidden(),
            None => ProgressBar::new_spinner(),
            Some(size) => {
                let style = ProgressStyle::with_template("{bar:40} {percent}%  {bytes} of {total_bytes}, {eta} to go");
                ProgressBar::new(size).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            }
        };
        Self { bar, read }
    }

    fn moves(&self) {
        self.bar.set_position(self.read.load(Ordering::Relaxed));
    }

    /// Says something while the bar stands aside.
    fn aside(&self, say: impl FnOnce()) {
        self.bar.suspend(say);
    }

    fn ends(&self) {
        self.bar.finish_and_clear();
    }
}
