//! Measures what `docs/figures.md` says, side by side in one run: `scripts/bench` builds everything and runs this.
//!
//! Two things are compared in turns, A B A B, and the median of the rounds and of the rounds' ratios is printed with the
//! lowest and the highest: on a machine that others use too, a ratio still means something when a rate no longer does. Nothing
//! is asserted of a time. What is asserted is that the measured thing happened: each answer is looked at.
//!
//! | module | measures |
//! | --- | --- |
//! | [`gate`] | a request through the gate against the same server without it, in CPU time and in instructions |
//! | [`server`] | a request to the whole server |
//! | [`rotations`] | renewals, through the stores and over HTTP |
//! | [`log_ins`] | log-ins against what the cores can hash, and the latency of others meanwhile |
//! | [`enumeration`] | what the time of a failed log-in tells |
//! | [`overload`] | ten times more log-ins than can be hashed, and clients that hold connections for nothing |
//! | [`footprint`] | Redis's bytes, resident memory, start, binary |
//! | [`load`], [`process`], [`report`] | what they are measured and told with |

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]
#![expect(clippy::cast_precision_loss, reason = "counts are small, and figures have three digits")]

mod enumeration;
mod footprint;
mod gate;
mod load;
mod log_ins;
mod overload;
mod process;
mod report;
mod rotations;
mod server;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, ValueEnum as _};
use tokio::signal::unix::{SignalKind, signal};

/// Everything that is measured unless something is named takes no longer, nor does any one part.
const LONGEST: Duration = Duration::from_secs(350);

/// Measures Munjigi, side by side with what it could be at best
#[derive(Parser)]
struct Options {
    /// The server that is measured, of profile `dist`
    #[arg(long, default_value = "target/dist/munjigi")]
    binary: PathBuf,
    /// Rounds of each comparison
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// What to measure; unless something is named, all but `enumeration` and `overload`, which take minutes each
    parts: Vec<Part>,
    /// Be a server that is measured: `bare`, `hs256`, or behind a gate that has this public key
    #[arg(long, hide = true)]
    stand: Option<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Part {
    Gate,
    Instructions,
    Server,
    Rotations,
    LogIns,
    RedisMemory,
    Footprint,
    Enumeration,
    Overload,
}

impl Part {
    /// Whether it is measured where nothing is named.
    const fn is_usual(self) -> bool {
        !matches!(self, Self::Enumeration | Self::Overload)
    }
}

/// What all parts need to know.
struct Setup {
    binary: PathBuf,
    rounds: usize,
    cores: usize,
    /// Where load generators run while a server has the first core.
    last_core: usize,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if let Some(stand) = options.stand {
        return gate::stand(&stand);
    }
    let cores = std::thread::available_parallelism()?.get();
    let setup = Setup { binary: options.binary, rounds: options.rounds, cores, last_core: cores - 1 };
    let usual = Part::value_variants().iter().copied().filter(|part| part.is_usual());
    let parts = if options.parts.is_empty() { usual.collect() } else { options.parts };
    let unusual = parts.iter().filter(|part| !part.is_usual()).count();
    let longest = LONGEST * u32::try_from(1 + unusual)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        // Whatever ends first, the processes that were started end with the measurement that holds them.
        tokio::select! {
            outcome = tokio::time::timeout(longest, measure(&setup, &parts)) => outcome.context("it took too long")?,
            _ = terminate.recv() => anyhow::bail!("terminated"),
            _ = interrupt.recv() => anyhow::bail!("interrupted"),
        }
    });
    runtime.shutdown_background();
    outcome
}

async fn measure(setup: &Setup, parts: &[Part]) -> anyhow::Result<()> {
    for part in parts {
        let table = match part {
            Part::Gate => gate::measure(setup).await,
            Part::Instructions => gate::instructions(setup).await,
            Part::Server => server::measure(setup).await,
            Part::Rotations => rotations::measure(setup).await,
            Part::LogIns => log_ins::measure(setup).await,
            Part::RedisMemory => footprint::redis_memory(setup).await,
            Part::Footprint => footprint::server(setup).await,
            Part::Enumeration => enumeration::measure(setup).await,
            Part::Overload => overload::measure(setup).await,
        };
        println!("{}", table?);
    }
    Ok(())
}
