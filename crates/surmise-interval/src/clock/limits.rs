use core::time::Duration;

use surmise_time::Instant;

use super::IntervalClockConfig;
use crate::Sample;

/// A configuration, and what is needed to apply it fast.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    free_running_after: Duration,
    /// How many nanoseconds there are from the first reading for which a sample is relied on to the last.
    span: u64,
}

impl Limits {
    /// How long before a sample a reading may have been taken.
    pub(super) const BEFORE: Duration = Duration::from_nanos(BEFORE_NANOS);

    pub(crate) const fn new(config: IntervalClockConfig) -> Self {
        let nanos = config.unsynchronized_after.as_nanos();
        // Half of all that an instant can count is longer than any machine runs.
        #[expect(clippy::cast_possible_truncation, reason = "it is less than 2⁶³")]
        let after = if nanos < u64::MAX as u128 / 2 { nanos as u64 } else { u64::MAX / 2 };
        Self { free_running_after: config.free_running_after, span: after + BEFORE_NANOS }
    }

    pub(super) const fn free_running_after(&self) -> Duration {
        self.free_running_after
    }

    /// Returns whether a sample is relied on at this instant.
    #[inline]
    pub(crate) const fn rely_on(&self, sample: &Sample, now: Instant) -> bool {
        // Readings that are too early wrap around to the greatest numbers. So those that are 292 years and more
        // away count as before, or as after: no machine runs that long.
        let since = now.as_nanos().wrapping_sub(sample.at().as_nanos());
        since.wrapping_add(BEFORE_NANOS) <= self.span
    }

    /// Returns whether a sample is relied on at this instant, which must not be before it.
    pub(super) const fn rely_on_from(&self, sample: &Sample, now: Instant) -> bool {
        now.as_nanos().wrapping_sub(sample.at().as_nanos()) <= self.span - BEFORE_NANOS
    }
}

const BEFORE_NANOS: u64 = 1_000_000_000;
