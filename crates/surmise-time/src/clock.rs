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

/// Forwards to the clock behind a pointer.
macro_rules! forward {
    ($(#[$attribute:meta])* $Pointer:ty) => {
        $(#[$attribute])*
        impl<C: MonotonicClock + ?Sized> MonotonicClock for $Pointer {
            fn now(&self) -> Instant {
                (**self).now()
            }
        }

        $(#[$attribute])*
        impl<C: WallClock + ?Sized> WallClock for $Pointer {
            fn now(&self) -> WallTime {
                (**self).now()
            }
        }
    };
}

forward!(&C);
forward!(
    #[cfg(feature = "std")]
    alloc::boxed::Box<C>
);
forward!(
    #[cfg(feature = "std")]
    alloc::sync::Arc<C>
);
