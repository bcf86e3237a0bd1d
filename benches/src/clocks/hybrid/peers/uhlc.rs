use core::{cell::Cell, fmt};

use surmise_time::WallTime;
use uhlc::{ExceedingDeltaError, HLC, HLCBuilder, ID, NTP64, Timestamp};

use crate::{
    Origin,
    clocks::hybrid::{HybridContender, MAX_OFFSET},
};

/// The crate `uhlc` 0.9: NTP's 64 bits, of which 4 count, and an identifier of 16 bytes, in a mutex.
pub struct Uhlc(HLC);

impl Uhlc {
    /// Creates a clock that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        let builder = HLCBuilder::new().with_id(id(1)).with_max_delta(MAX_OFFSET);
        Self(builder.with_clock(|| NOW.get()).build())
    }

    /// Returns the stamp of an event.
    #[inline]
    pub fn tick(&self, physical: NTP64) -> Timestamp {
        NOW.set(physical);
        self.0.new_timestamp()
    }
}

impl Default for Uhlc {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Uhlc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uhlc").finish_non_exhaustive()
    }
}

impl HybridContender for Uhlc {
    const ORIGIN: Origin = Origin::Peer;

    type Physical = NTP64;

    type Stamp = Timestamp;

    type Observed = Result<(), ExceedingDeltaError>;

    type Witnessed = Result<Timestamp, ExceedingDeltaError>;

    fn physical(at: WallTime) -> NTP64 {
        NTP64::from(at.saturating_duration_since(WallTime::from_nanos(0)))
    }

    fn remote(at: WallTime) -> Timestamp {
        Timestamp::new(Self::physical(at), id(2))
    }

    #[inline]
    fn tick(&mut self, physical: NTP64) -> Timestamp {
        Self::tick(self, physical)
    }

    #[inline]
    fn observe(&mut self, remote: Timestamp, physical: NTP64) -> Self::Observed {
        NOW.set(physical);
        self.0.update_with_timestamp(&remote)
    }

    /// In two calls: to take in a stamp gives none.
    #[inline]
    fn witness(&mut self, remote: Timestamp, physical: NTP64) -> Self::Witnessed {
        self.observe(remote, physical)?;
        Ok(self.0.new_timestamp())
    }
}

fn id(number: u8) -> ID {
    ID::try_from(u128::from(number)).expect("it is not zero")
}

thread_local! {
    static NOW: Cell<NTP64> = const { Cell::new(NTP64(0)) };
}
