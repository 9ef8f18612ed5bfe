//! `munjigi secret`

use std::process::ExitCode;

use clap::Subcommand;

use super::output;
use crate::core::Core;
use crate::secret::Former;

/// Replaces the secret of the installation
#[derive(Subcommand)]
pub(super) enum Secret {
    /// Puts a new secret in the place of the one in the data directory; servers that run take it up by themselves
    #[command(
        after_help = "The former secret goes on verifying until the last refresh token of it has expired, so nobody is signed out. \
                      Where server.secret is configured, this says what to do."
    )]
    Rotate {
        /// Somebody may know the former one: it is worth nothing from now on, every key is replaced, and everybody logs in again
        #[arg(long)]
        compromised: bool,
    },
}

impl Secret {
    pub(super) async fn run(self, core: &Core) -> anyhow::Result<ExitCode> {
        let Self::Rotate { compromised } = self;
        let former = if compromised { Former::Known } else { Former::Kept };
        core.keys.rotate_secret(former, core.now()).await?;
        output::say(match former {
            Former::Kept => {
                "the secret was replaced; the former one is kept in secret.previous until its last token has expired"
            }
            Former::Known => {
                "the secret and every key were replaced; everybody logs in again, and servers that run know it within a second"
            }
        });
        Ok(ExitCode::SUCCESS)
    }
}
