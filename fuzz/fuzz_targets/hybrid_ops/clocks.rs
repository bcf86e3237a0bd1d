//! The clock for one thread and the one for many, which never differ.

use core::{fmt::Debug, num::NonZeroU32, time::Duration};

use surmise_clock::{
    CeilingTooHigh, DurableHybridClock, HybridClock, HybridTimestamp, Reservation, StampRefused,
    sync::{AtomicDurableHybridClock, AtomicHybridClock},
};
use surmise_time::WallTime;

/// What both kinds of pairs do.
pub(crate) trait Clocks {
    fn tick(&mut self, now: WallTime) -> Result<HybridTimestamp, StampRefused>;

    fn observe(&mut self, remote: HybridTimestamp, now: WallTime) -> Result<(), StampRefused>;

    fn witness(
        &mut self,
        remote: HybridTimestamp,
        now: WallTime,
    ) -> Result<HybridTimestamp, StampRefused>;

    fn reserve(&mut self, count: NonZeroU32, now: WallTime) -> Result<Reservation, StampRefused>;

    fn latest(&self) -> Option<HybridTimestamp>;

    fn ahead(&self, now: WallTime) -> Duration;

    fn max_offset(&self) -> Duration;

    /// Returns the ceiling to make durable, and nothing from a clock that has none.
    fn ceiling(&self, now: WallTime) -> Option<HybridTimestamp>;

    fn raise_ceiling(&mut self, ceiling: HybridTimestamp);

    /// Returns whether stamps are given below a ceiling only.
    fn has_ceiling(&self) -> bool;

    /// Starts anew after a ceiling, or with nothing at all.
    fn restart(&mut self, ceiling: Option<HybridTimestamp>) -> Result<(), CeilingTooHigh>;
}

/// Clocks that forget what they gave.
pub(crate) struct Volatile {
    clock: HybridClock,
    shared: AtomicHybridClock,
}

impl Volatile {
    pub(crate) fn new(max_offset: Duration) -> Self {
        let clock = HybridClock::new(max_offset);
        Self { clock, shared: AtomicHybridClock::new(max_offset) }
    }
}

impl Clocks for Volatile {
    fn tick(&mut self, now: WallTime) -> Result<HybridTimestamp, StampRefused> {
        Ok(same(self.clock.tick(now), self.shared.tick(now)))
    }

    fn observe(&mut self, remote: HybridTimestamp, now: WallTime) -> Result<(), StampRefused> {
        Ok(same(self.clock.observe(remote, now), self.shared.observe(remote, now))?)
    }

    fn witness(
        &mut self,
        remote: HybridTimestamp,
        now: WallTime,
    ) -> Result<HybridTimestamp, StampRefused> {
        Ok(same(self.clock.witness(remote, now), self.shared.witness(remote, now))?)
    }

    fn reserve(&mut self, count: NonZeroU32, now: WallTime) -> Result<Reservation, StampRefused> {
        Ok(same(self.clock.reserve(count, now), self.shared.reserve(count, now))?)
    }

    fn latest(&self) -> Option<HybridTimestamp> {
        same(self.clock.latest(), self.shared.latest())
    }

    fn ahead(&self, now: WallTime) -> Duration {
        same(self.clock.ahead(now), self.shared.ahead(now))
    }

    fn max_offset(&self) -> Duration {
        same(self.clock.max_offset(), self.shared.max_offset())
    }

    fn ceiling(&self, _now: WallTime) -> Option<HybridTimestamp> {
        None
    }

    fn raise_ceiling(&mut self, _ceiling: HybridTimestamp) {}

    fn has_ceiling(&self) -> bool {
        false
    }

    fn restart(&mut self, ceiling: Option<HybridTimestamp>) -> Result<(), CeilingTooHigh> {
        let max_offset = self.max_offset();
        let Some(ceiling) = ceiling else {
            *self = Self::new(max_offset);
            return Ok(());
        };
        let shared = AtomicHybridClock::resume(max_offset, ceiling);
        self.clock = HybridClock::resume(max_offset, ceiling)?;
        self.shared = shared?;
        Ok(())
    }
}

/// Clocks that give stamps only below a durable ceiling.
pub(crate) struct Durable {
    clock: DurableHybridClock,
    shared: AtomicDurableHybridClock,
    window: Duration,
}

impl Durable {
    pub(crate) fn new(max_offset: Duration, window: Duration) -> Self {
        let clock = DurableHybridClock::new(max_offset, window);
        Self { clock, shared: AtomicDurableHybridClock::new(max_offset, window), window }
    }
}

impl Clocks for Durable {
    fn tick(&mut self, now: WallTime) -> Result<HybridTimestamp, StampRefused> {
        Ok(same(self.clock.tick(now), self.shared.tick(now))?)
    }

    fn observe(&mut self, remote: HybridTimestamp, now: WallTime) -> Result<(), StampRefused> {
        same(self.clock.observe(remote, now), self.shared.observe(remote, now))
    }

    fn witness(
        &mut self,
        remote: HybridTimestamp,
        now: WallTime,
    ) -> Result<HybridTimestamp, StampRefused> {
        same(self.clock.witness(remote, now), self.shared.witness(remote, now))
    }

    fn reserve(&mut self, count: NonZeroU32, now: WallTime) -> Result<Reservation, StampRefused> {
        same(self.clock.reserve(count, now), self.shared.reserve(count, now))
    }

    fn latest(&self) -> Option<HybridTimestamp> {
        same(self.clock.latest(), self.shared.latest())
    }

    fn ahead(&self, now: WallTime) -> Duration {
        same(self.clock.ahead(now), self.shared.ahead(now))
    }

    fn max_offset(&self) -> Duration {
        same(self.clock.max_offset(), self.shared.max_offset())
    }

    fn ceiling(&self, now: WallTime) -> Option<HybridTimestamp> {
        same(self.clock.ceiling(now), self.shared.ceiling(now))
    }

    fn raise_ceiling(&mut self, ceiling: HybridTimestamp) {
        self.clock.raise_ceiling(ceiling);
        self.shared.raise_ceiling(ceiling);
    }

    fn has_ceiling(&self) -> bool {
        true
    }

    fn restart(&mut self, ceiling: Option<HybridTimestamp>) -> Result<(), CeilingTooHigh> {
        let (max_offset, window) = (self.max_offset(), self.window);
        let Some(ceiling) = ceiling else {
            *self = Self::new(max_offset, window);
            return Ok(());
        };
        let shared = AtomicDurableHybridClock::resume(max_offset, window, ceiling);
        self.clock = DurableHybridClock::resume(max_offset, window, ceiling)?;
        self.shared = shared?;
        Ok(())
    }
}

fn same<T: Debug + PartialEq>(ours: T, shared: T) -> T {
    assert_eq!(ours, shared, "one thread's clock and the shared one differ");
    ours
}
