//! `munjigi completions` and `munjigi man`: the command line, told to other programs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man as Page;

use super::output;

/// Prints what makes a shell complete the command line
#[derive(Args)]
pub(super) struct Completions {
    /// Which shell
    shell: Shell,
}

/// Prints the manual page of a command, or writes all of them
#[derive(Args)]
pub(super) struct Man {
    /// Which command [default: munjigi itself]
    command: Vec<String>,
    /// Writes the pages of all commands into this folder
    #[arg(long, short, value_name = "DIR", conflicts_with = "command")]
    output: Option<PathBuf>,
}

impl Completions {
    pub(super) fn run(&self, mut command: Command) -> anyhow::Result<ExitCode> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command, "munjigi", &mut text);
        print(&text)
    }
}

impl Man {
    pub(super) fn run(&self, mut command: Command) -> anyhow::Result<ExitCode> {
        command.build();
        if let Some(folder) = &self.output {
            write_all(&command, "munjigi", folder)
                .with_context(|| format!("cannot write manual pages into {}", folder.display()))?;
            return Ok(ExitCode::SUCCESS);
        }
        let (mut found, mut name) = (&command, "munjigi".to_owned());
        for word in &self.command {
            let Some(below) = found.find_subcommand(word) else {
                bail!("{name} has no command {}", output::plain(word))
            };
            (found, name) = (below, format!("{name}-{word}"));
        }
        print(&page(found, &name)?)
    }
}

/// A command's page, and those of the commands below it.
fn write_all(command: &Command, name: &str, folder: &Path) -> std::io::Result<()> {
    std::fs::write(folder.join(format!("{name}.1")), page(command, name)?)?;
    let below = command.get_subcommands().filter(|below| below.get_name() != "help");
    below.into_iter().try_for_each(|below| write_all(below, &format!("{name}-{}", below.get_name()), folder))
}

fn page(command: &Command, name: &str) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let source = format!("munjigi {}", env!("CARGO_PKG_VERSION"));
    Page::new(command.clone().display_name(name)).source(source).render(&mut text)?;
    Ok(text)
}

fn print(text: &[u8]) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    out.write_all(text).and_then(|()| out.flush()).context("standard output")?;
    Ok(ExitCode::SUCCESS)
}
