use core::{fmt, time::Duration};

/// By how much a grantor's clock may run faster than a holder's, in millionths.
///
/// What differs is how fast the clocks go, not what they show. Crystals that nobody steers differ by about 200 ppm. But
/// what steers the time of day steers the monotonic and the boot clock with it: ntpd by up to 500 ppm, and chrony, to
/// catch up, by up to 83 333 ppm, which is the default of its `maxslewrate`.
///
/// The default allowance assumes that no clock is steered by more than 500 ppm, so that two of them differ by no more
/// than 1001. Where chrony runs, set `maxslewrate 500`, or allow for its default, with 181 819 ppm. If clocks differ by
/// more than was allowed for, leases overlap, which a fence makes harmless.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_fence::DriftAllowance;
///
/// let drift = DriftAllowance::from_ppm(1_000);
/// assert_eq!(drift.shorten(Duration::from_secs(10)), Duration::from_millis(9_990));
/// assert_eq!(drift, DriftAllowance::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct DriftAllowance(u32);

impl DriftAllowance {
    /// Creates an allowance of so many millionths.
    ///
    /// From a million on, nothing is left of any lease.
    #[must_use]
    pub const fn from_ppm(ppm: u32) -> Self {
        Self(ppm)
    }

    /// Returns the allowance in millionths.
    #[must_use]
    pub const fn as_ppm(self) -> u32 {
        self.0
    }

    /// Returns a time less the allowance, rounded down to nanoseconds.
    ///
    /// It is over on the holder's clock before the time is on the grantor's: a share ρ less is made up for by
    /// a clock that is faster by ρ / (1 − ρ), which is more than ρ. Times beyond 2⁶⁴ − 1 ns are taken for that.
    #[must_use]
    pub fn shorten(self, time: Duration) -> Duration {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let kept = u128::from(MILLION.saturating_sub(self.0));
        let shorter = u128::from(nanos) * kept / u128::from(MILLION);
        Duration::from_nanos(u64::try_from(shorter).unwrap_or(nanos))
    }
}

const MILLION: u32 = 1_000_000;

/// 1000 ppm, for two clocks that are steered by up to 500 ppm each.
impl Default for DriftAllowance {
    fn default() -> Self {
        Self(1_000)
    }
}

impl fmt::Display for DriftAllowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ppm", self.0)
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        /// A clock that is faster by the allowance is not beyond the time when the shorter time is over.
        fn what_is_left_is_over_first(nanos: u64, ppm: u32) -> bool {
            let ppm = ppm % 1_100_000;
            let left = DriftAllowance::from_ppm(ppm).shorten(Duration::from_nanos(nanos)).as_nanos();
            let million = u128::from(MILLION);
            let exact = u128::from(nanos) * million.saturating_sub(ppm.into());
            left * million <= exact
                && exact < (left + 1) * million
                && left * (million + u128::from(ppm)) <= u128::from(nanos) * million
        }
    }

    /// The grantor's clock is steered to go faster, the holder's to go slower, each by as much as there can be.
    #[test]
    fn two_clocks_that_are_steered_apart_are_allowed_for() {
        let hour = Duration::from_secs(3_600);
        for (allowance, steered) in
            [(DriftAllowance::default(), 500), (DriftAllowance::from_ppm(181_819), 83_333)]
        {
            let left = allowance.shorten(hour).as_nanos();
            let passed = left * (1_000_000 + steered) / (1_000_000 - steered);
            assert!(passed <= hour.as_nanos(), "{allowance}: {passed} ns at the grantor");
        }
    }

    #[test]
    fn nothing_is_left_of_what_may_be_over_at_once() {
        for ppm in [1_000_000, u32::MAX] {
            assert_eq!(DriftAllowance::from_ppm(ppm).shorten(Duration::MAX), Duration::ZERO);
        }
        let longest = Duration::from_nanos(u64::MAX);
        assert_eq!(DriftAllowance::from_ppm(0).shorten(Duration::MAX), longest);
        assert_eq!(DriftAllowance::from_ppm(1).shorten(Duration::from_nanos(1)), Duration::ZERO);
    }
}
