//! How far a counted number of mistakes may be from what to expect.

use crate::compare::{
    confidence::garwood_interval,
    number::{count, float},
};

/// Mistakes that were counted, and how they came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counted {
    pub(crate) mistakes: u64,
    /// The variance of the counts in equal times over their mean, at least 1.
    pub(crate) dispersion: f64,
    /// The time that was watched, in seconds.
    pub(crate) span: f64,
}

/// A rate of mistakes a second, and the interval that holds the true one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) low: f64,
    pub(crate) mean: f64,
    pub(crate) high: f64,
}

impl Counted {
    /// Creates the count of mistakes in a time that was divided into equal parts, with one count each.
    pub(crate) fn new(parts: &[u64], span: f64) -> Self {
        let mistakes = parts.iter().sum();
        Self { mistakes, dispersion: dispersion(parts), span }
    }

    /// Returns the rate with its interval.
    ///
    /// For mistakes that come independently the interval is Garwood's, which is exact. Where they come in
    /// clusters, the count behaves like one of clusters, each as large as the dispersion
    /// (quasi-Poisson: McCullagh, Nelder, *Generalized Linear Models*, 1989, §6.2).
    pub(crate) fn rate(&self, confidence: f64) -> Rate {
        self.rate_of(1.0, confidence)
    }

    /// Returns by what factor the time would have to be longer, with mistakes at the same rate, for the
    /// rate to be below `allowed`, in mistakes a second; `None` if no time is long enough.
    pub(crate) fn stretch_to(&self, allowed: f64, confidence: f64) -> Option<f64> {
        let shows = |factor: f64| self.rate_of(factor, confidence).high <= allowed;
        let (mut short, mut long) = (1.0, 1.0);
        while !shows(long) {
            if long > MAX_STRETCH {
                return None;
            }
            (short, long) = (long, long * 2.0);
        }
        while long - short > 1e-3 * long {
            let middle = f64::midpoint(short, long);
            if shows(middle) { long = middle } else { short = middle }
        }
        Some(long)
    }

    /// Returns the rate, had the time been so many times as long, with as many times the mistakes.
    fn rate_of(&self, factor: f64, confidence: f64) -> Rate {
        let mistakes = float(self.mistakes.into()) * factor;
        let (low, high) = garwood_interval(mistakes / self.dispersion, confidence);
        let rate = |clusters: f64| clusters * self.dispersion / (self.span * factor);
        Rate { low: rate(low), mean: float(self.mistakes.into()) / self.span, high: rate(high) }
    }
}

impl Rate {
    /// Returns the interval that holds both, with the mean of this one.
    pub(crate) fn hull(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high), ..self }
    }
}

/// Returns the variance of counts over their mean, which is 1 for a Poisson process, or 1 if it is less.
fn dispersion(parts: &[u64]) -> f64 {
    let total: u64 = parts.iter().sum();
    if total == 0 || parts.len() < 2 {
        return 1.0;
    }
    let mean = float(total.into()) / count(parts.len());
    let squares = parts.iter().map(|&part| (float(part.into()) - mean).powi(2));
    let variance = squares.sum::<f64>() / (count(parts.len()) - 1.0);
    (variance / mean).max(1.0)
}

/// How many times as long a trace is worth talking of.
const MAX_STRETCH: f64 = 1e9;

#[cfg(test)]
mod tests {
    use quickcheck::{TestResult, quickcheck};

    use super::*;

    /// Returns the probability that the interval of a Poisson count with this mean holds the mean.
    fn coverage(mean: f64, confidence: f64) -> f64 {
        let mut probability = (-mean).exp();
        let mut covered = 0.0;
        for events in 0_u32..400 {
            let (low, high) = garwood_interval(f64::from(events), confidence);
            if (low..=high).contains(&mean) {
                covered += probability;
            }
            probability *= mean / f64::from(events + 1);
        }
        covered
    }

    quickcheck! {
        fn the_interval_holds_the_true_mean_as_often_as_it_says(mean: u16, doubt: u16) -> bool {
            // Up to 131, of which 400 counts leave out nothing.
            let mean = f64::from(mean) / 500.0;
            let confidence = 0.9999 - f64::from(doubt) / f64::from(u16::MAX) * 0.4999;
            coverage(mean, confidence) >= confidence - 1e-9
        }

        fn clusters_of_a_size_are_counted_as_that_many(clusters: u8, size: u8) -> bool {
            let (clusters, size) = (u64::from(clusters), u64::from(size % 9) + 1);
            let single = Counted { mistakes: clusters, dispersion: 1.0, span: 7.0 };
            let grouped =
                Counted { mistakes: clusters * size, dispersion: float(size.into()), span: 7.0 };
            let (single, grouped) = (single.rate(0.95), grouped.rate(0.95));
            let scaled = |rate: f64| rate * float(size.into());
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs();
            near(grouped.low, scaled(single.low)) && near(grouped.high, scaled(single.high))
        }

        fn the_stretch_is_the_least_that_shows_the_rate(mistakes: u8, allowed: u16) -> TestResult {
            let counted = Counted { mistakes: mistakes.into(), dispersion: 1.0, span: 100.0 };
            let allowed = f64::from(allowed) / 100.0;
            let at = |factor| counted.rate_of(factor, 0.9).high;
            TestResult::from_bool(match counted.stretch_to(allowed, 0.9) {
                Some(1.0) => at(1.0) <= allowed,
                Some(factor) => at(factor) <= allowed && at(factor * 0.998) > allowed,
                // At a rate that is itself allowed, some time is always long enough.
                None => counted.rate(0.9).mean >= allowed * 0.999,
            })
        }
    }

    #[test]
    fn no_mistake_at_all_has_an_upper_bound() {
        let none = Counted::new(&[0; 10], 86_400.0);
        let rate = none.rate(0.95);
        assert_eq!((rate.low, rate.mean), (0.0, 0.0));
        assert!((rate.high * 86_400.0 - 3.6889).abs() < 1e-4, "{rate:?}");
        // 3.69 days without a mistake show that there is at most one a day.
        let factor = none.stretch_to(1.0 / 86_400.0, 0.95).unwrap();
        assert!((factor - 3.69).abs() < 0.01, "{factor}");
    }

    #[test]
    fn the_hull_holds_both() {
        let [narrow, wide] =
            [(2.0, 3.0, 4.0), (1.0, 2.5, 9.0)].map(|(low, mean, high)| Rate { low, mean, high });
        assert_eq!(narrow.hull(wide), Rate { mean: 3.0, ..wide });
        assert_eq!(wide.hull(narrow), wide);
        let left = Rate { low: 0.0, mean: 1.0, high: 3.0 };
        assert_eq!(narrow.hull(left), Rate { low: 0.0, mean: 3.0, high: 4.0 });
    }

    #[test]
    fn the_dispersion_is_that_of_the_counts_and_at_least_one() {
        assert_eq!(dispersion(&[]), 1.0);
        assert_eq!(dispersion(&[9]), 1.0);
        assert_eq!(dispersion(&[0, 0, 0]), 1.0);
        assert_eq!(dispersion(&[4, 4, 4, 4]), 1.0);
        assert_eq!(dispersion(&[0, 8, 0, 0]), 8.0);
        assert_eq!(Counted::new(&[0, 8, 0, 0], 2.0).mistakes, 8);
    }
}
