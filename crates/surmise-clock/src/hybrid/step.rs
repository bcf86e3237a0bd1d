//! How a hybrid clock moves: pure arithmetic that the clocks for one and for many threads share.
//!
//! No stamp is ever out of `u64`, without a check at each tick: physical readings count up to
//! [`MAX_PHYSICAL`], remote stamps and reservations up to [`MAX_OFFSET`] beyond, ceilings up to
//! [`MAX_CEILING`]. What is left above is 2⁶² ticks, which at one a nanosecond take 146 years.

use core::{
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use surmise_time::WallTime;

use super::{CeilingTooHigh, DriftExceeded, HybridTimestamp, Reservation};

/// The latest physical reading taken at its word, in nanoseconds: 2262-04-11, as `i64` has it.
const MAX_PHYSICAL: u64 = i64::MAX.unsigned_abs();

/// The greatest offset or window taken at its word, in nanoseconds: 36 years.
const MAX_OFFSET: u64 = 1 << 60;

/// The latest ceiling that a clock can resume from.
pub(super) const MAX_CEILING: u64 = (1 << 63) + (1 << 62);

/// Returns the stamp after `latest` and not before `physical`.
///
/// Branches, because a processor foretells them better than it selects.
#[inline]
pub(super) fn next(latest: u64, physical: WallTime) -> NonZeroU64 {
    if physical.as_nanos() <= latest {
        return NonZeroU64::MIN.saturating_add(latest);
    }
    match NonZeroU64::new(physical.as_nanos()) {
        Some(physical) if physical.get() <= MAX_PHYSICAL => physical,
        _ => NonZeroU64::MIN.saturating_add(latest.max(MAX_PHYSICAL - 1)),
    }
}

/// Returns the `count` stamps after `latest` and not before `physical`, and the last of them.
#[inline]
pub(crate) fn reserve(
    latest: u64,
    count: NonZeroU32,
    physical: WallTime,
) -> (Reservation, HybridTimestamp) {
    let first = next(latest, physical);
    let last = first.saturating_add(u64::from(count.get() - 1));
    (Reservation::new(first, count), HybridTimestamp::from_nonzero(last))
}

/// Returns the physical time in nanoseconds, as far as it is taken at its word.
#[inline]
pub(super) fn reading(physical: WallTime) -> u64 {
    physical.as_nanos().min(MAX_PHYSICAL)
}

/// Returns the nanoseconds of an offset or a window, as far as it is taken at its word.
pub(super) const fn offset(duration: Duration) -> u64 {
    let nanos = duration.as_nanos();
    if nanos > MAX_OFFSET as u128 {
        return MAX_OFFSET;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it was just compared")]
    {
        nanos as u64
    }
}

/// Returns the nanoseconds of a ceiling that leaves room for stamps above.
pub(super) fn ceiling(ceiling: HybridTimestamp) -> Result<u64, CeilingTooHigh> {
    let nanos = ceiling.as_nanos();
    if nanos > MAX_CEILING {
        let max = HybridTimestamp::from_nonzero(NonZeroU64::MIN.saturating_add(MAX_CEILING - 1));
        return Err(CeilingTooHigh { ceiling, max });
    }
    Ok(nanos)
}

/// How far stamps may be ahead of physical time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Drift {
    max_offset: u64,
}

impl Drift {
    pub(crate) const fn new(max_offset: Duration) -> Self {
        Self { max_offset: offset(max_offset) }
    }

    pub(crate) const fn max_offset(self) -> Duration {
        Duration::from_nanos(self.max_offset)
    }

    /// Refuses a stamp that is too far ahead.
    #[inline]
    pub(crate) fn check(
        self,
        stamp: HybridTimestamp,
        physical: WallTime,
    ) -> Result<(), DriftExceeded> {
        if stamp.as_nanos() > reading(physical) + self.max_offset {
            return Err(DriftExceeded { stamp, physical, max_offset: self.max_offset });
        }
        Ok(())
    }
}
