mod adaptive;
mod retries;
mod round_trips;

use core::fmt;

use super::{random::Random, report::Report};

/// Reports what is learned of latencies, with outliers and calls that are given up, and when what is tried again.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    adaptive::run(report)?;
    retries::run(report)?;
    round_trips::run(report)
}

/// Returns a latency between a microsecond and some seconds, of which short ones are as frequent as long ones.
fn latency(random: &mut Random) -> core::time::Duration {
    let octaves = 32 - random.below(22);
    core::time::Duration::from_nanos(1000 + random.below(1 << octaves))
}
