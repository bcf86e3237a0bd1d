use core::time::Duration;

use crate::{Outcome, Quantile, duration::nanos, window::ExactWindow};

/// The 99th percentile and three standard deviations, of the last 1000 calls that completed.
///
/// It is p99 + min(3σ, p99), with the nearest rank for p99 and the population's deviation for σ, both exact and
/// rounded down to nanoseconds. It is doubled while more than 10 of the last 100 calls that completed or timed out
/// did time out. Until 100 calls have completed it is 1 s, also when none of them does: a service that takes
/// longer from the start is never learned. It has no other bounds.
///
/// The textbooks do not say which calls are recent. A hundred are as many as it takes to have a timeout at all, and
/// few enough to react to an outage within eleven calls.
///
/// Other than for the doubling, what was given up does not count: see [the module](super) for what that leads
/// to. Latencies of more than 2⁵² ns, which is 52 days, count as that.
///
/// # Complexity
///
/// To record takes O(log n), a `memmove` and the sliding sums; to read takes a square root of 128 bits. It takes
/// about 10 KiB.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::{Outcome, textbook::P99AndDeviation};
///
/// let mut timeout = P99AndDeviation::new();
/// assert_eq!(timeout.current(), Duration::from_secs(1));
///
/// for call in 0..100 {
///     let latency = Duration::from_millis(if call % 2 == 0 { 80 } else { 100 });
///     timeout.record(Outcome::Completed(latency));
/// }
/// // The deviation is 10 ms.
/// assert_eq!(timeout.current(), Duration::from_millis(100 + 3 * 10));
///
/// for _ in 0..11 {
///     timeout.record(Outcome::TimedOut(timeout.current()));
/// }
/// assert_eq!(timeout.current(), Duration::from_millis(2 * (100 + 3 * 10)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct P99AndDeviation {
    latencies: ExactWindow<1000>,
    sum: u64,
    squares: u128,
    /// Which of the last calls timed out, a bit each, and the newest in the lowest.
    timed_out: u128,
}

impl P99AndDeviation {
    const UNTIL_KNOWN: Duration = Duration::from_secs(1);
    const KNOWN: usize = 100;
    /// As many as [`Self::KNOWN`].
    const RECENT: u128 = (1 << 100) - 1;
    const MANY: u32 = 10;
    /// The squares of a thousand of these, a thousand and nine times, are less than 2¹²⁸.
    const LONGEST: u64 = 1 << 52;

    /// Creates a timeout that knows nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { latencies: ExactWindow::new(), sum: 0, squares: 0, timed_out: 0 }
    }

    /// Takes in how a call went, if it completed or timed out.
    pub fn record(&mut self, outcome: Outcome) {
        let has_timed_out = match outcome {
            Outcome::Completed(latency) => {
                self.push(nanos(latency).min(Self::LONGEST));
                false
            }
            Outcome::TimedOut(_) => true,
            Outcome::Cancelled(_) | Outcome::FailedFast => return,
        };
        self.timed_out = (self.timed_out << 1 | u128::from(has_timed_out)) & Self::RECENT;
    }

    /// Returns the timeout.
    #[must_use]
    pub fn current(&self) -> Duration {
        let Some(p99) = self.latencies.nearest_rank(Quantile::P99) else {
            return Self::UNTIL_KNOWN;
        };
        if self.latencies.len() < Self::KNOWN {
            return Self::UNTIL_KNOWN;
        }
        let timeout = p99 + self.three_deviations().min(p99);
        let doubling = u32::from(self.timed_out.count_ones() > Self::MANY);
        Duration::from_nanos(timeout << doubling)
    }

    /// Returns the timeout, or what remains of the caller's own time if that is less.
    #[must_use]
    pub fn within(&self, remaining: Duration) -> Duration {
        self.current().min(remaining)
    }

    fn push(&mut self, nanos: u64) {
        let square = |nanos| u128::from(nanos) * u128::from(nanos);
        if let Some(left) = self.latencies.push(nanos) {
            self.sum -= left;
            self.squares -= square(left);
        }
        self.sum += nanos;
        self.squares += square(nanos);
    }

    /// Returns 3σ rounded down: `n²σ²` is an integer, and to round the root down first changes nothing.
    fn three_deviations(&self) -> u64 {
        let count = self.latencies.len() as u128;
        let sum = u128::from(self.sum);
        let deviations = (9 * (count * self.squares - sum * sum)).isqrt() / count.max(1);
        // Lossless: a deviation is no more than the longest latency.
        u64::try_from(deviations).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use quickcheck::quickcheck;

    use super::*;

    /// Computes the timeout anew from all outcomes; the deviation is the greatest that is not too great.
    fn by_definition(outcomes: &[Outcome]) -> Duration {
        let mut latencies: Vec<u128> = outcomes.iter().filter_map(latency).collect();
        latencies.drain(..latencies.len().saturating_sub(1000));
        if latencies.len() < 100 {
            return Duration::from_secs(1);
        }
        let count = latencies.len() as u128;
        let sum: u128 = latencies.iter().sum();
        let squares: u128 =
            latencies.iter().map(|&latency| (count * latency).abs_diff(sum).pow(2)).sum();
        latencies.sort_unstable();
        let p99 =
            latencies[latencies.len() * 99 / 100 - 1 + usize::from(latencies.len() % 100 > 0)];
        // By bisection: d is no more than 3σ if n³d² is no more than 9 Σ(nx − Σx)².
        let (mut deviations, mut above) = (0, p99 + 1);
        while above - deviations > 1 {
            let middle = deviations.midpoint(above);
            let is_below = count.pow(3) * middle.pow(2) <= 9 * squares;
            *(if is_below { &mut deviations } else { &mut above }) = middle;
        }
        let is_call =
            |outcome: &&Outcome| matches!(outcome, Outcome::Completed(_) | Outcome::TimedOut(_));
        let recent = outcomes.iter().rev().filter(is_call).take(100);
        let timed_out = recent.filter(|outcome| matches!(outcome, Outcome::TimedOut(_))).count();
        let factor = if timed_out > 10 { 2 } else { 1 };
        Duration::from_nanos(u64::try_from((p99 + deviations) * factor).unwrap())
    }

    fn latency(outcome: &Outcome) -> Option<u128> {
        match outcome {
            Outcome::Completed(latency) => Some(latency.as_nanos()),
            _ => None,
        }
    }

    quickcheck! {
        fn it_is_what_it_is_defined_as(seed: u64, shift: u8) -> bool {
            let mut timeout = P99AndDeviation::new();
            let (mut random, mut outcomes) = (seed, Vec::new());
            (0..2500).all(|call| {
                random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
                // From 1 ns to an hour; at times hardly any call times out, and at times many.
                let latency = Duration::from_nanos(random >> (22 + shift % 42));
                let slow = if call / 300 % 2 == 0 { 1 } else { 4 };
                let outcome = match random >> 8 & 0x1f {
                    kind if kind < slow => Outcome::TimedOut(latency),
                    30 => Outcome::Cancelled(latency),
                    31 => Outcome::FailedFast,
                    _ => Outcome::Completed(latency),
                };
                outcomes.push(outcome);
                timeout.record(outcome);
                call % 197 != 0 || timeout.current() == by_definition(&outcomes)
            })
        }
    }

    #[test]
    fn it_is_a_second_until_a_hundred_have_completed() {
        let mut timeout = P99AndDeviation::default();
        for _ in 0..99 {
            timeout.record(Outcome::Completed(Duration::from_millis(50)));
            timeout.record(Outcome::TimedOut(Duration::from_secs(1)));
            assert_eq!(timeout.current(), Duration::from_secs(1));
        }
        timeout.record(Outcome::Completed(Duration::from_millis(50)));
        assert_eq!(timeout.current(), Duration::from_millis(100));
    }

    #[test]
    fn it_is_doubled_while_more_than_a_tenth_times_out() {
        let mut timeout = P99AndDeviation::new();
        let completed = Outcome::Completed(Duration::from_millis(50));
        for _ in 0..200 {
            timeout.record(completed);
        }
        let mut expect = |outcome, times, millis| {
            for _ in 0..times {
                timeout.record(outcome);
                assert_eq!(timeout.current(), Duration::from_millis(millis));
            }
        };
        let timed_out = Outcome::TimedOut(Duration::from_secs(9));
        expect(timed_out, 10, 50);
        expect(Outcome::Cancelled(Duration::from_secs(9)), 5, 50);
        expect(timed_out, 1, 100);
        expect(Outcome::FailedFast, 200, 100);
        expect(completed, 89, 100);
        expect(completed, 1, 50);
    }

    #[test]
    fn the_longest_latencies_overflow_nothing() {
        let mut timeout = P99AndDeviation::new();
        let longest = 1 << 52;
        for call in 0..3000 {
            let is_short = call % 2 == 0;
            timeout.record(Outcome::Completed(if is_short {
                Duration::ZERO
            } else {
                Duration::MAX
            }));
        }
        assert_eq!(timeout.current(), Duration::from_nanos(2 * longest), "3σ is 1.5 times as long");
        for _ in 0..1000 {
            timeout.record(Outcome::Completed(Duration::MAX));
        }
        assert_eq!(timeout.current(), Duration::from_nanos(longest), "there is no deviation");
        assert_eq!(timeout.within(Duration::from_secs(3)), Duration::from_secs(3));
    }
}
