use core::{num::NonZeroU32, time::Duration};

use surmise_time::WallTime;

use super::{
    CeilingTooHigh, DriftExceeded, HybridTimestamp, Reservation,
    step::{self, Drift},
};

/// A hybrid logical clock: each stamp is later than all that led to it, and close to physical time.
///
/// Kulkarni, Demirbas, Madappa, Avva, Leone, "Logical Physical Clocks", OPODIS 2014. The physical and
/// the logical part share one number of nanoseconds: a stamp is the physical time, or the latest stamp
/// plus one nanosecond if that is more. It holds that
///
/// * if one event happened before another, its stamp is less;
/// * no stamp is before the physical time it was given at;
/// * no stamp is ahead of physical time by more than `max_offset`, plus a nanosecond for each stamp that
///   was given since, as long as the wall clock does not step back and the clock was not resumed further
///   ahead.
///
/// A clone of a clock gives the same stamps as the clock: it is for trying something out.
///
/// Physical time is an argument. It may stand still, jump or step back: stamps go on. What a clock reads
/// after 2262 counts as 2262, and there is room for 2⁶² stamps after that.
///
/// A clock that is made anew after a restart may repeat stamps, if the wall clock was set back or the old
/// one was ahead: see [`DurableHybridClock`](super::DurableHybridClock). For many threads there is
/// [`sync::AtomicHybridClock`](crate::sync::AtomicHybridClock).
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_clock::HybridClock;
/// use surmise_time::WallTime;
///
/// let max_offset = Duration::from_millis(500);
/// let (mut ours, mut theirs) = (HybridClock::new(max_offset), HybridClock::new(max_offset));
///
/// // Their wall clock is 20 ns behind ours, and yet what they do on our message is later than it.
/// let sent = ours.tick(WallTime::from_nanos(1_000));
/// let received = theirs.witness(sent, WallTime::from_nanos(980))?;
/// assert_eq!(received.as_nanos(), 1_001);
/// # Ok::<(), surmise_clock::DriftExceeded>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HybridClock {
    /// The latest stamp that was given or observed, 0 if there was none.
    latest: u64,
    drift: Drift,
}

impl HybridClock {
    /// Creates a clock that takes in stamps up to `max_offset` ahead of physical time.
    ///
    /// `max_offset` is a bound on how far the wall clocks of any two nodes are apart, often 250 to
    /// 500 ms. If it is too small, messages of honest nodes are refused; whatever it is, one node whose
    /// clock is ahead takes all others that far with it. More than 36 years count as 36 years.
    #[must_use]
    pub const fn new(max_offset: Duration) -> Self {
        Self { latest: 0, drift: Drift::new(max_offset) }
    }

    /// Creates a clock that gives only stamps after `ceiling`.
    ///
    /// Until physical time has passed the ceiling, its stamps are ahead by what is missing.
    ///
    /// # Errors
    ///
    /// If the ceiling is beyond the year 2408: no clock has written that.
    pub fn resume(max_offset: Duration, ceiling: HybridTimestamp) -> Result<Self, CeilingTooHigh> {
        Ok(Self { latest: step::ceiling(ceiling)?, ..Self::new(max_offset) })
    }

    pub(crate) const fn at(latest: u64, drift: Drift) -> Self {
        Self { latest, drift }
    }

    /// Returns the stamp of an event here: something that happens, or a message that is sent.
    #[inline]
    pub fn tick(&mut self, physical: WallTime) -> HybridTimestamp {
        let stamp = step::next(self.latest, physical);
        self.latest = stamp.get();
        HybridTimestamp::from_nonzero(stamp)
    }

    /// Takes in the stamp of a message, so that all later stamps are after it.
    ///
    /// # Errors
    ///
    /// If the stamp is news and more than `max_offset` ahead of `physical`. Nothing is changed then.
    #[inline]
    pub fn observe(
        &mut self,
        remote: HybridTimestamp,
        physical: WallTime,
    ) -> Result<(), DriftExceeded> {
        if remote.as_nanos() > self.latest {
            self.drift.check(remote, physical)?;
            self.latest = remote.as_nanos();
        }
        Ok(())
    }

    /// Returns the stamp at which a message is received that was sent at `remote`.
    ///
    /// The same as [`observe`](Self::observe) and then [`tick`](Self::tick).
    ///
    /// # Errors
    ///
    /// As [`observe`](Self::observe).
    #[inline]
    pub fn witness(
        &mut self,
        remote: HybridTimestamp,
        physical: WallTime,
    ) -> Result<HybridTimestamp, DriftExceeded> {
        self.observe(remote, physical)?;
        Ok(self.tick(physical))
    }

    /// Returns `count` stamps at once, which nobody else gets.
    ///
    /// # Errors
    ///
    /// If the last of them would be more than `max_offset` ahead of `physical`, so that others would
    /// refuse it. Nothing is changed then.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::{num::NonZeroU32, time::Duration};
    /// use surmise_clock::HybridClock;
    /// use surmise_time::WallTime;
    ///
    /// let mut clock = HybridClock::new(Duration::from_millis(500));
    /// let now = WallTime::from_nanos(1_000);
    /// let three = NonZeroU32::MIN.saturating_add(2);
    /// let batch = clock.reserve(three, now)?;
    /// assert!(batch.map(|stamp| stamp.as_nanos()).eq([1_000, 1_001, 1_002]));
    /// assert_eq!(clock.tick(now).as_nanos(), 1_003);
    /// # Ok::<(), surmise_clock::DriftExceeded>(())
    /// ```
    #[inline]
    pub fn reserve(
        &mut self,
        count: NonZeroU32,
        physical: WallTime,
    ) -> Result<Reservation, DriftExceeded> {
        let (reservation, last) = step::reserve(self.latest, count, physical);
        self.drift.check(last, physical)?;
        self.latest = last.as_nanos();
        Ok(reservation)
    }

    /// Returns the latest stamp that was given or observed, or the ceiling resumed from.
    #[must_use]
    pub const fn latest(&self) -> Option<HybridTimestamp> {
        HybridTimestamp::from_nanos(self.latest)
    }

    /// Returns how far the next stamp would be ahead of physical time.
    ///
    /// After a restart, or a step of the wall clock, one may wait this long before giving stamps, and
    /// none will be refused by others.
    #[must_use]
    pub fn ahead(&self, physical: WallTime) -> Duration {
        let next = step::next(self.latest, physical).get();
        Duration::from_nanos(next - step::reading(physical).min(next))
    }

    pub(crate) const fn latest_nanos(&self) -> u64 {
        self.latest
    }

    /// Returns how far a stamp may be ahead of physical time to be taken in.
    #[must_use]
    pub const fn max_offset(&self) -> Duration {
        self.drift.max_offset()
    }
}
