use core::time::Duration;

use surmise_interval::{
    ClockError, Drift, Interval, IntervalClock, IntervalClockConfig, Sample,
    sync::SharedIntervalClock,
};
use surmise_time::{Instant, WallTime};

/// One of our clocks that is measured.
pub trait IntervalContender: 'static {
    /// Creates one that knows nothing.
    fn new(config: IntervalClockConfig) -> Self;

    /// Takes in what a source said.
    fn synchronize(&mut self, sample: Sample);

    /// Returns what time it is, at least and at most.
    ///
    /// # Errors
    ///
    /// If it does not know.
    fn now(&self, now: Instant) -> Result<Interval, ClockError>;

    /// Returns it as one that can be asked several questions about one moment.
    fn get(&self) -> IntervalClock;
}

/// Does something with every interval clock of ours, whatever its type.
pub trait Visitor {
    /// Visits a clock.
    fn visit<C: IntervalContender>(&mut self, name: &'static str);
}

/// Shows every interval clock of ours to a visitor, the one that threads share first.
pub fn visit_all(visitor: &mut impl Visitor) {
    visitor.visit::<SharedIntervalClock>("interval-shared");
    visitor.visit::<IntervalClock>("interval");
}

/// What the source of every clock says: the year 2026, give or take a millisecond.
#[must_use]
pub fn sample(at: Instant) -> Sample {
    let interval = Interval::around(MIDDLE, Duration::from_millis(1));
    Sample::new(interval, at, Drift::QUARTZ)
}

const MIDDLE: WallTime = WallTime::from_nanos(1_795_230_725_000_000_000);

impl IntervalContender for SharedIntervalClock {
    fn new(config: IntervalClockConfig) -> Self {
        Self::new(config)
    }

    fn synchronize(&mut self, sample: Sample) {
        Self::synchronize(self, sample);
    }

    #[inline]
    fn now(&self, now: Instant) -> Result<Interval, ClockError> {
        Self::now(self, now)
    }

    #[inline]
    fn get(&self) -> IntervalClock {
        Self::get(self)
    }
}

impl IntervalContender for IntervalClock {
    fn new(config: IntervalClockConfig) -> Self {
        Self::new(config)
    }

    fn synchronize(&mut self, sample: Sample) {
        Self::synchronize(self, sample);
    }

    #[inline]
    fn now(&self, now: Instant) -> Result<Interval, ClockError> {
        Self::now(self, now)
    }

    #[inline]
    fn get(&self) -> IntervalClock {
        self.clone()
    }
}
