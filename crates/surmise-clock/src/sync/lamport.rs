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
