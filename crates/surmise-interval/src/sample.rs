use core::time::Duration;

use surmise_time::{Instant, WallTime};

use crate::{Drift, Interval, drift::Rate};

/// What a time source said: at one instant of the monotonic clock, the true time was in an interval.
///
/// From then on the interval grows, on both sides, by as much as the monotonic clock can have drifted.
///
/// # Read gap
///
/// To relate a source's answer to the monotonic clock takes two readings, and time passes in between. The sample
/// is of the reading *before* the source was asked, and its `earliest` is as much lower as time can have passed
/// until after the answer: [`asked_between`](Self::asked_between) does that.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_interval::{Drift, Interval, Sample};
/// use surmise_time::{Instant, WallTime};
///
/// let wall = WallTime::from_nanos(1_795_230_725_000_000_000);
/// let interval = Interval::around(wall, Duration::from_millis(1));
/// let sample = Sample::new(interval, Instant::ORIGIN, Drift::SPANNER);
///
/// // After 30 s at 200 ppm, TrueTime's published sawtooth has risen from 1 to 7 ms.
/// let later = sample.interval_at(Instant::ORIGIN + Duration::from_secs(30));
/// assert_eq!(later.uncertainty().as_micros(), 7001);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub(crate) interval: Interval,
    pub(crate) at: Instant,
    pub(crate) rate: Rate,
}

impl Sample {
    /// Creates a sample of a source that was asked and answered at `at`.
    #[must_use]
    pub const fn new(interval: Interval, at: Instant, drift: Drift) -> Self {
        Self { interval, at, rate: drift.rate() }
    }

    /// Creates a sample of a source that answered at some instant between two readings.
    ///
    /// If the second reading is before the first, they count as one.
    #[must_use]
    pub fn asked_between(
        interval: Interval,
        before: Instant,
        after: Instant,
        drift: Drift,
    ) -> Self {
        let gap = after - before;
        // The answer holds for an instant up to `gap` after `before`, so that at `before` it may have been
        // as much earlier. By the clock's count, that is; in truth it may have been some more.
        let gap = drift.at_most(gap);
        let widened = Interval::from_ordered(interval.earliest() - gap, interval.latest());
        Self::new(widened, before, drift)
    }

    /// Returns the interval at the instant of the sample.
    #[must_use]
    pub const fn interval(&self) -> Interval {
        self.interval
    }

    /// Returns the instant of the sample.
    #[must_use]
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// Returns how far the monotonic clock's rate may be from the true one.
    #[must_use]
    pub const fn drift(&self) -> Drift {
        self.rate.drift()
    }

    /// Returns what the clock has to count so that at least this much time has passed; rounded up.
    pub(crate) fn count_to_pass(&self, time: Duration) -> Duration {
        self.rate.duration_to_pass(time)
    }

    /// Returns the interval at another instant, also at an earlier one.
    ///
    /// Both ends go forward as the instant does. They saturate at the ends of [`WallTime`].
    #[must_use]
    #[inline]
    pub const fn interval_at(&self, now: Instant) -> Interval {
        let (now, at) = (now.as_nanos(), self.at.as_nanos());
        let (earliest, latest) =
            (self.interval.earliest().as_nanos(), self.interval.latest().as_nanos());
        let (earliest, latest) = if now >= at {
            let elapsed = now - at;
            let growth = self.rate.over(elapsed);
            (
                earliest.saturating_add(elapsed - growth),
                latest.saturating_add(elapsed.saturating_add(growth)),
            )
        } else {
            let elapsed = at - now;
            let growth = self.rate.over(elapsed);
            (
                earliest.saturating_sub(elapsed.saturating_add(growth)),
                latest.saturating_sub(elapsed - growth),
            )
        };
        Interval::from_ordered(WallTime::from_nanos(earliest), WallTime::from_nanos(latest))
    }
}
