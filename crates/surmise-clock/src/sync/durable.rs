use core::{num::NonZeroU32, time::Duration};

use crossbeam_utils::CachePadded;
use surmise_time::WallTime;

use super::{
    AtomicHybridClock,
    loom::{AtomicU64, Ordering},
};
use crate::{
    CeilingReached, CeilingTooHigh, HybridClock, HybridTimestamp, Reservation, StampRefused,
    hybrid::{Window, below},
};

/// A [`DurableHybridClock`](crate::DurableHybridClock) that many threads share.
///
/// One of them keeps the ceiling: [`ceiling`](Self::ceiling), write, [`raise_ceiling`](Self::raise_ceiling).
/// If several did, a lower ceiling could overwrite a higher one on stable storage.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_clock::sync::AtomicDurableHybridClock;
/// use surmise_time::{ManualWallClock, WallClock};
///
/// let (max_offset, window) = (Duration::from_millis(500), Duration::from_secs(4));
/// let clock = AtomicDurableHybridClock::new(max_offset, window);
/// let wall = ManualWallClock::default();
/// assert!(clock.tick(wall.now()).is_err());
///
/// if let Some(ceiling) = clock.ceiling(wall.now()) {
///     // Write it to stable storage here, and only then:
///     clock.raise_ceiling(ceiling);
/// }
/// std::thread::scope(|scope| {
///     scope.spawn(|| assert!(clock.tick(wall.now()).is_ok()));
/// });
/// ```
#[derive(Debug)]
pub struct AtomicDurableHybridClock {
    clock: AtomicHybridClock,
    /// The highest ceiling known to be durable, 0 if there is none.
    ceiling: CachePadded<AtomicU64>,
    window: Window,
}

impl AtomicDurableHybridClock {
    /// Creates the clock of a node that has never given a stamp.
    ///
    /// As [`DurableHybridClock::new`](crate::DurableHybridClock::new); it can be the value of a `static`.
    #[must_use]
    #[cfg(not(loom))]
    pub const fn new(max_offset: Duration, window: Duration) -> Self {
        let ceiling = CachePadded::new(AtomicU64::new(0));
        let window = Window::new(max_offset, window);
        Self { clock: AtomicHybridClock::new(max_offset), ceiling, window }
    }

    /// Creates a clock; loom's atomics cannot be made in a constant.
    #[must_use]
    #[cfg(loom)]
    pub fn new(max_offset: Duration, window: Duration) -> Self {
        Self::with(HybridClock::new(max_offset), window)
    }

    /// Creates the clock of a node that restarts, from the last ceiling on its stable storage.
    ///
    /// It gives no stamp before it has a new one.
    ///
    /// # Errors
    ///
    /// As [`HybridClock::resume`].
    pub fn resume(
        max_offset: Duration,
        window: Duration,
        ceiling: HybridTimestamp,
    ) -> Result<Self, CeilingTooHigh> {
        Ok(Self::with(HybridClock::resume(max_offset, ceiling)?, window))
    }

    /// Creates a clock whose ceiling is its latest stamp.
    fn with(clock: HybridClock, window: Duration) -> Self {
        let ceiling = CachePadded::new(AtomicU64::new(clock.latest_nanos()));
        let window = Window::new(clock.max_offset(), window);
        Self { clock: clock.into(), ceiling, window }
    }

    /// Says that a ceiling is on stable storage.
    ///
    /// To be called only when it is, and with what [`ceiling`](Self::ceiling) returned. A lower one than
    /// before changes nothing.
    pub fn raise_ceiling(&self, durable: HybridTimestamp) {
        self.ceiling.fetch_max(durable.as_nanos(), Ordering::Relaxed);
    }

    /// Returns the stamp of an event here, as
    /// [`DurableHybridClock::tick`](crate::DurableHybridClock::tick).
    ///
    /// # Errors
    ///
    /// If it would be above the ceiling. Nothing is changed then.
    #[inline]
    pub fn tick(&self, physical: WallTime) -> Result<HybridTimestamp, CeilingReached> {
        self.clock.update(|clock| {
            let stamp = clock.tick(physical);
            self.permit(clock)?;
            Ok(stamp)
        })
    }

    /// Takes in the stamp of a message, as
    /// [`DurableHybridClock::observe`](crate::DurableHybridClock::observe).
    ///
    /// # Errors
    ///
    /// If the stamp is news and more than `max_offset` ahead of `physical`, or above the ceiling. Nothing
    /// is changed then.
    #[inline]
    pub fn observe(&self, remote: HybridTimestamp, physical: WallTime) -> Result<(), StampRefused> {
        if Some(remote) <= self.clock.latest() {
            return Ok(());
        }
        self.clock.update(|clock| {
            clock.observe(remote, physical)?;
            Ok(self.permit(clock)?)
        })
    }

    /// Returns the stamp at which a message is received, as
    /// [`DurableHybridClock::witness`](crate::DurableHybridClock::witness).
    ///
    /// # Errors
    ///
    /// As [`observe`](Self::observe) and [`tick`](Self::tick). Nothing is changed then.
    #[inline]
    pub fn witness(
        &self,
        remote: HybridTimestamp,
        physical: WallTime,
    ) -> Result<HybridTimestamp, StampRefused> {
        self.clock.update(|clock| {
            let stamp = clock.witness(remote, physical)?;
            self.permit(clock)?;
            Ok(stamp)
        })
    }

    /// Returns `count` stamps at once, as
    /// [`DurableHybridClock::reserve`](crate::DurableHybridClock::reserve).
    ///
    /// # Errors
    ///
    /// If the last of them would be more than `max_offset` ahead of `physical`, or above the ceiling.
    /// Nothing is changed then.
    #[inline]
    pub fn reserve(
        &self,
        count: NonZeroU32,
        physical: WallTime,
    ) -> Result<Reservation, StampRefused> {
        self.clock.update(|clock| {
            let reservation = clock.reserve(count, physical)?;
            self.permit(clock)?;
            Ok(reservation)
        })
    }

    /// Returns the ceiling to make durable now, or `None` while the one there is will do.
    ///
    /// As [`DurableHybridClock::ceiling`](crate::DurableHybridClock::ceiling).
    #[must_use]
    pub fn ceiling(&self, physical: WallTime) -> Option<HybridTimestamp> {
        let latest = self.clock.latest().map_or(0, HybridTimestamp::as_nanos);
        self.window.due(latest, self.ceiling.load(Ordering::Relaxed), physical)
    }

    /// Returns the latest stamp that was given or observed, or the ceiling resumed from.
    #[must_use]
    pub fn latest(&self) -> Option<HybridTimestamp> {
        self.clock.latest()
    }

    /// Returns how far the next stamp would be ahead of physical time: what to wait for after a restart.
    #[must_use]
    pub fn ahead(&self, physical: WallTime) -> Duration {
        self.clock.ahead(physical)
    }

    /// Returns how far a stamp may be ahead of physical time to be taken in.
    #[must_use]
    pub const fn max_offset(&self) -> Duration {
        self.clock.max_offset()
    }

    /// Refuses a state above the ceiling.
    ///
    /// The ceiling only rises, so one that is read late is too low at worst.
    #[inline]
    fn permit(&self, clock: &HybridClock) -> Result<(), CeilingReached> {
        below(clock.latest_nanos(), self.ceiling.load(Ordering::Relaxed))
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::{sync::Arc, thread};

    use super::*;

    #[test]
    fn loom_no_stamp_is_above_the_ceiling_or_given_twice() {
        loom::model(|| {
            let (now, ceiling) = (WallTime::from_nanos(100), HybridTimestamp::from_nanos(101));
            let clock = AtomicDurableHybridClock::new(Duration::ZERO, Duration::from_nanos(1));
            let clock = Arc::new(clock);
            let [second, third] = [(); 2].map(|()| {
                let clock = Arc::clone(&clock);
                thread::spawn(move || clock.tick(now).ok())
            });
            clock.raise_ceiling(ceiling.unwrap());
            let first = clock.tick(now).ok();
            let stamps = [first, second.join().unwrap(), third.join().unwrap()];
            assert!(stamps.iter().all(|&stamp| stamp <= ceiling), "above the ceiling: {stamps:?}");
            let mut given: alloc::vec::Vec<_> = stamps.iter().flatten().collect();
            given.sort_unstable();
            assert!(given.is_sorted_by(|earlier, later| earlier < later), "twice: {stamps:?}");
            // Two stamps are allowed, and whoever raised the ceiling gets one unless both others did.
            assert!(given.len() <= 2 && !given.is_empty());
        });
    }
}
