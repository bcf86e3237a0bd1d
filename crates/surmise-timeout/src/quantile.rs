use core::{error::Error, fmt};

/// A share of calls, strictly between none and all, in millionths: the 99th percentile is 990 000 of them.
///
/// # Examples
///
/// ```
/// use surmise_timeout::Quantile;
///
/// let p97 = Quantile::from_percent(97)?;
/// assert_eq!(p97.rank(1000), 970);
/// assert!(p97 < Quantile::P99);
/// # Ok::<(), surmise_timeout::QuantileError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Quantile {
    millionths: u32,
}

impl Quantile {
    /// The median.
    pub const P50: Self = Self { millionths: 500_000 };
    /// The 90th percentile.
    pub const P90: Self = Self { millionths: 900_000 };
    /// The 95th percentile.
    pub const P95: Self = Self { millionths: 950_000 };
    /// The 99th percentile.
    pub const P99: Self = Self { millionths: 990_000 };
    /// The 99.9th percentile.
    pub const P999: Self = Self { millionths: 999_000 };

    /// Creates a quantile from millionths.
    ///
    /// # Errors
    ///
    /// If it is none, or a whole or more.
    pub const fn from_millionths(millionths: u32) -> Result<Self, QuantileError> {
        if millionths == 0 || millionths >= WHOLE {
            return Err(QuantileError { millionths: millionths as u64 });
        }
        Ok(Self { millionths })
    }

    /// Creates a quantile from a percentage.
    ///
    /// # Errors
    ///
    /// If it is none, or a whole or more.
    pub const fn from_percent(percent: u32) -> Result<Self, QuantileError> {
        match percent.checked_mul(WHOLE / 100) {
            Some(millionths) => Self::from_millionths(millionths),
            None => Err(QuantileError { millionths: percent as u64 * 10_000 }),
        }
    }

    /// Returns the quantile in millionths.
    #[must_use]
    pub const fn as_millionths(self) -> u32 {
        self.millionths
    }

    /// Returns the nearest rank of so many values: the least whose share is no less than this.
    ///
    /// Ranks count from 1, and there is none among no values: that is 0. It is exact, which `ceil(q * n)` of
    /// floating-point numbers is not: they make the 7th percentile of 100 the 8th value.
    #[must_use]
    #[inline]
    pub const fn rank(self, count: usize) -> usize {
        // It cannot overflow, and `div_ceil` would take a remainder as well.
        const JUST_BELOW: u128 = WHOLE as u128 - 1;
        let rank = (count as u128 * self.millionths as u128 + JUST_BELOW) / WHOLE as u128;
        // Lossless: it is no more than the count.
        rank as usize
    }
}

const WHOLE: u32 = 1_000_000;

/// A quantile is not strictly between none and all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuantileError {
    /// The share, in millionths.
    pub millionths: u64,
}

impl fmt::Display for QuantileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} millionths are not strictly between none and all", self.millionths)
    }
}

impl Error for QuantileError {}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Quantile {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_millionths(u32::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_exact() {
        let seventh = Quantile::from_percent(7).unwrap();
        assert_eq!(seventh.rank(100), 7);
        for (count, p50, p99) in [(0, 0, 0), (1, 1, 1), (2, 1, 2), (100, 50, 99), (101, 51, 100)] {
            assert_eq!(
                (Quantile::P50.rank(count), Quantile::P99.rank(count)),
                (p50, p99),
                "{count}"
            );
        }
        assert_eq!(Quantile::from_millionths(1).unwrap().rank(1), 1);
        assert_eq!(Quantile::P999.rank(usize::MAX), usize::MAX - usize::MAX / 1000);
    }

    #[test]
    fn none_and_all_are_no_quantiles() {
        for millionths in [0, 1_000_000, u32::MAX] {
            let error = QuantileError { millionths: millionths.into() };
            assert_eq!(Quantile::from_millionths(millionths), Err(error));
        }
        assert_eq!(Quantile::from_percent(100), Err(QuantileError { millionths: 1_000_000 }));
        let error = QuantileError { millionths: 42_949_672_950_000 };
        assert_eq!(Quantile::from_percent(u32::MAX), Err(error));
        assert!(Quantile::from_millionths(1).is_ok() && Quantile::from_millionths(999_999).is_ok());
    }
}
