use crate::{Instant, WallTime};

/// Tells monotonic time.
///
/// For the code around a core: the cores themselves take [`Instant`]s. Implementations promise that
/// `now` never goes back as seen by one thread.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_time::{Instant, ManualClock, MonotonicClock};
///
/// fn has_passed(deadline: Instant, clock: &impl MonotonicClock) -> bool {
///     clock.now() > deadline
/// }
///
/// let clock = ManualClock::default();
/// let deadline = clock.now() + Duration::from_secs(1);
/// assert!(!has_passed(deadline, &clock));
/// ```
pub trait MonotonicClock {
    /// Returns the current time.
    fn now(&self) -> Instant;
}

/// Tells civil time, which may step in either direction.
pub trait WallClock {
    /// Returns the current time.
    fn now(&self) -> WallTime;
}

impl<C: MonotonicClock + ?Sized> MonotonicClock for &C {
    fn now(&self) -> Instant {
        (**self).now()
    }
}

impl<C: WallClock + ?Sized> WallClock for &C {
    fn now(&self) -> WallTime {
        (**self).now()
    }
}
