use core::time::Duration;

use surmise_clock::{
    DriftExceeded, HybridClock, HybridTimestamp, StampRefused,
    sync::{AtomicDurableHybridClock, AtomicHybridClock},
};
use surmise_time::WallTime;

use super::{
    HybridContender, MAX_OFFSET, Visitor,
    peers::{Hlc, HlcGen, MutexClock, Uhlc},
};
use crate::Origin;

/// Shows every hybrid clock to a visitor: ours first, then the peers.
pub fn visit_all(visitor: &mut impl Visitor) {
    visitor.visit("hybrid-atomic", || AtomicHybridClock::new(MAX_OFFSET));
    visitor.visit("hybrid", || HybridClock::new(MAX_OFFSET));
    visitor.visit("hybrid-durable", || {
        let clock = AtomicDurableHybridClock::new(MAX_OFFSET, Duration::from_secs(1));
        clock.raise_ceiling(stamp(CEILING));
        clock
    });
    visitor.visit("mutex", MutexClock::new);
    visitor.visit("uhlc", Uhlc::new);
    visitor.visit("hlc", Hlc::new);
    visitor.visit("hlc-gen", HlcGen::new);
}

/// In the year 2096, after all that is measured.
const CEILING: WallTime = WallTime::from_nanos(4_000_000_000_000_000_000);

fn stamp(at: WallTime) -> HybridTimestamp {
    HybridTimestamp::from_nanos(at.as_nanos()).expect("it is after 1970")
}

impl HybridContender for AtomicHybridClock {
    const ORIGIN: Origin = Origin::Ours;

    type Physical = WallTime;

    type Stamp = HybridTimestamp;

    type Observed = Result<(), DriftExceeded>;

    type Witnessed = Result<HybridTimestamp, DriftExceeded>;

    fn physical(at: WallTime) -> WallTime {
        at
    }

    fn remote(at: WallTime) -> HybridTimestamp {
        stamp(at)
    }

    #[inline]
    fn tick(&mut self, physical: WallTime) -> HybridTimestamp {
        Self::tick(self, physical)
    }

    #[inline]
    fn observe(&mut self, remote: HybridTimestamp, physical: WallTime) -> Self::Observed {
        Self::observe(self, remote, physical)
    }

    #[inline]
    fn witness(&mut self, remote: HybridTimestamp, physical: WallTime) -> Self::Witnessed {
        Self::witness(self, remote, physical)
    }
}

impl HybridContender for HybridClock {
    const ORIGIN: Origin = Origin::Ours;

    type Physical = WallTime;

    type Stamp = HybridTimestamp;

    type Observed = Result<(), DriftExceeded>;

    type Witnessed = Result<HybridTimestamp, DriftExceeded>;

    fn physical(at: WallTime) -> WallTime {
        at
    }

    fn remote(at: WallTime) -> HybridTimestamp {
        stamp(at)
    }

    #[inline]
    fn tick(&mut self, physical: WallTime) -> HybridTimestamp {
        Self::tick(self, physical)
    }

    #[inline]
    fn observe(&mut self, remote: HybridTimestamp, physical: WallTime) -> Self::Observed {
        Self::observe(self, remote, physical)
    }

    #[inline]
    fn witness(&mut self, remote: HybridTimestamp, physical: WallTime) -> Self::Witnessed {
        Self::witness(self, remote, physical)
    }
}

impl HybridContender for AtomicDurableHybridClock {
    const ORIGIN: Origin = Origin::Ours;

    type Physical = WallTime;

    type Stamp = HybridTimestamp;

    type Observed = Result<(), StampRefused>;

    type Witnessed = Result<HybridTimestamp, StampRefused>;

    fn physical(at: WallTime) -> WallTime {
        at
    }

    fn remote(at: WallTime) -> HybridTimestamp {
        stamp(at)
    }

    #[inline]
    fn tick(&mut self, physical: WallTime) -> HybridTimestamp {
        Self::tick(self, physical).expect("the ceiling is far away")
    }

    #[inline]
    fn observe(&mut self, remote: HybridTimestamp, physical: WallTime) -> Self::Observed {
        Self::observe(self, remote, physical)
    }

    #[inline]
    fn witness(&mut self, remote: HybridTimestamp, physical: WallTime) -> Self::Witnessed {
        Self::witness(self, remote, physical)
    }
}
