use core::time::Duration;
use std::path::PathBuf;

use clap::Args;

use super::contract::{Contract, ContractError};
use crate::{arguments::time, compare::parse_interval};

/// What to demand, and of which traces.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
#[command(after_help = EXAMPLES)]
pub struct TuneArgs {
    /// Traces as CSV (sequence,sent_ns,received_ns) or saved `ping` output, `-` for the standard input;
    /// the recorded ones that come with this program if none is given
    #[arg(value_name = "TRACE")]
    pub traces: Vec<PathBuf>,
    /// The longest that a crash may go unnoticed, counted from when the last heartbeat was sent
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub detection_time: Duration,
    /// How often a live peer may be suspected in a day, on average: a number, such as 0.1 for once in
    /// ten days
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub mistakes_per_day: f64,
    /// How long such a suspicion may last, on average [default: as long as it may be]
    #[arg(long, value_name = "TIME", value_parser = parse_interval)]
    pub mistake_duration: Option<Duration>,
    /// How certain the mistakes a day must be, as a share of one
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, allow_negative_numbers = true)]
    pub confidence: f64,
    /// The time between pings, for `ping` output without stamps [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = parse_interval)]
    pub interval: Option<Duration>,
    /// Take `sent_ns` and `received_ns` to be read from one clock
    #[arg(long)]
    pub same_clock: bool,
    /// Also write all of it to FILE as JSON, an object for each trace. `-`, which is what no FILE means,
    /// is the standard output, and the text then goes to the standard error
    // With the sign, so that a trace after `--json` is not taken for the file, and written over.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-",
          require_equals = true)]
    pub json: Option<PathBuf>,
}

impl TuneArgs {
    /// Returns the contract, if it makes sense.
    pub(super) fn contract(&self) -> Result<Contract, ContractError> {
        let Self { detection_time, mistakes_per_day, mistake_duration, confidence, .. } = *self;
        Contract { detection_time, mistakes_per_day, mistake_duration, confidence }.check()
    }
}

/// Stands below the options in `--help`.
const EXAMPLES: &str = "\
Examples:
  Which detector notices a crash within 3 s, and errs at most once a day?
    surmise-lab record --receive 0.0.0.0:4750 --output mine.csv        # on one host, for some days
    surmise-lab record --send receiver.example:4750 --interval 100ms   # on the other
    surmise-lab tune mine.csv --detection-time 3s --mistakes-per-day 1

  The same of the recorded traces, which are too short to show so little:
    surmise-lab tune --detection-time 3s --mistakes-per-day 1

  What is to be had within half a second on a network as `ping` saw it:
    ping -D -i 0.1 -c 6000 example.org > my.log
    surmise-lab tune my.log --detection-time 500ms --mistakes-per-day 100

Exit status:
  0 whatever the answer is; 1 if there is none, because a trace cannot be read, all are too short, or
  the contract makes no sense; 2 if the arguments are none";
