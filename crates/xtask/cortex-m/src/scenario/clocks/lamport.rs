use core::fmt;

use surmise_clock::{LamportClock, LamportTime, LamportTimestamp, sync::AtomicLamportClock};

use super::{Random, Report};

/// Reports events and messages at a clock for one thread and at one for many, until time runs out.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(4);
    for start in [0, u64::from(u32::MAX) - 20, u64::MAX - 60] {
        let start = LamportTime::new(start);
        let (mut clock, shared) = (LamportClock::resume(start), AtomicLamportClock::resume(start));
        for number in 0..100 {
            let (one, many) = match random.below(4) {
                0 => {
                    // Messages of any age, and some from the future.
                    let near = clock.latest().get().saturating_add(random.below(8));
                    let remote = LamportTime::new(near.saturating_sub(random.below(8)));
                    (clock.witness(remote), shared.witness(remote))
                }
                1 if number > 90 => {
                    let remote = LamportTime::new(random.next());
                    (clock.witness(remote), shared.witness(remote))
                }
                _ => (clock.tick(), shared.tick()),
            };
            report.value("lamport", number, &one)?;
            report.value("lamport_atomic", number, &many)?;
        }
        let stamp = LamportTimestamp { time: clock.latest(), node: "a" };
        report.text("lamport_timestamp", 0, format_args!("{stamp}"))?;
    }
    Ok(())
}
