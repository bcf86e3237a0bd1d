use surmise_time::{Instant, MonotonicClock as _, OsWallClock, WallClock as _, WallTime};

use crate::LeaseClock;

/// What the clocks say at some moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// By what leases and retentions go while the file is open.
    pub(super) now: Instant,
    /// By what is known how long it was not.
    pub(super) wall: WallTime,
}

impl Reading {
    pub(super) fn now() -> Self {
        Self { now: LeaseClock.now(), wall: OsWallClock.now() }
    }

    /// Reads clocks of which none was ever set.
    #[cfg(test)]
    pub(super) fn at(now: Instant) -> Self {
        Self { now, wall: WallTime::from_nanos(now.as_nanos()) }
    }
}
