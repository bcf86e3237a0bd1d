//! The storages that a detector can be built on, as sealed traits.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;

use super::{ExponentiallyWeighted, Ring, SortedRing};
use crate::ConfigError;

/// A place to keep what was learned of the intervals between heartbeats.
///
/// | storage | remembers | bytes a beat | resolution |
/// |---|---|---|---|
/// | `[u32; N]`, `Box<[u32]>` | the last N intervals | 4 | 2⁻²¹ of the expected interval, or 1 ns |
/// | `[u64; N]`, `Box<[u64]>` | the last N intervals | 8 | 1 ns |
/// | [`ExponentiallyWeighted`] | all, ever less | 0 | that of `f64` |
///
/// A window sums integers, so its mean and variance are exact however many beats have passed through.
/// A 32-bit window holds intervals up to 1024 times the expected one, or 4.29 s if that is longer, and
/// takes a longer one for its longest; a 64-bit window does so from 39 hours. Windows hold 2 to 65,536
/// intervals. Whatever a storage contains when it is handed over is erased.
///
/// This trait is sealed.
pub trait IntervalStorage: sealed::Storage {}

/// A window, as opposed to the windowless [`ExponentiallyWeighted`].
///
/// This trait is sealed.
pub trait WindowStorage: IntervalStorage + sealed::Window {}

/// A place to keep by how much each heartbeat was off its schedule: `[i64; N]` or `Box<[i64]>`, of 1 to
/// 65,536 beats.
///
/// This trait is sealed.
pub trait OffsetStorage: sealed::Offsets {}

/// A storage whose type says its size, so that it need not be handed over.
///
/// This trait is sealed.
pub trait InlineStorage: sealed::Inline {}

/// The longest window: the squares of that many intervals still fit a `u128`.
const MAX_LENGTH: usize = 1 << 16;

pub(crate) mod sealed {
    #![expect(unnameable_types, reason = "this is what seals the traits above")]

    use crate::ConfigError;

    pub trait Storage {
        type Intervals: Intervals;

        /// Begins with no interval, an estimate of the interval, and a floor under the deviation.
        fn into_intervals(
            self,
            expected: u64,
            min_deviation: f64,
        ) -> Result<Self::Intervals, ConfigError>;
    }

    pub trait Intervals {
        /// Takes in an interval, in nanoseconds.
        fn record(&mut self, nanos: u64);

        /// Returns how many intervals the statistics rest on.
        fn len(&self) -> u32;

        /// Returns whether that is too few to tell their spread: fewer than ten, and than there is room
        /// for.
        fn are_few(&self) -> bool;

        /// Returns the mean in nanoseconds; before the first interval, the estimate.
        fn mean(&self) -> f64;

        /// Returns the standard deviation in nanoseconds, not below its floor.
        fn std_deviation(&self) -> f64;
    }

    pub trait Window {
        type Sorted: Quantiles;

        fn into_sorted(self, expected: u64) -> Result<Self::Sorted, ConfigError>;
    }

    pub trait Quantiles {
        /// Takes in an interval, in nanoseconds.
        fn record(&mut self, nanos: u64);

        /// Returns how many intervals are remembered.
        fn len(&self) -> u32;

        /// Returns the interval of this rank, from 1 for the shortest, in nanoseconds.
        fn nth(&self, rank: u32) -> Option<u64>;

        /// Returns how many intervals satisfy a condition that the shorter ones satisfy first.
        fn count_while(&self, condition: impl Fn(u64) -> bool) -> u32;
    }

    pub trait Offsets: AsRef<[i64]> + AsMut<[i64]> {}

    pub trait Inline {
        fn zeroed() -> Self;
    }
}

/// Implements the storage traits for one type of window.
macro_rules! window_storage {
    ($Sample:ty, [$($generics:tt)*] $Storage:ty) => {
        impl<$($generics)*> sealed::Storage for $Storage {
            type Intervals = Ring<Self, $Sample>;

            fn into_intervals(
                self,
                expected: u64,
                min_deviation: f64,
            ) -> Result<Self::Intervals, ConfigError> {
                window_length(self.len(), 2)?;
                Ok(Ring::new(self, expected, min_deviation))
            }
        }

        impl<$($generics)*> sealed::Window for $Storage {
            type Sorted = SortedRing<Self, $Sample>;

            fn into_sorted(self, expected: u64) -> Result<Self::Sorted, ConfigError> {
                window_length(self.len(), 2)?;
                Ok(SortedRing::new(self, expected))
            }
        }

        impl<$($generics)*> IntervalStorage for $Storage {}
        impl<$($generics)*> WindowStorage for $Storage {}
    };
}

window_storage!(u32, [const N: usize] [u32; N]);
window_storage!(u64, [const N: usize] [u64; N]);
#[cfg(feature = "alloc")]
window_storage!(u32, [] Box<[u32]>);
#[cfg(feature = "alloc")]
window_storage!(u64, [] Box<[u64]>);

impl sealed::Storage for ExponentiallyWeighted {
    type Intervals = Self;

    fn into_intervals(self, expected: u64, min_deviation: f64) -> Result<Self, ConfigError> {
        self.begin(expected, min_deviation)
    }
}

impl IntervalStorage for ExponentiallyWeighted {}

impl<const N: usize> sealed::Offsets for [i64; N] {}
impl<const N: usize> OffsetStorage for [i64; N] {}
#[cfg(feature = "alloc")]
impl sealed::Offsets for Box<[i64]> {}
#[cfg(feature = "alloc")]
impl OffsetStorage for Box<[i64]> {}

impl<T: Copy + Default, const N: usize> sealed::Inline for [T; N] {
    fn zeroed() -> Self {
        [T::default(); N]
    }
}

impl<T: Copy + Default, const N: usize> InlineStorage for [T; N] {}

/// Checks the length of a window.
pub(crate) fn window_length(length: usize, min: usize) -> Result<usize, ConfigError> {
    crate::error::count("window", length, min, MAX_LENGTH)
}
