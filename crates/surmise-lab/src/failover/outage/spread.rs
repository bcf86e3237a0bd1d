use core::fmt;

use crate::failover::verdict::time;

/// How long something took each time, where it may never have come: that is longer than any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::failover) struct Spread {
    pub(in crate::failover) count: usize,
    /// How often it never came.
    pub(in crate::failover) never: usize,
    /// The middle one, or what is half way between the two in the middle. `None` if that is never.
    pub(in crate::failover) median: Option<u64>,
    /// The longest of those that came.
    pub(in crate::failover) worst: Option<u64>,
}

impl FromIterator<Option<u64>> for Spread {
    fn from_iter<T: IntoIterator<Item = Option<u64>>>(times: T) -> Self {
        let times: Vec<_> = times.into_iter().collect();
        let count = times.len();
        let mut came: Vec<_> = times.into_iter().flatten().collect();
        came.sort_unstable();
        // Those that never came stand behind all others.
        let [lower, upper] = [count.saturating_sub(1) / 2, count / 2].map(|rank| came.get(rank));
        Self {
            count,
            never: count - came.len(),
            median: lower.zip(upper).map(|(lower, upper)| lower.midpoint(*upper)),
            worst: came.last().copied(),
        }
    }
}

/// As in "480 ms in the median, 501 ms at worst".
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, never, median, worst } = *self;
        match (median, worst) {
            (_, None) => f.write_str("endless"),
            (Some(_), Some(worst)) if count == 1 => f.write_str(&time(worst)),
            (Some(median), Some(worst)) if never == 0 => {
                write!(f, "{} in the median, {} at worst", time(median), time(worst))
            }
            (Some(median), Some(worst)) => write!(
                f,
                "{} in the median, {} at worst (but endless in {never} of {count})",
                time(median),
                time(worst)
            ),
            (None, Some(worst)) => {
                write!(f, "endless in {never} of {count}, else {} at worst", time(worst))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(times: &[Option<u64>]) -> Spread {
        times.iter().copied().collect()
    }

    #[test]
    fn the_median_is_half_way_between_the_two_in_the_middle() {
        let median = |times: &[u64]| spread(&times.iter().copied().map(Some).collect::<Vec<_>>());
        assert_eq!(median(&[]), Spread::default());
        assert_eq!(median(&[3]).median, Some(3));
        assert_eq!(median(&[5, 1]).median, Some(3));
        assert_eq!(median(&[9, 1, 5]).median, Some(5));
        assert_eq!(median(&[9, 1, 5, 7]).median, Some(6));
        assert_eq!(median(&[9, 1, 5]).worst, Some(9));
    }

    #[test]
    fn what_never_came_is_longer_than_all() {
        let half = spread(&[None, Some(1), None, Some(7)]);
        assert_eq!(half, Spread { count: 4, never: 2, median: None, worst: Some(7) });
        let some = spread(&[None, Some(1), Some(2)]);
        assert_eq!(some, Spread { count: 3, never: 1, median: Some(2), worst: Some(2) });
        assert_eq!(spread(&[None]), Spread { count: 1, never: 1, median: None, worst: None });
    }

    #[test]
    fn what_is_said_of_it_has_the_tail() {
        let ms = |times: &[u64]| times.iter().map(|ms| Some(ms * 1_000_000)).collect::<Vec<_>>();
        let said = |times: &[Option<u64>]| spread(times).to_string();
        assert_eq!(said(&ms(&[480])), "480 ms");
        assert_eq!(said(&ms(&[480, 500])), "490 ms in the median, 500 ms at worst");
        let some = said(&[ms(&[480, 500]), vec![None]].concat());
        let never = "at worst (but endless in 1 of 3)";
        assert_eq!(some, format!("500 ms in the median, 500 ms {never}"));
        let most = said(&[ms(&[480]), vec![None]].concat());
        assert_eq!(most, "endless in 1 of 2, else 480 ms at worst");
        assert_eq!(said(&[None]), "endless");
    }
}
