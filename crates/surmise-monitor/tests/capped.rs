//! What a limit around a detector is worth in a monitor, which hands the detector its time again after a stall.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use core::time::Duration;

use surmise_detector::{Capped, FailureDetector, PhiAccrual, PhiConfig};
use surmise_monitor::{Event, Monitor, MonitorConfig, PeerState};
use surmise_time::Instant;

const MILLISECOND: Duration = Duration::from_millis(1);
const INTERVAL: Duration = Duration::from_millis(100);
const LIMIT: Duration = Duration::from_millis(400);
const NANOSECOND: Duration = Duration::from_nanos(1);

type Phi = PhiAccrual<[u32; 32]>;
type Watched = Monitor<u8, Capped<Phi>>;

/// Returns a monitor of one peer, whose detector has learned from a wild network to wait for seconds, and when it was
/// heard last.
fn wild() -> (Watched, Instant) {
    let mut now = Instant::from_nanos(1_000_000_000);
    let phi = || Phi::new(PhiConfig::akka(INTERVAL)).unwrap();
    let mut uncapped = phi();
    let config = MonitorConfig { correlated_expiry: None, ..MonitorConfig::default() };
    let mut monitor = Monitor::new(config).unwrap();
    monitor.watch(1, Capped::new(phi(), LIMIT).unwrap(), now).unwrap();
    for sequence in 1..=200 {
        pass(&mut monitor, &mut now, if sequence % 2 == 0 { 10 } else { 390 });
        monitor.heartbeat(&1, 0, sequence, now).unwrap();
        uncapped.heartbeat(sequence, now);
        // The first one makes the peer trusted, and the others nothing.
        assert_eq!(monitor.poll(now).count(), usize::from(sequence == 1));
    }
    assert!(uncapped.deadline().unwrap() > now + 5 * LIMIT, "{uncapped:?} {now:?}");
    (monitor, now)
}

/// Polls every ten milliseconds for so many, and finds nobody suspected.
fn pass(monitor: &mut Watched, now: &mut Instant, millis: u32) {
    for _ in 0..millis / 10 {
        *now += 10 * MILLISECOND;
        assert_eq!(monitor.poll(*now).count(), 0, "{now:?}");
    }
}

/// Looks at nothing for five seconds, in which the deadline passes, and finds that nobody looked.
fn stall(monitor: &mut Watched, now: &mut Instant) {
    *now += 5_000 * MILLISECOND;
    let events: Vec<Event<u8>> = monitor.poll(*now).collect();
    assert!(matches!(events[..], [Event::ObserverStalled { .. }]), "{events:?}");
    assert_eq!(state(monitor), PeerState::Trusted);
}

fn state(monitor: &Watched) -> PeerState {
    monitor.status(&1).unwrap().state
}

/// Asserts that the peer is suspected a nanosecond after its deadline, and not at it.
fn assert_convicted_after(monitor: &mut Watched, deadline: Instant) {
    assert_eq!(monitor.status(&1).unwrap().deadline, Some(deadline));
    assert_eq!(monitor.poll(deadline).count(), 0);
    assert_eq!(state(monitor), PeerState::Trusted);
    assert_eq!(monitor.poll(deadline + NANOSECOND).count(), 1);
    assert_eq!(state(monitor), PeerState::Suspected);
}

#[test]
fn what_a_detector_learned_makes_it_no_slower_than_the_limit() {
    let (mut monitor, heard) = wild();
    let mut now = heard;
    pass(&mut monitor, &mut now, 390);
    assert_convicted_after(&mut monitor, heard + LIMIT);
}

#[test]
fn after_a_stall_the_whole_time_again_is_no_longer_than_the_limit() {
    let (mut monitor, mut now) = wild();
    pass(&mut monitor, &mut now, 300);
    stall(&mut monitor, &mut now);
    let end = now;
    pass(&mut monitor, &mut now, 390);
    assert_convicted_after(&mut monitor, end + LIMIT);
}

#[test]
fn a_heartbeat_that_was_queued_vouches_for_no_longer_than_the_limit() {
    let (mut monitor, mut now) = wild();
    pass(&mut monitor, &mut now, 300);
    stall(&mut monitor, &mut now);
    // It is held to have waited in the queue, and nothing is learned from when it came.
    pass(&mut monitor, &mut now, 100);
    monitor.heartbeat(&1, 0, 201, now).unwrap();
    let heard = now;
    pass(&mut monitor, &mut now, 390);
    assert_convicted_after(&mut monitor, heard + LIMIT);
}
