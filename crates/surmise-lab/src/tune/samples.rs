//! Traces for the tests of this module.

use crate::{
    compare::timeline::Timeline,
    trace::{HeartbeatRecord, Trace},
};

/// A tenth of a second, the interval of these traces.
pub(super) const INTERVAL: u64 = 100_000_000;

/// Makes a trace of beats every 100 ms, each as much later as `delay` says in nanoseconds, or lost.
pub(super) fn timeline(beats: u64, delay: impl Fn(u64) -> Option<u64>) -> Timeline {
    let record = |sequence| {
        let sent = sequence * INTERVAL;
        HeartbeatRecord::new(sequence, Some(sent), delay(sequence).map(|delay| sent + delay))
    };
    let trace = Trace::new("sample", (0..beats).map(record).collect());
    Timeline::new(&trace, false, 1 << 40).unwrap()
}

/// Returns a delay that looks random, from 1 to 21 ms.
pub(super) fn jitter(sequence: u64) -> u64 {
    let mixed = (sequence + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    1_000_000 + (mixed >> 40) % 20_000_000
}
