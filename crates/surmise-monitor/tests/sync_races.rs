//! Threads that beat, poll, ask, come and go at once.
#![cfg(feature = "std")]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

use alloc::collections::BTreeMap;
use core::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use std::thread;

use surmise_detector::{FixedTimeout, Verdict};
use surmise_monitor::{
    CorrelatedExpiry, Event, Grace, MonitorConfig, PeerState, SuspicionReason, TrustReason,
    sync::Monitor,
};
use surmise_time::{ManualClock, MonotonicClock};

const STEP: Duration = Duration::from_millis(20);
const TIMEOUT: Duration = Duration::from_millis(100);
const STALL: Duration = Duration::from_secs(20);
const POLLS: u64 = 1000;
/// Peers of two threads each, which fall silent now and then.
const FLICKERING: core::ops::Range<u64> = 0..40;
/// Peers that are watched and unwatched all the time.
const CHURNING: core::ops::Range<u64> = 100..110;
/// A peer that is heard of at each poll.
const STEADY: u64 = 1000;

struct World {
    monitor: Monitor<u64, FixedTimeout>,
    clock: ManualClock,
    /// That of the next heartbeat of a flickering peer.
    sequence: AtomicU64,
    is_over: AtomicBool,
}

/// Ends the world for all threads when one of them ends, be it by a panic.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl World {
    fn new(correlated_expiry: Option<CorrelatedExpiry>) -> Self {
        let grace = Some(Grace::fixed(TIMEOUT));
        let config = MonitorConfig { correlated_expiry, grace, ..MonitorConfig::default() };
        let world = Self {
            monitor: Monitor::new(config).unwrap(),
            clock: ManualClock::default(),
            sequence: AtomicU64::new(1),
            is_over: AtomicBool::new(false),
        };
        for peer in FLICKERING.chain([STEADY]) {
            world.watch(peer);
        }
        world
    }

    fn watch(&self, peer: u64) {
        let detector = FixedTimeout::new(TIMEOUT).unwrap();
        self.monitor.watch(peer, detector, self.clock.now()).unwrap();
    }

    fn until_it_is_over(&self, mut act: impl FnMut(u64)) {
        let _end = End(&self.is_over);
        let mut round = 0;
        while !self.is_over.load(Ordering::Acquire) {
            act(round);
            round += 1;
        }
    }

    /// Sends a heartbeat of each peer, but for a third of the time.
    fn beat(&self) {
        let now = self.clock.now();
        for peer in FLICKERING {
            if (now.as_nanos() / 300_000_000 + peer) % 3 > 0 {
                let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
                self.monitor.heartbeat(&peer, 1, sequence, now).unwrap();
            }
        }
    }

    fn come_and_go(&self) {
        self.until_it_is_over(|round| {
            let peer = CHURNING.start + round % 10;
            self.watch(peer);
            let handle = self.monitor.handle(&peer).unwrap();
            assert_ne!(handle.verdict(self.clock.now()), Verdict::Trust);
            if round % 3 > 0 {
                self.monitor.heartbeat(&peer, 1, 1, self.clock.now()).unwrap();
                assert_ne!(handle.verdict(self.clock.now()), Verdict::Unknown);
            }
            assert!(self.monitor.unwatch(&peer).is_some());
            assert_eq!(handle.verdict(self.clock.now()), Verdict::Unknown);
        });
    }

    /// Asks for a peer that is always heard of in time, whatever the observer was up to.
    fn ask(&self) {
        let handle = self.monitor.handle(&STEADY).unwrap();
        self.until_it_is_over(|_| {
            let now = self.clock.now();
            assert_ne!(handle.verdict(now), Verdict::Suspect, "at {now}");
            assert_ne!(self.monitor.verdict(&STEADY), Some(Verdict::Suspect), "at {now}");
        });
    }

    /// Lets time pass, and polls; one time in a hundred after a stall. Returns all events.
    fn poll(&self) -> Vec<Event<u64>> {
        let _end = End(&self.is_over);
        let mut events = Vec::new();
        for round in 1..=POLLS {
            self.clock.advance(if round % 100 == 0 { STALL } else { STEP });
            let now = self.clock.now();
            if round % 2 == 0 {
                self.monitor.heartbeat(&STEADY, 1, round, now).unwrap();
            }
            self.beat();
            // What is left is told the next time.
            events.extend(self.monitor.poll(now).take(7));
            self.monitor.heartbeat(&STEADY, 1, round, now).unwrap();
        }
        events
    }

    /// Lets all threads run, and returns all events, those that were left too.
    fn run(&self) -> Vec<Event<u64>> {
        let mut events = thread::scope(|scope| {
            scope.spawn(|| self.until_it_is_over(|_| self.beat()));
            scope.spawn(|| self.until_it_is_over(|_| self.beat()));
            scope.spawn(|| self.come_and_go());
            scope.spawn(|| self.ask());
            scope.spawn(|| self.poll()).join().unwrap()
        });
        events.extend(self.monitor.poll(self.clock.now()));
        events
    }
}

/// What events make of a peer, which may have been watched anew unless it is one that stays.
#[derive(Default)]
struct Life {
    state: Option<PeerState>,
    flaps: u32,
}

impl Life {
    fn take_in(&mut self, event: &Event<u64>) {
        let state = self.state;
        let is_suspected = matches!(state, Some(PeerState::Suspected | PeerState::Dead));
        self.state = Some(match event {
            Event::Trusted { reason, .. } => {
                assert!(is_suspected || *reason == TrustReason::First, "{event:?} in {state:?}");
                self.flaps += u32::from(is_suspected);
                PeerState::Trusted
            }
            Event::Suspected { reason, .. } => {
                let is_trusted = state == Some(PeerState::Trusted);
                let was_heard = *reason == SuspicionReason::Silent;
                assert!(is_trusted || !was_heard, "{event:?} in {state:?}");
                PeerState::Suspected
            }
            Event::Dead { .. } => {
                assert_eq!(state, Some(PeerState::Suspected), "{event:?}");
                PeerState::Dead
            }
            _ => return,
        });
    }
}

fn events_alternate_and_none_is_lost(correlated_expiry: Option<CorrelatedExpiry>) {
    let world = World::new(correlated_expiry);
    let events = world.run();
    let mut lives: BTreeMap<u64, Life> = BTreeMap::new();
    for event in &events {
        if let Some(&peer) = event.peer() {
            lives.entry(peer).or_default().take_in(event);
        }
    }
    for peer in FLICKERING.chain([STEADY]) {
        let (life, status) = (&lives[&peer], world.monitor.status(&peer).unwrap());
        assert_eq!(life.state, Some(status.state), "{peer}");
        assert_eq!(life.flaps, status.flaps, "{peer}");
    }
    assert_eq!(lives[&STEADY].flaps, 0);
    assert!(FLICKERING.into_iter().any(|peer| lives[&peer].flaps > 10));
    let stalls = events.iter().filter(|it| matches!(it, Event::ObserverStalled { .. })).count();
    assert_eq!(u64::try_from(stalls), Ok(POLLS / 100));
    assert_eq!(world.monitor.len(), world.monitor.snapshot().len());
    assert!(world.monitor.len() <= 42);
}

#[test]
fn events_alternate_and_none_is_lost_without_a_hold() {
    events_alternate_and_none_is_lost(None);
}

#[test]
fn events_alternate_and_none_is_lost_with_holds() {
    let together = CorrelatedExpiry { hold: TIMEOUT, ..CorrelatedExpiry::default() };
    events_alternate_and_none_is_lost(Some(together));
}
