use core::time::Duration;

use surmise_time::{Instant, WallTime};

/// Watches a wall clock for jumps, against a monotonic clock that has none.
///
/// Stamps of a [`HybridClock`](super::HybridClock) stay in order whatever the wall clock does, but a clock
/// that jumps is not as close to the others as its `max_offset` says. Feed this with readings of both
/// clocks, some times a second, and raise the alarm or stop the node on what it finds.
///
/// A jump is what the wall clock moved between two readings beyond what the monotonic clock did. Clocks
/// that are slewed do not jump. As in CockroachDB, a jump counts
///
/// * backward from more than a tenth of `max_offset` on,
/// * forward from half of `max_offset` on.
///
/// Whatever passes between the two readings counts as a jump, also if it was the reader that was stopped. Read
/// the monotonic clock, the wall clock and the monotonic clock again, and drop readings that took long.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_clock::{Jump, JumpMonitor};
/// use surmise_time::{Instant, WallTime};
///
/// let mut monitor = JumpMonitor::new(Duration::from_millis(500));
/// let (now, wall) = (Instant::ORIGIN, WallTime::from_nanos(1_795_230_725_000_000_000));
/// let second = Duration::from_secs(1);
/// assert_eq!(monitor.observe(wall, now), Jump::None);
/// assert_eq!(monitor.observe(wall + second, now + second), Jump::None);
///
/// let stepped = monitor.observe(wall + 3 * second, now + 2 * second);
/// assert_eq!(stepped, Jump::Forward(second));
/// assert_eq!(monitor.statistics().forward, 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JumpMonitor {
    max_offset: Duration,
    last: Option<(WallTime, Instant)>,
    statistics: JumpStatistics,
}

impl JumpMonitor {
    /// Creates a monitor for a wall clock that must be within `max_offset` of the others.
    #[must_use]
    pub const fn new(max_offset: Duration) -> Self {
        Self { max_offset, last: None, statistics: JumpStatistics::NONE }
    }

    /// Takes in what both clocks show, and returns whether the wall clock has jumped since last time.
    ///
    /// `now` should count while the machine sleeps, as `BootClock` of `surmise-time` does: otherwise the
    /// wall clock appears to jump when it wakes.
    pub fn observe(&mut self, wall: WallTime, now: Instant) -> Jump {
        let Some((last_wall, last_now)) = self.last.replace((wall, now)) else {
            return Jump::None;
        };
        let elapsed = now - last_now;
        let moved = wall - last_wall;
        // The operators saturate at zero: one of the last two is none, and so is one of these.
        let ahead = moved.saturating_sub(elapsed);
        let behind = elapsed.saturating_sub(moved).saturating_add(last_wall - wall);
        let jump = if !ahead.is_zero() && ahead.saturating_mul(2) >= self.max_offset {
            Jump::Forward(ahead)
        } else if behind.saturating_mul(10) > self.max_offset {
            Jump::Backward(behind)
        } else {
            Jump::None
        };
        self.statistics.count(jump);
        jump
    }

    /// Returns what was found so far.
    #[must_use]
    pub const fn statistics(&self) -> JumpStatistics {
        self.statistics
    }
}

/// Whether a wall clock has jumped, and by how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_enums, reason = "there are two directions")]
pub enum Jump {
    /// It has not, or by less than what counts.
    None,
    /// It shows more than it should.
    Forward(Duration),
    /// It shows less than it should.
    Backward(Duration),
}

/// How often a wall clock has jumped, and how far at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct JumpStatistics {
    /// How often it has jumped forward.
    pub forward: u64,
    /// How often it has jumped backward.
    pub backward: u64,
    /// The farthest that it has jumped forward.
    pub max_forward: Duration,
    /// The farthest that it has jumped backward.
    pub max_backward: Duration,
}

impl JumpStatistics {
    const NONE: Self =
        Self { forward: 0, backward: 0, max_forward: Duration::ZERO, max_backward: Duration::ZERO };

    fn count(&mut self, jump: Jump) {
        match jump {
            Jump::None => {}
            Jump::Forward(by) => {
                self.forward += 1;
                self.max_forward = self.max_forward.max(by);
            }
            Jump::Backward(by) => {
                self.backward += 1;
                self.max_backward = self.max_backward.max(by);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// CockroachDB's `TestHLCPhysicalClockJump`: what the wall clock moves at once, `max_offset`, and
    /// whether that is fatal there, all in milliseconds.
    const FORWARD: [(i64, u32, bool); 9] = [
        (50, 500, false),
        (250, 500, true),
        (400, 500, true),
        (400, 900, false),
        (-40, 500, false),
        (-700, 500, false),
        (-700, 900, false),
        (500, 500, true),
        (249, 500, false),
    ];

    fn readings(step: i64) -> (WallTime, WallTime) {
        let start = WallTime::from_nanos(1_795_230_725_000_000_000);
        let by = Duration::from_millis(step.unsigned_abs());
        (start, if step < 0 { start - by } else { start + by })
    }

    #[test]
    fn forward_jumps_are_those_that_cockroachdb_dies_of() {
        for (step, max_offset, fatal) in FORWARD {
            let (before, after) = readings(step);
            // Whatever time passes in between is no part of the jump.
            for elapsed in [Duration::ZERO, 700 * MS] {
                let mut monitor = JumpMonitor::new(max_offset * MS);
                let now = Instant::from_nanos(5);
                assert_eq!(monitor.observe(before, now), Jump::None, "there is nothing before it");
                let jump = monitor.observe(after + elapsed, now + elapsed);
                let forward = matches!(jump, Jump::Forward(_));
                assert_eq!(forward, fatal, "{step} of {max_offset}: {jump:?}");
            }
        }
    }

    #[test]
    fn backward_jumps_count_from_a_tenth_of_the_offset_on() {
        let mut monitor = JumpMonitor::new(Duration::from_nanos(100));
        let mut wall = WallTime::from_nanos(1_000);
        monitor.observe(wall, Instant::ORIGIN);
        for (back, jumps) in [(110, 1), (10, 1), (11, 2)] {
            wall -= Duration::from_nanos(back);
            monitor.observe(wall, Instant::ORIGIN);
            assert_eq!(monitor.statistics().backward, jumps, "{back} back");
        }
        assert_eq!(monitor.statistics().max_backward, Duration::from_nanos(110));

        // A clock that stands still falls behind as much as one that steps back.
        assert_eq!(monitor.observe(wall, Instant::ORIGIN + MS), Jump::Backward(MS));
        let nanosecond = Duration::from_nanos(1);
        let stepped = monitor.observe(wall - nanosecond, Instant::ORIGIN + 2 * MS);
        assert_eq!(stepped, Jump::Backward(MS + nanosecond));
        assert_eq!(monitor.statistics().forward, 0);

        // Of two jumps, the farther is remembered, whichever comes last.
        monitor.observe(wall + 5 * MS, Instant::ORIGIN + 2 * MS);
        monitor.observe(wall + 8 * MS, Instant::ORIGIN + 2 * MS);
        assert_eq!(monitor.statistics().forward, 2);
        assert_eq!(monitor.statistics().max_forward, 5 * MS + nanosecond);
    }

    #[test]
    fn a_clock_that_keeps_pace_never_jumps_and_extremes_are_borne() {
        let mut exact = JumpMonitor::new(Duration::ZERO);
        for step in 0..10 {
            let elapsed = step * MS;
            let jump = exact.observe(WallTime::UNIX_EPOCH + elapsed, Instant::ORIGIN + elapsed);
            assert_eq!(jump, Jump::None);
        }
        let mut wild = JumpMonitor::new(Duration::MAX);
        for (wall, now) in [(0, 0), (u64::MAX, 0), (0, u64::MAX), (5, 0)] {
            wild.observe(WallTime::from_nanos(wall), Instant::from_nanos(now));
        }
        assert_eq!(wild.statistics(), JumpStatistics::default());
    }
}
