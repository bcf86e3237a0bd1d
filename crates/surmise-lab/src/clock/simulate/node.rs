use core::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use surmise_interval::{CommitWait, Drift, Interval, IntervalClock, IntervalClockConfig, Sample};
use surmise_time::{Instant, WallTime};

/// How often a node is synchronised, by its own count (Corbett et al., OSDI 2012, §3).
pub(crate) const POLL: Duration = Duration::from_secs(30);

/// What is known of the time at that moment: it is within so much of what the node is told.
pub(crate) const BASE: Duration = Duration::from_millis(1);

/// How far a node's oscillator may be from the true rate.
pub(crate) const DRIFT: Drift = Drift::SPANNER;

/// The true time at which a simulation begins.
const START: WallTime = WallTime::from_nanos(1_795_230_000_000_000_000);

/// A node that only simulation can see through: it has an oscillator that is off, and is told a
/// time that is off, both by anything up to what is stated.
#[derive(Debug)]
pub(crate) struct Node {
    rng: ChaCha8Rng,
    clock: IntervalClock,
    /// When it was last synchronised: how much time had truly passed, and what it had counted.
    truth: Duration,
    boot: Instant,
    /// How much faster than true time it counts, in parts per billion.
    rate: i64,
    next_poll: Instant,
}

/// What a node's clocks show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) boot: Instant,
    pub(crate) interval: Interval,
}

impl Reading {
    /// Returns what time it is for somebody who does not ask how well that is known.
    pub(crate) const fn wall(&self) -> WallTime {
        self.interval.middle()
    }
}

impl Node {
    /// Creates a node that is synchronised now, for a first time, and then after `first_poll`.
    ///
    /// Nodes of one seed and different numbers are independent of each other.
    pub(crate) fn new(seed: u64, number: u64, first_poll: Duration) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number);
        let clock = IntervalClock::new(IntervalClockConfig::default());
        let (truth, boot) = (Duration::ZERO, Instant::ORIGIN);
        let mut node = Self { rng, clock, truth, boot, rate: 0, next_poll: boot };
        node.synchronize();
        node.next_poll = boot + first_poll;
        node
    }

    /// Returns what the clocks show after so much true time, which must not go back.
    pub(crate) fn read(&mut self, truth: Duration) -> Reading {
        while self.counted(truth) >= self.next_poll {
            self.truth += self.time_to_count(self.next_poll - self.boot);
            self.boot = self.next_poll;
            self.synchronize();
        }
        let boot = self.counted(truth);
        let interval = self.clock.now(boot);
        Reading { boot, interval: interval.expect("it is synchronised every 30 s") }
    }

    /// Returns how much time truly passes while the node counts this long, rounded up.
    pub(crate) fn time_to_count(&self, elapsed: Duration) -> Duration {
        let rate = BILLION.saturating_add_signed(self.rate);
        nanos((elapsed.as_nanos() * u128::from(BILLION)).div_ceil(rate.into()))
    }

    /// Moves the truth on to when the wait is over on this node.
    pub(crate) fn wait(&mut self, commit: CommitWait, truth: &mut Duration) {
        loop {
            let reading = self.read(*truth);
            let remaining = commit.remaining(&self.clock, reading.boot);
            let remaining = remaining.expect("a node is synchronised all the time");
            if remaining.is_zero() {
                return;
            }
            *truth += self.time_to_count(remaining);
        }
    }

    fn counted(&self, truth: Duration) -> Instant {
        let elapsed = truth.saturating_sub(self.truth).as_nanos();
        let rate = BILLION.saturating_add_signed(self.rate);
        self.boot + nanos(elapsed * u128::from(rate) / u128::from(BILLION))
    }

    /// Is told a time that is off, and counts from now on at another rate that is off.
    fn synchronize(&mut self) {
        let drift = i64::from(DRIFT.as_ppb());
        self.rate = self.rng.random_range(-drift..=drift);
        let told = true_time(self.truth) + self.rng.random_range(Duration::ZERO..=BASE * 2) - BASE;
        let _accepted =
            self.clock.synchronize(Sample::new(Interval::around(told, BASE), self.boot, DRIFT));
        self.next_poll = self.boot + POLL;
    }
}

/// Returns the true time after so much of it has passed.
pub(crate) fn true_time(truth: Duration) -> WallTime {
    START + truth
}

fn nanos(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

const BILLION: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_off_by_what_is_stated_and_not_more() {
        let (mut fastest, mut slowest, mut furthest) = (i64::MIN, i64::MAX, Duration::ZERO);
        for seed in 0..50 {
            let mut node = Node::new(seed, 3, POLL / 3);
            for second in 0..100 {
                let truth = Duration::from_secs(second);
                let reading = node.read(truth);
                let actual = true_time(truth);
                assert!(reading.interval.contains(actual), "seed {seed}, second {second}");
                furthest = furthest.max((actual - reading.wall()).max(reading.wall() - actual));
                (fastest, slowest) = (fastest.max(node.rate), slowest.min(node.rate));
            }
        }
        assert!(fastest > 190_000 && slowest < -190_000, "{slowest} to {fastest}");
        assert!(furthest > BASE * 5 && furthest < BASE * 7, "{furthest:?}");
    }

    #[test]
    fn what_a_node_is_told_is_off_to_either_side() {
        let told = (0..50).map(|seed| Node::new(seed, 0, POLL).read(Duration::ZERO).wall());
        let (ahead, behind): (Vec<_>, Vec<_>) = told.partition(|&told| told > START);
        let most = |told: &[WallTime]| {
            told.iter().map(|&told| (told - START).max(START - told)).max().unwrap()
        };
        for told in [ahead, behind] {
            assert!(most(&told) > BASE * 4 / 5 && most(&told) <= BASE, "{told:?}");
        }
    }

    #[test]
    fn a_node_counts_faster_or_slower_than_time_passes() {
        let mut node = Node::new(1, 0, POLL);
        let hour = Duration::from_secs(3600);
        for rate in [-200_000, 0, 200_000] {
            node.rate = rate;
            let counted =
                Duration::from_nanos(3_600_000_000_000_u64.saturating_add_signed(3600 * rate));
            assert_eq!(node.counted(hour) - node.boot, counted);
            assert_eq!(node.time_to_count(counted), hour);
        }
    }
}
