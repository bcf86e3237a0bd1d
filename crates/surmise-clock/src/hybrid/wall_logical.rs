use core::{fmt, str::FromStr};

use surmise_time::WallTime;

use super::{OutOfRange, ParseTimestampError, decimal::Decimal};

/// A stamp as CockroachDB writes it: nanoseconds, a point, and a logical counter of ten digits.
///
/// It is what `cluster_logical_timestamp()` returns and `AS OF SYSTEM TIME` takes. Ordered by wall time,
/// then by counter. [`HybridTimestamp::from_wall_logical`](super::HybridTimestamp::from_wall_logical)
/// converts it.
///
/// # Examples
///
/// ```
/// use surmise_clock::WallLogical;
///
/// let stamp: WallLogical = "1795230725126147368.0000000003".parse()?;
/// assert_eq!(stamp.logical(), 3);
/// assert_eq!(stamp.to_string(), "1795230725126147368.0000000003");
/// # Ok::<(), surmise_clock::ParseTimestampError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallLogical {
    wall: u64,
    logical: u32,
}

impl WallLogical {
    /// Its greatest wall time: it counts nanoseconds in an `i64`, until the year 2262.
    pub(super) const MAX_WALL: u64 = i64::MAX.unsigned_abs();

    /// It counts in an `i32`.
    const MAX_LOGICAL: u32 = i32::MAX.unsigned_abs();

    /// Creates a stamp from its parts.
    ///
    /// # Errors
    ///
    /// If the wall time exceeds `i64::MAX` nanoseconds, or the counter `i32::MAX`.
    pub fn new(wall: WallTime, logical: u32) -> Result<Self, OutOfRange> {
        let wall = wall.as_nanos();
        if wall > Self::MAX_WALL {
            return Err(OutOfRange { value: wall, min: 0, max: Self::MAX_WALL });
        }
        if logical > Self::MAX_LOGICAL {
            let (value, max) = (logical.into(), Self::MAX_LOGICAL.into());
            return Err(OutOfRange { value, min: 0, max });
        }
        Ok(Self { wall, logical })
    }

    /// Returns the wall time.
    #[must_use]
    pub const fn wall(self) -> WallTime {
        WallTime::from_nanos(self.wall)
    }

    /// Returns the logical counter.
    #[must_use]
    pub const fn logical(self) -> u32 {
        self.logical
    }
}

/// The nanoseconds, a point, and the counter in ten digits.
impl fmt::Display for WallLogical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:010}", self.wall, self.logical)
    }
}

/// Reads what [`Display`](fmt::Display) writes; digits may be missing at either end, as in `7` or `.0000000001`.
impl FromStr for WallLogical {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Decimal { whole, fraction } = Decimal::parse(text, 10)?;
        let logical = u32::try_from(fraction).map_err(|_| ParseTimestampError::OutOfRange)?;
        Self::new(WallTime::from_nanos(whole), logical).map_err(|_| ParseTimestampError::OutOfRange)
    }
}

/// As its text: a number with so many decimals would be rounded.
#[cfg(feature = "serde")]
impl serde::Serialize for WallLogical {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for WallLogical {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl serde::de::Visitor<'_> for Text {
            type Value = WallLogical;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "nanoseconds, a point and a counter, as in \"1795230725126147368.0000000003\"",
                )
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<WallLogical, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}
