use core::{fmt, time::Duration};

use surmise_time::WallTime;

/// A timestamp of NTP: seconds since 1900 in 2⁻³² of a second, which wrap around every 136 years.
///
/// The one that wraps in 2036 stands for a time from 1970 on: what looks like 1900 to 1969 is 2036
/// to 2106.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NtpTimestamp(u64);

impl NtpTimestamp {
    /// Creates a timestamp from its 64 bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Returns the 64 bits of the timestamp.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// Returns the time that it stands for, rounded down to nanoseconds.
    #[must_use]
    pub const fn wall_time(self) -> WallTime {
        // Both parts wrap in 2³² seconds, so that the difference is the time since 1970 in any era.
        let since_1970 = self.0.wrapping_sub(UNIX_EPOCH << 32);
        WallTime::from_nanos(nanos(since_1970))
    }

    /// Returns whether nobody set it: whether it is zero.
    #[must_use]
    pub const fn is_unset(self) -> bool {
        self.0 == 0
    }

    /// Returns how much later this is, rounded down to nanoseconds, or `None` if it is earlier.
    ///
    /// Of two timestamps, the later is the one that is less than 68 years after the other.
    #[must_use]
    pub const fn checked_duration_since(self, earlier: Self) -> Option<Duration> {
        let difference = self.0.wrapping_sub(earlier.0);
        if difference >= 1 << 63 {
            return None;
        }
        Some(Duration::from_nanos(nanos(difference)))
    }
}

/// Seconds since the Unix epoch, as of the era that [`wall_time`](NtpTimestamp::wall_time) is in.
impl fmt::Display for NtpTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.wall_time(), f)
    }
}

/// Converts 2⁻³² of a second to nanoseconds, rounded down.
const fn nanos(fraction: u64) -> u64 {
    let nanos = (fraction as u128 * 1_000_000_000) >> 32;
    // Lossless: 2³² seconds are less than 2⁶² nanoseconds.
    #[expect(clippy::cast_possible_truncation, reason = "it is less than 2⁶⁴")]
    {
        nanos as u64
    }
}

/// 1970 in seconds since 1900.
const UNIX_EPOCH: u64 = 2_208_988_800;

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    #[test]
    fn times_on_both_sides_of_the_wrap() {
        for (bits, nanos) in [
            // 1970-01-01 00:00:00.
            (0x83aa_7e80_0000_0000, 0),
            // A server's transmit timestamp, and when it came, less what it took to come.
            (0xeeab_e22c_749b_0392, 1_795_253_164_455_490_325),
            // 2036-02-07 06:28:15.999999999 and :16.
            (0xffff_ffff_ffff_ffff, 2_085_978_495_999_999_999),
            (0, 2_085_978_496_000_000_000),
            // 2106-02-07 06:28:15.5, the last second.
            (0x83aa_7e7f_8000_0000, 4_294_967_295_500_000_000),
        ] {
            assert_eq!(NtpTimestamp::from_bits(bits).wall_time().as_nanos(), nanos, "{bits:#x}");
        }
    }

    #[test]
    fn durations_across_the_wrap() {
        let [before, after] = [0xffff_ffff_0000_0000, 0x0000_0001_8000_0000].map(NtpTimestamp);
        assert_eq!(after.checked_duration_since(before), Some(Duration::from_millis(2500)));
        assert_eq!(before.checked_duration_since(after), None);
        assert_eq!(before.checked_duration_since(before), Some(Duration::ZERO));
    }

    quickcheck! {
        fn a_timestamp_is_rounded_down_by_less_than_a_nanosecond(bits: u64) -> bool {
            let wall = NtpTimestamp(bits).wall_time().as_nanos();
            let since_1970 = u128::from(bits.wrapping_sub(UNIX_EPOCH << 32)) * 1_000_000_000;
            let rest = since_1970 - (u128::from(wall) << 32);
            rest < 1 << 32
        }
    }
}
