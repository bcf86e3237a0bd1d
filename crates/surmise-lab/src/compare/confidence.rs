//! How far a counted number of mistakes may be from the true mean.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::number::float;

/// Returns the exact 95 % confidence interval of the mean of a Poisson variable that came out as
/// `events`.
///
/// Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936): the 2.5 % quantile
/// of χ² with 2k degrees of freedom, halved, and the 97.5 % quantile with 2k + 2. Mistakes that come
/// in bursts are further apart than this says, for it takes them to be independent.
pub(crate) fn poisson_interval(events: u64) -> (f64, f64) {
    garwood_interval(float(events.into()), 0.95)
}

/// Returns Garwood's interval at a level of confidence between 0 and 1, for any number of events from 0.
pub(crate) fn garwood_interval(events: f64, confidence: f64) -> (f64, f64) {
    let quantile = |degrees: f64, probability| {
        ChiSquared::new(degrees).map_or(0.0, |chi| chi.inverse_cdf(probability) / 2.0)
    };
    let tail = (1.0 - confidence) / 2.0;
    let degrees = 2.0 * events;
    // Without an event there is no lower quantile, and the least mean is 0.
    (quantile(degrees, tail), quantile(degrees + 2.0, 1.0 - tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intervals_are_those_of_the_published_tables() {
        let published = [
            (0, 0.0, 3.6889),
            (1, 0.0253, 5.5716),
            (5, 1.6235, 11.6683),
            (10, 4.7954, 18.3904),
            (50, 37.1110, 65.9190),
            (100, 81.3639, 121.6271),
        ];
        for (events, low, high) in published {
            let interval = poisson_interval(events);
            assert!((interval.0 - low).abs() < 2e-3, "{events}: {interval:?}");
            assert!((interval.1 - high).abs() < 2e-3, "{events}: {interval:?}");
        }
    }

    #[test]
    fn the_interval_of_a_large_count_is_nearly_normal() {
        let (low, high) = poisson_interval(1_000_000);
        assert!((low - 998_040.0).abs() < 5.0, "{low}");
        assert!((high - 1_001_961.0).abs() < 5.0, "{high}");
    }
}
