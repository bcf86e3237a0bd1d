//! What other detectors get wrong, each as a test that ours does not.
//!
//! The peers are named as in the project's notes; the defects were found by reading and running them.

#![expect(clippy::unwrap_used, reason = "a configuration that fails here fails the test")]

use core::time::Duration;

use surmise_detector::{
    AccrualDetector, Beat, Exponential, ExponentialConfig, ExponentiallyWeighted, FailureDetector,
    Incarnated, LateIntervals, MinStdDeviation, PhiAccrual, PhiConfig, Satzger, SatzgerConfig,
    Verdict, phi_from_z,
};
use surmise_time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// Sends `beats` heartbeats at a constant interval, from number 1 on; returns the last arrival.
fn steady(peer: &mut impl FailureDetector, beats: u64, interval: Duration) -> Instant {
    let mut now = Instant::from_nanos(1_000_000_000_000);
    for sequence in 1..=beats {
        now += interval;
        peer.heartbeat(sequence, now);
    }
    now
}

fn timeout(peer: &impl FailureDetector, last: Instant) -> Duration {
    peer.deadline().unwrap() - last
}

/// A thousand intervals in a box, as the peers have them.
fn window() -> Box<[u32]> {
    vec![0; 1000].into_boxed_slice()
}

#[test]
fn akka_phi_is_not_phi_and_ends_at_z_21() {
    // The logistic fit has −0 far left and ∞ from z = 21.6 on; φ has neither.
    assert!(phi_from_z(-8.0) > 0.0);
    assert!((phi_from_z(5.612_001_244_2) - 8.0).abs() < 1e-9);
    let far = phi_from_z(22.0);
    assert!(far > 106.0 && far < 107.0);
}

#[test]
fn akka_has_no_sequence_numbers() {
    let mut peer = PhiAccrual::<[u32; 100]>::new(PhiConfig::for_interval(SECOND)).unwrap();
    let last = steady(&mut peer, 50, SECOND);
    let deadline = peer.deadline();
    // A delayed copy of an old heartbeat proves nothing about now.
    assert_eq!(peer.heartbeat(49, last + SECOND), Beat::Stale { highest: 50 });
    assert_eq!(peer.heartbeat(50, last + SECOND), Beat::Duplicate);
    assert_eq!(peer.deadline(), deadline);
}

#[test]
fn akka_never_learns_a_slower_rhythm() {
    // No interval is recorded after unavailability, so a peer that slows down stays suspected.
    let config = |late_intervals| PhiConfig {
        late_intervals,
        ..PhiConfig::for_interval(Duration::from_millis(100))
    };
    let suspected_in_the_end = |late_intervals| {
        let mut peer = PhiAccrual::with_storage(config(late_intervals), window()).unwrap();
        let mut now = steady(&mut peer, 1000, Duration::from_millis(100));
        let mut beat = Beat::First;
        for sequence in 1001..1300 {
            now += SECOND;
            beat = peer.heartbeat(sequence, now);
        }
        beat == Beat::Fresh { lost: 0, suspected: true }
    };
    assert!(suspected_in_the_end(LateIntervals::Skip));
    assert!(!suspected_in_the_end(LateIntervals::Clamp));
}

#[test]
fn cassandra_counts_a_loss_as_a_long_interval() {
    // With every other heartbeat lost, its mean interval and so its timeout doubles.
    let config = ExponentialConfig::cassandra(SECOND);
    let mut peer = Exponential::with_storage(config, window()).unwrap();
    let mut now = Instant::ORIGIN;
    for sequence in (0..2000).step_by(2) {
        now += 2 * SECOND;
        peer.heartbeat(sequence, now);
    }
    assert_eq!(timeout(&peer, now).as_secs(), 18);
}

#[test]
fn hazelcast_and_komamitsu_let_an_outage_poison_the_window() {
    // They store the new timestamp before they ask whether the peer was available: 112 s for 1.5 s.
    let config = PhiConfig { threshold: 10.0, ..PhiConfig::for_interval(SECOND) };
    let mut peer = PhiAccrual::<[u32; 200]>::new(config).unwrap();
    let last = steady(&mut peer, 300, SECOND);
    let before = timeout(&peer, last);
    assert!(before < Duration::from_millis(1700));

    let back = last + Duration::from_secs(600);
    assert_eq!(peer.heartbeat(301, back), Beat::Fresh { lost: 0, suspected: true });
    assert!(timeout(&peer, back) < before + Duration::from_millis(10));
}

#[test]
fn chitchat_takes_its_prior_for_the_truth_of_a_fast_peer() {
    // Its prior of 5 s counts for five intervals, whatever the heartbeat interval is. Here the prior is
    // the interval one expects.
    let config = ExponentialConfig::chitchat(Duration::from_millis(100));
    let mut peer = Exponential::with_storage(config, window()).unwrap();
    let last = steady(&mut peer, 10, Duration::from_millis(100));
    assert_eq!(timeout(&peer, last), Duration::from_millis(800));
}

#[test]
fn phi_accrual_failure_detector_divides_by_all_beats_ever() {
    // Its mean tends to zero once the ring is full: 97 169 false suspicions in 100 000 perfect beats.
    let config = PhiConfig {
        min_std_deviation: MinStdDeviation::Absolute(Duration::ZERO),
        ..PhiConfig::for_interval(SECOND)
    };
    let mut peer = PhiAccrual::<[u32; 100]>::new(config).unwrap();
    let mut now = Instant::ORIGIN;
    for sequence in 0..100_000 {
        let beat = peer.heartbeat(sequence, now);
        assert!(!matches!(beat, Beat::Fresh { suspected: true, .. }), "at {sequence}");
        now += SECOND;
    }
}

#[test]
fn phi_accrual_inverts_its_mean_and_has_nan_after_one_beat() {
    let mut peer = PhiAccrual::<[u32; 10]>::new(PhiConfig::for_interval(SECOND)).unwrap();
    peer.heartbeat(1, Instant::ORIGIN);
    let punctual = peer.suspicion_level(Instant::ORIGIN + SECOND);
    assert!((punctual - 2.0_f64.log10()).abs() < 1e-12);
    // The longer the intervals, the longer the timeout, and not the other way round.
    let mut slow = PhiAccrual::<[u32; 10]>::new(PhiConfig::for_interval(SECOND)).unwrap();
    let last = steady(&mut slow, 50, 3 * SECOND);
    assert!(timeout(&slow, last) > 3 * SECOND);
}

#[test]
fn phi_accrual_detector_forgets_the_root_of_two() {
    // erfc(z) in place of erfc(z/√2) makes every deviation count for 1.41.
    let two_deviations_late = phi_from_z(2.0);
    assert!((two_deviations_late - 1.643_016_3).abs() < 1e-6);
}

#[test]
fn phi_accrual_detector_wraps_on_a_beat_from_the_past() {
    let mut peer = PhiAccrual::<[u32; 10]>::new(PhiConfig::for_interval(SECOND)).unwrap();
    let last = steady(&mut peer, 20, SECOND);
    let past = Instant::from_nanos(last.as_nanos() - 5_000_000_000);
    assert_eq!(peer.heartbeat(21, past), Beat::Fresh { lost: 0, suspected: false });
    assert!(timeout(&peer, last) < 3 * SECOND);
    assert!(peer.suspicion_level(past) < 1e-3);
}

#[test]
fn phi_detector_never_forgets() {
    // Without a window and without decay, a change of rhythm is averaged in for ever.
    let config = PhiConfig::for_interval(Duration::from_millis(100));
    let storage = ExponentiallyWeighted::over(100);
    let mut peer = PhiAccrual::with_storage(config, storage).unwrap();
    let mut now = steady(&mut peer, 100_000, SECOND);
    for sequence in 100_001..102_000 {
        now += Duration::from_millis(100);
        peer.heartbeat(sequence, now);
    }
    assert!(timeout(&peer, now) < Duration::from_millis(200));
}

#[test]
fn phi_detector_rounds_intervals_below_a_millisecond_to_nothing() {
    let interval = Duration::from_micros(50);
    let mut peer = PhiAccrual::<[u32; 100]>::new(PhiConfig::for_interval(interval)).unwrap();
    let last = steady(&mut peer, 200, interval);
    assert!(timeout(&peer, last) > interval);
    assert!(timeout(&peer, last) < 2 * interval);
}

#[test]
fn naive_phi_is_infinite_from_z_8() {
    // −log₁₀(1 − cdf) loses its digits from z = 5 on, and all of them at 8.25.
    let config = PhiConfig {
        min_std_deviation: MinStdDeviation::Absolute(Duration::from_millis(1)),
        ..PhiConfig::for_interval(SECOND)
    };
    let mut peer = PhiAccrual::<[u32; 100]>::new(config).unwrap();
    let last = steady(&mut peer, 200, SECOND);
    let after = |millis| peer.suspicion_level(last + SECOND + Duration::from_millis(millis));
    assert!((after(20) - 88.560_095_3).abs() < 1e-6);
    assert!((after(100) - 2_173.871_54).abs() < 1e-4);
    assert!(after(3_600_000).is_finite());
}

#[test]
fn rabbitmq_knows_no_deadline() {
    // It scans its window on every query instead. Here the deadline is known, and the level agrees.
    let mut peer = Satzger::<[u32; 1000]>::new(SatzgerConfig::for_interval(SECOND)).unwrap();
    let last = steady(&mut peer, 2000, SECOND);
    assert_eq!(timeout(&peer, last), Duration::from_millis(1500));
    assert_eq!(peer.suspicion_level(last + Duration::from_millis(1499)), 0.0);
    assert_eq!(peer.suspicion_level(last + Duration::from_millis(1500)), 1.0);
}

#[test]
fn memberlist_takes_a_rejoined_node_for_the_old_one() {
    // Here the new life counts from the start, and heartbeats of the old one are ignored.
    let detector = PhiAccrual::<[u32; 10]>::new(PhiConfig::for_interval(SECOND)).unwrap();
    let mut peer = Incarnated::new(detector);
    let now = Instant::from_nanos(1);
    peer.heartbeat_of(1, 1_000_000, now);
    assert_eq!(peer.heartbeat_of(2, 1, now + SECOND), Beat::First);
    assert_eq!(peer.heartbeat_of(1, 1_000_001, now + SECOND), Beat::Stale { highest: 1 });
    assert_eq!(peer.verdict(now + SECOND), Verdict::Trust);
}

#[test]
fn thresholds_mean_what_they_mean_at_the_peers() {
    // Akka: 8, at a floor of 100 ms and a pause of 3 s.
    let akka = PhiConfig::akka(SECOND);
    let mut peer = PhiAccrual::with_storage(akka, window()).unwrap();
    let last = steady(&mut peer, 1200, SECOND);
    // y(z) = ln(10⁸ − 1) has its root at z = 5.2254.
    assert_eq!(timeout(&peer, last).as_millis(), 4522);

    // Cassandra: 8 is 18.42 mean intervals.
    let cassandra = ExponentialConfig::cassandra(SECOND);
    let mut peer = Exponential::with_storage(cassandra, window()).unwrap();
    let last = steady(&mut peer, 1200, SECOND);
    assert_eq!(timeout(&peer, last).as_millis(), 18_420);
}
