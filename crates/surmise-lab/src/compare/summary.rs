//! What can be said of a trace before any detector has seen it.

use core::time::Duration;

use super::timeline::{Since, Timeline, WARM_UP};
use crate::trace::Trace;

/// A trace in a few numbers. Times are in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    pub(crate) interval: f64,
    /// From the first sequence number to the last.
    pub(crate) sent: u64,
    /// Of those, the ones that never arrived.
    pub(crate) lost: u64,
    /// Arrivals that were overtaken, or came twice.
    pub(crate) stale: u64,
    /// From the first arrival to the last.
    pub(crate) span: f64,
    /// The longest time between two fresh arrivals, of those that are scored.
    pub(crate) worst_silence: f64,
    pub(crate) outage: Silence,
    pub(crate) since: Since,
    pub(crate) assumed_interval: Option<Duration>,
}

/// The time between two fresh arrivals, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Silence {
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// How many heartbeats the next one to arrive had skipped.
    pub(crate) lost: u64,
}

impl Summary {
    pub(crate) fn new(trace: &Trace, timeline: &Timeline) -> Self {
        let first = trace.beats.first().map_or(0, |beat| beat.sequence);
        let last = trace.beats.last().map_or(0, |beat| beat.sequence);
        let sent = (last - first).saturating_add(1);
        let mut received: Vec<u64> = timeline.beats().iter().map(|beat| beat.sequence).collect();
        let arrivals = length(received.len());
        received.sort_unstable();
        received.dedup();
        let fresh = length(timeline.beats().iter().filter(|beat| beat.fresh).count());
        let end = timeline.beats().last().map_or(0, |beat| beat.at);
        let outage = worst_silence(timeline);
        Self {
            interval: timeline.interval_seconds(),
            sent,
            lost: sent.saturating_sub(length(received.len())),
            stale: arrivals - fresh,
            span: timeline.scale().seconds(end.into()),
            worst_silence: timeline.scale().seconds(outage.ticks().into()),
            outage,
            since: timeline.since(),
            assumed_interval: trace.assumed_interval,
        }
    }
}

impl Silence {
    pub(crate) fn ticks(self) -> u64 {
        self.to - self.from
    }
}

/// Returns the longest silence of those that are scored.
fn worst_silence(timeline: &Timeline) -> Silence {
    let mut worst = Silence::default();
    let mut fresh = timeline.beats().iter().filter(|beat| beat.fresh).skip(WARM_UP).peekable();
    while let (Some(before), Some(after)) = (fresh.next(), fresh.peek()) {
        let lost = after.sequence - before.sequence - 1;
        let silence = Silence { from: before.at, to: after.at, lost };
        if silence.ticks() > worst.ticks() {
            worst = silence;
        }
    }
    worst
}

fn length(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{compare::text, trace::shipped};

    #[test]
    fn the_worst_silences_of_the_shipped_traces_are_those_of_their_readme() {
        let readme = include_str!("../../traces/README.md");
        for trace in shipped() {
            let timeline = Timeline::new(&trace, false, 0).unwrap();
            let silence = text::time(Summary::new(&trace, &timeline).worst_silence);
            let start = format!("| `{}.csv` |", trace.name);
            let row = readme.lines().find(|line| line.starts_with(&start)).unwrap();
            assert!(row.contains(&format!(" ms | {silence} | ")), "{silence} is not in {row}");
        }
    }
}
