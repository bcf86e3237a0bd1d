use crossbeam_utils::CachePadded;

use super::loom::{AtomicU64, Ordering};
use crate::{LamportClock, LamportOverflow, LamportTime};

/// A [`LamportClock`] that many threads share.
///
/// Each time is given once, and a thread's times ascend.
///
/// # Examples
///
/// ```
/// use surmise_clock::{LamportTime, sync::AtomicLamportClock};
///
/// static CLOCK: AtomicLamportClock = AtomicLamportClock::new();
///
/// CLOCK.tick()?;
/// assert_eq!(CLOCK.witness(LamportTime::new(7))?, LamportTime::new(8));
/// # Ok::<(), surmise_clock::LamportOverflow>(())
/// ```
#[derive(Debug)]
pub struct AtomicLamportClock(CachePadded<AtomicU64>);

impl AtomicLamportClock {
    /// Creates a clock at which nothing has happened; it can be the value of a `static`.
    #[must_use]
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self(CachePadded::new(AtomicU64::new(0)))
    }

    /// Creates a clock; loom's atomics cannot be made in a constant.
    #[must_use]
    #[cfg(loom)]
    pub fn new() -> Self {
        Self(CachePadded::new(AtomicU64::new(0)))
    }

    /// Creates a clock that goes on after a time, as after a restart.
    #[must_use]
    pub fn resume(latest: LamportTime) -> Self {
        Self(CachePadded::new(AtomicU64::new(latest.get())))
    }

    /// Returns the time of an event here, as [`LamportClock::tick`].
    ///
    /// # Errors
    ///
    /// If there is no later time. Nothing is changed then.
    #[inline]
    pub fn tick(&self) -> Result<LamportTime, LamportOverflow> {
        self.witness(LamportTime::new(0))
    }

    /// Returns the time at which a message is received, as [`LamportClock::witness`].
    ///
    /// # Errors
    ///
    /// If there is no time later than both. Nothing is changed then.
    #[inline]
    pub fn witness(&self, remote: LamportTime) -> Result<LamportTime, LamportOverflow> {
        let mut latest = self.0.load(Ordering::Relaxed);
        loop {
            let next = LamportClock::resume(LamportTime::new(latest)).witness(remote)?;
            // Relaxed is enough, for the reasons that `AtomicHybridClock` gives.
            let (order, failure) = (Ordering::Relaxed, Ordering::Relaxed);
            match self.0.compare_exchange_weak(latest, next.get(), order, failure) {
                Ok(_) => return Ok(next),
                Err(newer) => latest = newer,
            }
        }
    }

    /// Returns the time of the latest event, 0 if there was none.
    #[must_use]
    pub fn latest(&self) -> LamportTime {
        LamportTime::new(self.0.load(Ordering::Relaxed))
    }
}

impl Default for AtomicLamportClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::{sync::Arc, thread};

    use super::*;

    #[test]
    fn loom_times_of_three_threads_are_unique_and_ascend() {
        loom::model(|| {
            let clock = Arc::new(AtomicLamportClock::new());
            let [second, third] = [0, 3].map(|remote| {
                let clock = Arc::clone(&clock);
                thread::spawn(move || clock.witness(LamportTime::new(remote)).unwrap())
            });
            let first = [clock.tick().unwrap(), clock.tick().unwrap()];
            let (second, third) = (second.join().unwrap(), third.join().unwrap());
            assert!(first[0] < first[1] && third > LamportTime::new(3));
            let mut all = [first[0], first[1], second, third];
            all.sort_unstable();
            assert!(all.is_sorted_by(|earlier, later| earlier < later), "given twice: {all:?}");
            assert_eq!(clock.latest(), all[3]);
        });
    }

    #[test]
    fn loom_the_last_time_is_given_once() {
        loom::model(|| {
            let clock = Arc::new(AtomicLamportClock::resume(LamportTime::new(u64::MAX - 1)));
            let other = {
                let clock = Arc::clone(&clock);
                thread::spawn(move || clock.tick().is_ok())
            };
            let ours = clock.tick().is_ok();
            assert_ne!(ours, other.join().unwrap());
            assert_eq!(clock.latest(), LamportTime::MAX);
        });
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use alloc::vec::Vec;

    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn a_shared_clock_is_the_clock(start: u64, remotes: Vec<u64>) -> bool {
            let start = LamportTime::new(start);
            let (mut clock, shared) = (LamportClock::resume(start), AtomicLamportClock::resume(start));
            remotes.into_iter().map(LamportTime::new).all(|remote| {
                clock.tick() == shared.tick()
                    && clock.witness(remote) == shared.witness(remote)
                    && clock.latest() == shared.latest()
            })
        }
    }
}
