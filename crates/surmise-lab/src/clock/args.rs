use core::{num::NonZeroU32, time::Duration};
use std::path::PathBuf;

use clap::Args;
use surmise_interval::source::ntp;

use super::{
    address::{HostPort, HostPortError},
    simulate,
};
use crate::arguments::time;

/// The arguments of `surmise-lab clock`.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
#[command(after_help = EXAMPLES)]
pub struct ClockArgs {
    /// Shows all of it again and again until Ctrl-C. NTP servers are asked every 64 s, everything
    /// else each time
    #[arg(long, value_name = "INTERVAL", num_args = 0..=1, default_missing_value = "1s",
          value_parser = live_interval, conflicts_with = "json")]
    pub(super) live: Option<Duration>,

    /// Also asks this NTP server; may be given more than once
    #[arg(long, value_name = "HOST[:PORT]", value_parser = ntp_server)]
    pub(super) ntp: Vec<HostPort>,

    /// Also asks this NTP server, which smears leap seconds: it is not compared with others that do
    /// not
    #[arg(long, value_name = "HOST[:PORT]", value_parser = ntp_server)]
    pub(super) smeared_ntp: Vec<HostPort>,

    /// Where this machine's chronyd answers: an address, or the path of its socket [default:
    /// 127.0.0.1:323]
    #[arg(long, value_name = "SOCKET|HOST[:PORT]", value_parser = chrony_place)]
    pub(super) chrony: Option<ChronyPlace>,

    /// Where ClockBound publishes [default: where it does by itself]
    #[arg(long, value_name = "PATH")]
    pub(super) clock_bound: Option<PathBuf>,

    /// Also reads this hardware clock, as in /dev/ptp0; needs --phc-accuracy
    #[arg(long, value_name = "DEVICE", requires = "phc_accuracy")]
    pub(super) phc: Option<PathBuf>,

    /// How far the hardware clock is ahead of UTC, in seconds: 37 where it counts TAI
    #[arg(long, value_name = "S", requires = "phc")]
    pub(super) tai_offset: Option<u32>,

    /// How far the hardware clock can be from the truth: it does not say so itself
    #[arg(long, value_name = "TIME", requires = "phc", value_parser = time)]
    pub(super) phc_accuracy: Option<Duration>,

    /// Asks nobody, and shows on simulated clocks what uncertainty costs
    #[arg(long, conflicts_with_all = SOURCES)]
    pub(super) simulate: bool,

    /// With --simulate: makes other clocks and another history
    #[arg(long, value_name = "N", default_value_t = 0, requires = "simulate")]
    pub(super) seed: u64,

    /// With --simulate: how many writes there are
    #[arg(long, value_name = "N", default_value_t = simulate::WRITES, requires = "simulate",
          value_parser = writes)]
    pub(super) writes: NonZeroU32,

    /// Exits with status 1 if nothing is selected, for scripts and health checks
    #[arg(long, conflicts_with_all = ["live", "simulate"])]
    pub(super) check: bool,

    /// Also writes all of it to FILE as JSON. `-`, which is what no FILE means, is the standard
    /// output, and the table then goes to the standard error
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub(super) json: Option<PathBuf>,
}

/// What makes no sense where nobody is asked.
const SOURCES: [&str; 8] =
    ["live", "ntp", "smeared_ntp", "chrony", "clock_bound", "phc", "tai_offset", "phc_accuracy"];

/// Stands below the options in `--help`.
const EXAMPLES: &str = "\
Examples:
  What this machine knows of the time, and whether two servers agree:
    surmise-lab clock --ntp 192.0.2.1 --ntp ntp.example.org

  How the uncertainty grows and shrinks:
    surmise-lab clock --live

  Whether this machine knows the time, for a script:
    surmise-lab clock --check

  What uncertainty costs: TrueTime's sawtooth, and updates that are lost where the last write wins:
    surmise-lab clock --simulate

Exit status:
  0, whatever the sources say; 1 if a result cannot be written, or with --check nothing is selected;
  2 if the arguments make no sense";

/// Where chronyd answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChronyPlace {
    Socket(PathBuf),
    Address(HostPort),
}

/// The port of chronyd's commands.
const CHRONY_PORT: u16 = 323;

fn ntp_server(text: &str) -> Result<HostPort, HostPortError> {
    HostPort::parse(text, ntp::PORT)
}

fn chrony_place(text: &str) -> Result<ChronyPlace, HostPortError> {
    if text.contains('/') {
        Ok(ChronyPlace::Socket(text.into()))
    } else {
        HostPort::parse(text, CHRONY_PORT).map(ChronyPlace::Address)
    }
}

fn live_interval(text: &str) -> Result<Duration, String> {
    let range = Duration::from_millis(100)..=Duration::from_secs(3600);
    let interval = time(text)?;
    if range.contains(&interval) {
        Ok(interval)
    } else {
        Err(format!("the interval must lie between {:?} and {:?}", range.start(), range.end()))
    }
}

fn writes(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 1 to {}", u32::MAX))
}
