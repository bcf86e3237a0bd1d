use core::time::Duration;

use surmise_sim::{LossLaw, Scenario};
use surmise_time::Instant;

use super::Contender;

/// The time from one heartbeat to the next.
pub const INTERVAL: Duration = Duration::from_millis(100);

/// So many heartbeats fill every window.
pub const WARM_UP: usize = 2000;

/// The heartbeats of one peer, without end.
///
/// A recorded stream over and over, each time with later numbers and times.
#[derive(Clone, Debug)]
pub struct Heartbeats {
    recorded: Vec<Beat>,
    next: usize,
    sequence_base: u64,
    time_base: u64,
}

/// A heartbeat that arrives.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a plain pair")]
pub struct Beat {
    /// Its number.
    pub sequence: u64,
    /// When it arrives.
    pub at: Instant,
}

impl Heartbeats {
    const RECORDED: u64 = 8192;

    /// Creates the stream that every bench sees.
    #[must_use]
    pub fn new() -> Self {
        let scenario = Scenario {
            interval: INTERVAL,
            beats: Self::RECORDED,
            loss: LossLaw::Independent(0.01),
            ..Scenario::calm(0x5eed)
        };
        let arrivals = scenario.arrivals().into_iter();
        let recorded = arrivals.map(|a| Beat { sequence: a.sequence, at: a.received }).collect();
        Self { recorded, next: 0, sequence_base: 0, time_base: 0 }
    }
}

impl Default for Heartbeats {
    fn default() -> Self {
        Self::new()
    }
}

impl Iterator for Heartbeats {
    type Item = Beat;

    #[inline]
    fn next(&mut self) -> Option<Beat> {
        if self.next == self.recorded.len() {
            self.next = 0;
            self.sequence_base += Self::RECORDED;
            self.time_base += Self::RECORDED * INTERVAL_NANOS;
        }
        let beat = self.recorded.get(self.next)?;
        self.next += 1;
        Some(Beat {
            sequence: self.sequence_base + beat.sequence,
            at: Instant::from_nanos(self.time_base + beat.at.as_nanos()),
        })
    }
}

/// Lets a detector see heartbeats until its window is full, and returns when the last one arrived.
pub fn warm<C: Contender>(contender: &mut C, heartbeats: &mut Heartbeats) -> Instant {
    let mut last = Instant::ORIGIN;
    for beat in heartbeats.take(WARM_UP) {
        contender.heartbeat(beat.sequence, beat.at);
        last = beat.at;
    }
    last
}

/// Returns times at which to ask a detector: evenly from the last heartbeat to two intervals later.
pub fn query_times(last: Instant, count: u32) -> impl Iterator<Item = Instant> {
    let step = 2 * INTERVAL / count;
    (0..count).map(move |index| last + step * index)
}

const INTERVAL_NANOS: u64 = 100_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_go_on_without_a_seam() {
        let mut heartbeats = Heartbeats::new();
        let mut previous = heartbeats.next().unwrap();
        for beat in heartbeats.take(20_000) {
            let gap = beat.sequence - previous.sequence;
            assert!((1..10).contains(&gap), "{gap} at {previous:?}");
            let expected = INTERVAL * u32::try_from(gap).unwrap();
            assert!((beat.at - previous.at).abs_diff(expected) < INTERVAL / 10, "{previous:?}");
            previous = beat;
        }
    }

    #[test]
    fn the_interval_in_nanoseconds_is_the_interval() {
        assert_eq!(Duration::from_nanos(INTERVAL_NANOS), INTERVAL);
    }
}
