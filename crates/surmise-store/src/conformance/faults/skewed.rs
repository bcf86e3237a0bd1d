use core::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use surmise_time::{Instant, MonotonicClock};

/// A holder's clock: it goes at a rate of its own, and can be set.
#[derive(Debug)]
pub(super) struct Skewed<C> {
    clock: C,
    start: Instant,
    /// By how much it goes faster, in millionths.
    ppm: i32,
    /// By how much it was set forward, in nanoseconds.
    offset: AtomicI64,
}

impl<C: MonotonicClock> Skewed<C> {
    pub(super) fn new(clock: C, ppm: i32) -> Self {
        let start = clock.now();
        Self { clock, start, ppm, offset: AtomicI64::new(0) }
    }

    /// Sets it forward, or back.
    pub(super) fn step(&self, by: Duration, back: bool) {
        let by = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
        self.offset.fetch_add(if back { -by } else { by }, Ordering::Relaxed);
    }
}

impl<C: MonotonicClock> MonotonicClock for Skewed<C> {
    fn now(&self) -> Instant {
        let now = self.clock.now();
        let passed = i128::try_from((now - self.start).as_nanos()).unwrap_or(i128::MAX);
        let gained = passed.saturating_mul(self.ppm.into()) / 1_000_000;
        let shown = i128::from(now.as_nanos())
            .saturating_add(gained)
            .saturating_add(self.offset.load(Ordering::Relaxed).into());
        Instant::from_nanos(u64::try_from(shown.max(0)).unwrap_or(u64::MAX))
    }
}
