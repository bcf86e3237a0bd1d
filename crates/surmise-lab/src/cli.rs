use core::error::Error;
use std::io::{self, Write as _};

use clap::{Parser, Subcommand, error::ErrorKind};
use surmise_lab::{
    clock::{self, ClockArgs},
    compare::{self, CompareArgs},
    record::{self, RecordArgs, Stop},
    scenario::{self, ScenarioArgs},
    tune::{self, TuneArgs},
};
#[cfg(target_os = "linux")]
use surmise_lab::{
    failover::{self, FailoverArgs, FailoverError},
    fence::{self, FenceArgs},
};

/// Compares failure detectors on real heartbeat traces, records such traces, asks clocks what they
/// know, and shows what a fence is for, and a failover that corrupts nothing.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Stands below the commands in `--help`.
const EXAMPLES: &str = "\
Examples:
  Compare the detectors on the traces that come with this program:
    surmise-lab compare

  Record this machine for ten minutes, and compare them on that:
    surmise-lab record --loopback --duration 10m --output mine.csv
    surmise-lab compare mine.csv

  Find the detector that notices a crash within a second, and errs at most ten times a day:
    surmise-lab tune mine.csv --detection-time 1s --mistakes-per-day 10

  Show what this machine knows of the time:
    surmise-lab clock

  Stop a process for longer than its lease lasts, and see its late write refused:
    surmise-lab fence

  Why a client that got no answer needs an idempotency key, and eight other stories:
    surmise-lab scenario lost-reply

  Stop the leader of a cluster, and see another take over:
    surmise-lab failover";

#[derive(Debug, Subcommand)]
enum Command {
    /// Replays every detector on traces, and reports how fast and how often wrong each was
    Compare(CompareArgs),
    /// Finds the detector that keeps a promise on a trace, and prints its configuration
    Tune(TuneArgs),
    /// Records heartbeats over UDP and writes the trace
    Record(RecordArgs),
    /// Shows what each time source of this machine knows, and what they agree on
    Clock(ClockArgs),
    /// Stops a process for longer than its lease lasts, and shows what its late write does
    #[cfg(target_os = "linux")]
    Fence(FenceArgs),
    /// Has a cluster lose its leader, and checks that nothing was corrupted
    #[cfg(target_os = "linux")]
    Failover(FailoverArgs),
    /// Is one of the processes of `failover`
    #[cfg(target_os = "linux")]
    #[command(hide = true, name = "process-of-failover")]
    FailoverProcess,
    /// Is one of the processes of `fence`
    #[cfg(target_os = "linux")]
    #[command(hide = true, name = "holder-of-fence")]
    FenceHolder,
    /// Tells a short story of uncertainty, such as that of the lost reply, by a run of the crates
    Scenario(ScenarioArgs),
}

impl Cli {
    /// Does what was asked for.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self.command {
            Command::Clock(args) => clock::run(&args)?,
            Command::Compare(args) => compare::run(&args)?,
            #[cfg(target_os = "linux")]
            Command::Fence(args) => {
                refuse(args.check());
                fence::run(&args)?;
            }
            #[cfg(target_os = "linux")]
            Command::Failover(args) => {
                refuse(args.check());
                failover::run(&args)?;
            }
            #[cfg(target_os = "linux")]
            Command::FailoverProcess => failover::act()?,
            #[cfg(target_os = "linux")]
            Command::FenceHolder => fence::hold()?,
            Command::Tune(args) => tune::run(&args)?,
            Command::Record(args) => {
                let summary = record::run(&args, &Stop::on_interrupt()?)?;
                writeln!(io::stdout(), "{summary}")?;
            }
            Command::Scenario(args) => scenario::run(&args)?,
        }
        Ok(())
    }
}

/// Returns what to end with after an error.
pub(crate) fn exit_status(error: &(dyn Error + 'static)) -> u8 {
    #[cfg(target_os = "linux")]
    if let Some(error) = error.downcast_ref::<FailoverError>() {
        return error.exit_status();
    }
    let _ = error;
    1
}

/// Ends as for arguments that cannot be read, if one does not suit the other.
#[cfg(target_os = "linux")]
fn refuse<E: Error>(checked: Result<(), E>) {
    if let Err(error) = checked {
        clap::Error::raw(ErrorKind::ValueValidation, format!("{error}\n")).exit();
    }
}
