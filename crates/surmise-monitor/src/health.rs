use core::time::Duration;

use surmise_time::Instant;

/// How much an observer should doubt itself: Lifeguard's local health multiplier.
///
/// It goes from 0, well, to 8, and by itself it gets better by one every so often. Whoever probes peers, or is itself
/// suspected by others, knows more of its health than a [`Monitor`](crate::Monitor), which only sees its
/// stalls: a probe that failed or a suspicion of oneself that has to be refuted make it worse, a probe that
/// succeeded makes it better.
///
/// Dadgar, Phillips, Currey: [Lifeguard: Local Health Awareness for More Accurate Failure
/// Detection](https://arxiv.org/abs/1707.00788), 2018, §IV.A. There it stretches the intervals and timeouts of probes. Nothing
/// is probed here, and it stretches the [grace](crate::Grace) instead. A monitor keeps one by itself; this type is for
/// those who probe.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_monitor::LocalHealth;
/// use surmise_time::Instant;
///
/// let mut health = LocalHealth::new(Duration::from_secs(10));
/// let start = Instant::ORIGIN;
/// health.worsen(start);
/// health.worsen(start);
/// assert_eq!(health.score(start + Duration::from_secs(9)), 2);
/// assert_eq!(health.score(start + Duration::from_secs(10)), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalHealth {
    score: u8,
    /// Since when it has been getting better by itself, by steps.
    since: Instant,
    recovery: Duration,
}

impl LocalHealth {
    /// The worst score.
    pub const MAX_SCORE: u8 = 8;

    /// Creates the health of a well observer, which gets better by one in each `recovery`; a zero is taken for 1 ns.
    #[must_use]
    pub fn new(recovery: Duration) -> Self {
        let recovery = recovery.max(Duration::from_nanos(1));
        Self { score: 0, since: Instant::ORIGIN, recovery }
    }

    /// Notes that it got worse at `now`.
    pub fn worsen(&mut self, now: Instant) {
        self.recover(now);
        self.score = Self::MAX_SCORE.min(self.score + 1);
    }

    /// Notes that it got better at `now`.
    pub fn improve(&mut self, now: Instant) {
        self.recover(now);
        self.score = self.score.saturating_sub(1);
    }

    /// Returns the score at `now`.
    #[must_use]
    pub fn score(&self, now: Instant) -> u8 {
        let steps = self.steps(now);
        self.score.saturating_sub(u8::try_from(steps).unwrap_or(u8::MAX))
    }

    /// Puts down what got better by itself.
    fn recover(&mut self, now: Instant) {
        let score = self.score(now);
        // A well observer has nothing to recover from, so that its time begins when it first is not.
        if score == 0 {
            self.since = self.since.max(now);
        } else {
            let steps = u32::from(self.score - score);
            self.since += self.recovery.saturating_mul(steps);
        }
        self.score = score;
    }

    fn steps(&self, now: Instant) -> u128 {
        (now - self.since).as_nanos() / self.recovery.as_nanos().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECOVERY: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> Instant {
        Instant::ORIGIN + Duration::from_secs(seconds)
    }

    #[test]
    fn it_recovers_from_when_it_was_first_ill() {
        let mut health = LocalHealth::new(RECOVERY);
        health.worsen(at(95));
        assert_eq!([104, 105].map(|t| health.score(at(t))), [1, 0]);
        health.worsen(at(104));
        assert_eq!([104, 105, 114, 115].map(|t| health.score(at(t))), [2, 1, 1, 0]);
    }

    #[test]
    fn it_has_a_worst_and_a_best() {
        let mut health = LocalHealth::new(RECOVERY);
        health.improve(at(1));
        assert_eq!(health.score(at(1)), 0);
        for _ in 0..300 {
            health.worsen(at(1));
        }
        assert_eq!(health.score(at(1)), LocalHealth::MAX_SCORE);
        health.improve(at(1));
        assert_eq!(health.score(at(1)), LocalHealth::MAX_SCORE - 1);
        assert_eq!(health.score(Instant::MAX), 0);
    }

    #[test]
    fn a_clock_that_steps_back_lets_nothing_recover() {
        let mut health = LocalHealth::new(RECOVERY);
        health.worsen(at(50));
        assert_eq!(health.score(at(0)), 1);
        health.worsen(at(0));
        assert_eq!([59, 60, 70].map(|t| health.score(at(t))), [2, 1, 0]);
    }

    #[test]
    fn a_recovery_of_no_time_is_immediate() {
        let mut health = LocalHealth::new(Duration::ZERO);
        health.worsen(at(1));
        assert_eq!(health.score(at(1)), 1);
        assert_eq!(health.score(at(2)), 0);
    }
}
