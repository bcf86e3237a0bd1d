//! Conversions from and to the stamps of other systems.
//!
//! All follow one rule: a foreign stamp becomes the *last* hybrid timestamp whose own counterpart does
//! not lie after it. So for each hybrid timestamp `t` and each foreign one `f`, `t > from(f)` exactly if
//! `to(t) > f`, and a clock that has observed `from(f)` gives only stamps whose counterparts are after `f`.

use super::{HybridTimestamp, OutOfRange, WallLogical};

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const NANOS_PER_MILLISECOND: u64 = 1_000_000;

impl HybridTimestamp {
    /// Returns the stamp as milliseconds since the Unix epoch in 48 bits, and 16 bits of fraction.
    ///
    /// It is rounded down to one 65536th of a millisecond, which is 15 ns: order is kept, but stamps
    /// close together become equal.
    ///
    /// # Examples
    ///
    /// ```
    /// use surmise_clock::HybridTimestamp;
    ///
    /// let stamp: HybridTimestamp = "0.0015".parse()?;
    /// assert_eq!(stamp.to_ms48_16(), (1 << 16) + (1 << 15));
    /// # Ok::<(), surmise_clock::ParseTimestampError>(())
    /// ```
    #[must_use]
    pub const fn to_ms48_16(self) -> u64 {
        let nanos = self.as_nanos();
        let (milliseconds, rest) = (nanos / NANOS_PER_MILLISECOND, nanos % NANOS_PER_MILLISECOND);
        (milliseconds << 16) + (rest << 16) / NANOS_PER_MILLISECOND
    }

    /// Creates a stamp from milliseconds in 48 bits and a fraction or counter in 16 bits.
    ///
    /// It is the last stamp that [`to_ms48_16`](Self::to_ms48_16) takes there, so that all later ones
    /// are later in that form too.
    ///
    /// # Errors
    ///
    /// If it lies after the year 2554.
    pub fn from_ms48_16(stamp: u64) -> Result<Self, OutOfRange> {
        let max = Self::MAX.to_ms48_16();
        if stamp > max {
            return Err(OutOfRange { value: stamp, min: 0, max });
        }
        // The first nanosecond of the unit after this one, less one.
        let (milliseconds, units) = (stamp >> 16, (stamp & 0xFFFF) + 1);
        let fraction = (units * NANOS_PER_MILLISECOND).div_ceil(1 << 16) - 1;
        let nanos = (milliseconds * NANOS_PER_MILLISECOND).saturating_add(fraction);
        Self::from_nanos(nanos).ok_or(OutOfRange { value: stamp, min: 0, max })
    }

    /// Returns the stamp as seconds since the Unix epoch in 32 bits, and 32 bits of fraction.
    ///
    /// This is uhlc's `NTP64`. A unit is less than a nanosecond: [`from_ntp64`](Self::from_ntp64)
    /// returns the same stamp.
    ///
    /// # Errors
    ///
    /// If it lies after 2106-02-07, when 32 bits of seconds end.
    ///
    /// # Examples
    ///
    /// ```
    /// use surmise_clock::HybridTimestamp;
    ///
    /// let stamp: HybridTimestamp = "42.000000084".parse()?;
    /// let ntp64 = stamp.to_ntp64()?;
    /// assert_eq!(ntp64 >> 32, 42);
    /// assert_eq!(HybridTimestamp::from_ntp64(ntp64)?, stamp);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn to_ntp64(self) -> Result<u64, OutOfRange> {
        let nanos = self.as_nanos();
        let (seconds, rest) = (nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
        if seconds > u64::from(u32::MAX) {
            let max = (u64::from(u32::MAX) + 1) * NANOS_PER_SECOND - 1;
            return Err(OutOfRange { value: nanos, min: 1, max });
        }
        Ok((seconds << 32) + (rest << 32).div_ceil(NANOS_PER_SECOND))
    }

    /// Creates a stamp from seconds in 32 bits and a fraction of a second in 32 bits.
    ///
    /// It is rounded down to nanoseconds. uhlc counts in the low bits of the fraction, so that up to
    /// five of its stamps become one; stamps of a clock that has observed it are later than all of them.
    ///
    /// # Errors
    ///
    /// If it lies within the first nanosecond of 1970.
    pub fn from_ntp64(stamp: u64) -> Result<Self, OutOfRange> {
        let (seconds, fraction) = (stamp >> 32, stamp & u64::from(u32::MAX));
        let nanos = seconds * NANOS_PER_SECOND + ((fraction * NANOS_PER_SECOND) >> 32);
        Self::from_nanos(nanos).ok_or(OutOfRange { value: stamp, min: 5, max: u64::MAX })
    }

    /// Returns the stamp as CockroachDB has it, with a logical counter of 0.
    ///
    /// # Errors
    ///
    /// If it lies after 2262-04-11, when its `i64` of nanoseconds ends.
    pub fn to_wall_logical(self) -> Result<WallLogical, OutOfRange> {
        WallLogical::new(self.wall_time(), 0).map_err(|error| OutOfRange { min: 1, ..error })
    }

    /// Creates a stamp from one of CockroachDB's, without its logical counter.
    ///
    /// Whatever the counter was, later stamps are later in that form too.
    ///
    /// # Errors
    ///
    /// If its wall time is zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use surmise_clock::{HybridTimestamp, WallLogical};
    ///
    /// let theirs: WallLogical = "1795230725126147368.0000000003".parse()?;
    /// let seen = HybridTimestamp::from_wall_logical(theirs)?;
    /// assert!(seen.to_wall_logical()? < theirs);
    /// assert!(seen.next().ok_or("the last stamp")?.to_wall_logical()? > theirs);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn from_wall_logical(stamp: WallLogical) -> Result<Self, OutOfRange> {
        let wall = stamp.wall().as_nanos();
        Self::from_nanos(wall).ok_or(OutOfRange { value: wall, min: 1, max: WallLogical::MAX_WALL })
    }
}
