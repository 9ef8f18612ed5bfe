//! `munjigi pages`

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::output;
use crate::config::{Config, Layers};
use crate::pages::{self, Exported, Finding};

/// Checks pages of your own, and writes those that are built in to begin from
#[derive(Subcommand)]
pub(super) enum Pages {
    /// Says whether pages of your own are right, as the server does at start; exit code 3 if not
    ///
    /// Every page is rendered in every state and language, with made-up people. Needs no database and no running server.
    Check(Check),
    /// Writes the built-in templates, messages and style sheet into a folder
    ///
    /// Keep the files that you change and delete the others: what is not there stays built in, and gets better with every release.
    Export(Export),
}

#[derive(Args)]
pub(super) struct Check {
    /// The folder to look at [default: that of the setting pages.folder]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<String>,
    /// What is only a warning fails too
    #[arg(long)]
    strict: bool,
}

#[derive(Args)]
pub(super) struct Export {
    /// The folder; it is made when it is not there
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Only this file, for example login.html, ko.ftl or style.css; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Overwrites files that are there
    #[arg(long)]
    force: bool,
}

impl Pages {
    pub(super) fn run(self, layers: Layers) -> anyhow::Result<ExitCode> {
        match self {
            Self::Check(check) => check.run(layers),
            Self::Export(export) => export.run(),
        }
    }
}

impl Check {
    fn run(self, layers: Layers) -> anyhow::Result<ExitCode> {
        let layers = self.folder.into_iter().fold(layers, |layers, folder| layers.flag("pages.folder", folder));
        let report = pages::Pages::check(&Config::read(&layers)?.site());
        if !report.own.is_empty() {
            let rows = report.own.iter().map(|own| vec![output::plain(&own.file), own.does.clone()]);
            output::table(&["FILE", "DOES"], rows.collect());
        }
        let say = |word: &str, finding: &Finding| output::complain(&format!("{word}{finding}"));
        report.warnings().for_each(|finding| say("warning: ", finding));
        report.faults().for_each(|finding| say("", finding));
        let (faults, warnings) = (report.faults().count(), report.warnings().count());
        if faults > 0 || (self.strict && warnings > 0) {
            return Ok(ExitCode::from(super::WRONG));
        }
        output::say(&match (report.own.is_empty(), warnings) {
            (true, _) => "the pages are the built-in ones".to_owned(),
            (false, 0) => format!("the pages are right: {} rendered, every state in every language", report.rendered),
            (false, _) => format!("the pages work: {} rendered; look at the warnings ({warnings})", report.rendered),
        });
        Ok(ExitCode::SUCCESS)
    }
}

impl Export {
    fn run(self) -> anyhow::Result<ExitCode> {
        let all = pages::exported();
        for name in &self.only {
            let known = all.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ");
            anyhow::ensure!(all.iter().any(|file| file.name == *name), "there is no {name}; there are {known}");
        }
        let wanted = |file: &&Exported| self.only.is_empty() || self.only.contains(&file.name);
        let files: Vec<_> =
            all.iter().filter(wanted).map(|file| (self.folder.join(file.folder).join(&file.name), file)).collect();
        // All or nothing: half of an old folder and half of a new one would be neither.
        let there: Vec<_> =
            files.iter().filter(|(path, _)| path.symlink_metadata().is_ok()).map(|(path, _)| path).collect();
        if let Some(first) = there.first().filter(|_| !self.force) {
            anyhow::bail!("{} is there already ({} files are): --force overwrites them", first.display(), there.len());
        }
        for (path, file) in &files {
            write(path, &file.text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        output::say(&format!("{} files are in {}", files.len(), self.folder.display()));
        Ok(ExitCode::SUCCESS)
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.write_all(text.as_bytes())
}
