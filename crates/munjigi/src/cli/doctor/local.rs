//! What else is named in the settings: the list of breached passwords, and the listener for whoever runs it.

use super::super::is_private;
use super::report::Report;
use crate::config::Config;
use crate::passwords;

pub(super) fn check(config: &Config, report: &mut Report) {
    match &config.passwords.breached {
        None => report.ok("passwords", "the hundred thousand that head published breaches are refused (passwords.breached_file names a longer list)"),
        Some(path) => match passwords::look_into_breached(path) {
            Ok(()) => report.ok("passwords", format!("{} can be searched", path.display())),
            Err(error) => {
                let mend = "name a sorted file that the server can read in passwords.breached_file (docs/configuration.md): without it the server does not start";
                report.wrong("passwords", format!("{error:#}"), mend);
            }
        },
    }
    match config.server.operations_listen {
        None => report.ok("operations", "there is no listener for metrics (server.operations_listen)"),
        Some(address) if is_private(address.ip()) => {
            report.ok("operations", format!("{address} is reached from this machine or its own network alone"));
        }
        Some(address) => {
            let what = format!(
                "{address} can be reached from everywhere: whoever asks learns how busy the server is and what fails"
            );
            report.warning("operations", what, "set server.operations_listen to a loopback or private address");
        }
    }
}
