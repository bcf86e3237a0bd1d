//! What the kernel of this machine says of its clock, whatever that is.

#![cfg(all(feature = "std", target_os = "linux"))]

use core::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use surmise_interval::source::{
    Source, SourceError, Unsynchronized,
    kernel::{ClockState, KernelClock, StatusFlags},
};
use surmise_time::{BootClock, MonotonicClock, OsWallClock, WallClock};

#[test]
fn a_clock_that_nobody_disciplines_is_an_error_that_says_so() {
    let mut kernel = KernelClock::new();
    let timex = kernel.read().unwrap();
    let (before, wall) = (BootClock.now(), OsWallClock.now());
    let sample = kernel.sample(&BootClock);
    let unsynchronized = timex.status.contains(StatusFlags::UNSYNC);
    // A daemon may begin or cease its work at any time, though not between these two as a rule.
    assert_eq!(unsynchronized, timex.state == ClockState::Error, "{timex}");
    if unsynchronized {
        let Err(SourceError::Unsynchronized { reason }) = sample else { panic!("{sample:?}") };
        assert_eq!(reason, Unsynchronized::Kernel { state: timex.state, status: timex.status });
        assert!(timex.to_string().starts_with("TIME_ERROR, "), "{timex}");
    } else if timex.is_unstated() {
        let Err(SourceError::Unsynchronized { reason }) = sample else { panic!("{sample:?}") };
        assert!(matches!(reason, Unsynchronized::Unstated(_)), "{timex}");
    } else if let Err(SourceError::Unsynchronized { reason: Unsynchronized::Suspended }) = sample {
        let [boot, monotonic] = [ClockId::Boottime, ClockId::Monotonic].map(clock_gettime);
        assert!(boot > monotonic, "this machine never slept");
    } else {
        let sample = sample.unwrap();
        assert!(sample.at() >= before);
        assert!(sample.interval().uncertainty() >= timex.max_error + Duration::from_micros(500));
        assert!(sample.interval().latest() > wall);
    }
}

#[test]
fn the_time_that_comes_with_the_bound_is_the_system_clocks() {
    let before = OsWallClock.now();
    let timex = KernelClock::new().read().unwrap();
    let after = OsWallClock.now();
    // Rounded down to a microsecond, at worst.
    assert!(timex.time + Duration::from_micros(1) > before, "{timex:?} {before}");
    assert!(timex.time <= after, "{timex:?} {after}");
}

#[test]
fn it_has_a_name() {
    assert_eq!(KernelClock::new().name(), "kernel");
}
