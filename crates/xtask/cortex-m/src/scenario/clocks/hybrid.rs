use core::fmt;

use surmise_clock::{CeilingTooHigh, HybridClock, HybridTimestamp, sync::AtomicHybridClock};

use super::{
    Report,
    wall::{MAX_OFFSET, Wall},
};

/// Reports the life of clocks for one thread and for many, one after another: a wall time at the limit
/// stays for good.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut wall = Wall::new(5);
    for number in 0..LIVES {
        let ceiling = wall.remote();
        match resume(ceiling) {
            Ok((clock, shared)) => live(report, &mut wall, clock, &shared)?,
            Err(error) => report.text("hybrid_resume", number, format_args!("{error}"))?,
        }
    }
    Ok(())
}

fn resume(ceiling: HybridTimestamp) -> Result<(HybridClock, AtomicHybridClock), CeilingTooHigh> {
    let clock = HybridClock::resume(MAX_OFFSET, ceiling)?;
    Ok((clock, AtomicHybridClock::resume(MAX_OFFSET, ceiling)?))
}

fn live(
    report: &mut Report<'_>,
    wall: &mut Wall,
    mut clock: HybridClock,
    shared: &AtomicHybridClock,
) -> fmt::Result {
    for number in 0..STEPS {
        let (now, remote, count) = (wall.now(), wall.remote(), wall.count());
        match wall.below(8) {
            0..=2 => {
                report.value("hybrid", number, &clock.tick(now))?;
                report.value("hybrid_atomic", number, &shared.tick(now))?;
            }
            3 | 4 => {
                report.value("hybrid", number, &clock.observe(remote, now))?;
                report.value("hybrid_atomic", number, &shared.observe(remote, now))?;
            }
            5 | 6 => {
                report.value("hybrid", number, &clock.witness(remote, now))?;
                report.value("hybrid_atomic", number, &shared.witness(remote, now))?;
            }
            _ => {
                report.value("hybrid", number, &clock.reserve(count, now))?;
                report.value("hybrid_atomic", number, &shared.reserve(count, now))?;
            }
        }
        report.value("hybrid_latest", number, &(clock.latest(), shared.latest()))?;
        report.value("hybrid_ahead", number, &(clock.ahead(now), shared.ahead(now)))?;
    }
    Ok(())
}

const LIVES: u64 = 12;
const STEPS: u64 = 50;
