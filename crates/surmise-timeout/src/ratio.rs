use core::{fmt, time::Duration};

use crate::duration::nanos;

/// A factor or a share, in millionths: exact where a binary fraction is not.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::Ratio;
///
/// let fifth = Ratio::from_percent(20);
/// assert_eq!(fifth.of(Duration::from_millis(10)), Duration::from_millis(2));
/// assert_eq!(Ratio::ONE.of(Duration::MAX), Duration::from_nanos(u64::MAX));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Ratio {
    millionths: u32,
}

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self { millionths: 0 };
    /// The whole.
    pub const ONE: Self = Self { millionths: 1_000_000 };

    /// Creates a ratio from millionths: up to 4294.967295.
    #[must_use]
    pub const fn from_millionths(millionths: u32) -> Self {
        Self { millionths }
    }

    /// Creates a ratio from a percentage, of which there can be more than 100.
    #[must_use]
    pub const fn from_percent(percent: u16) -> Self {
        Self { millionths: percent as u32 * 10_000 }
    }

    /// Returns the ratio in millionths.
    #[must_use]
    pub const fn as_millionths(self) -> u32 {
        self.millionths
    }

    /// Returns that share of a duration, rounded down; at most 2⁶⁴ − 1 ns, which is 584 years.
    #[must_use]
    pub fn of(self, duration: Duration) -> Duration {
        Duration::from_nanos(self.of_nanos(nanos(duration)))
    }

    /// Returns that share of a number, rounded down; it saturates.
    #[inline]
    pub(crate) const fn of_nanos(self, nanos: u64) -> u64 {
        let share = nanos as u128 * self.millionths as u128 / Self::ONE.millionths as u128;
        if share > u64::MAX as u128 {
            return u64::MAX;
        }
        #[expect(clippy::cast_possible_truncation, reason = "it was compared with the greatest")]
        let share = share as u64;
        share
    }
}

/// As a decimal fraction, as in "1.5".
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.millionths / 1_000_000, self.millionths % 1_000_000);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let (mut part, mut width) = (part, 6);
        while part % 10 == 0 {
            part /= 10;
            width -= 1;
        }
        write!(f, "{whole}.{part:0width$}")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn shares_are_rounded_down_and_saturate() {
        let third = Ratio::from_millionths(333_333);
        assert_eq!(third.of(Duration::from_nanos(3)), Duration::ZERO);
        assert_eq!(third.of(Duration::from_nanos(4)), Duration::from_nanos(1));
        assert_eq!(Ratio::from_percent(150).of_nanos(u64::MAX), u64::MAX);
        assert_eq!(Ratio::ONE.of_nanos(u64::MAX), u64::MAX);
        assert_eq!(Ratio::from_percent(50).of_nanos(u64::MAX), u64::MAX / 2);
        assert_eq!(Ratio::ZERO.of_nanos(u64::MAX), 0);
    }

    #[test]
    fn ratios_are_shown_as_decimals() {
        for (millionths, text) in [(0, "0"), (1_500_000, "1.5"), (10, "0.00001"), (3_000_000, "3")]
        {
            assert_eq!(Ratio::from_millionths(millionths).to_string(), text);
        }
    }
}
