use parking_lot::Mutex;
use surmise_time::WallTime;

use crate::{
    Origin,
    clocks::hybrid::{HybridContender, MAX_OFFSET},
};

/// A hybrid clock as one writes it down from the paper, behind a mutex: wall time and a count side by
/// side, as CockroachDB has them.
#[derive(Debug, Default)]
pub struct MutexClock(Mutex<MutexStamp>);

/// A stamp of a [`MutexClock`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct MutexStamp {
    /// The physical part, in nanoseconds.
    pub wall: u64,
    /// The logical part.
    pub logical: u32,
}

impl MutexClock {
    /// Creates a clock that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the stamp of an event.
    #[inline]
    pub fn tick(&self, physical: WallTime) -> MutexStamp {
        self.0.lock().tick(physical.as_nanos())
    }
}

impl MutexStamp {
    #[inline]
    fn tick(&mut self, physical: u64) -> Self {
        if physical > self.wall {
            *self = Self { wall: physical, logical: 0 };
        } else {
            self.logical += 1;
        }
        *self
    }

    /// Returns whether it took in the remote stamp.
    #[inline]
    fn observe(&mut self, remote: Self, physical: u64) -> bool {
        if remote.wall.saturating_sub(physical) > MAX_OFFSET_NANOS {
            return false;
        }
        *self = (*self).max(remote);
        true
    }
}

impl HybridContender for MutexClock {
    const ORIGIN: Origin = Origin::Peer;

    type Physical = WallTime;

    type Stamp = MutexStamp;

    type Observed = bool;

    type Witnessed = Option<MutexStamp>;

    fn physical(at: WallTime) -> WallTime {
        at
    }

    fn remote(at: WallTime) -> MutexStamp {
        MutexStamp { wall: at.as_nanos(), logical: 0 }
    }

    #[inline]
    fn tick(&mut self, physical: WallTime) -> MutexStamp {
        Self::tick(self, physical)
    }

    #[inline]
    fn observe(&mut self, remote: MutexStamp, physical: WallTime) -> bool {
        self.0.lock().observe(remote, physical.as_nanos())
    }

    #[inline]
    fn witness(&mut self, remote: MutexStamp, physical: WallTime) -> Option<MutexStamp> {
        let mut latest = self.0.lock();
        latest.observe(remote, physical.as_nanos()).then(|| latest.tick(physical.as_nanos()))
    }
}

const MAX_OFFSET_NANOS: u64 = 500_000_000;

const _: () = assert!(MAX_OFFSET.as_nanos() == 500_000_000);
