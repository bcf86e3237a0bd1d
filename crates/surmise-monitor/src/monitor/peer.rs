use alloc::vec::Vec;
use core::time::Duration;

use surmise_detector::FailureDetector;
use surmise_time::Instant;

use super::stalls::Stalls;
use crate::{Grace, Ignored, MonitorConfig, PeerState};

/// What is kept of a peer. All times are times awake.
#[derive(Clone, Debug)]
pub(super) struct Peer<K, D> {
    pub(super) key: K,
    pub(super) detector: D,
    pub(super) incarnation: u64,
    /// When it was last heard of, or else watched.
    pub(super) heard_at: Instant,
    /// The latest stall that was over, with its queue, when it was last heard of.
    pub(super) stall: u16,
    /// The latest stall that was noted when it was last heard of.
    pub(super) heard_after: u16,
    pub(super) state: PeerState,
    pub(super) was_heard: bool,
    /// Whether its deadline passed, and its verdict is held back.
    pub(super) is_held: bool,
}

impl<K, D: FailureDetector> Peer<K, D> {
    /// Lets it begin another life.
    pub(super) fn live_again(&mut self, incarnation: u64) -> Result<(), Ignored> {
        let latest = self.incarnation;
        if incarnation < latest {
            return Err(Ignored::OldIncarnation { offered: incarnation, latest });
        }
        self.incarnation = incarnation;
        self.detector.restart();
        Ok(())
    }

    /// Returns the first instant at which it is to be suspected, if it is not.
    ///
    /// If the observer was stalled since it was heard of, what it sent meanwhile may be lost, and when it will send again
    /// is not known. So it has its whole time again, once for a silence.
    #[inline]
    pub(super) fn expires_at(&self, config: &MonitorConfig, stalls: &Stalls) -> Option<Instant> {
        let deadline = match self.detector.deadline() {
            Some(deadline) => deadline,
            None => self.heard_at.checked_add(config.first_heartbeat?)?,
        };
        let deadline = match stalls.first_after(self.heard_after) {
            Some(ended_at) => deadline.max(ended_at + (deadline - self.heard_at)),
            None => deadline,
        };
        deadline.checked_add(NANOSECOND)
    }
}

/// What is kept of a peer that is suspected or dead.
#[derive(Clone, Debug)]
pub(super) struct Suspicion<K> {
    since: Instant,
    /// By how much the observer's health stretches the grace.
    stretch: u8,
    /// Who confirmed it.
    confirmers: Vec<K>,
    /// When the latest of them did.
    confirmed_at: Instant,
    /// The latest stall that was noted when it began.
    stall: u16,
}

impl<K: Eq> Suspicion<K> {
    pub(super) const fn new(since: Instant, health: u8, stall: u16) -> Self {
        let stretch = health.saturating_add(1);
        Self { since, stretch, confirmers: Vec::new(), confirmed_at: since, stall }
    }

    /// Takes in who confirms it, and returns whether that is news that shortens the grace.
    pub(super) fn confirm(&mut self, confirmer: K, grace: &Grace, now: Instant) -> bool {
        let is_news = self.confirmers.len() < usize::from(grace.confirmations)
            && !self.confirmers.contains(&confirmer);
        if is_news {
            self.confirmers.push(confirmer);
            self.confirmed_at = now;
        }
        is_news
    }
}

impl<K> Suspicion<K> {
    pub(super) const fn since(&self) -> Instant {
        self.since
    }

    pub(super) fn confirmations(&self) -> usize {
        self.confirmers.len()
    }

    /// Returns when the peer is dead: not before what shortened the grace was known, and after a stall in which it may have
    /// been heard of only when the whole grace is over again.
    pub(super) fn ends_at(&self, grace: &Grace, stalls: &Stalls) -> Option<Instant> {
        let timeout = grace.after(self.confirmers.len()).checked_mul(u32::from(self.stretch))?;
        let since = stalls.first_after(self.stall).map_or(self.since, |end| end.max(self.since));
        Some(since.checked_add(timeout)?.max(self.confirmed_at))
    }
}

impl Grace {
    /// Returns the timeout after so many confirmations.
    fn after(&self, confirmations: usize) -> Duration {
        if confirmations >= usize::from(self.confirmations) {
            return self.min;
        }
        let share = log(confirmations) / log(self.confirmations.into());
        // The range can be any number of seconds, where a float can be too large for a duration by its rounding.
        let shorter = Duration::try_from_secs_f64((self.max - self.min).as_secs_f64() * share);
        self.max.saturating_sub(shorter.unwrap_or(Duration::MAX)).max(self.min)
    }
}

const NANOSECOND: Duration = Duration::from_nanos(1);

/// Returns ln(n + 1).
#[expect(clippy::cast_precision_loss, reason = "there are at most 64 confirmations")]
fn log(n: usize) -> f64 {
    libm::log1p(n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_timeout_falls_with_the_logarithm_of_confirmations() {
        // max − (max − min)·ln(c + 1)/ln(k + 1), by hand: ln 2/ln 4 = 1/2, and ln 3/ln 4 = 0.7924812503605781.
        let grace = Grace { min: seconds(10), max: seconds(60), confirmations: 3 };
        let timeouts = [0, 1, 2, 3, 4].map(|c| grace.after(c).as_secs_f64());
        let expected = [60.0, 35.0, 20.375_937_481_971_095, 10.0, 10.0];
        for (timeout, expected) in timeouts.into_iter().zip(expected) {
            assert!((timeout - expected).abs() < 1e-8, "{timeout} is not {expected}");
        }
    }

    #[test]
    fn without_a_need_for_confirmations_it_is_the_least() {
        let grace = Grace { min: seconds(10), max: seconds(60), confirmations: 0 };
        assert_eq!(grace.after(0), seconds(10));
    }

    #[test]
    fn the_longest_grace_does_not_overflow() {
        let grace = Grace { min: Duration::ZERO, max: Duration::MAX, confirmations: 64 };
        assert_eq!(grace.after(0), Duration::MAX);
        assert!((0..64).all(|c| grace.after(c) >= grace.after(c + 1)));
        assert_eq!(
            Suspicion::<u8>::new(Instant::ORIGIN, 8, 0).ends_at(&grace, &Stalls::default()),
            None
        );
    }

    #[test]
    fn who_confirms_twice_counts_once() {
        let grace = Grace { min: seconds(10), max: seconds(60), confirmations: 2 };
        let mut suspicion = Suspicion::new(Instant::ORIGIN, 0, 0);
        assert_eq!(
            ["a", "a", "b", "c"].map(|key| suspicion.confirm(key, &grace, Instant::ORIGIN)),
            [true, false, true, false]
        );
        assert_eq!(suspicion.confirmations(), 2);
    }
}
