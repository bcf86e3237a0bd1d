//! How far a counted number of mistakes may be from what to expect.

use core::ops::Range;

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use crate::compare::{
    confidence::garwood_interval,
    number::{count, float},
};

/// Mistakes that were counted, and how they came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counted {
    pub(crate) mistakes: u64,
    /// How many mistakes come together, at least 1.
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
    /// Returns the rate with its interval.
    ///
    /// For mistakes that come independently the interval is Garwood's, which is exact. Where they come in
    /// clusters, the count behaves like one of clusters, each as large as the dispersion
    /// (quasi-Poisson: McCullagh, Nelder, *Generalized Linear Models*, 1989, §6.2). At one dispersion, more
    /// mistakes never have a lower bound than fewer.
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

    /// Returns how many seconds with so many mistakes show that the rate is below `allowed`, in mistakes a second.
    pub(crate) fn span_to_show(&self, mistakes: u64, allowed: f64, confidence: f64) -> f64 {
        let alike = Self { mistakes, span: 1.0, ..*self };
        alike.rate(confidence).high / allowed
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

/// Returns the interval that holds the mean of what was measured so many times, with this mean and standard deviation:
/// Student's, where as many as `dispersion` of them come together and are alike.
pub(crate) fn mean_interval(
    items: u64,
    dispersion: f64,
    (mean, deviation): (f64, f64),
    confidence: f64,
) -> (f64, f64) {
    let clusters = float(items.into()) / dispersion;
    let Ok(law) = StudentsT::new(0.0, 1.0, clusters - 1.0) else {
        // One says nothing of others.
        return (0.0, f64::INFINITY);
    };
    let radius = law.inverse_cdf(f64::midpoint(1.0, confidence)) * deviation / clusters.sqrt();
    ((mean - radius).max(0.0), mean + radius)
}

/// Returns the variance of counts in equal times over their mean, which is 1 for a Poisson process, or 1 if it is
/// less.
pub(crate) fn dispersion(parts: &[u64]) -> f64 {
    let total: u64 = parts.iter().sum();
    if total == 0 || parts.len() < 2 {
        return 1.0;
    }
    let mean = float(total.into()) / count(parts.len());
    let squares = parts.iter().map(|&part| (float(part.into()) - mean).powi(2));
    let variance = squares.sum::<f64>() / (count(parts.len()) - 1.0);
    (variance / mean).max(1.0)
}

/// Counts what happened in equal parts of a time.
pub(crate) fn counts(time: &Range<u64>, events: impl Iterator<Item = u64>) -> [u64; COUNTS] {
    let mut counts = [0; COUNTS];
    let width = ((time.end - time.start) / (COUNTS as u64)).max(1);
    for at in events {
        let index = usize::try_from(at.saturating_sub(time.start) / width).unwrap_or(COUNTS);
        if let Some(count) = counts.get_mut(index.min(COUNTS - 1)) {
            *count += 1;
        }
    }
    counts
}

/// Returns how many silences come together that are longer than a limit.
///
/// Few of them do not tell, and none nothing at all: so it is no less than that of the [`ENOUGH`] longest.
/// `silences` are when each one began, and how long it was.
pub(crate) fn clustering(time: &Range<u64>, silences: &[(u64, u64)], limit: u64) -> f64 {
    let mut longest: Vec<u64> = silences.iter().map(|&(_, silence)| silence).collect();
    let least = match longest.len().checked_sub(ENOUGH) {
        Some(index) => *longest.select_nth_unstable(index).1,
        None => 0,
    };
    let of_those = |is_one: &dyn Fn(u64) -> bool| {
        let chosen = silences.iter().filter(|&&(_, silence)| is_one(silence));
        dispersion(&counts(time, chosen.map(|&(at, _)| at)))
    };
    let beyond = of_those(&|silence| silence > limit);
    if limit < least {
        return beyond;
    }
    // Where very many are as long, that is how long they usually are.
    let as_long = silences.iter().filter(|&&(_, silence)| silence >= least).count();
    let is_usual = as_long > 2 * ENOUGH;
    beyond.max(of_those(&|silence| silence > least || (silence == least && !is_usual)))
}

/// In how many equal times mistakes are counted, to see whether they come in clusters.
const COUNTS: usize = 10;

/// How many silences are enough to see that.
const ENOUGH: usize = 10;

/// How many times as long a trace is worth talking of.
const MAX_STRETCH: f64 = 1e9;

#[cfg(test)]
mod tests {
    use quickcheck::{TestResult, quickcheck};
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution as _, Geometric, Poisson};

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

        fn more_mistakes_never_have_a_lower_bound(few: u8, more: u8, dispersion: u8, wide: u8) -> bool {
            let dispersion = 1.0 + f64::from(dispersion) / 10.0;
            let counted = |mistakes, dispersion| Counted { mistakes, dispersion, span: 9.0 }.rate(0.95);
            let (few, more) = (u64::from(few), u64::from(few) + u64::from(more));
            let [fewer, more] = [few, more].map(|mistakes| counted(mistakes, dispersion));
            // Nor has a wider spread a narrower interval.
            let wider = counted(few, dispersion + f64::from(wide) / 10.0);
            fewer.low <= more.low + 1e-6
                && fewer.high <= more.high + 1e-6
                && wider.high >= fewer.high - 1e-6
                && wider.low <= fewer.low + 1e-6
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
        let none = Counted { mistakes: 0, dispersion: 1.0, span: 86_400.0 };
        let rate = none.rate(0.95);
        assert_eq!((rate.low, rate.mean), (0.0, 0.0));
        assert!((rate.high * 86_400.0 - 3.6889).abs() < 1e-4, "{rate:?}");
        // 3.69 days without a mistake show that there is at most one a day.
        let factor = none.stretch_to(1.0 / 86_400.0, 0.95).unwrap();
        assert!((factor - 3.69).abs() < 0.01, "{factor}");
    }

    #[test]
    fn the_interval_of_a_mean_is_students() {
        // The 97.5 % quantiles with 1, 4 and 9 degrees of freedom, over the root of 2, 5 and 10.
        for (items, radius) in [(2, 8.984_65), (5, 1.241_66), (10, 0.715_36)] {
            let (low, high) = mean_interval(items, 1.0, (20.0, 2.0), 0.95);
            assert!((high - 20.0 - 2.0 * radius).abs() < 1e-3, "{items}: {high}");
            assert!((low - (20.0 - 2.0 * radius)).abs() < 1e-3, "{items}: {low}");
        }
        assert_eq!(
            mean_interval(10, 5.0, (20.0, 2.0), 0.9),
            mean_interval(2, 1.0, (20.0, 2.0), 0.9)
        );
        for (items, dispersion) in [(0, 1.0), (1, 1.0), (4, 4.0), (4, 9.0)] {
            let interval = mean_interval(items, dispersion, (20.0, 2.0), 0.95);
            assert_eq!(interval, (0.0, f64::INFINITY), "{items} {dispersion}");
        }
        assert_eq!(mean_interval(2, 1.0, (1.0, 9.0), 0.95).0, 0.0);
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
    }

    #[test]
    fn few_mistakes_are_taken_to_cluster_as_the_longest_silences_do() {
        let time = 0..1_000;
        // Eight long ones at once, and nine that are shorter later on.
        let mut silences: Vec<(u64, u64)> = (0..8).map(|index| (index, 1_000 + index)).collect();
        silences.extend((1..10).map(|part| (part * 100, 500)));
        silences.extend((0..1_000).map(|at| (at, 100)));
        // Those that are ignored by a timeout of 600 are not made up for by those that are not.
        assert!((clustering(&time, &silences, 600) - 8.0).abs() < 1e-9);
        assert!((clustering(&time, &silences, 400) - 2.9).abs() < 0.1);
        // The ten longest, and those as long as the tenth.
        assert!((clustering(&time, &silences, 2_000) - 2.9).abs() < 0.1);
        assert_eq!(clustering(&time, &silences, 99), 1.0);
        assert_eq!(clustering(&time, &[], 5), 1.0);
        // Two long ones apart, and the usual ones, of which there are more now than then.
        let mut usual: Vec<(u64, u64)> = (0..900).map(|at| (at * at / 900, 100)).collect();
        usual.extend([(50, 300), (850, 300)]);
        assert_eq!(clustering(&time, &usual, 200), 1.0);
    }

    /// Returns how often the interval holds the true number of mistakes, which come in clusters, a quarter of them
    /// at the parameter that is asked for, and all of them at a faster one; and how often it is too low.
    fn clustered_coverage(clusters: f64, size: f64) -> (f64, f64) {
        let mut random = ChaCha8Rng::seed_from_u64(9);
        let (rounds, mut held, mut low) = (1_000, 0, 0);
        let many = Poisson::new(4.0 * clusters).unwrap();
        let sizes = Geometric::new(1.0 / size).unwrap();
        for _ in 0..rounds {
            let mut silences = Vec::new();
            for _ in 0..u64_of(many.sample(&mut random)) {
                let at = random.random_range(0..1_000_000);
                let length = if random.random_bool(0.25) { 200 } else { 100 };
                for _ in 0..=sizes.sample(&mut random) {
                    silences.push((at, length + random.random_range(0..50)));
                }
            }
            let mistakes = silences.iter().filter(|&&(_, silence)| silence > 190).count();
            let counted = Counted {
                mistakes: mistakes.try_into().unwrap(),
                dispersion: clustering(&(0..1_000_000), &silences, 190),
                span: 1.0,
            };
            let rate = counted.rate(0.95);
            let truth = clusters * size;
            held += u32::from(rate.low <= truth && truth <= rate.high);
            low += u32::from(rate.high < truth);
        }
        (f64::from(held) / f64::from(rounds), f64::from(low) / f64::from(rounds))
    }

    fn u64_of(number: f64) -> u64 {
        crate::compare::number::round(number)
    }

    #[test]
    fn the_interval_of_clusters_is_nearly_what_it_says() {
        for clusters in [1.0, 2.0, 5.0, 20.0] {
            for size in [1.0, 5.0] {
                let (held, low) = clustered_coverage(clusters, size);
                println!("{clusters} clusters of {size}: {held} held, {low} too low");
                assert!(held > 0.88, "{clusters} clusters of {size}: {held}");
            }
        }
    }
}
