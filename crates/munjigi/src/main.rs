//! The `munjigi` program. See [`munjigi::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    munjigi::cli::run()
}
