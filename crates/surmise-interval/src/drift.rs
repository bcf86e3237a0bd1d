use core::{error::Error, fmt, time::Duration};

/// How far a clock's rate may be from the true one, in parts per billion.
///
/// While the clock counts a second, between `1 − drift` and `1 + drift` seconds pass, or the other way
/// round: what is derived from it holds for both readings.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_interval::Drift;
///
/// let crystal = Drift::from_ppm(50)?;
/// let hour = Duration::from_secs(3600);
/// assert_eq!(crystal.over(hour).as_millis(), 180);
/// # Ok::<(), surmise_interval::DriftTooLarge>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Drift {
    ppb: u32,
}

impl Drift {
    /// What RFC 5905 assumes of a clock that is disciplined: 15 ppm.
    pub const NTP: Self = Self { ppb: 15_000 };

    /// What ClockBound assumes of a quartz crystal: 50 ppm.
    pub const QUARTZ: Self = Self { ppb: 50_000 };

    /// What Spanner assumes of its servers: 200 ppm.
    pub const SPANNER: Self = Self { ppb: 200_000 };

    /// A tenth. A clock that is worse does not tell time.
    pub const MAX: Self = Self { ppb: 100_000_000 };

    /// Creates a drift from parts per billion.
    ///
    /// # Errors
    ///
    /// If it exceeds [`MAX`](Self::MAX).
    pub const fn from_ppb(ppb: u32) -> Result<Self, DriftTooLarge> {
        if ppb > Self::MAX.ppb {
            return Err(DriftTooLarge { ppb: ppb as u64 });
        }
        Ok(Self { ppb })
    }

    /// Creates a drift from parts per million.
    ///
    /// # Errors
    ///
    /// If it exceeds [`MAX`](Self::MAX).
    pub const fn from_ppm(ppm: u32) -> Result<Self, DriftTooLarge> {
        match ppm.checked_mul(1000) {
            Some(ppb) => Self::from_ppb(ppb),
            None => Err(DriftTooLarge { ppb: ppm as u64 * 1000 }),
        }
    }

    /// Returns the drift in parts per billion.
    #[must_use]
    pub const fn as_ppb(self) -> u32 {
        self.ppb
    }

    /// Returns how far a clock can go wrong while it counts this long, at most; rounded up.
    #[must_use]
    pub fn over(self, elapsed: Duration) -> Duration {
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.rate().over(nanos))
    }

    /// Returns how much time has passed while the clock counted this long, at most; rounded up.
    #[must_use]
    pub fn at_most(self, elapsed: Duration) -> Duration {
        elapsed.saturating_add(self.over(elapsed))
    }

    /// Returns what the clock has to count so that at least this much time has passed; rounded up.
    #[must_use]
    pub fn to_pass(self, time: Duration) -> Duration {
        self.rate().duration_to_pass(time)
    }

    /// Returns what is needed to compute it fast.
    pub(crate) const fn rate(self) -> Rate {
        Rate::new(self)
    }
}

/// `drift / (1 − drift)` as a fraction of 2⁶⁴, rounded up.
///
/// If while the clock counts 1 there pass between `1 − ρ` and `1 + ρ`, then `1 + ρ` is an upper bound; if
/// while 1 passes the clock counts between `1 − ρ` and `1 + ρ`, then `1 / (1 − ρ)` is, which is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) u64);

impl Rate {
    const fn new(drift: Drift) -> Self {
        let ppb = drift.ppb as u128;
        let fraction = (ppb << 64).div_ceil(1_000_000_000 - ppb);
        // Lossless: the greatest drift is a tenth, which makes a ninth of 2⁶⁴.
        #[expect(clippy::cast_possible_truncation, reason = "it is less than 2⁶⁴")]
        Self(fraction as u64)
    }

    /// Returns the drift that this is the rate of.
    pub(crate) const fn drift(self) -> Drift {
        let ppb = self.0 as u128 * 1_000_000_000 / ((1 << 64) + self.0 as u128);
        #[expect(clippy::cast_possible_truncation, reason = "it was made from 32 bits")]
        Drift { ppb: ppb as u32 }
    }

    /// Returns how far the clock can go wrong in so many nanoseconds, rounded up.
    #[inline]
    pub(crate) const fn over(self, nanos: u64) -> u64 {
        let product = nanos as u128 * self.0 as u128;
        ((product + u64::MAX as u128) >> 64) as u64
    }

    pub(crate) fn duration_to_pass(self, time: Duration) -> Duration {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.to_pass(nanos))
    }

    /// Returns a count of nanoseconds of which this many are left after [`over`](Self::over) is taken off.
    fn to_pass(self, nanos: u64) -> u64 {
        let share_left = (1 << 64) - u128::from(self.0);
        let count = (u128::from(nanos) << 63).div_ceil(share_left >> 1);
        u64::try_from(count).unwrap_or(u64::MAX)
    }
}

/// A drift exceeds a tenth: whatever has it is no clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriftTooLarge {
    /// The drift, in parts per billion.
    pub ppb: u64,
}

impl fmt::Display for DriftTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a drift of {} ppb exceeds {} ppb", self.ppb, Drift::MAX.ppb)
    }
}

impl Error for DriftTooLarge {}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Drift {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_ppb(u32::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn a_rate_knows_its_drift(ppb: u32) -> bool {
            let drift = Drift { ppb: ppb % (Drift::MAX.ppb + 1) };
            drift.rate().drift() == drift
        }

        /// ρ / (1 − ρ) of it, exactly and rounded up, and enough left when that much is to pass.
        fn growth_is_the_least_that_is_enough(ppb: u32, nanos: u64) -> bool {
            let drift = Drift { ppb: ppb % (Drift::MAX.ppb + 1) };
            let (ppb, grown) = (u128::from(drift.ppb), drift.rate().over(nanos));
            let exact = (u128::from(nanos) * ppb).div_ceil(1_000_000_000 - ppb);
            let count = drift.rate().to_pass(nanos);
            // The fraction of 2⁶⁴ is rounded up as well, which makes one more of very long times.
            (u128::from(grown) == exact || u128::from(grown) == exact + 1)
                && (count == u64::MAX || count - drift.rate().over(count) >= nanos)
        }
    }

    #[test]
    fn drifts_end_at_a_tenth() {
        assert_eq!(Drift::from_ppm(100_000), Ok(Drift::MAX));
        assert_eq!(Drift::from_ppb(100_000_001), Err(DriftTooLarge { ppb: 100_000_001 }));
        let error = Drift::from_ppm(u32::MAX).unwrap_err();
        assert_eq!(error.ppb, 4_294_967_295_000);
    }
}
