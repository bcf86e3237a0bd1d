//! The quantile of latencies of which some are only known to be longer than something.

use crate::Quantile;

/// Returns the bucket in which so many of the calls would have been answered, had none been given up.
///
/// The product-limit estimator (Kaplan and Meier, "Nonparametric Estimation from Incomplete Observations",
/// Journal of the American Statistical Association 53, 1958): who was given up after a while would have been
/// answered later, as those were that had waited as long. It is exact: without calls that were given up it is the
/// bucket of the nearest rank. If too many were given up, nobody knows.
///
/// `counts` are the calls that were answered, and given up, after a time in each bucket, and `total` is how many
/// they are. Takes O(buckets).
pub(crate) fn quantile(
    counts: impl Iterator<Item = (u32, u32)>,
    total: u32,
    quantile: Quantile,
) -> Estimate {
    let left_over = u64::from(1_000_000 - quantile.as_millionths());
    // How many of those that still wait may be left when the quantile is reached. Each weighs as much as
    // those that were given up before and are to be distributed over it: the more it weighs, the fewer.
    let most_left = ((u128::from(total) * u128::from(left_over)) << FRACTION) / 1_000_000;
    #[expect(clippy::cast_possible_truncation, reason = "it is less than 2⁵²")]
    let mut most_left = most_left as u64;
    let mut waiting = u64::from(total);
    let mut last_answered = None;
    for (bucket, (answered, given_up)) in counts.enumerate() {
        if answered > 0 {
            waiting = waiting.saturating_sub(answered.into());
            if waiting << FRACTION <= most_left {
                return Estimate::Bucket(bucket);
            }
            last_answered = Some(bucket);
        }
        if given_up > 0 {
            // Here each waited longer than all that were answered.
            let still = waiting.saturating_sub(given_up.into());
            let scaled = u128::from(most_left) * u128::from(still) / u128::from(waiting.max(1));
            #[expect(clippy::cast_possible_truncation, reason = "it is no more than it was")]
            let scaled = scaled as u64;
            (most_left, waiting) = (scaled, still);
        }
    }
    Estimate::Beyond(last_answered)
}

/// What is known of a quantile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Estimate {
    /// It is in this bucket.
    Bucket(usize),
    /// It is greater than what is in this bucket, the last one of an answer, if there were answers.
    Beyond(Option<usize>),
}

/// Calls are counted with so many fractional bits. What is cut off makes the quantile greater, if anything.
const FRACTION: u32 = 20;

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use quickcheck::quickcheck;

    use super::*;

    fn quantile_of(counts: &[(u32, u32)], quantile: Quantile) -> Option<usize> {
        match super::quantile(counts.iter().copied(), total(counts), quantile) {
            Estimate::Bucket(bucket) => Some(bucket),
            Estimate::Beyond(last) => {
                assert_eq!(last, counts.iter().rposition(|(answered, _)| *answered > 0));
                None
            }
        }
    }

    fn total(counts: &[(u32, u32)]) -> u32 {
        counts.iter().map(|(answered, given_up)| answered + given_up).sum()
    }

    /// Returns the share of calls that wait longer than what each bucket holds, as the paper has it.
    fn survival(counts: &[(u32, u32)]) -> Vec<f64> {
        let mut waiting = f64::from(total(counts));
        let mut surviving = 1.0;
        let step = |&(answered, given_up): &(u32, u32)| {
            if answered > 0 {
                surviving *= 1.0 - f64::from(answered) / waiting;
            }
            waiting -= f64::from(answered + given_up);
            surviving
        };
        counts.iter().map(step).collect()
    }

    quickcheck! {
        fn it_is_the_product_limit(counts: Vec<(u8, u8)>, millionths: u32) -> bool {
            let counts: Vec<(u32, u32)> = counts
                .into_iter()
                .take(192)
                .map(|(answered, given_up)| (answered.into(), u32::from(given_up) % 8))
                .collect();
            let millionths = millionths % 999_999 + 1;
            let found = quantile_of(&counts, Quantile::from_millionths(millionths).unwrap());
            let left_over = 1.0 - f64::from(millionths) / 1e6;
            let reached = |spare: f64| {
                let survival = survival(&counts);
                (0..counts.len()).find(|&bucket| counts[bucket].0 > 0 && survival[bucket] <= left_over + spare)
            };
            // What the two round differently is less than that.
            let [soonest, latest] = [1e-4, -1e-4].map(|spare| reached(spare).unwrap_or(usize::MAX));
            (soonest..=latest).contains(&found.unwrap_or(usize::MAX))
        }

        fn without_calls_that_were_given_up_it_is_the_nearest_rank(values: Vec<u8>, millionths: u32) -> bool {
            let share = Quantile::from_millionths(millionths % 999_999 + 1).unwrap();
            let mut counts = vec![(0, 0); 192];
            let mut values: Vec<usize> = values.into_iter().map(|value| usize::from(value) % 192).collect();
            for &value in &values {
                counts[value].0 += 1;
            }
            values.sort_unstable();
            let nearest = share.rank(values.len()).checked_sub(1).map(|rank| values[rank]);
            quantile_of(&counts, share) == nearest
        }
    }

    /// Four of ten are given up after bucket 2, and of those that wait on half are answered in each of two more.
    #[test]
    fn who_is_given_up_is_answered_as_the_others_that_waited_as_long() {
        let counts = vec![(2, 0), (2, 0), (0, 4), (1, 0), (1, 0)];
        let bucket = |percent| quantile_of(&counts, Quantile::from_percent(percent).unwrap());
        assert_eq!([20, 40, 41, 70, 71, 99].map(bucket), [0, 1, 3, 3, 4, 4].map(Some));
    }

    #[test]
    fn what_too_many_did_not_wait_for_is_not_known() {
        let counts = vec![(98, 0), (0, 2)];
        assert_eq!(quantile_of(&counts, Quantile::from_percent(98).unwrap()), Some(0));
        assert_eq!(quantile_of(&counts, Quantile::P99), None);
        assert_eq!(quantile_of(&[(0, 5)], Quantile::P50), None);
        assert_eq!(quantile_of(&[], Quantile::P50), None);
    }
}
