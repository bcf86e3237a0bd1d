//! Any sequence of calls to any detector, whatever its configuration.

#![no_main]

use core::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use surmise_detector::{FailureDetector, FixedTimeout};
use surmise_time::Instant;

#[derive(Arbitrary, Debug)]
enum Op {
    Heartbeat { sequence: u64, now: u64 },
    Restart,
}

fuzz_target!(|input: (Duration, Vec<Op>)| {
    let (timeout, ops) = input;
    let Ok(mut detector) = FixedTimeout::new(timeout) else { return };
    for op in ops {
        match op {
            Op::Heartbeat { sequence, now } => {
                _ = detector.heartbeat(sequence, Instant::from_nanos(now))
            }
            Op::Restart => detector.restart(),
        }
    }
});
