#[cfg(feature = "std")]
mod driver;

use core::time::Duration;

use surmise_time::{Instant, WallTime};

#[cfg(feature = "std")]
pub use self::driver::WhenUnsynchronized;
use crate::{ClockError, Interval, IntervalClock};

/// The wait after which a timestamp has passed for certain.
///
/// It has passed in true time, and so whatever happens later, on any node, happens after it. But another node,
/// whose clock is less certain, need not be certain of it yet: its `earliest` may still be before the timestamp.
///
/// Take a timestamp that is not before the truth, hold back the effects of what it stamps until it is
/// certainly past, and timestamps agree with real time: if one transaction is seen to be over before
/// another begins, its timestamp is less. Spanner's commit wait (Corbett et al., OSDI 2012, §4.1.2).
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_interval::{CommitWait, Drift, Interval, IntervalClock, IntervalClockConfig, Sample};
/// use surmise_time::{Instant, WallTime};
///
/// # let mut clock = IntervalClock::new(IntervalClockConfig::default());
/// # let interval = Interval::around(WallTime::from_nanos(1 << 60), Duration::from_millis(4));
/// # clock.synchronize(Sample::new(interval, Instant::ORIGIN, Drift::SPANNER));
/// # let boot = Instant::ORIGIN;
/// let last = WallTime::UNIX_EPOCH; // this node's last timestamp: the next one must be greater
/// let commit = CommitWait::following(last, &clock.now(boot)?);
/// let wait = commit.remaining(&clock, boot)?; // about twice the uncertainty
/// assert_eq!(wait.as_micros(), 8001);
/// assert!(commit.is_over(&clock.now(boot + wait)?));
/// # Ok::<(), surmise_interval::ClockError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitWait {
    timestamp: WallTime,
}

impl CommitWait {
    /// Creates the wait for a timestamp to pass, wherever that came from.
    ///
    /// For the timestamp of an event that happens now, see [`following`](Self::following).
    #[must_use]
    pub const fn new(timestamp: WallTime) -> Self {
        Self { timestamp }
    }

    /// Creates the wait for the timestamp of an event that happens now and after one stamped `last`.
    ///
    /// The timestamp is the latest that it can be, or the one after `last` if that is more, so that one
    /// node's timestamps ascend also where its clock's `latest` steps back. After the last time that can be
    /// told, in the year 2554, there is none: a wait for that one never ends.
    #[must_use]
    pub fn following(last: WallTime, now: &Interval) -> Self {
        Self::new(now.latest().max(last + Duration::from_nanos(1)))
    }

    /// Returns the timestamp.
    #[must_use]
    pub const fn timestamp(&self) -> WallTime {
        self.timestamp
    }

    /// Returns whether the timestamp has passed for certain.
    #[must_use]
    pub const fn is_over(&self, now: &Interval) -> bool {
        now.after(self.timestamp)
    }

    /// Returns how long to sleep before the wait can be over, zero if it is.
    ///
    /// By the monotonic clock, and stretched by its drift: with no other sample in between, the wait is
    /// over then, and with one, perhaps sooner or later. Ask again after the sleep. Of a clock that threads share,
    /// pass what [`get`](crate::sync::SharedIntervalClock::get) returns.
    ///
    /// # Errors
    ///
    /// If the clock does not tell time. If that is because nobody synchronised it lately, the timestamp stays valid and
    /// waiting can go on when it does. After a disruption or a contradiction the timestamp may be wrong: compare the
    /// clock's [`epoch`](IntervalClock::epoch) with the one in which it was taken.
    pub fn remaining(&self, clock: &IntervalClock, now: Instant) -> Result<Duration, ClockError> {
        let sample = clock.sample(now)?;
        let interval = sample.interval_at(now);
        if self.is_over(&interval) {
            return Ok(Duration::ZERO);
        }
        // `earliest` is to pass the timestamp by one nanosecond, and loses what the clock may drift.
        let ahead = self.timestamp - interval.earliest() + Duration::from_nanos(1);
        Ok(sample.count_to_pass(ahead))
    }
}
