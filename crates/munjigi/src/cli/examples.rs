//! Examples for every command: below its help, and in its manual page.

use clap::Command;
use clap::builder::StyledStr;

/// Commands, and what one types.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "serve",
        "
  munjigi serve
  munjigi serve --listen 127.0.0.1:4000 --public-url https://login.example.com
  munjigi serve --config /etc/munjigi.toml --set log.format=json",
    ),
    (
        "user add",
        "
  munjigi user add mina --name 김미나
  pwgen -s 24 1 | munjigi user add robot --password-stdin",
    ),
    (
        "user list",
        "
  munjigi user list
  munjigi user list --json | jq -r 'select(.enabled | not).username'",
    ),
    (
        "user show",
        "
  munjigi user show mina
  munjigi user show mina --json",
    ),
    (
        "user disable",
        "
  munjigi user disable mina",
    ),
    (
        "user enable",
        "
  munjigi user enable mina",
    ),
    (
        "user delete",
        "
  munjigi user delete mina
  munjigi user delete mina --yes                where nobody can be asked",
    ),
    (
        "user import",
        "
  munjigi user import users.csv --dry-run       look at everything, write nothing
  mysqldump app users > users.sql && munjigi user import users.sql
  munjigi user import --table members dump.sql
  munjigi user import --json users.jsonl > report.jsonl
  ssh old.example.com ./export-users | munjigi user import -",
    ),
    (
        "user export",
        "
  munjigi user export --output users.jsonl      a new file that nobody else can read
  munjigi user export | gpg --encrypt --recipient ops@example.com > users.jsonl.gpg",
    ),
    (
        "user set-password",
        "
  munjigi user set-password mina
  pwgen -s 24 1 | munjigi user set-password mina --password-stdin
  munjigi user set-password mina --hash '$2y$10$…'",
    ),
    (
        "session list",
        "
  munjigi session list mina
  munjigi session list mina --json",
    ),
    (
        "session revoke",
        "
  munjigi session revoke 3f1e0c9a5b7d2e4f6a8b0c1d2e3f4a5b
  munjigi session revoke --user mina
  munjigi session revoke --all",
    ),
    (
        "key list",
        "
  munjigi key list
  munjigi key list --json",
    ),
    (
        "key show",
        "
  munjigi key show
  munjigi key show 2Xk9",
    ),
    (
        "key rotate",
        "
  munjigi key rotate
  munjigi key rotate --now",
    ),
    (
        "key revoke",
        "
  munjigi key revoke 2Xk9",
    ),
    (
        "secret rotate",
        "
  munjigi secret rotate
  munjigi secret rotate --compromised",
    ),
    (
        "secret feed-token",
        "
  munjigi secret feed-token",
    ),
    (
        "config check",
        "
  munjigi config check
  munjigi config check --config /etc/munjigi.toml",
    ),
    (
        "config show",
        "
  munjigi config show
  munjigi config show --json",
    ),
    (
        "pages check",
        "
  munjigi pages check
  munjigi pages check --folder ./pages --strict",
    ),
    (
        "pages export",
        "
  munjigi pages export ./pages --only login.html --only ko.ftl
  munjigi pages export /tmp/built-in            all of them, to compare after an upgrade",
    ),
    (
        "doctor",
        "
  munjigi doctor
  munjigi doctor --config /etc/munjigi/munjigi.toml
  munjigi doctor --json | jq -r '.checks[] | select(.status == \"wrong\").mend'",
    ),
    (
        "migrate",
        "
  munjigi migrate
  munjigi migrate --set store.migrate=check",
    ),
    (
        "completions",
        "
  munjigi completions bash > /etc/bash_completion.d/munjigi
  munjigi completions zsh > ~/.zfunc/_munjigi
  munjigi completions fish > ~/.config/fish/completions/munjigi.fish",
    ),
    (
        "man",
        "
  munjigi man | man -l -
  munjigi man user import | man -l -
  munjigi man --output /usr/local/share/man/man1",
    ),
];

/// The command line with its examples.
pub(super) fn with_examples(command: Command) -> Command {
    EXAMPLES.iter().fold(command, |command, (path, text)| {
        let path: Vec<&str> = path.split(' ').collect();
        below(command, &path, text)
    })
}

fn below(command: Command, path: &[&str], text: &str) -> Command {
    let Some((name, rest)) = path.split_first() else {
        let before = command.get_after_help().map(|help| format!("{help}\n\n")).unwrap_or_default();
        return command.after_help(StyledStr::from(format!("{before}Examples:{text}")));
    };
    // What is not there would be made: the test below finds it.
    if command.find_subcommand(name).is_none() {
        return command;
    }
    command.mut_subcommand(name, |command| below(command, rest, text))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::Cli;
    use super::*;

    /// Paths of all commands that do something.
    fn leaves(command: &Command, path: &str, found: &mut Vec<String>) {
        for below in command.get_subcommands() {
            let path = format!("{path} {}", below.get_name()).trim().to_owned();
            if below.has_subcommands() { leaves(below, &path, found) } else { found.push(path) }
        }
    }

    #[test]
    fn every_command_has_examples_and_every_example_is_a_command() {
        let mut commands = Vec::new();
        leaves(&Cli::command(), "", &mut commands);
        let mut with: Vec<_> = EXAMPLES.iter().map(|(path, _)| (*path).to_owned()).collect();
        commands.sort();
        with.sort();
        assert_eq!(commands, with);
    }

    #[test]
    fn every_example_is_understood() {
        let mut tried = 0;
        for (path, text) in EXAMPLES {
            for line in text.lines() {
                let Some(at) = line.find("munjigi ").filter(|at| line.trim().is_empty() || *at > 0) else { continue };
                let own = line[at..].split("  ").next().unwrap().split([';', '|', '>', '<']).next().unwrap();
                let words = own.split_whitespace().map(|word| word.trim_matches('\''));
                let parsed = Cli::command().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{own}: {}", parsed.unwrap_err());
                assert!(own.starts_with(&format!("munjigi {path}")), "{own} stands with {path}");
                tried += 1;
            }
        }
        assert!(tried > EXAMPLES.len(), "{tried}");
    }

    #[test]
    fn what_was_said_before_the_examples_is_still_said() {
        let mut command = with_examples(Cli::command());
        let rotate = command.find_subcommand_mut("key").unwrap().find_subcommand_mut("rotate").unwrap();
        let help = rotate.render_help().to_string();
        assert!(help.contains("Nobody is signed out.") && help.contains("munjigi key rotate --now"), "{help}");
    }
}
