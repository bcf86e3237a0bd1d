use core::time::Duration;

use surmise_timeout::Quantile;

/// Times in order, of which some share is less than the one that is asked for.
#[derive(Clone, Debug)]
pub(super) struct Sorted(Vec<Duration>);

impl Sorted {
    pub(super) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// Returns the nearest rank, or zero if there are no times.
    pub(super) fn quantile(&self, quantile: Quantile) -> Duration {
        let rank = quantile.rank(self.0.len());
        self.0.get(rank.wrapping_sub(1)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rank_is_one_of_the_times() {
        let sorted = Sorted::new([3, 1, 2, 4].map(Duration::from_secs).into());
        assert_eq!(sorted.quantile(Quantile::P50), Duration::from_secs(2));
        assert_eq!(sorted.quantile(Quantile::P999), Duration::from_secs(4));
        assert_eq!(Sorted::new(Vec::new()).quantile(Quantile::P50), Duration::ZERO);
    }
}
