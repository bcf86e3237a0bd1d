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

impl MonotonicClock for OsClock {
    #[expect(clippy::disallowed_methods, reason = "this is the file that reads the OS clock")]
    fn now(&self) -> Instant {
        static ORIGIN: OnceLock<std::time::Instant> = OnceLock::new();
        let now = std::time::Instant::now();
        Instant::ORIGIN + now.saturating_duration_since(*ORIGIN.get_or_init(|| now))
    }
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
