use core::time::Duration;

use crate::{Outcome, Quantile, duration::nanos, window::ExactWindow};

/// Twice the 99th percentile of the last 100 calls that completed, and between 1 and 30 s.
///
/// The percentile is the nearest rank: of 100 latencies the 99th. As long as no call has completed the timeout is
/// 30 s.
///
/// What was given up does not count, however often that happens: see [the module](super) for what that leads to.
/// The factor of two and the floor hide it for a service that answers within half a second.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::{Outcome, textbook::TwiceP99};
///
/// let mut timeout = TwiceP99::new();
/// assert_eq!(timeout.current(), Duration::from_secs(30));
///
/// timeout.record(Outcome::Completed(Duration::from_millis(700)));
/// timeout.record(Outcome::TimedOut(Duration::from_secs(30)));
/// assert_eq!(timeout.current(), Duration::from_millis(1400), "what timed out is forgotten");
/// ```
#[derive(Clone, Debug, Default)]
pub struct TwiceP99 {
    latencies: ExactWindow<100>,
}

impl TwiceP99 {
    const FLOOR: Duration = Duration::from_secs(1);
    const CEILING: Duration = Duration::from_secs(30);

    /// Creates a timeout that knows nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { latencies: ExactWindow::new() }
    }

    /// Takes in how a call went, if it completed.
    pub fn record(&mut self, outcome: Outcome) {
        if let Outcome::Completed(latency) = outcome {
            self.latencies.push(nanos(latency));
        }
    }

    /// Returns the timeout.
    #[must_use]
    pub fn current(&self) -> Duration {
        let Some(p99) = self.latencies.nearest_rank(Quantile::P99) else { return Self::CEILING };
        Duration::from_nanos(p99.saturating_mul(2)).clamp(Self::FLOOR, Self::CEILING)
    }

    /// Returns the timeout, or what remains of the caller's own time if that is less.
    #[must_use]
    pub fn within(&self, remaining: Duration) -> Duration {
        self.current().min(remaining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(millis: u64) -> Outcome {
        Outcome::Completed(Duration::from_millis(millis))
    }

    #[test]
    fn it_is_twice_the_second_longest_of_a_hundred() {
        let mut timeout = TwiceP99::new();
        timeout.record(completed(9000));
        assert_eq!(timeout.current(), Duration::from_secs(18));
        for _ in 0..99 {
            timeout.record(completed(800));
        }
        assert_eq!(timeout.current(), Duration::from_millis(1600), "one in a hundred is longer");
        timeout.record(completed(7000));
        assert_eq!(timeout.current(), Duration::from_millis(1600), "the first has left");
        timeout.record(completed(6000));
        assert_eq!(timeout.current(), Duration::from_secs(12));
        assert_eq!(timeout.within(Duration::from_secs(13)), Duration::from_secs(12));
        assert_eq!(timeout.within(Duration::from_secs(11)), Duration::from_secs(11));
    }

    #[test]
    fn it_is_within_its_limits() {
        for (latency, expected) in [
            (Duration::ZERO, 1000),
            (Duration::from_millis(500), 1000),
            (Duration::from_millis(501), 1002),
            (Duration::from_millis(14_999), 29_998),
            (Duration::from_millis(15_001), 30_000),
            (Duration::from_nanos(1 << 63), 30_000),
            (Duration::MAX, 30_000),
        ] {
            let mut timeout = TwiceP99::default();
            timeout.record(Outcome::Completed(latency));
            assert_eq!(timeout.current(), Duration::from_millis(expected), "{latency:?}");
        }
    }

    #[test]
    fn only_what_completed_counts() {
        let mut timeout = TwiceP99::new();
        let long = Duration::from_secs(10);
        for outcome in [Outcome::TimedOut(long), Outcome::Cancelled(long), Outcome::FailedFast] {
            timeout.record(outcome);
            assert_eq!(timeout.current(), Duration::from_secs(30));
        }
    }
}
