use core::time::Duration;

use crate::Ratio;

/// A delay in femtoseconds, which are the millionths of a nanosecond.
///
/// What is computed of ratios in millionths loses nothing that can be seen in nanoseconds. None is more than
/// 2⁶⁴ ns times 4295, and that has 117 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Femtos(u128);

impl Femtos {
    pub(super) const ZERO: Self = Self(0);

    /// Takes what is beyond 64 bits of nanoseconds for the most that there are.
    pub(super) fn of(duration: Duration) -> Self {
        let nanos = duration.as_nanos().min(u64::MAX.into());
        Self(nanos * PER_NANO)
    }

    pub(super) const fn new(femtos: u128) -> Self {
        Self(femtos)
    }

    pub(super) const fn get(self) -> u128 {
        self.0
    }

    /// Rounds down.
    pub(super) fn to_duration(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0 / PER_NANO).unwrap_or(u64::MAX))
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Is nothing if `other` is more.
    pub(super) const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    pub(super) const fn half(self) -> Self {
        Self(self.0 / 2)
    }

    /// Rounds down.
    pub(super) fn times(self, ratio: Ratio) -> Self {
        Self(self.0.saturating_mul(ratio.as_millionths().into()) / ONE)
    }

    /// Returns the most that, with that share of it added, is no more than this.
    pub(super) fn divided_by_one_and(self, share: Ratio) -> Self {
        Self(self.0.saturating_mul(ONE) / (ONE + u128::from(share.as_millionths())))
    }

    /// Returns the part `random / 2⁶⁴`, rounded down.
    pub(super) fn part(self, random: u64) -> Self {
        let (high, low) = (self.0 >> 64, self.0 & u128::from(u64::MAX));
        let random = u128::from(random);
        Self(high * random + ((low * random) >> 64))
    }
}

const PER_NANO: u128 = 1_000_000;
const ONE: u128 = 1_000_000;
