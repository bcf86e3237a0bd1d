use core::marker::PhantomData;

use super::{FEW, Intervals};
use crate::{float, limits::MAX_NANOS};

/// The last intervals, with the sums of them and of their squares.
///
/// Both sums are of integers: adding the new interval and taking away the oldest leaves them exact, so
/// that nothing drifts after any number of beats.
#[derive(Clone, Debug)]
#[expect(unnameable_types, reason = "it is what a sealed trait maps a storage to")]
pub struct Ring<B, T> {
    samples: B,
    next: u32,
    len: u32,
    /// So many intervals say something about their spread, or all that there is room for.
    few: u32,
    /// A sample counts units of 2^shift nanoseconds.
    shift: u32,
    unit: f64,
    sum: u64,
    sum_of_squares: u128,
    expected: f64,
    min_deviation: f64,
    sample: PhantomData<T>,
}

impl<B: AsRef<[T]> + AsMut<[T]>, T: Sample> Ring<B, T> {
    pub(crate) fn new(mut samples: B, expected: u64, min_deviation: f64) -> Self {
        samples.as_mut().fill(T::default());
        let shift = T::shift(expected);
        let few = u32::try_from(samples.as_mut().len()).map_or(FEW, |length| length.min(FEW));
        Self {
            samples,
            next: 0,
            len: 0,
            few,
            shift,
            unit: float::from_nanos(1 << shift),
            sum: 0,
            sum_of_squares: 0,
            expected: float::from_nanos(expected),
            min_deviation,
            sample: PhantomData,
        }
    }
}

impl<B: AsRef<[T]> + AsMut<[T]>, T: Sample> Intervals for Ring<B, T> {
    #[inline]
    fn record(&mut self, nanos: u64) {
        let new = T::from_nanos(nanos, self.shift);
        let samples = self.samples.as_mut();
        let Some(slot) = samples.get_mut(self.next as usize) else {
            debug_assert!(false, "the cursor stays within the window");
            return;
        };
        // Until the window is full the slots hold zeros, which leave the sums as they are.
        let old = core::mem::replace(slot, new).to_u64();
        let new = new.to_u64();
        self.sum = self.sum - old + new;
        self.sum_of_squares = self.sum_of_squares - square(old) + square(new);

        self.len = self.len.max(self.next + 1);
        self.next = next(self.next, samples.len());
    }

    #[inline]
    fn len(&self) -> u32 {
        self.len
    }

    #[inline]
    fn are_few(&self) -> bool {
        self.len < self.few
    }

    #[inline]
    fn mean(&self) -> f64 {
        if self.len == 0 {
            return self.expected;
        }
        float::from_nanos(self.sum) / f64::from(self.len) * self.unit
    }

    #[inline]
    fn std_deviation(&self) -> f64 {
        if self.len == 0 {
            return self.min_deviation;
        }
        // n²·σ² = n·Σx² − (Σx)², an integer, and not negative by Cauchy and Schwarz.
        let scaled_variance = u128::from(self.len) * self.sum_of_squares - square(self.sum);
        let deviation = libm::sqrt(from_u128(scaled_variance)) / f64::from(self.len);
        float::max(deviation * self.unit, self.min_deviation)
    }
}

/// An interval as it is stored.
#[expect(unnameable_types, reason = "it bounds what a sealed trait maps a storage to")]
pub trait Sample: Copy + Default + Ord {
    /// Returns how many bits of the nanoseconds are dropped, so that 1024 times the expected interval
    /// fits.
    fn shift(expected: u64) -> u32;

    /// Rounds to the nearest unit of 2^shift nanoseconds, at most to the longest storable interval.
    fn from_nanos(nanos: u64, shift: u32) -> Self;

    /// Returns the number of units.
    fn to_u64(self) -> u64;
}

impl Sample for u32 {
    fn shift(expected: u64) -> u32 {
        let longest = expected.saturating_mul(1024);
        (u64::BITS - longest.leading_zeros()).saturating_sub(Self::BITS)
    }

    #[inline]
    fn from_nanos(nanos: u64, shift: u32) -> Self {
        let half = (1_u64 << shift) >> 1;
        Self::try_from(nanos.saturating_add(half) >> shift).unwrap_or(Self::MAX)
    }

    #[inline]
    fn to_u64(self) -> u64 {
        self.into()
    }
}

impl Sample for u64 {
    fn shift(_expected: u64) -> u32 {
        0
    }

    #[inline]
    fn from_nanos(nanos: u64, _shift: u32) -> Self {
        nanos.min(MAX_NANOS)
    }

    #[inline]
    fn to_u64(self) -> u64 {
        self
    }
}

/// Returns the cursor after this one in a ring of `length` slots.
#[inline]
pub(crate) fn next(cursor: u32, length: usize) -> u32 {
    // A comparison costs less than a remainder.
    if cursor as usize + 1 < length { cursor + 1 } else { 0 }
}

#[inline]
fn square(x: u64) -> u128 {
    u128::from(x) * u128::from(x)
}

#[inline]
fn from_u128(x: u128) -> f64 {
    match u64::try_from(x) {
        Ok(x) => float::from_nanos(x),
        Err(_) => from_wide(x),
    }
}

/// Converts what does not fit 64 bits: rare, and a call.
#[cold]
#[expect(clippy::cast_precision_loss, reason = "rounded to the nearest float")]
fn from_wide(x: u128) -> f64 {
    x as f64
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
mod tests {
    use alloc::{collections::VecDeque, vec::Vec};

    use quickcheck::quickcheck;

    use super::*;

    /// The same window, by definition: summed anew each time.
    fn naive(intervals: &VecDeque<u64>) -> (f64, f64) {
        let n = intervals.len() as f64;
        let mean = intervals.iter().map(|&x| x as f64).sum::<f64>() / n;
        let variance = intervals.iter().map(|&x| (x as f64 - mean).powi(2)).sum::<f64>() / n;
        (mean, variance.sqrt())
    }

    fn close(a: f64, b: f64, tolerance: f64) -> bool {
        (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0)
    }

    quickcheck! {
        fn a_window_agrees_with_sums_made_anew(intervals: Vec<u32>) -> bool {
            let mut ring = Ring::<_, u32>::new([0; 7], 1_000_000, 0.0);
            let mut recent = VecDeque::new();
            intervals.iter().all(|&interval| {
                ring.record(interval.into());
                recent.push_back(interval.into());
                if recent.len() > 7 {
                    recent.pop_front();
                }
                let (mean, deviation) = naive(&recent);
                close(ring.mean(), mean, 1e-12) && close(ring.std_deviation(), deviation, 1e-6)
            })
        }

        fn both_widths_agree_where_both_are_exact(intervals: Vec<u32>) -> bool {
            let mut narrow = Ring::<_, u32>::new([0; 5], 1_000_000, 0.0);
            let mut wide = Ring::<_, u64>::new([0; 5], 1_000_000, 0.0);
            intervals.iter().all(|&interval| {
                narrow.record(interval.into());
                wide.record(interval.into());
                narrow.mean() == wide.mean() && narrow.std_deviation() == wide.std_deviation()
            })
        }
    }

    #[test]
    fn a_hundred_million_beats_leave_no_trace_in_the_sums() {
        let mut ring = Ring::<_, u32>::new([0; 1000], 100_000_000, 0.0);
        // A peer's floating sums would have lost the small intervals among the large ones by now.
        let mut state = 1_u64;
        for _ in 0..100_000_000_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ring.record(state >> 33);
        }
        let mut fresh = Ring::<_, u32>::new([0; 1000], 100_000_000, 0.0);
        let (old, new) = ring.samples.split_at(ring.next as usize);
        for &sample in new.iter().chain(old) {
            fresh.record(u64::from(sample) << ring.shift);
        }
        assert_eq!((ring.sum, ring.sum_of_squares), (fresh.sum, fresh.sum_of_squares));
        assert_eq!(ring.mean().to_bits(), fresh.mean().to_bits());
        assert_eq!(ring.std_deviation().to_bits(), fresh.std_deviation().to_bits());
    }

    #[test]
    fn extreme_intervals_saturate() {
        let mut narrow = Ring::<_, u32>::new([0; 2], 1 << 47, 0.0);
        let mut wide = Ring::<_, u64>::new([0; 2], 1 << 47, 0.0);
        for interval in [u64::MAX, 0, u64::MAX, u64::MAX] {
            narrow.record(interval);
            wide.record(interval);
            assert!(narrow.mean().is_finite() && narrow.std_deviation().is_finite());
            assert!(wide.mean().is_finite() && wide.std_deviation().is_finite());
        }
        assert_eq!(wide.mean(), MAX_NANOS as f64);
        assert_eq!(wide.std_deviation(), 0.0);
    }

    #[test]
    fn the_unit_follows_the_expected_interval() {
        assert_eq!(u32::shift(1_000_000), 0);
        assert_eq!(u32::shift(4_194_303), 0);
        assert_eq!(u32::shift(4_194_304), 1);
        assert_eq!(u32::shift(100_000_000), 5);
        assert_eq!(u32::from_nanos(47, 5), 1);
        assert_eq!(u32::from_nanos(48, 5), 2);
    }
}
