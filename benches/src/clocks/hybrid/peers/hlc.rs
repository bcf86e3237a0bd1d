use core::{cell::Cell, fmt};

use hlc::{HLTimespec, State};
use surmise_time::WallTime;
use time::Timespec;

use crate::{Origin, clocks::hybrid::HybridContender};

/// The crate `hlc` 0.1: seconds, nanoseconds and 16 bits that count, for one thread.
///
/// It asks nothing of a remote stamp, and its count wraps.
pub struct Hlc(State<fn() -> Timespec>);

impl Hlc {
    /// Creates a clock that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self(State::new_with(|| NOW.get()))
    }
}

impl Default for Hlc {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Hlc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hlc").finish_non_exhaustive()
    }
}

impl HybridContender for Hlc {
    const ORIGIN: Origin = Origin::Peer;

    type Physical = Timespec;

    type Stamp = HLTimespec;

    type Observed = HLTimespec;

    type Witnessed = HLTimespec;

    fn physical(at: WallTime) -> Timespec {
        let since_epoch = at.saturating_duration_since(WallTime::from_nanos(0));
        let seconds = i64::try_from(since_epoch.as_secs()).expect("it is before 2554");
        Timespec::new(seconds, since_epoch.subsec_nanos().cast_signed())
    }

    fn remote(at: WallTime) -> HLTimespec {
        let Timespec { sec, nsec } = Self::physical(at);
        HLTimespec::new(sec, nsec, 0)
    }

    #[inline]
    fn tick(&mut self, physical: Timespec) -> HLTimespec {
        NOW.set(physical);
        self.0.get_time()
    }

    /// It gives a stamp whenever it takes one in.
    #[inline]
    fn observe(&mut self, remote: HLTimespec, physical: Timespec) -> HLTimespec {
        self.witness(remote, physical)
    }

    #[inline]
    fn witness(&mut self, remote: HLTimespec, physical: Timespec) -> HLTimespec {
        NOW.set(physical);
        self.0.update(remote)
    }
}

thread_local! {
    static NOW: Cell<Timespec> = const { Cell::new(Timespec { sec: 0, nsec: 0 }) };
}
