//! `munjigi secret`

use std::process::ExitCode;

use clap::Subcommand;

use super::output;
use crate::core::Core;
use crate::secret::Former;

/// Replaces the secret of the installation, and prints what is derived from it
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
    /// Prints the token by which a service elsewhere follows the revocations (GET /auth/revocations)
    #[command(
        after_help = "Whoever has it learns which sessions and users have ended, and nothing else. It is derived from the secret: after \
                      `munjigi secret rotate` there is a new one, and the former goes on until the former secret is forgotten.\n\n\
                      Example:\n  curl -N -H \"Authorization: Bearer $(munjigi secret feed-token)\" http://localhost:3000/auth/revocations"
    )]
    FeedToken,
}

impl Secret {
    pub(super) async fn run(self, core: &Core) -> anyhow::Result<ExitCode> {
        let compromised = match self {
            Self::Rotate { compromised } => compromised,
            Self::FeedToken => {
                output::say(&core.feed_tokens.present());
                return Ok(ExitCode::SUCCESS);
            }
        };
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
        if former == Former::Known
            && let Some(kid) = core.keys.configured().await?
        {
            anyhow::bail!(
                "but key {kid} is tokens.shared_secret, which is not ours to replace, and whoever knew the secret may know it: give another \
                 one there, restart the servers, then `munjigi key revoke {kid}`"
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}
