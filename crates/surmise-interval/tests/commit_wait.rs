//! External consistency: if one transaction is over before another begins, its timestamp is less.

#![expect(clippy::indexing_slicing, reason = "a node that is not there fails the test")]

use core::time::Duration;

use quickcheck::quickcheck;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use surmise_interval::{CommitWait, Drift, Interval, IntervalClock, IntervalClockConfig, Sample};
use surmise_time::{Instant, WallTime};

const DRIFT: Drift = Drift::SPANNER;

/// A node whose monotonic clock drifts, and whose interval clock is right.
struct Node {
    clock: IntervalClock,
    boot: u64,
    rate_ppb: i64,
    last: WallTime,
}

impl Node {
    fn pass(&mut self, nanos: u64) {
        let wrong = i128::from(nanos) * i128::from(self.rate_ppb) / 1_000_000_000;
        self.boot += u64::try_from(i128::from(nanos) + wrong).expect("clocks never go back");
    }

    fn synchronize(&mut self, truth: u64, early: u64, late: u64) {
        let ends = [truth - early, truth + late].map(WallTime::from_nanos);
        let interval = Interval::new(ends[0], ends[1]).expect("it begins before it ends");
        self.clock.synchronize(Sample::new(interval, self.now(), DRIFT));
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(self.boot)
    }

    fn interval(&self) -> Interval {
        self.clock.now(self.now()).expect("it is synchronised")
    }
}

/// Counts the transactions that begin after another is over and yet have no greater timestamp.
///
/// Nodes take turns at random: a transaction is over before the next begins.
fn anomalies(seed: u64, transactions: u32, wait: bool) -> u32 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut truth = 1_795_230_725_000_000_000;
    let config = IntervalClockConfig::default();
    let mut nodes: [Node; 4] = core::array::from_fn(|number| Node {
        clock: IntervalClock::new(config),
        boot: 1_000 * number as u64,
        rate_ppb: [-200_000, -10_000, 50_000, 200_000][number],
        last: WallTime::UNIX_EPOCH,
    });
    let (mut anomalies, mut before) = (0, WallTime::UNIX_EPOCH);
    for transaction in 0..transactions {
        for node in &mut nodes {
            if transaction == 0 || random.random_range(0..20) == 0 {
                let [early, late] = [(); 2].map(|()| random.random_range(0..4_000_000));
                node.synchronize(truth, early, late);
            }
        }
        let number = random.random_range(0..nodes.len());
        let commit = CommitWait::following(nodes[number].last, &nodes[number].interval());
        nodes[number].last = commit.timestamp();
        let mut sleep = Duration::from_nanos(random.random_range(0..10_000));
        let mut sleeps = 0;
        loop {
            let nanos = u64::try_from(sleep.as_nanos()).expect("it is short");
            truth += nanos;
            nodes.iter_mut().for_each(|node| node.pass(nanos));
            sleeps += 1;
            let node = &nodes[number];
            if !wait || commit.is_over(&node.interval()) {
                break;
            }
            sleep = commit.remaining(&node.clock, node.now()).expect("it is synchronised");
        }
        assert!(
            sleeps <= 3,
            "one sleep too short by the node's own drift, and then one that is not"
        );
        anomalies += u32::from(commit.timestamp() <= before);
        before = commit.timestamp();
    }
    anomalies
}

#[test]
fn with_the_wait_timestamps_follow_real_time() {
    for seed in 0..20 {
        assert_eq!(anomalies(seed, 5_000, true), 0, "seed {seed}");
    }
}

#[test]
fn without_it_they_do_not() {
    assert!(anomalies(1, 5_000, false) > 100);
}

#[test]
fn timestamps_ascend_though_the_latest_possible_time_steps_back() {
    let at = WallTime::from_nanos;
    let now = Interval::new(at(90), at(100)).expect("it begins before it ends");
    for (last, timestamp) in [(0, 100), (99, 100), (100, 101), (500, 501), (u64::MAX, u64::MAX)] {
        let commit = CommitWait::following(at(last), &now);
        assert_eq!(commit.timestamp(), at(timestamp), "after {last}");
    }
}

quickcheck! {
    /// What `remaining` says is enough, by the node's own clock, and not much more than enough.
    fn after_the_remaining_time_the_wait_is_over(ppb: u32, age: u32, width: u32, ahead: u64) -> bool {
        let drift = Drift::from_ppb(ppb % (Drift::MAX.as_ppb() + 1)).expect("it is at most the maximum");
        let begin = WallTime::from_nanos(1 << 60);
        let interval = Interval::new(begin, begin + Duration::from_nanos(width.into()));
        let mut clock = IntervalClock::new(IntervalClockConfig::default());
        let at = Instant::from_nanos(1 << 50);
        clock.synchronize(Sample::new(interval.expect("it begins before it ends"), at, drift));
        let now = at + Duration::from_nanos(age.into());
        let commit = CommitWait::new(begin + Duration::from_nanos(ahead % (1 << 35)));

        let remaining = commit.remaining(&clock, now).expect("the sample is young");
        let over = |at| commit.is_over(&clock.now(at).expect("the sample is young"));
        assert_eq!(remaining.is_zero(), over(now));
        let nearly = remaining.saturating_sub(Duration::from_nanos(4));
        over(now + remaining) && (remaining < Duration::from_nanos(4) || !over(now + nearly))
    }
}
