#[cfg(target_has_atomic = "64")]
use core::sync::atomic::{AtomicU64, Ordering};

#[cfg(not(target_has_atomic = "64"))]
use portable_atomic::{AtomicU64, Ordering};

use crate::{WallClock, WallTime};

/// A wall clock that shows what another showed when it was last refreshed.
///
/// To read the operating system's clock takes some tens of nanoseconds, which is most of what a hybrid
/// timestamp costs; to read this takes one load. In return it is late by up to the time between two refreshes.
/// Whoever compares its time with that of others, as a hybrid clock's `max_offset` does, must add that.
///
/// It does nothing by itself: a thread or a timer of yours calls [`refresh`](Self::refresh), say every
/// millisecond. Let it be one, or a reading may be followed by an older one.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_time::{CachedWallClock, ManualWallClock, WallClock};
///
/// let clock = ManualWallClock::default();
/// let cached = CachedWallClock::new(&clock);
/// clock.advance(Duration::from_millis(3));
/// assert!(cached.now() < clock.now());
/// assert_eq!(cached.refresh(), clock.now());
/// assert_eq!(cached.now(), clock.now());
/// ```
#[derive(Debug)]
pub struct CachedWallClock<C> {
    clock: C,
    cached: AtomicU64,
}

impl<C: WallClock> CachedWallClock<C> {
    /// Creates a clock that shows what `clock` shows now.
    #[must_use]
    pub fn new(clock: C) -> Self {
        let cached = AtomicU64::new(clock.now().as_nanos());
        Self { clock, cached }
    }

    /// Shows from now on what the other clock shows now, which it returns.
    pub fn refresh(&self) -> WallTime {
        let now = self.clock.now();
        self.cached.store(now.as_nanos(), Ordering::Relaxed);
        now
    }
}

impl<C: WallClock> WallClock for CachedWallClock<C> {
    #[inline]
    fn now(&self) -> WallTime {
        WallTime::from_nanos(self.cached.load(Ordering::Relaxed))
    }
}
