//! External consistency: if one transaction is over before another begins, its timestamp is less.

#![expect(clippy::indexing_slicing, reason = "a node that is not there fails the test")]

extern crate alloc;

#[path = "commit_wait/cluster.rs"]
mod cluster;
#[path = "commit_wait/history.rs"]
mod history;

use core::time::Duration;

use quickcheck::quickcheck;
use surmise_interval::{CommitWait, Drift, Interval, IntervalClock, IntervalClockConfig, Sample};
use surmise_time::{Instant, WallTime};

use crate::{
    cluster::{Cluster, FRESH, Protocol},
    history::{Transaction, anomalies, overlapping},
};

const TRANSACTIONS: usize = 30_000;

#[test]
fn with_the_wait_timestamps_follow_real_time() {
    for seed in 0..10 {
        let found = Cluster::run(seed, Protocol::CommitWait, TRANSACTIONS);
        assert_eq!(anomalies(&found.history), 0, "seed {seed}");
        assert_eq!(descents(&found.timestamps), 0, "seed {seed}");
        // There was something to go wrong.
        assert_eq!(found.history.len(), TRANSACTIONS, "seed {seed}");
        assert!(overlapping(&found.history) > TRANSACTIONS / 3, "seed {seed}");
        assert!(found.longest_wait > FRESH * 3, "seed {seed}: no source was away for long");
        assert!(found.silences > 1000 && found.followed > 10, "seed {seed}");
    }
}

#[test]
fn without_it_they_do_not() {
    for protocol in
        [Protocol::NoWait, Protocol::UntilLatest, Protocol::Middle, Protocol::UntilUnsynchronized]
    {
        let found = Cluster::run(1, protocol, TRANSACTIONS);
        assert!(anomalies(&found.history) > 0, "nobody notices {protocol:?}");
    }
}

/// The clock is asked again after the sleep, so that a sleep that is too short makes only another one.
#[test]
fn how_long_to_sleep_is_a_matter_of_speed() {
    let scaled = Cluster::run(1, Protocol::CommitWait, TRANSACTIONS);
    let unscaled = Cluster::run(1, Protocol::SleepUnscaled, TRANSACTIONS);
    assert_eq!(anomalies(&unscaled.history), 0);
    assert!(unscaled.sleeps > scaled.sleeps + scaled.sleeps / 10);
}

/// The wait alone orders what is over before something else begins, but not what overlaps on one node.
#[test]
fn timestamps_of_a_node_descend_unless_each_follows_the_last() {
    let found = Cluster::run(1, Protocol::NotFollowing, TRANSACTIONS);
    assert_eq!(anomalies(&found.history), 0);
    assert!(descents(&found.timestamps) > 0);
}

/// Counts how often a node's timestamp is not greater than its last.
fn descents(timestamps: &[Vec<WallTime>]) -> usize {
    let pairs = timestamps.iter().flat_map(|own| own.windows(2));
    pairs.filter(|pair| pair[1] <= pair[0]).count()
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
    fn anomalies_are_found_as_by_comparing_all_pairs(numbers: Vec<(u8, u8, u8)>) -> bool {
        let transaction = |&(begin, lasts, timestamp): &(u8, u8, u8)| Transaction {
            begin: begin.into(),
            end: u64::from(begin) + u64::from(lasts % 64),
            timestamp: WallTime::from_nanos(timestamp.into()),
        };
        let history: Vec<Transaction> = numbers.iter().map(transaction).collect();
        let is_anomaly = |later: &&Transaction| {
            history.iter().any(|earlier| {
                earlier.end < later.begin && earlier.timestamp >= later.timestamp
            })
        };
        anomalies(&history) == history.iter().filter(is_anomaly).count()
    }

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
