use core::{fmt, time::Duration};

use surmise_clock::JumpMonitor;
use surmise_time::{Instant, ManualClock, MonotonicClock, WallTime};

use super::{
    Random, Report,
    wall::{MAX_OFFSET, Wall},
};

/// Reports what a monitor makes of a wall clock against a monotonic one, which at times is at its limits
/// too.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut wall = Wall::new(9);
    let mut random = Random::new(10);
    let clock = ManualClock::new(Instant::ORIGIN);
    let mut monitor = JumpMonitor::new(MAX_OFFSET);
    for number in 0..300 {
        clock.advance(Duration::from_nanos(random.below(200_000_000)));
        let now = match random.below(40) {
            0 => Instant::from_nanos(random.next()),
            _ => clock.now(),
        };
        let wall: WallTime = wall.now();
        report.value("jump", number, &monitor.observe(wall, now))?;
    }
    report.value("jumps", 0, &monitor.statistics())
}
