//! Whether the machine slept, and so whether what a daemon said before still holds.

use core::time::Duration;

#[cfg(target_os = "linux")]
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Notices that the machine was suspended, on Linux.
///
/// `CLOCK_MONOTONIC` stops meanwhile, and the kernel adds to both `CLOCK_BOOTTIME` and the wall clock
/// for how long it takes the machine to have slept, so that the difference grows. Where no counter
/// goes on counting that is measured by a real-time clock, in whole seconds. So it may be wrong by a
/// second, and with it both clocks: nothing that was said of either before bounds that error.
#[derive(Clone, Debug)]
pub(crate) struct Suspension {
    /// How long the machine has slept since it booted, at least.
    known: Duration,
    /// Reads the boot clock between two readings of the monotonic clock.
    read: fn() -> (Duration, Duration, Duration),
}

impl Default for Suspension {
    fn default() -> Self {
        Self::new()
    }
}

impl Suspension {
    /// Less may be how far apart two readings were. No machine goes to sleep and wakes up that
    /// fast.
    const SHORTEST: Duration = Duration::from_millis(1);

    /// How often the clocks are read if this thread is preempted in between each time.
    const TRIES: usize = 100;

    pub(crate) const fn new() -> Self {
        Self { known: Duration::ZERO, read: read_clocks }
    }

    /// Makes one of a machine that has slept for a minute before anything was read, and not since.
    #[cfg(test)]
    pub(super) const fn of_the_past() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self { read: || (MINUTE, MINUTE.saturating_mul(2), MINUTE), ..Self::new() }
    }

    /// Makes one of a machine that never slept.
    #[cfg(test)]
    pub(super) const fn never() -> Self {
        Self { read: || (Duration::ZERO, Duration::ZERO, Duration::ZERO), ..Self::new() }
    }

    /// Returns whether the machine has slept since this was last asked, or, the first time, since
    /// it booted.
    pub(crate) fn occurred(&mut self) -> bool {
        let (before, boot, after) = read_together(Self::SHORTEST / 2, Self::TRIES, self.read);
        self.observe(before, boot, after)
    }

    /// Compares a reading of the boot clock with what the monotonic clock showed before and after.
    fn observe(&mut self, before: Duration, boot: Duration, after: Duration) -> bool {
        // As slept while the readings were taken counts what was slept at all, so this one is too
        // great if anything.
        let at_most = boot.saturating_sub(before);
        let at_least = boot.saturating_sub(after);
        let occurred = at_most > self.known + Self::SHORTEST;
        self.known = self.known.max(at_least);
        occurred
    }
}

/// Reads the clocks until it takes no longer than `gap`, or as often as is tried.
///
/// A gap of half of what is noticed, in two readings that are compared, is not taken for a
/// suspension.
fn read_together(
    gap: Duration,
    tries: usize,
    mut read: impl FnMut() -> (Duration, Duration, Duration),
) -> (Duration, Duration, Duration) {
    let mut reading = read();
    for _ in 1..tries {
        if reading.2.saturating_sub(reading.0) <= gap {
            break;
        }
        reading = read();
    }
    reading
}

#[cfg(target_os = "linux")]
fn read_clocks() -> (Duration, Duration, Duration) {
    (monotonic(), since_origin(clock_gettime(ClockId::Boottime)), monotonic())
}

/// Nothing is known of it elsewhere.
#[cfg(not(target_os = "linux"))]
const fn read_clocks() -> (Duration, Duration, Duration) {
    (Duration::ZERO, Duration::ZERO, Duration::ZERO)
}

/// Returns what `CLOCK_MONOTONIC` shows.
#[cfg(target_os = "linux")]
pub(super) fn monotonic() -> Duration {
    since_origin(clock_gettime(ClockId::Monotonic))
}

/// The kernel counts up from zero, so neither conversion can fail.
#[cfg(target_os = "linux")]
fn since_origin(time: Timespec) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observe(suspension: &mut Suspension, [before, boot, after]: [u64; 3]) -> bool {
        let [before, boot, after] = [before, boot, after].map(Duration::from_micros);
        suspension.observe(before, boot, after)
    }

    #[test]
    fn what_the_boot_clock_counted_alone_was_slept() {
        let mut suspension = Suspension::default();
        assert!(!observe(&mut suspension, [1000, 1000, 1001]));
        assert!(!observe(&mut suspension, [2000, 3000, 3001]), "a pause between the readings");
        assert!(observe(&mut suspension, [4000, 5002, 4003]));
        assert!(!observe(&mut suspension, [6000, 7002, 6003]), "noticed once");
        assert!(observe(&mut suspension, [8000, 10_002, 8003]));
    }

    #[test]
    fn to_have_slept_before_the_first_reading_counts() {
        assert!(observe(&mut Suspension::default(), [1000, 90_000, 1001]));
        assert!(!observe(&mut Suspension::default(), [1000, 1999, 1000]));
    }

    #[test]
    fn a_late_reading_does_not_hide_a_suspension() {
        let mut suspension = Suspension::default();
        // Slept 4 ms before, of which a reading that took 3 ms proves but one.
        assert!(observe(&mut suspension, [0, 4000, 3000]));
        assert!(observe(&mut suspension, [5000, 9000, 5001]), "the rest is proven now");
        assert!(!observe(&mut suspension, [6000, 10_000, 6001]));
        assert!(!observe(&mut suspension, [7000, 11_000, 10_000]));
        assert!(!observe(&mut suspension, [12_000, 16_000, 12_001]), "and stays proven");
    }

    #[test]
    fn readings_too_far_apart_are_taken_again() {
        let [none, gap, more] = [0, 5, 6].map(Duration::from_millis);
        let mut afters = [more, more, gap, none].into_iter();
        let reading = read_together(gap, 100, || (none, none, afters.next().unwrap()));
        assert_eq!(reading.2, gap);
        let mut reads = 0;
        let reading = read_together(gap, 3, || {
            reads += 1;
            (none, none, more)
        });
        assert_eq!((reading.2, reads), (more, 3));
    }

    #[test]
    fn this_machine_did_not_fall_asleep_in_between() {
        let mut suspension = Suspension::default();
        suspension.occurred();
        assert!((0..1000).any(|_| !suspension.occurred()));
    }
}
