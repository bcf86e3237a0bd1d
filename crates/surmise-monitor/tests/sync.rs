//! What the shared form does that the other does not.
#![cfg(feature = "std")]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use core::{num::NonZeroUsize, time::Duration};

use surmise_detector::{FixedTimeout, Verdict};
use surmise_monitor::{
    CorrelatedExpiry, Event, Grace, Ignored, MonitorConfig, PeerState, WatchRefusal, sync::Monitor,
};
use surmise_time::Instant;

const TIMEOUT: Duration = Duration::from_millis(100);

fn at(millis: u64) -> Instant {
    Instant::ORIGIN + Duration::from_millis(millis)
}

fn detector() -> FixedTimeout {
    FixedTimeout::new(TIMEOUT).unwrap()
}

/// Returns a monitor of so many peers, which were all heard of at zero.
fn monitor(config: MonitorConfig, peers: u32) -> Monitor<u32, FixedTimeout> {
    let monitor = Monitor::new(config).unwrap();
    for peer in 0..peers {
        monitor.watch(peer, detector(), at(0)).unwrap();
        monitor.heartbeat(&peer, 1, 1, at(0)).unwrap();
    }
    let trusted = monitor.poll(at(0)).filter(|event| matches!(event, Event::Trusted { .. }));
    assert_eq!(trusted.count(), peers as usize);
    monitor
}

fn lenient() -> MonitorConfig {
    MonitorConfig { correlated_expiry: None, ..MonitorConfig::default() }
}

#[test]
fn what_is_dropped_half_read_is_told_the_next_time() {
    let monitor = monitor(lenient(), 100);
    let mut told: Vec<_> = monitor.poll(at(101)).take(30).collect();
    assert_eq!(monitor.deadline(), Some(at(101)));
    drop(monitor.poll(at(101)));
    told.extend(monitor.poll(at(102)));
    let mut peers: Vec<_> = told
        .iter()
        .map(|event| match event {
            Event::Suspected { peer, late, .. } if *late < Duration::from_millis(1) => *peer,
            event => panic!("{event:?}"),
        })
        .collect();
    peers.sort_unstable();
    assert!(peers.into_iter().eq(0..100));
}

#[test]
fn a_heartbeat_that_is_news_is_a_reason_to_poll() {
    let monitor = monitor(lenient(), 1);
    assert_eq!(monitor.deadline(), Some(at(100) + Duration::from_nanos(1)));
    monitor.heartbeat(&0, 1, 2, at(1)).unwrap();
    assert!(monitor.deadline() > Some(at(100)));
    monitor.heartbeat(&0, 2, 1, at(2)).unwrap();
    assert!(monitor.deadline() > Some(at(100)));
    assert!(monitor.poll(at(103)).next().is_some());
    monitor.heartbeat(&0, 2, 2, at(104)).unwrap();
    assert_eq!(monitor.deadline(), Some(at(103)));
    assert_eq!(monitor.poll(at(104)).count(), 1);
    assert!(monitor.deadline() > Some(at(200)));
}

#[test]
fn the_monitor_can_be_used_while_events_are_looked_at() {
    let monitor = monitor(lenient(), 3);
    let mut suspected = 0;
    for event in monitor.poll(at(101)) {
        if let Event::Suspected { peer, .. } = event {
            suspected += 1;
            assert_eq!(monitor.verdict(&peer), Some(Verdict::Suspect));
            assert!(monitor.unwatch(&peer).is_some());
            assert_eq!(monitor.health_score(), 0);
        }
    }
    assert_eq!((suspected, monitor.len(), monitor.deadline()), (3, 0, None));
}

#[test]
fn a_handle_judges_before_the_poll_does() {
    let monitor = monitor(lenient(), 1);
    let handle = monitor.handle(&0).unwrap();
    let verdicts = [0, 100, 101].map(|now| handle.verdict(at(now)));
    assert_eq!(verdicts, [Verdict::Trust, Verdict::Trust, Verdict::Suspect]);
    assert_eq!(monitor.verdict(&0), Some(Verdict::Trust));
    // It is heard of before anybody looks: nothing is told.
    monitor.heartbeat(&0, 1, 2, at(101)).unwrap();
    assert_eq!(handle.verdict(at(101)), Verdict::Trust);
    assert_eq!(monitor.poll(at(101)).count(), 0);
    // A poll that found it suspected counts, also for those whose clock is behind.
    assert_eq!(monitor.poll(at(202)).count(), 1);
    assert_eq!(handle.verdict(at(0)), Verdict::Suspect);
    monitor.refute(&0, 2, at(203)).unwrap();
    assert_eq!(handle.verdict(at(203)), Verdict::Trust);
}

#[test]
fn a_handle_knows_of_a_hold() {
    let together = CorrelatedExpiry { peers: 4, percent: 50, ..CorrelatedExpiry::default() };
    let config = MonitorConfig { correlated_expiry: Some(together), ..lenient() };
    let monitor = monitor(config, 8);
    let handles: Vec<_> = (0..8).map(|peer| monitor.handle(&peer).unwrap()).collect();
    let suspected = |now| {
        let is_suspected = |handle: &&_| {
            let handle: &surmise_monitor::sync::PeerHandle = handle;
            handle.verdict(at(now)) == Verdict::Suspect
        };
        handles.iter().filter(is_suspected).count()
    };
    // Nobody knows yet that they are so many.
    assert_eq!(suspected(101), 8);
    let events: Vec<_> = monitor.poll(at(101)).collect();
    assert!(matches!(events.last(), Some(Event::ExpiredTogether { expired: 4, watched: 8, .. })));
    assert_eq!((events.len(), suspected(101)), (4, 3));
    monitor.heartbeat(&7, 1, 2, at(102)).unwrap();
    let mut now = 101;
    while now < 2000 {
        now += 100;
        monitor.heartbeat(&7, 1, now, at(now)).unwrap();
        assert!(monitor.poll(at(now)).all(|event| matches!(event, Event::Trusted { peer: 7, .. })));
    }
    // It may be one of those that were reported, or of those that are held back.
    assert!((2..=3).contains(&suspected(2100)));
    assert!((4..=5).contains(&monitor.poll(at(2101)).count()));
    assert_eq!(suspected(2101), 7);
}

#[test]
fn a_handle_is_of_one_life() {
    let monitor = monitor(lenient(), 2);
    let [old, other] = [0, 1].map(|peer| monitor.handle(&peer).unwrap());
    let copy = old.clone();
    monitor.unwatch(&0).unwrap();
    monitor.watch(0, detector(), at(1)).unwrap();
    monitor.heartbeat(&0, 1, 1, at(1)).unwrap();
    let new = monitor.handle(&0).unwrap();
    let verdicts = [old, copy, other, new].map(|handle| handle.verdict(at(1)));
    assert_eq!(verdicts, [Verdict::Unknown, Verdict::Unknown, Verdict::Trust, Verdict::Trust]);
    assert!(monitor.handle(&2).is_none());
}

#[test]
fn only_polls_tell_that_the_observer_is_awake() {
    let monitor = monitor(lenient(), 2);
    // Peer 0 is heard of all the time, and nobody polls.
    for round in 1..100 {
        monitor.heartbeat(&0, 1, 1 + round, at(50 * round)).unwrap();
    }
    let gap = Duration::from_secs(5);
    assert_eq!(monitor.poll(at(5000)).collect::<Vec<_>>(), [Event::ObserverStalled { gap }]);
    assert_eq!(monitor.health_score(), 1);
    assert_eq!(monitor.poll(at(5100)).count(), 0);
    assert!(matches!(
        monitor.poll(at(5101)).collect::<Vec<_>>()[..],
        [Event::Suspected { peer: 1, .. }]
    ));
    // What came in the stall counts as having come in the last moment in which there was none.
    assert_eq!(monitor.poll(at(5350)).count(), 0);
    assert_eq!(monitor.poll(at(5351)).count(), 1);
}

/// One thread finds that there is a stall, by its reading of the clock, and the other that there is none.
#[test]
fn a_heartbeat_just_beyond_the_gap_counts_for_a_poll_just_within_it() {
    let monitor = monitor(lenient(), 2);
    monitor.heartbeat(&0, 1, 2, at(251)).unwrap();
    assert!(matches!(
        monitor.poll(at(250)).collect::<Vec<_>>()[..],
        [Event::Suspected { peer: 1, .. }]
    ));
    assert_eq!(monitor.verdict(&0), Some(Verdict::Trust));
    assert_eq!(monitor.poll(at(350)).count(), 0);
    assert_eq!(monitor.poll(at(351)).count(), 1);
}

#[test]
fn bad_input_is_refused() {
    let config = MonitorConfig { max_peers: 2, ..lenient() };
    let monitor = monitor(config, 2);
    let refused = monitor.watch(0, detector(), at(0)).unwrap_err();
    assert_eq!(refused.reason, WatchRefusal::AlreadyWatched);
    let refused = monitor.watch(7, detector(), at(0)).unwrap_err();
    assert_eq!((refused.peer, refused.reason), (7, WatchRefusal::Full { max_peers: 2 }));
    assert_eq!(monitor.len(), 2);
    assert_eq!(monitor.heartbeat(&7, 1, 1, at(0)), Err(Ignored::UnknownPeer));
    assert_eq!(monitor.refute(&7, 1, at(0)), Err(Ignored::UnknownPeer));
    assert_eq!(monitor.confirm(&7, 1, 0), Err(Ignored::UnknownPeer));
    let old = Ignored::OldIncarnation { offered: 0, latest: 1 };
    assert_eq!(monitor.heartbeat(&0, 0, 1, at(0)), Err(old));
    assert!(monitor.unwatch(&7).is_none());
    assert!(monitor.unwatch(&0).is_some());
    monitor.watch(7, detector(), at(0)).unwrap();
    let zero = MonitorConfig { max_poll_gap: Duration::ZERO, ..lenient() };
    assert!(Monitor::<u32, FixedTimeout>::new(zero).is_err());
    // Times that step back, or jump to the end, do no harm.
    monitor.heartbeat(&7, 1, 1, Instant::MAX).unwrap();
    assert_eq!(monitor.poll(Instant::ORIGIN).count(), 1);
    assert_eq!(monitor.poll(Instant::MAX).count(), 1);
}

#[test]
fn a_snapshot_has_everybody_once() {
    let config = MonitorConfig { grace: Some(Grace::fixed(TIMEOUT)), ..lenient() };
    let monitor = Monitor::with_shards(config, 50, NonZeroUsize::new(3).unwrap()).unwrap();
    for peer in 0..50_u32 {
        monitor.watch(peer, detector(), at(0)).unwrap();
        monitor.heartbeat(&peer, 1, 1, at(u64::from(peer))).unwrap();
    }
    drop(monitor.poll(at(125)));
    drop(monitor.poll(at(225)));
    let mut peers = monitor.snapshot();
    peers.sort_unstable_by_key(|(peer, _)| *peer);
    assert!(peers.iter().map(|(peer, _)| *peer).eq(0..50));
    for (peer, status) in peers {
        let state = if peer < 25 { PeerState::Dead } else { PeerState::Suspected };
        assert_eq!((status.state, Some(status)), (state, monitor.status(&peer)));
    }
}

#[test]
fn confirmations_shorten_the_grace_and_health_stretches_it() {
    let grace = Grace { min: TIMEOUT, max: Duration::from_secs(100), confirmations: 2 };
    let monitor = monitor(MonitorConfig { grace: Some(grace), ..lenient() }, 1);
    monitor.worsen_health(at(101));
    assert_eq!(monitor.poll(at(101)).count(), 1);
    let confirmed = [5, 5, 6, 7].map(|observer| monitor.confirm(&0, 1, observer));
    assert_eq!(confirmed, [Ok(true), Ok(false), Ok(true), Ok(false)]);
    // Twice the least, as the observer was a little unwell. The peer expired a nanosecond after its deadline.
    let dead_at = at(300) + Duration::from_nanos(1);
    assert_eq!(monitor.poll(at(300)).count(), 0);
    assert_eq!(monitor.deadline(), Some(dead_at));
    assert!(matches!(
        monitor.poll(dead_at).collect::<Vec<_>>()[..],
        [Event::Dead { confirmations: 2, late: Duration::ZERO, .. }]
    ));
    monitor.improve_health(dead_at);
    assert_eq!(monitor.health_score(), 0);
}
