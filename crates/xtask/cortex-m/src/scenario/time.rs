use core::{fmt, time::Duration};

use surmise_time::{ManualWallClock, WallClock, WallTime};

use super::{random::Random, report::Report};

/// Reports a wall clock that goes forth and back.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let clock = ManualWallClock::new(WallTime::from_nanos(1_795_230_725_126_147_368));
    let mut random = Random::new(1);
    for number in 0..64 {
        let step = Duration::from_nanos(random.next() >> 20);
        if number % 5 == 0 {
            clock.step_back(step)
        } else {
            clock.advance(step)
        }
        report.bits("wall_clock", number, clock.now().as_nanos())?;
    }
    Ok(())
}
