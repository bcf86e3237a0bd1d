use core::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};
use surmise_time::Instant;

/// The length of every window, but for those that say otherwise.
pub const WINDOW: usize = 1000;

/// The calls of one destination, without end.
///
/// Recorded latencies over and over, one every 60 ms: a minute, which is what peers remember that go by
/// time, has as many as a window.
#[derive(Clone, Debug)]
pub struct Latencies {
    recorded: Vec<Duration>,
    next: usize,
    now: Instant,
}

/// A call that is answered, if it is not given up before.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a plain pair")]
pub struct Call {
    /// How long the answer takes.
    pub took: Duration,
    /// When it is there.
    pub at: Instant,
}

impl Call {
    /// The time from one call to the next.
    pub const EVERY: Duration = Duration::from_millis(60);
}

impl Latencies {
    const RECORDED: usize = 8192;

    /// Creates the calls that every bench sees.
    #[must_use]
    pub fn new() -> Self {
        let random = ChaCha8Rng::seed_from_u64(0x5eed);
        let seconds = latency_law().sample_iter(random);
        let recorded = seconds.take(Self::RECORDED).map(Duration::from_secs_f64).collect();
        Self { recorded, next: 0, now: Instant::ORIGIN }
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

impl Iterator for Latencies {
    type Item = Call;

    #[inline]
    fn next(&mut self) -> Option<Call> {
        let &took = self.recorded.get(self.next)?;
        self.next = (self.next + 1) % Self::RECORDED;
        self.now += Call::EVERY;
        Some(Call { took, at: self.now })
    }
}

/// What 1 % of the latencies exceed: 20 ms · e^(0.6 · 2.3263).
pub const P99: Duration = Duration::from_micros(80_766);

/// Returns how latencies are distributed, in seconds.
///
/// # Panics
///
/// Never: the deviation is finite.
#[must_use]
pub fn latency_law() -> LogNormal<f64> {
    LogNormal::new(0.020_f64.ln(), 0.6).expect("the deviation is finite")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_go_on_over_and_over_and_time_with_them() {
        let calls: Vec<Call> = Latencies::new().take(2 * Latencies::RECORDED).collect();
        let (first, again) = calls.split_at(Latencies::RECORDED);
        assert!(first.iter().map(|call| call.took).eq(again.iter().map(|call| call.took)));
        assert!(calls.windows(2).all(|pair| pair[1].at - pair[0].at == Call::EVERY));
        // The median, and what 1 % exceed.
        let slower = |than| first.iter().filter(|call| call.took > than).count();
        let median = slower(Duration::from_millis(20));
        assert!(median.abs_diff(Latencies::RECORDED / 2) < 150, "{median}");
        assert!(slower(P99).abs_diff(Latencies::RECORDED / 100) < 25, "{}", slower(P99));
    }
}
