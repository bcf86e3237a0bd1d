//! Windows as lists that are sorted each time.

use surmise_timeout::{
    Quantile,
    window::{BucketedWindow, ExactWindow},
};

const MILLION: u128 = 1_000_000;

pub(crate) fn check(millionths: u32, floor: u64, values: &[u64]) {
    let quantile = Quantile::from_millionths(millionths % 999_999 + 1).expect("it is within");
    drive::<1>(quantile, floor, values);
    drive::<2>(quantile, floor, values);
    drive::<7>(quantile, floor, values);
    drive::<64>(quantile, floor, values);
}

fn drive<const N: usize>(quantile: Quantile, floor: u64, values: &[u64]) {
    let mut exact = ExactWindow::<N>::new();
    let mut bucketed = BucketedWindow::<N>::new(quantile, floor);
    for end in 1..=values.len() {
        let left = exact.push(values[end - 1]);
        bucketed.push(values[end - 1]);
        assert_eq!(left, end.checked_sub(N + 1).map(|oldest| values[oldest]));

        let mut sorted = values[end.saturating_sub(N)..end].to_vec();
        sorted.sort_unstable();
        assert_eq!([exact.len(), bucketed.len()], [sorted.len(); 2]);
        assert_eq!((exact.min(), exact.max()), (sorted.first().copied(), sorted.last().copied()));
        let nearest = nearest_rank(&sorted, quantile);
        assert_eq!(exact.nearest_rank(quantile), Some(nearest));
        let linear = exact.linear(quantile).expect("there is a value");
        assert!(u128::from(linear.millionths) < MILLION);
        let found = u128::from(linear.whole) * MILLION + u128::from(linear.millionths);
        assert_eq!(found, type_7(&sorted, quantile));
        check_edge(nearest, floor, bucketed.quantile().expect("there is a value"));
    }
}

/// The least value that no less than the share do not exceed, by counting.
fn nearest_rank(sorted: &[u64], quantile: Quantile) -> u64 {
    let is_enough = |&&value: &&u64| {
        let share = sorted.iter().filter(|&&other| other <= value).count() as u128;
        share * MILLION >= sorted.len() as u128 * u128::from(quantile.as_millionths())
    };
    *sorted.iter().find(is_enough).expect("all are enough")
}

/// In millionths: the mean of two values, weighted by how near to them the quantile is.
fn type_7(sorted: &[u64], quantile: Quantile) -> u128 {
    let place = (sorted.len() as u128 - 1) * u128::from(quantile.as_millionths());
    let lower = (place / MILLION) as usize;
    let upper = (lower + 1).min(sorted.len() - 1);
    let [lower, upper] = [lower, upper].map(|place| u128::from(sorted[place]));
    lower * (MILLION - place % MILLION) + upper * (place % MILLION)
}

/// What is documented: never below, and at most an eighth above from a fourth of the floor on.
fn check_edge(nearest: u64, floor: u64, found: u64) {
    assert!(found > nearest || found == u64::MAX);
    let eighth = nearest.saturating_add(nearest / 8);
    if floor < 64 && nearest < 8 {
        assert_eq!(found, nearest + 1);
    } else if nearest < floor / 4 {
        assert!(found - nearest <= floor / 32);
    } else if nearest < floor.max(1).saturating_mul(983_040) {
        assert!(found <= eighth, "{found} for {nearest}");
    }
}
