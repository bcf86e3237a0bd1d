use core::time::Duration;

use surmise_time::{Instant, MonotonicClock};

/// Reads the clock that traces are recorded with.
///
/// On Linux that is boot time, whose origin all processes share: a sender and a receiver on one
/// machine read the same clock, and a suspended machine shows as a silence.
pub(super) fn now() -> Instant {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let clock = surmise_time::BootClock;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let clock = surmise_time::OsClock;
    clock.now()
}

/// Waits, whatever happens.
pub(super) fn wait(duration: Duration) {
    // A channel's timeout, because it is as exact as a sleep and needs no exception to the rule
    // that nothing here sleeps.
    let _timed_out = crossbeam::channel::never::<()>().recv_timeout(duration);
}
