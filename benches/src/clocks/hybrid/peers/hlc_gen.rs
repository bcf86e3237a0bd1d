use core::fmt;

use hlc_gen::{HlcGenerator, HlcTimestamp, error::HlcResult, source::ManualClock};
use surmise_time::WallTime;

use crate::{
    Origin,
    clocks::hybrid::{HybridContender, MAX_OFFSET},
};

/// The crate `hlc-gen` 2: one atomic number, 42 bits of milliseconds and 22 that count.
pub struct HlcGen {
    clock: HlcGenerator<ManualClock>,
    shown: i64,
}

impl HlcGen {
    /// Creates a clock that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { clock: HlcGenerator::manual(MAX_DRIFT), shown: 0 }
    }

    #[inline]
    fn show(&mut self, physical: i64) {
        if physical != self.shown {
            self.shown = physical;
            self.clock.set_current_timestamp(physical);
        }
    }
}

impl Default for HlcGen {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for HlcGen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HlcGen").finish_non_exhaustive()
    }
}

impl HybridContender for HlcGen {
    const ORIGIN: Origin = Origin::Peer;

    /// Milliseconds.
    type Physical = i64;

    type Stamp = HlcTimestamp;

    type Observed = HlcResult<HlcTimestamp>;

    type Witnessed = HlcResult<HlcTimestamp>;

    fn physical(at: WallTime) -> i64 {
        i64::try_from(at.as_nanos() / 1_000_000).expect("it is before 2554")
    }

    fn remote(at: WallTime) -> HlcTimestamp {
        HlcTimestamp::new(Self::physical(at)).expect("it is after 2024")
    }

    #[inline]
    fn tick(&mut self, physical: i64) -> HlcTimestamp {
        self.show(physical);
        self.clock.next_timestamp().expect("its count does not overflow in a thousand calls")
    }

    /// It gives a stamp whenever it takes one in.
    #[inline]
    fn observe(&mut self, remote: HlcTimestamp, physical: i64) -> Self::Observed {
        self.witness(remote, physical)
    }

    #[inline]
    fn witness(&mut self, remote: HlcTimestamp, physical: i64) -> Self::Witnessed {
        self.show(physical);
        self.clock.update(&remote)
    }
}

/// Milliseconds.
const MAX_DRIFT: usize = 500;

const _: () = assert!(MAX_OFFSET.as_millis() == 500);
