use core::{convert::Infallible, num::NonZeroU32, time::Duration};

use crossbeam_utils::CachePadded;
use surmise_time::WallTime;

use super::loom::{AtomicU64, Ordering};
use crate::{
    CeilingTooHigh, DriftExceeded, HybridClock, HybridTimestamp, Reservation, hybrid::Drift,
};

/// A [`HybridClock`] that many threads share.
///
/// Each stamp is given once, and a thread's stamps ascend. If what one thread does happens before what
/// another does, by whatever way they synchronise, the second gets the later stamp. To observe a stamp
/// that is no news takes one load and writes nothing.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_clock::sync::AtomicHybridClock;
/// use surmise_time::{ManualWallClock, WallClock};
///
/// static CLOCK: AtomicHybridClock = AtomicHybridClock::new(Duration::from_millis(500));
///
/// let wall = ManualWallClock::default();
/// std::thread::scope(|scope| {
///     let other = scope.spawn(|| CLOCK.tick(wall.now()));
///     let ours = CLOCK.tick(wall.now());
///     assert_ne!(other.join().ok(), Some(ours));
/// });
/// ```
#[derive(Debug)]
pub struct AtomicHybridClock {
    /// The latest stamp that was given or observed, 0 if there was none.
    latest: CachePadded<AtomicU64>,
    drift: Drift,
}

impl AtomicHybridClock {
    /// Creates a clock that takes in stamps up to `max_offset` ahead of physical time.
    ///
    /// As [`HybridClock::new`]; it can be the value of a `static`.
    #[must_use]
    #[cfg(not(loom))]
    pub const fn new(max_offset: Duration) -> Self {
        Self { latest: CachePadded::new(AtomicU64::new(0)), drift: Drift::new(max_offset) }
    }

    /// Creates a clock; loom's atomics cannot be made in a constant.
    #[must_use]
    #[cfg(loom)]
    pub fn new(max_offset: Duration) -> Self {
        Self { latest: CachePadded::new(AtomicU64::new(0)), drift: Drift::new(max_offset) }
    }

    /// Creates a clock that gives only stamps after `ceiling`.
    ///
    /// # Errors
    ///
    /// As [`HybridClock::resume`].
    pub fn resume(max_offset: Duration, ceiling: HybridTimestamp) -> Result<Self, CeilingTooHigh> {
        HybridClock::resume(max_offset, ceiling).map(Self::from)
    }

    /// Returns the stamp of an event here, as [`HybridClock::tick`].
    #[inline]
    pub fn tick(&self, physical: WallTime) -> HybridTimestamp {
        match self.update(|clock| Ok::<_, Infallible>(clock.tick(physical))) {
            Ok(stamp) => stamp,
        }
    }

    /// Takes in the stamp of a message, as [`HybridClock::observe`].
    ///
    /// # Errors
    ///
    /// If the stamp is news and more than `max_offset` ahead of `physical`. Nothing is changed then.
    #[inline]
    pub fn observe(
        &self,
        remote: HybridTimestamp,
        physical: WallTime,
    ) -> Result<(), DriftExceeded> {
        if remote.as_nanos() <= self.latest.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.update(|clock| clock.observe(remote, physical))
    }

    /// Returns the stamp at which a message is received, as [`HybridClock::witness`].
    ///
    /// # Errors
    ///
    /// As [`observe`](Self::observe).
    #[inline]
    pub fn witness(
        &self,
        remote: HybridTimestamp,
        physical: WallTime,
    ) -> Result<HybridTimestamp, DriftExceeded> {
        self.update(|clock| clock.witness(remote, physical))
    }

    /// Returns `count` stamps at once, as [`HybridClock::reserve`].
    ///
    /// # Errors
    ///
    /// If the last of them would be more than `max_offset` ahead of `physical`. Nothing is changed then.
    #[inline]
    pub fn reserve(
        &self,
        count: NonZeroU32,
        physical: WallTime,
    ) -> Result<Reservation, DriftExceeded> {
        self.update(|clock| clock.reserve(count, physical))
    }

    /// Returns the latest stamp that was given or observed, or the ceiling resumed from.
    #[must_use]
    pub fn latest(&self) -> Option<HybridTimestamp> {
        self.load().latest()
    }

    /// Returns how far the next stamp would be ahead of physical time.
    #[must_use]
    pub fn ahead(&self, physical: WallTime) -> Duration {
        self.load().ahead(physical)
    }

    /// Returns how far a stamp may be ahead of physical time to be taken in.
    #[must_use]
    pub const fn max_offset(&self) -> Duration {
        self.drift.max_offset()
    }

    fn load(&self) -> HybridClock {
        HybridClock::at(self.latest.load(Ordering::Relaxed), self.drift)
    }

    /// Does with the clock what `act` does with a copy of it, as if nobody else did anything meanwhile.
    #[inline]
    pub(super) fn update<R, E>(
        &self,
        act: impl Fn(&mut HybridClock) -> Result<R, E>,
    ) -> Result<R, E> {
        match self.attempt(&act) {
            Some(result) => result,
            None => self.contend(act),
        }
    }

    /// Tries until nobody else comes in between, out of line of the usual case.
    #[cold]
    fn contend<R, E>(&self, act: impl Fn(&mut HybridClock) -> Result<R, E>) -> Result<R, E> {
        loop {
            if let Some(result) = self.attempt(&act) {
                return result;
            }
        }
    }

    /// Does what `act` does, or returns `None` if somebody else came in between.
    ///
    /// Relaxed is enough. The stamp is all that is published, all see the changes of one atomic in one
    /// order, and an operation that happens after another sees what it wrote.
    #[inline]
    fn attempt<R, E>(
        &self,
        act: &impl Fn(&mut HybridClock) -> Result<R, E>,
    ) -> Option<Result<R, E>> {
        let latest = self.latest.load(Ordering::Relaxed);
        let mut clock = HybridClock::at(latest, self.drift);
        let result = act(&mut clock);
        let (next, relaxed) = (clock.latest_nanos(), Ordering::Relaxed);
        let done = result.is_err()
            || self.latest.compare_exchange_weak(latest, next, relaxed, relaxed).is_ok();
        done.then_some(result)
    }
}

/// Shares a clock, as it is.
impl From<HybridClock> for AtomicHybridClock {
    fn from(clock: HybridClock) -> Self {
        let latest = CachePadded::new(AtomicU64::new(clock.latest_nanos()));
        Self { latest, drift: Drift::new(clock.max_offset()) }
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use alloc::vec::Vec;

    use loom::{sync::Arc, thread};

    use super::*;

    const NOW: WallTime = WallTime::from_nanos(100);

    fn stamp(nanos: u64) -> HybridTimestamp {
        HybridTimestamp::from_nanos(nanos).unwrap()
    }

    /// Runs two threads beside this one, and returns the stamps of each.
    fn stamps_of_three(
        acts: [fn(&AtomicHybridClock) -> Vec<HybridTimestamp>; 3],
    ) -> [Vec<HybridTimestamp>; 3] {
        let clock = Arc::new(AtomicHybridClock::new(Duration::from_nanos(50)));
        let [ours, theirs @ ..] = acts;
        let [second, third] = theirs.map(|act| {
            let clock = Arc::clone(&clock);
            thread::spawn(move || act(&clock))
        });
        let first = ours(&clock);
        let stamps = [first, second.join().unwrap(), third.join().unwrap()];
        let greatest = stamps.iter().flatten().max();
        assert_eq!(clock.latest().as_ref(), greatest);
        stamps
    }

    fn assert_ascending_and_unique(stamps: &[Vec<HybridTimestamp>; 3]) {
        for stamps in stamps {
            assert!(stamps.is_sorted_by(|earlier, later| earlier < later));
        }
        let mut all = stamps.concat();
        all.sort_unstable();
        assert!(all.is_sorted_by(|earlier, later| earlier < later), "given twice: {all:?}");
    }

    #[test]
    fn loom_ticks_of_three_threads_are_unique_and_ascend() {
        loom::model(|| {
            let tick_twice = |clock: &AtomicHybridClock| [clock.tick(NOW), clock.tick(NOW)].into();
            let tick = |clock: &AtomicHybridClock| [clock.tick(NOW)].into();
            assert_ascending_and_unique(&stamps_of_three([tick_twice, tick, tick]));
        });
    }

    #[test]
    fn loom_witnesses_and_reservations_are_unique_and_after_what_they_saw() {
        loom::model(|| {
            let stamps = stamps_of_three([
                |clock| [clock.tick(NOW), clock.witness(stamp(101), NOW).unwrap()].into(),
                |clock| [clock.witness(stamp(120), NOW).unwrap()].into(),
                |clock| clock.reserve(NonZeroU32::MIN.saturating_add(1), NOW).unwrap().collect(),
            ]);
            assert_ascending_and_unique(&stamps);
            assert!(stamps[0][1] > stamp(101));
            assert!(stamps[1][0] > stamp(120));
        });
    }

    #[test]
    fn loom_an_observed_stamp_is_behind_all_that_follow() {
        loom::model(|| {
            let clock = Arc::new(AtomicHybridClock::new(Duration::from_nanos(50)));
            let observer = {
                let clock = Arc::clone(&clock);
                thread::spawn(move || {
                    clock.observe(stamp(130), NOW).unwrap();
                    clock.observe(stamp(110), NOW).unwrap();
                    clock.tick(NOW)
                })
            };
            let ours = clock.tick(NOW);
            let theirs = observer.join().unwrap();
            assert!(theirs > stamp(130) && ours != theirs);
            assert!(clock.tick(NOW) > theirs.max(ours));
        });
    }

    /// What the compare-and-swap prevents: two threads that compute from the same latest stamp.
    fn racy_tick(clock: &AtomicHybridClock) -> HybridTimestamp {
        let mut copy = clock.load();
        let stamp = copy.tick(NOW);
        clock.latest.store(copy.latest_nanos(), Ordering::Relaxed);
        stamp
    }

    #[test]
    #[should_panic(expected = "given twice")]
    fn loom_catches_a_tick_that_only_stores() {
        loom::model(|| {
            let tick = |clock: &AtomicHybridClock| [racy_tick(clock)].into();
            let clock = Arc::new(AtomicHybridClock::new(Duration::ZERO));
            let other = {
                let clock = Arc::clone(&clock);
                thread::spawn(move || tick(&clock))
            };
            assert_ascending_and_unique(&[tick(&clock), other.join().unwrap(), Vec::new()]);
        });
    }
}
