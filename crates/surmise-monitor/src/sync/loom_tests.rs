use alloc::{vec, vec::Vec};
use core::time::Duration;

use loom::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};
use surmise_detector::{FixedTimeout, Verdict};
use surmise_time::Instant;

use super::{Monitor, PeerHandle};
use crate::{CorrelatedExpiry, Event, MonitorConfig, PeerState, WatchRefusal};

type Subject = Monitor<u64, FixedTimeout>;

/// Deadlines pass ten milliseconds after a heartbeat, and a stall is a pause of more than twenty.
fn monitor(config: MonitorConfig) -> Arc<Subject> {
    let max_poll_gap = Duration::from_millis(20);
    Arc::new(Monitor::new(MonitorConfig { max_poll_gap, ..config }).unwrap())
}

fn lenient() -> MonitorConfig {
    MonitorConfig { correlated_expiry: None, grace: None, ..MonitorConfig::default() }
}

fn detector() -> FixedTimeout {
    FixedTimeout::new(Duration::from_millis(10)).unwrap()
}

fn at(millis: u64) -> Instant {
    Instant::ORIGIN + Duration::from_millis(millis)
}

/// Returns a key of a shard. The shard of a key that is chosen otherwise is another in each run, as the seed is, and
/// loom's models have to repeat themselves.
fn key(monitor: &Subject, shard: usize) -> u64 {
    (0..).find(|key| monitor.number_of_shard(key) == shard).unwrap()
}

/// Returns a monitor with one peer of the first shard that was heard of at zero, and no events.
fn with_peer(config: MonitorConfig) -> (Arc<Subject>, u64, PeerHandle) {
    let monitor = monitor(config);
    let peer = key(&monitor, 0);
    monitor.watch(peer, detector(), at(0)).unwrap();
    monitor.heartbeat(&peer, 1, 1, at(0)).unwrap();
    assert_eq!(monitor.poll(at(0)).count(), 1);
    let handle = monitor.handle(&peer).unwrap();
    (monitor, peer, handle)
}

fn spawn<R: 'static>(
    monitor: &Arc<Subject>,
    act: impl FnOnce(&Subject) -> R + 'static,
) -> thread::JoinHandle<R> {
    let monitor = Arc::clone(monitor);
    thread::spawn(move || act(&monitor))
}

/// Returns the events of a peer with whether it is trusted after each.
fn turns(events: Vec<Event<u64>>) -> Vec<bool> {
    let turn = |event: Event<u64>| match event {
        Event::Suspected { .. } => Some(false),
        Event::Trusted { .. } => Some(true),
        _ => None,
    };
    events.into_iter().filter_map(turn).collect()
}

#[test]
fn loom_a_heartbeat_that_is_over_is_seen() {
    loom::model(|| {
        let (monitor, peer, handle) = with_peer(lenient());
        let is_over = Arc::new(AtomicBool::new(false));
        let beats = spawn(&monitor, {
            let is_over = Arc::clone(&is_over);
            move |monitor| {
                monitor.heartbeat(&peer, 1, 2, at(8)).unwrap();
                is_over.store(true, Ordering::Release);
            }
        });
        if is_over.load(Ordering::Acquire) {
            assert_eq!(handle.verdict(at(15)), Verdict::Trust);
        } else {
            assert_ne!(handle.verdict(at(15)), Verdict::Unknown);
        }
        beats.join().unwrap();
        assert_eq!([18, 19].map(|it| handle.verdict(at(it))), [Verdict::Trust, Verdict::Suspect]);
    });
}

/// Who asks with an old reading of the clock does not see a new poll without the heartbeat before it.
#[test]
fn loom_who_is_heard_of_in_time_is_never_suspected() {
    loom::model(|| {
        let (monitor, peer, handle) = with_peer(lenient());
        let others = spawn(&monitor, move |monitor| {
            monitor.heartbeat(&peer, 1, 2, at(8)).unwrap();
            drop(monitor.poll(at(15)));
        });
        assert_eq!(handle.verdict(at(5)), Verdict::Trust);
        others.join().unwrap();
    });
}

#[test]
fn loom_no_handle_convicts_in_a_stall() {
    loom::model(|| {
        let (monitor, _, handle) = with_peer(lenient());
        let poller = spawn(&monitor, |monitor| monitor.poll(at(2000)).collect::<Vec<_>>());
        for now in [1999, 2000, 2005] {
            assert_eq!(handle.verdict(at(now)), Verdict::Trust);
        }
        assert!(matches!(poller.join().unwrap()[..], [Event::ObserverStalled { .. }]));
        // What it sent meanwhile may be lost. So it has its whole time again, and only a poll knows when that is over.
        assert_eq!([2010, 2011].map(|now| handle.verdict(at(now))), [Verdict::Trust; 2]);
        assert_eq!(turns(monitor.poll(at(2011)).collect()), [false]);
        assert_eq!(handle.verdict(at(2011)), Verdict::Suspect);
    });
}

#[test]
fn loom_a_heartbeat_amid_the_end_of_a_stall_is_a_sign_of_life() {
    loom::model(|| {
        let (monitor, peer, handle) = with_peer(lenient());
        let beats = spawn(&monitor, move |monitor| {
            monitor.heartbeat(&peer, 1, 2, at(2000)).unwrap();
        });
        let events: Vec<_> = monitor.poll(at(2000)).collect();
        assert!(matches!(events[..], [Event::ObserverStalled { .. }]), "{events:?}");
        beats.join().unwrap();
        assert_eq!(handle.verdict(at(2010)), Verdict::Trust);
        assert_eq!(monitor.poll(at(2010)).count(), 0);
        // If it came before the poll, it may have come as late as a gap after the one before.
        let mut turns = turns(monitor.poll(at(2030)).collect());
        turns.extend(self::turns(monitor.poll(at(2031)).collect()));
        assert_eq!(turns, [false]);
    });
}

#[test]
fn loom_a_report_is_seen_and_stays() {
    loom::model(|| {
        let (monitor, _, handle) = with_peer(lenient());
        let poller = spawn(&monitor, |monitor| turns(monitor.poll(at(11)).collect()));
        let verdicts = [(); 2].map(|()| handle.verdict(at(0)));
        assert_ne!(verdicts, [Verdict::Suspect, Verdict::Trust]);
        assert_eq!(poller.join().unwrap(), [false]);
        assert_eq!(handle.verdict(at(0)), Verdict::Suspect);
    });
}

#[test]
fn loom_what_is_held_back_is_trusted_until_it_is_reported() {
    loom::model(|| {
        let hold = Duration::from_millis(5);
        let together = CorrelatedExpiry { peers: 1, percent: 1, within: hold, hold };
        let config = MonitorConfig { correlated_expiry: Some(together), ..lenient() };
        let (monitor, peer, handle) = with_peer(config);
        assert!(matches!(
            monitor.poll(at(11)).collect::<Vec<_>>()[..],
            [Event::ExpiredTogether { .. }]
        ));
        let beats = spawn(&monitor, move |monitor| {
            monitor.heartbeat(&peer, 1, 2, at(16)).unwrap();
        });
        assert_eq!(handle.verdict(at(16)), Verdict::Trust);
        let mut events: Vec<_> = monitor.poll(at(16)).collect();
        beats.join().unwrap();
        events.extend(monitor.poll(at(16)));
        assert!([vec![], vec![false, true]].contains(&turns(events)));
        assert_eq!(handle.verdict(at(26)), Verdict::Trust);
    });
}

#[test]
fn loom_polls_and_heartbeats_alternate() {
    loom::model(|| {
        let (monitor, peer, handle) = with_peer(lenient());
        let beats = spawn(&monitor, move |monitor| {
            monitor.heartbeat(&peer, 1, 2, at(11)).unwrap();
        });
        let mut events: Vec<_> = monitor.poll(at(11)).collect();
        beats.join().unwrap();
        events.extend(monitor.poll(at(11)));
        let turns = turns(events);
        assert!([vec![], vec![false, true]].contains(&turns), "{turns:?}");
        assert_eq!(monitor.status(&peer).unwrap().state, PeerState::Trusted);
        assert_eq!(handle.verdict(at(21)), Verdict::Trust);
    });
}

#[test]
fn loom_two_that_poll_are_told_each_event_once() {
    loom::model(|| {
        let (monitor, ..) = with_peer(lenient());
        let other = spawn(&monitor, |monitor| turns(monitor.poll(at(11)).collect()));
        let mut told = turns(monitor.poll(at(11)).collect());
        told.extend(other.join().unwrap());
        assert_eq!(told, [false]);
    });
}

#[test]
fn loom_one_of_two_watches() {
    loom::model(|| {
        let monitor = monitor(lenient());
        let peer = key(&monitor, 0);
        let watch = move |monitor: &Subject| monitor.watch(peer, detector(), at(0)).err();
        let other = spawn(&monitor, watch);
        let mine = watch(&monitor);
        let refused: Vec<_> = [mine, other.join().unwrap()].into_iter().flatten().collect();
        assert!(matches!(&refused[..], [it] if it.reason == WatchRefusal::AlreadyWatched));
        assert_eq!(monitor.len(), 1);
    });
}

#[test]
fn loom_two_do_not_have_the_room_of_one() {
    loom::model(|| {
        let monitor = monitor(MonitorConfig { max_peers: 1, ..lenient() });
        let peers = [0, 1].map(|shard| key(&monitor, shard));
        let watch = |peer| move |monitor: &Subject| monitor.watch(peer, detector(), at(0)).is_ok();
        let other = spawn(&monitor, watch(peers[0]));
        let mine = watch(peers[1])(&monitor);
        assert!(mine ^ other.join().unwrap());
        assert_eq!(monitor.len(), 1);
    });
}

/// The first peer comes long after the monitor was made: that was no stall.
#[test]
fn loom_the_first_peer_begins_the_time() {
    loom::model(|| {
        let monitor = monitor(lenient());
        drop(monitor.poll(at(0)));
        let peer = key(&monitor, 1);
        let other =
            spawn(&monitor, move |monitor| monitor.watch(peer, detector(), at(2000)).is_ok());
        assert_eq!(monitor.poll(at(2000)).count(), 0);
        assert!(other.join().unwrap());
        assert_eq!(monitor.poll(at(2001)).count(), 0);
    });
}

#[test]
fn loom_nothing_is_told_after_a_peer_is_unwatched() {
    loom::model(|| {
        let (monitor, peer, handle) = with_peer(lenient());
        let unwatch = spawn(&monitor, move |monitor| {
            assert!(monitor.unwatch(&peer).is_some());
            monitor.poll(at(11)).collect::<Vec<_>>()
        });
        let mut events: Vec<_> = monitor.poll(at(11)).collect();
        events.extend(unwatch.join().unwrap());
        assert!(turns(events).len() <= 1);
        assert_eq!(monitor.poll(at(12)).count(), 0);
        assert_eq!(handle.verdict(at(12)), Verdict::Unknown);
        assert_eq!((monitor.len(), monitor.handle(&peer).is_none()), (0, true));
    });
}

#[test]
fn loom_a_peer_is_heard_of_polled_and_unwatched_at_once() {
    loom::model(|| {
        let (monitor, peer, handle) = with_peer(lenient());
        let beats = spawn(&monitor, move |monitor| monitor.heartbeat(&peer, 1, 2, at(11)).is_ok());
        let unwatch = spawn(&monitor, move |monitor| assert!(monitor.unwatch(&peer).is_some()));
        let mut events: Vec<_> = monitor.poll(at(11)).collect();
        let was_heard = beats.join().unwrap();
        unwatch.join().unwrap();
        events.extend(monitor.poll(at(11)));
        let turns = turns(events);
        // Of what happened before it was unwatched, that is told which was told by then.
        let possible: [&[bool]; 3] = [&[], &[false], &[false, true]];
        let possible = if was_heard { &possible[..] } else { &possible[..2] };
        assert!(possible.contains(&&turns[..]), "{turns:?}, heard: {was_heard}");
        assert_eq!(handle.verdict(at(11)), Verdict::Unknown);
        assert!(monitor.is_empty());
    });
}
