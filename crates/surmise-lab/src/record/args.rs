use core::{num::NonZeroU64, time::Duration};
use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::{
    MAX_HEARTBEATS,
    delay::DelayLaw,
    error::RecordError,
    link::Impairment,
    probability::{BurstLoss, Probability},
    sender::Schedule,
};

/// The arguments of `surmise-lab record`.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
#[command(
    group = ArgGroup::new("mode").required(true).args(["loopback", "send", "receive", "relay_listen"]),
    group = ArgGroup::new("relaying").args(["relay", "relay_listen"]),
    override_usage = USAGE,
    after_help = EXAMPLES
)]
pub struct RecordArgs {
    /// Sends and receives on this machine, and knows the time of every lost heartbeat
    #[arg(long, requires = "output")]
    pub(super) loopback: bool,

    /// Sends heartbeats to a receiver
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) send: Option<String>,

    /// Receives heartbeats at this address and writes the trace
    #[arg(long, value_name = "BIND:PORT", requires = "output")]
    pub(super) receive: Option<String>,

    /// Forwards heartbeats from this address through an impaired link
    #[arg(long, value_name = "BIND:PORT", requires = "relay_to")]
    pub(super) relay_listen: Option<String>,

    /// Where the relay forwards to
    #[arg(long, value_name = "HOST:PORT", requires = "relay_listen")]
    pub(super) relay_to: Option<String>,

    /// The trace to write
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["send", "relay_listen"])]
    pub(super) output: Option<PathBuf>,

    /// Replaces an existing trace
    #[arg(long, requires = "output")]
    pub(super) force: bool,

    /// The time between two heartbeats
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = interval,
          conflicts_with_all = ["receive", "relay_listen"])]
    pub(super) interval: Duration,

    /// Ends after this many heartbeats
    #[arg(long, value_name = "N", conflicts_with_all = ["duration", "receive", "relay_listen"])]
    pub(super) count: Option<NonZeroU64>,

    /// Ends after this time, instead of at Ctrl-C (or, for a receiver, when the sender ends)
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(super) duration: Option<Duration>,

    /// How long a receiver waits for late heartbeats after the sender has ended
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = humantime::parse_duration,
          conflicts_with_all = ["send", "relay_listen"])]
    pub(super) linger: Duration,

    /// With --loopback: sends through an impaired link
    #[arg(long, requires = "loopback")]
    pub(super) relay: bool,

    #[command(flatten)]
    pub(super) impairment: ImpairmentArgs,
}

/// What the relay does to datagrams.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Impairment, for --relay and --relay-listen")]
pub(super) struct ImpairmentArgs {
    /// How long a datagram takes: constant:20ms, uniform:10ms,30ms, exponential:20ms (mean),
    /// log-normal:20ms,0.5 (median and sigma) or pareto:5ms,1.5 (least delay and shape)
    #[arg(long, value_name = "LAW", requires = "relaying")]
    delay: Option<DelayLaw>,

    /// The probability that a datagram is lost
    #[arg(long, value_name = "P", requires = "relaying")]
    loss: Option<Probability>,

    /// Loss in bursts (Gilbert-Elliott): the probabilities, at each datagram, that a burst begins
    /// and that it ends
    #[arg(long, value_name = "P,P", requires = "relaying")]
    burst_loss: Option<BurstLoss>,

    /// The probability that a datagram is overtaken by the next
    #[arg(long, value_name = "P", requires = "relaying")]
    reorder: Option<Probability>,

    /// The probability that a datagram arrives twice
    #[arg(long, value_name = "P", requires = "relaying")]
    duplicate: Option<Probability>,

    /// Seeds all of the above
    #[arg(long, value_name = "N", requires = "relaying")]
    seed: Option<u64>,
}

/// Its four modes, which share few options, a line each.
const USAGE: &str = "\
surmise-lab record --loopback --output <FILE> [OPTIONS]
       surmise-lab record --send <HOST:PORT> [OPTIONS]
       surmise-lab record --receive <BIND:PORT> --output <FILE> [OPTIONS]
       surmise-lab record --relay-listen <BIND:PORT> --relay-to <HOST:PORT> [OPTIONS]";

/// Stands below the options in `--help`.
const EXAMPLES: &str = "\
Examples:
  On one machine, a minute, then what the detectors make of it:
    surmise-lab record --loopback --duration 1m --output my.csv
    surmise-lab compare my.csv

  Between two hosts, until Ctrl-C at the sender (start the receiver first):
    surmise-lab record --receive 0.0.0.0:4750 --output my.csv
    surmise-lab record --send receiver.example:4750 --interval 100ms

  Through a bad network:
    surmise-lab record --loopback --relay --delay pareto:5ms,1.5 --burst-loss 0.01,0.3 \\
      --duration 1m --output bad.csv

A sender keeps to its schedule: one that was held up sends what is due at once and skips nothing.
The trace grows in FILE.partial while it is recorded. Ctrl-C ends a recording and keeps it.";

impl RecordArgs {
    /// Returns when heartbeats are due; without a count or a duration, as many as fit a recording.
    pub(super) fn schedule(&self) -> Result<Schedule, RecordError> {
        let by_duration = self
            .duration
            .map(|duration| duration.as_nanos().div_ceil(self.interval.as_nanos().max(1)).max(1));
        let heartbeats = self.count.map(|count| count.get().into()).or(by_duration);
        let limit = MAX_HEARTBEATS;
        match heartbeats.map(|heartbeats| (heartbeats, u64::try_from(heartbeats))) {
            None => Ok(Schedule::new(self.interval, limit)),
            Some((_, Ok(count))) if count <= limit => Ok(Schedule::new(self.interval, count)),
            Some((heartbeats, _)) => Err(RecordError::TooMany { heartbeats, limit }),
        }
    }
}

impl ImpairmentArgs {
    pub(super) fn to_impairment(&self) -> Impairment {
        Impairment {
            delay: self.delay,
            loss: self.loss.unwrap_or_default(),
            burst_loss: self.burst_loss,
            reorder: self.reorder.unwrap_or_default(),
            duplicate: self.duplicate.unwrap_or_default(),
            seed: self.seed.unwrap_or_default(),
        }
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let range = Duration::from_micros(100)..=Duration::from_secs(3600);
    let interval = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if range.contains(&interval) {
        Ok(interval)
    } else {
        Err(format!("the interval must lie between {:?} and {:?}", range.start(), range.end()))
    }
}
