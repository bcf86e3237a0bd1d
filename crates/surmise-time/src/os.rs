//! The operating system's clocks: the only file of the family that reads one.

use core::time::Duration;
use std::{sync::OnceLock, time::SystemTime};

use crate::{Instant, MonotonicClock, WallClock, WallTime};

/// The operating system's monotonic clock, [`std::time::Instant`].
///
/// The origin is the first reading in this process, for every `OsClock` alike. On Linux this clock
/// stands still while the machine is suspended: whatever must count that time (leases, validity)
/// wants [`BootClock`] instead.
///
/// # Examples
///
/// ```
/// use surmise_time::{MonotonicClock, OsClock};
///
/// let before = OsClock.now();
/// assert!(OsClock.now() >= before);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit struct is its own constructor")]
pub struct OsClock;

impl OsClock {
    /// Returns the same point in time as the standard library has it, for timers that ask for that; or
    /// `None` if it is too far in the future for the platform.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use surmise_time::{MonotonicClock, OsClock};
    ///
    /// let deadline = OsClock.now() + Duration::from_secs(3);
    /// let timer = OsClock.to_std(deadline).expect("three seconds are not too far");
    /// assert!(timer > std::time::Instant::now());
    /// ```
    #[must_use]
    pub fn to_std(&self, instant: Instant) -> Option<std::time::Instant> {
        origin().checked_add(Duration::from_nanos(instant.as_nanos()))
    }
}

impl MonotonicClock for OsClock {
    #[expect(clippy::disallowed_methods, reason = "this is the file that reads the OS clock")]
    fn now(&self) -> Instant {
        let origin = origin();
        Instant::ORIGIN + std::time::Instant::now().saturating_duration_since(origin)
    }
}

/// Returns when this process first asked.
fn origin() -> std::time::Instant {
    static ORIGIN: OnceLock<std::time::Instant> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "this is the file that reads the OS clock")]
    *ORIGIN.get_or_init(std::time::Instant::now)
}

/// The operating system's wall clock, [`SystemTime`].
///
/// A system clock set before 1970 reads as [`WallTime::UNIX_EPOCH`].
///
/// # Examples
///
/// ```
/// use surmise_time::{OsWallClock, WallClock, WallTime};
///
/// assert!(OsWallClock.now() > WallTime::UNIX_EPOCH);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit struct is its own constructor")]
pub struct OsWallClock;

impl WallClock for OsWallClock {
    #[expect(clippy::disallowed_methods, reason = "this is the file that reads the OS clock")]
    fn now(&self) -> WallTime {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        WallTime::UNIX_EPOCH + since_epoch.unwrap_or(Duration::ZERO)
    }
}

/// The time since the machine booted, suspension included: Linux's `CLOCK_BOOTTIME`.
///
/// Costs the same as [`OsClock`] (a vDSO call), and all processes of a machine share its origin.
///
/// # Examples
///
/// ```
/// use surmise_time::{BootClock, Instant, MonotonicClock};
///
/// assert!(BootClock.now() > Instant::ORIGIN);
/// ```
#[cfg(any(target_os = "linux", target_os = "android"))]
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit struct is its own constructor")]
pub struct BootClock;

#[cfg(any(target_os = "linux", target_os = "android"))]
impl MonotonicClock for BootClock {
    fn now(&self) -> Instant {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        // The kernel counts up from zero, so neither conversion can fail.
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
        Instant::ORIGIN + Duration::new(seconds, nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_os_clock_shares_one_origin() {
        let first = OsClock.now();
        let second = std::thread::spawn(|| OsClock.now()).join().unwrap();
        assert!(second >= first);
    }

    #[test]
    fn the_standard_librarys_instant_is_the_same_point() {
        let (before, after) = (OsClock.now(), OsClock.now() + Duration::from_secs(1));
        let [first, second] = [before, after].map(|instant| OsClock.to_std(instant).unwrap());
        assert_eq!(second - first, after - before);
        assert!(first <= OsClock.to_std(OsClock.now()).unwrap());
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn boot_time_is_never_behind_monotonic_time() {
        use rustix::time::{ClockId, clock_gettime};
        let monotonic = clock_gettime(ClockId::Monotonic);
        let boot = BootClock.now();
        let seconds = u64::try_from(monotonic.tv_sec).unwrap();
        let nanos = u32::try_from(monotonic.tv_nsec).unwrap();
        assert!(boot >= Instant::ORIGIN + Duration::new(seconds, nanos));
    }
}
