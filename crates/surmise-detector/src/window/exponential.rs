use super::{FEW, Intervals};
use crate::{ConfigError, error, float, limits::MAX_NANOS};

/// All intervals so far, each weighing less than the next: no window, 24 bytes.
///
/// The weight of the newest interval is 1/n for the nth, so that the first ones are averaged plainly,
/// and 1/`beats` later on. That is roughly a window of twice as many beats.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{ExponentiallyWeighted, PhiAccrual, PhiConfig};
///
/// let config = PhiConfig::for_interval(Duration::from_secs(1));
/// let peer = PhiAccrual::with_storage(config, ExponentiallyWeighted::over(500))?;
/// assert_eq!(size_of_val(&peer), 64);
/// # Ok::<(), surmise_detector::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ExponentiallyWeighted {
    mean: f64,
    variance: f64,
    min_deviation: f32,
    count: u16,
    beats: u16,
}

impl ExponentiallyWeighted {
    /// Creates a storage in which an interval loses most of its weight over this many beats, at least
    /// ten.
    #[must_use]
    pub const fn over(beats: u16) -> Self {
        Self { mean: 0.0, variance: 0.0, min_deviation: 0.0, count: 0, beats }
    }

    pub(super) fn begin(self, expected: u64, min_deviation: f64) -> Result<Self, ConfigError> {
        error::count("beats", self.beats.into(), FEW as usize, u16::MAX.into())?;
        let min_deviation = float::seven_digits(min_deviation);
        Ok(Self { mean: float::from_nanos(expected), min_deviation, ..Self::over(self.beats) })
    }
}

impl Intervals for ExponentiallyWeighted {
    #[inline]
    fn record(&mut self, nanos: u64) {
        if self.count < self.beats {
            self.count += 1;
        }
        // West, Updating mean and variance estimates, CACM 1979, with a weight that stops falling.
        let weight = 1.0 / f64::from(self.count);
        let surprise = float::from_interval(nanos.min(MAX_NANOS)) - self.mean;
        self.mean += weight * surprise;
        self.variance = (1.0 - weight) * (self.variance + weight * surprise * surprise);
    }

    #[inline]
    fn len(&self) -> u32 {
        self.count.into()
    }

    #[inline]
    fn are_few(&self) -> bool {
        u32::from(self.count) < FEW
    }

    #[inline]
    fn mean(&self) -> f64 {
        self.mean
    }

    #[inline]
    fn std_deviation(&self) -> f64 {
        float::max(libm::sqrt(self.variance), self.min_deviation.into())
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
mod tests {
    use alloc::vec::Vec;

    use quickcheck::quickcheck;

    use super::*;

    fn begun(beats: u16) -> ExponentiallyWeighted {
        ExponentiallyWeighted::over(beats).begin(1_000_000, 0.0).unwrap()
    }

    quickcheck! {
        fn the_first_beats_are_averaged_plainly(intervals: Vec<u32>) -> bool {
            let mut weighted = begun(u16::MAX);
            intervals.iter().for_each(|&interval| weighted.record(interval.into()));
            if intervals.is_empty() {
                return weighted.mean() == 1e6;
            }
            let n = intervals.len() as f64;
            let mean = intervals.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
            let variance = intervals.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
            (weighted.mean() - mean).abs() <= 1e-6 * mean
                && (weighted.std_deviation() - variance.sqrt()).abs() <= 1e-6 * mean
        }

        fn mean_stays_within_what_was_seen(intervals: Vec<u32>) -> bool {
            let mut weighted = begun(12);
            intervals.iter().for_each(|&interval| weighted.record(interval.into()));
            let low = intervals.iter().min().map_or(1e6, |&x| f64::from(x));
            let high = intervals.iter().max().map_or(1e6, |&x| f64::from(x));
            (low - 1.0..=high + 1.0).contains(&weighted.mean())
                && weighted.std_deviation() <= high - low + 1.0
        }
    }

    #[test]
    fn old_intervals_fade() {
        let mut weighted = begun(10);
        (0..100).for_each(|_| weighted.record(1_000));
        (0..100).for_each(|_| weighted.record(2_000));
        // A weight of (1 − 1/10)^100 is left to the old regime.
        assert!((weighted.mean() - 2_000.0).abs() < 0.03);
    }

    #[test]
    fn a_span_below_ten_beats_is_refused() {
        assert!(ExponentiallyWeighted::over(9).begin(1, 0.0).is_err());
        assert!(ExponentiallyWeighted::over(10).begin(1, 0.0).is_ok());
    }
}
