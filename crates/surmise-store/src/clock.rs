use surmise_time::{Instant, MonotonicClock};

/// The clock that leases are counted by unless another is given.
///
/// On Linux and Android it goes on while the machine sleeps. Elsewhere it may stand still meanwhile: a machine that
/// slept believes in its leases for too long, and its writes are refused.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit struct is its own constructor")]
pub struct LeaseClock;

impl MonotonicClock for LeaseClock {
    fn now(&self) -> Instant {
        SystemClock.now()
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
use surmise_time::BootClock as SystemClock;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use surmise_time::OsClock as SystemClock;
