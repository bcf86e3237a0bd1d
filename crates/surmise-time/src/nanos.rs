//! What the two time types share: a `u64` of nanoseconds and its arithmetic.

use core::time::Duration;

/// Returns the nanoseconds of a duration, or `None` above 584 years.
pub(crate) const fn checked_nanos(duration: Duration) -> Option<u64> {
    match duration.as_secs().checked_mul(1_000_000_000) {
        // Lossless: a `u32` always fits a `u64`, and `From` is not const.
        Some(nanos) => nanos.checked_add(duration.subsec_nanos() as u64),
        None => None,
    }
}

/// Implements construction, arithmetic and formatting for a newtype over `u64` nanoseconds.
macro_rules! nanosecond_time {
    ($Time:ident) => {
        impl $Time {
            /// The latest representable time, about 584 years after the origin.
            pub const MAX: Self = Self(u64::MAX);

            /// Creates a time from nanoseconds since the origin.
            #[must_use]
            pub const fn from_nanos(nanos: u64) -> Self {
                Self(nanos)
            }

            /// Returns the nanoseconds since the origin.
            #[must_use]
            pub const fn as_nanos(self) -> u64 {
                self.0
            }

            /// Returns `self + duration`, or `None` past [`MAX`](Self::MAX).
            #[must_use]
            pub const fn checked_add(self, duration: Duration) -> Option<Self> {
                match $crate::nanos::checked_nanos(duration) {
                    Some(nanos) => match self.0.checked_add(nanos) {
                        Some(sum) => Some(Self(sum)),
                        None => None,
                    },
                    None => None,
                }
            }

            /// Returns `self - duration`, or `None` before the origin.
            #[must_use]
            pub const fn checked_sub(self, duration: Duration) -> Option<Self> {
                match $crate::nanos::checked_nanos(duration) {
                    Some(nanos) => match self.0.checked_sub(nanos) {
                        Some(difference) => Some(Self(difference)),
                        None => None,
                    },
                    None => None,
                }
            }

            /// Returns the time that passed since `earlier`, or `None` if `earlier` is later.
            #[must_use]
            pub const fn checked_duration_since(self, earlier: Self) -> Option<Duration> {
                match self.0.checked_sub(earlier.0) {
                    Some(nanos) => Some(Duration::from_nanos(nanos)),
                    None => None,
                }
            }

            /// Returns the time that passed since `earlier`, or zero if `earlier` is later.
            ///
            /// The operator `-` does the same.
            #[must_use]
            pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
                Duration::from_nanos(self.0.saturating_sub(earlier.0))
            }
        }

        /// Saturates at [`MAX`](Self::MAX).
        impl core::ops::Add<Duration> for $Time {
            type Output = Self;

            fn add(self, duration: Duration) -> Self {
                self.checked_add(duration).unwrap_or(Self::MAX)
            }
        }

        /// Saturates at [`MAX`](Self::MAX).
        impl core::ops::AddAssign<Duration> for $Time {
            fn add_assign(&mut self, duration: Duration) {
                *self = *self + duration;
            }
        }

        /// Saturates at the origin.
        impl core::ops::Sub<Duration> for $Time {
            type Output = Self;

            fn sub(self, duration: Duration) -> Self {
                self.checked_sub(duration).unwrap_or(Self(0))
            }
        }

        /// Saturates at the origin.
        impl core::ops::SubAssign<Duration> for $Time {
            fn sub_assign(&mut self, duration: Duration) {
                *self = *self - duration;
            }
        }

        /// Saturates at zero.
        impl core::ops::Sub for $Time {
            type Output = Duration;

            fn sub(self, earlier: Self) -> Duration {
                self.saturating_duration_since(earlier)
            }
        }

        /// Seconds since the origin with nine decimals, as in `12.000000034s`.
        impl core::fmt::Display for $Time {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}.{:09}s", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
            }
        }
    };
}

pub(crate) use nanosecond_time;
