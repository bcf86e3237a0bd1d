#[cfg(target_has_atomic = "64")]
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

#[cfg(not(target_has_atomic = "64"))]
use portable_atomic::{AtomicU64, Ordering};

use crate::{Instant, MonotonicClock, WallClock, WallTime};

/// A monotonic clock that moves only when it is told to.
///
/// It can be shared between threads: `advance` never loses another thread's step.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_time::{Instant, ManualClock, MonotonicClock};
///
/// let clock = ManualClock::new(Instant::from_nanos(7));
/// clock.advance(Duration::from_nanos(3));
/// assert_eq!(clock.now(), Instant::from_nanos(10));
/// ```
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// Creates a clock that shows `start`.
    #[must_use]
    pub const fn new(start: Instant) -> Self {
        Self(AtomicU64::new(start.as_nanos()))
    }

    /// Moves the clock forward, at most to [`Instant::MAX`].
    pub fn advance(&self, step: Duration) {
        update(&self.0, |nanos| (Instant::from_nanos(nanos) + step).as_nanos());
    }

    /// Sets the clock, also backwards: how a core bears a clock that breaks its promise is worth a
    /// test.
    pub fn set(&self, now: Instant) {
        self.0.store(now.as_nanos(), Ordering::SeqCst);
    }
}

impl MonotonicClock for ManualClock {
    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

/// A wall clock that moves only when it is told to, in either direction.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_time::{ManualWallClock, WallClock, WallTime};
///
/// let clock = ManualWallClock::new(WallTime::from_nanos(1_795_230_725_000_000_000));
/// let before = clock.now();
/// clock.step_back(Duration::from_secs(2));
/// assert_eq!(before - clock.now(), Duration::from_secs(2));
/// ```
#[derive(Debug, Default)]
pub struct ManualWallClock(AtomicU64);

impl ManualWallClock {
    /// Creates a clock that shows `start`.
    #[must_use]
    pub const fn new(start: WallTime) -> Self {
        Self(AtomicU64::new(start.as_nanos()))
    }

    /// Moves the clock forward, at most to [`WallTime::MAX`].
    pub fn advance(&self, step: Duration) {
        update(&self.0, |nanos| (WallTime::from_nanos(nanos) + step).as_nanos());
    }

    /// Moves the clock back, at most to [`WallTime::UNIX_EPOCH`].
    pub fn step_back(&self, step: Duration) {
        update(&self.0, |nanos| (WallTime::from_nanos(nanos) - step).as_nanos());
    }

    /// Sets the clock.
    pub fn set(&self, now: WallTime) {
        self.0.store(now.as_nanos(), Ordering::SeqCst);
    }
}

impl WallClock for ManualWallClock {
    fn now(&self) -> WallTime {
        WallTime::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

fn update(nanos: &AtomicU64, step: impl Fn(u64) -> u64) {
    let mut seen = nanos.load(Ordering::SeqCst);
    while let Err(changed) =
        nanos.compare_exchange_weak(seen, step(seen), Ordering::SeqCst, Ordering::SeqCst)
    {
        seen = changed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advances_saturate() {
        let clock = ManualClock::new(Instant::from_nanos(u64::MAX - 1));
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), Instant::MAX);

        let wall = ManualWallClock::default();
        wall.step_back(Duration::from_secs(1));
        assert_eq!(wall.now(), WallTime::UNIX_EPOCH);
    }

    #[test]
    fn a_set_clock_may_go_back() {
        let clock = ManualClock::new(Instant::from_nanos(5));
        clock.set(Instant::from_nanos(3));
        assert_eq!(clock.now(), Instant::from_nanos(3));
    }

    #[cfg(feature = "std")]
    #[test]
    fn concurrent_advances_are_all_kept() {
        let clock = ManualClock::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| clock.advance(Duration::from_nanos(1))));
            }
        });
        assert_eq!(clock.now(), Instant::from_nanos(4000));
    }
}
