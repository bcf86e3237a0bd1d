//! The clock that leases are counted by.

/// It goes on while the machine sleeps.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use surmise_time::BootClock as LeaseClock;
/// Where there is none that does, a machine that slept believes in its leases for too long; its writes are refused.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use surmise_time::OsClock as LeaseClock;
