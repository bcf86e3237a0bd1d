use core::{fmt, num::NonZeroU64, str::FromStr};

use surmise_time::WallTime;

use super::{ParseTimestampError, decimal::Decimal};

/// A stamp of a [`HybridClock`](super::HybridClock): nanoseconds since the Unix epoch, never zero.
///
/// One number, in which physical time and the logical counter are not kept apart: stamps that are given
/// faster than the clock advances carry on into later nanoseconds. Stamps are compared, stored and sent
/// as the `u64` they are, and their [big-endian bytes](Self::to_be_bytes) sort like they do.
///
/// One clock never gives a stamp twice. Two nodes may give the same: take the pair of stamp and node
/// where it must be unique among all.
///
/// As zero is none, `Option<HybridTimestamp>` takes 8 bytes too. serde sees a number, which some readers of
/// JSON (JavaScript among them) round: send them the text.
///
/// # Examples
///
/// ```
/// use surmise_clock::HybridTimestamp;
///
/// let stamp: HybridTimestamp = "1795230725.126147368".parse()?;
/// assert_eq!(stamp.as_nanos(), 1_795_230_725_126_147_368);
/// assert_eq!(stamp.to_string(), "1795230725.126147368");
/// # Ok::<(), surmise_clock::ParseTimestampError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct HybridTimestamp(NonZeroU64);

impl HybridTimestamp {
    /// The earliest stamp.
    pub const MIN: Self = Self(NonZeroU64::MIN);

    /// The latest representable stamp, in the year 2554. No clock gives it.
    pub const MAX: Self = Self(NonZeroU64::MAX);

    /// Creates a stamp from nanoseconds since the Unix epoch, or `None` from zero.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Option<Self> {
        match NonZeroU64::new(nanos) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// Creates a stamp from bytes that sort, or `None` from zeros.
    #[must_use]
    pub const fn from_be_bytes(bytes: [u8; 8]) -> Option<Self> {
        Self::from_nanos(u64::from_be_bytes(bytes))
    }

    pub(crate) const fn from_nonzero(nanos: NonZeroU64) -> Self {
        Self(nanos)
    }

    /// Returns the nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0.get()
    }

    /// Returns bytes that sort as the stamps do.
    #[must_use]
    pub const fn to_be_bytes(self) -> [u8; 8] {
        self.as_nanos().to_be_bytes()
    }

    /// Returns the stamp as a point in civil time.
    ///
    /// That is when it was given, to within what its clock was behind others or ahead of itself.
    #[must_use]
    pub const fn wall_time(self) -> WallTime {
        WallTime::from_nanos(self.as_nanos())
    }

    /// Returns the stamp right after this one, or `None` after the last.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// Returns the stamp right before this one, or `None` before the first.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        Self::from_nanos(self.as_nanos() - 1)
    }
}

/// Seconds since the Unix epoch, with nine decimals.
impl fmt::Display for HybridTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.as_nanos();
        write!(f, "{}.{:09}", nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND)
    }
}

/// Reads what [`Display`](fmt::Display) writes; digits may be missing at either end, as in `7` or `.5`.
impl FromStr for HybridTimestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Decimal { whole: seconds, fraction: nanos } = Decimal::parse(text, 9)?;
        seconds
            .checked_mul(NANOS_PER_SECOND)
            .and_then(|whole| whole.checked_add(nanos))
            .and_then(Self::from_nanos)
            .ok_or(ParseTimestampError::OutOfRange)
    }
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn neighbours_carry_and_end() {
        let second = HybridTimestamp::from_nanos(NANOS_PER_SECOND).unwrap();
        let before = second.previous().unwrap();
        assert_eq!(before.to_string(), "0.999999999");
        assert_eq!(before.next(), Some(second));
        assert_eq!(HybridTimestamp::MIN.previous(), None);
        assert_eq!(HybridTimestamp::MAX.next(), None);
        assert_eq!(size_of::<Option<HybridTimestamp>>(), 8);
    }

    #[test]
    fn texts_that_are_no_stamps_say_why() {
        use ParseTimestampError::{Malformed, OutOfRange, TooPrecise};
        for (text, error) in [
            ("", Malformed { at: 0 }),
            (".", Malformed { at: 1 }),
            ("1.", Malformed { at: 2 }),
            ("-1", Malformed { at: 0 }),
            ("+1", Malformed { at: 0 }),
            ("1.2.3", Malformed { at: 3 }),
            ("1.5 ", Malformed { at: 3 }),
            ("1,5", Malformed { at: 1 }),
            ("1.0000000001", TooPrecise { digits: 10, max: 9 }),
            ("0", OutOfRange),
            ("0.000000000", OutOfRange),
            ("18446744073.709551616", OutOfRange),
            ("18446744074", OutOfRange),
            ("18446744073709551616", OutOfRange),
        ] {
            assert_eq!(text.parse::<HybridTimestamp>(), Err(error), "{text:?}");
        }
        assert_eq!("18446744073.709551615".parse(), Ok(HybridTimestamp::MAX));
        assert_eq!("0.000000001".parse(), Ok(HybridTimestamp::MIN));
        assert_eq!(".5".parse(), Ok(HybridTimestamp::from_nanos(500_000_000).unwrap()));
        assert_eq!("007.5".parse(), Ok(HybridTimestamp::from_nanos(7_500_000_000).unwrap()));
    }
}
