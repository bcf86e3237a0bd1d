//! The shared form against the naive monitor, with one thread and any number of shards.

use core::{num::NonZeroUsize, time::Duration};

use quickcheck::QuickCheck;
use surmise_detector::Verdict;
use surmise_monitor::{
    Event, MonitorConfig, PeerState,
    sync::{Monitor, PeerHandle},
};
use surmise_time::Instant;

use super::{
    Schedule,
    naive::Naive,
    schedules,
    world::{Capricious, Op, PEERS},
};

/// Both are told the same, and are polled as often that only polls matter for stalls: before any pause there is one, and
/// whatever ends the pause is followed by another, at the same reading of the clock.
struct World {
    config: MonitorConfig,
    shards: NonZeroUsize,
    monitor: Monitor<u8, Capricious>,
    naive: Naive<Capricious>,
    handles: Vec<Option<PeerHandle>>,
    told: Vec<Event<u8>>,
    found: Vec<Event<u8>>,
    now: Instant,
    polled_at: Instant,
}

impl World {
    fn new(config: MonitorConfig, shards: NonZeroUsize) -> Self {
        let now = Instant::from_nanos(1 << 40);
        let mut world = Self {
            config,
            shards,
            monitor: Monitor::with_shards(config, 0, shards).unwrap(),
            naive: Naive::new(config),
            handles: vec![None; PEERS.into()],
            told: Vec::new(),
            found: Vec::new(),
            now,
            polled_at: now,
        };
        world.poll();
        world
    }

    fn step(&mut self, passed: i64, op: Op) {
        let gap = self.config.max_poll_gap;
        let mut forth = Duration::from_nanos(passed.max(0).unsigned_abs());
        let mut back = Duration::from_nanos(passed.min(0).unsigned_abs());
        let mut rest = Duration::ZERO;
        if self.has_many_shards() {
            // What is due at once comes in the order of shards, and in the naive one in that of slots. Whether it is held
            // back can depend on that, so that no two things may happen at once.
            (forth, back, rest) =
                (forth + Duration::from_nanos(10), Duration::ZERO, Duration::from_nanos(5));
        }
        if self.now + forth - self.polled_at > gap {
            self.now = (self.polled_at + gap).min(self.now + rest).max(self.now);
            self.poll();
        }
        self.now += forth;
        // The naive one reads the clock in any operation, and is not to have read a later time than at its poll.
        if self.now <= self.polled_at + forth {
            self.now -= back;
        }
        self.perform(op);
        if self.now - self.polled_at > gap || matches!(op, Op::Poll | Op::PollSome(_)) {
            self.poll();
            self.wakes_in_time();
        }
        for peer in 0..PEERS {
            let status = self.monitor.status(&peer);
            let status = status.map(|it| (it.state, it.is_held, it.incarnation, it.flaps));
            assert_eq!(status, self.naive.state(peer));
            assert_eq!(self.monitor.verdict(&peer), status.map(|(state, ..)| state.verdict()));
            self.handle_agrees(peer, status);
        }
        assert_eq!(self.monitor.len(), (0..PEERS).filter_map(|it| self.naive.state(it)).count());
    }

    fn has_many_shards(&self) -> bool {
        self.shards.get() > 1
    }

    fn perform(&mut self, op: Op) {
        let Self { monitor, naive, now, .. } = self;
        let now = *now;
        match op {
            Op::Watch(peer) => {
                if monitor.is_empty() {
                    self.polled_at = self.polled_at.max(now);
                }
                let is_watched = monitor.watch(peer, Capricious::default(), now).is_ok();
                assert_eq!(is_watched, naive.watch(peer, Capricious::default(), now));
                if is_watched {
                    self.handles[usize::from(peer)] = monitor.handle(&peer);
                }
            }
            Op::Unwatch(peer) => {
                assert_eq!(monitor.unwatch(&peer).is_some(), naive.unwatch(peer));
            }
            Op::Heartbeat { peer, incarnation, sequence } => {
                let beat = monitor.heartbeat(&peer, incarnation, sequence, now);
                assert_eq!(beat, naive.heartbeat(peer, incarnation, sequence, now));
            }
            Op::Refute { peer, incarnation } => {
                let refuted = monitor.refute(&peer, incarnation, now);
                assert_eq!(refuted, naive.refute(peer, incarnation, now));
            }
            Op::Confirm { peer, incarnation, observer } => {
                let confirmed = monitor.confirm(&peer, incarnation, observer);
                assert_eq!(confirmed, naive.confirm(peer, incarnation, observer, now));
            }
            Op::WorsenHealth => {
                monitor.worsen_health(now);
                naive.worsen_health(now);
            }
            Op::PollSome(events) => {
                self.told.extend(monitor.poll(now).take(events));
                self.found.append(&mut naive.poll(now));
                self.polled_at = self.polled_at.max(now);
            }
            Op::Poll => {}
        }
    }

    /// Both tell the same of each peer, and the same of all, in the same order.
    fn poll(&mut self) {
        self.told.extend(self.monitor.poll(self.now));
        self.found.append(&mut self.naive.poll(self.now));
        self.polled_at = self.polled_at.max(self.now);
        let (told, found) = (core::mem::take(&mut self.told), core::mem::take(&mut self.found));
        assert_eq!(told.len(), found.len(), "{told:?} and {found:?}");
        for peer in (0..PEERS).map(Some).chain([None]) {
            let of = |events: &[Event<u8>]| -> Vec<_> {
                events.iter().filter(|event| peer_of(event) == peer).cloned().collect()
            };
            assert_eq!(of(&told), of(&found));
        }
        // What polls find is in the order in which it became due. Only heartbeats are gathered shard by shard.
        if !self.has_many_shards() {
            let is_due = |event: &&Event<u8>| !matches!(event, Event::Trusted { .. });
            assert!(told.iter().filter(is_due).eq(found.iter().filter(is_due)));
        }
    }

    /// Whoever sleeps until the deadline does not sleep past anything.
    fn wakes_in_time(&self) {
        let Some(deadline) = self.monitor.deadline() else {
            return assert!(self.monitor.is_empty());
        };
        let (latest, next) = (self.naive.latest(), self.naive.next_by_the_clock());
        assert!(next.is_none_or(|next| deadline <= next), "{deadline} is after {next:?}");
        assert!(deadline - latest <= self.config.max_poll_gap);
        assert!(deadline > latest || next.is_some_and(|next| next <= latest));
    }

    /// A handle says what was reported, but for a peer whose deadline passed since the poll.
    fn handle_agrees(&self, peer: u8, status: Option<(PeerState, bool, u64, u32)>) {
        let Some(handle) = &self.handles[usize::from(peer)] else { return };
        let Some((state, is_held, ..)) = status else {
            return assert_eq!(handle.verdict(self.now), Verdict::Unknown);
        };
        if state != PeerState::Trusted || is_held {
            return assert_eq!(handle.verdict(self.now), state.verdict());
        }
        let deadline = self.monitor.status(&peer).unwrap().deadline;
        let is_over = |now: Instant| deadline.is_some_and(|deadline| deadline < now);
        let verdict = |now| if is_over(now) { Verdict::Suspect } else { Verdict::Trust };
        // Right before and after it, unless time stands still by then.
        let latest = self.polled_at + self.config.max_poll_gap;
        for at in deadline.into_iter().flat_map(|at| [at, at + Duration::from_nanos(1)]) {
            let now = at.max(self.polled_at).min(latest);
            let is_holding = handle.verdict(now) != verdict(now);
            assert!(!is_holding || self.is_holding(), "{peer} at {now}: {:?}", self.told);
        }
        let stalled = self.polled_at + self.config.max_poll_gap + Duration::from_nanos(1);
        assert_eq!(handle.verdict(stalled), Verdict::Trust);
        assert_eq!(handle.verdict(Instant::MAX), Verdict::Trust);
    }

    /// Returns whether verdicts are held back, as far as can be seen: whoever is held back is not heard of yet.
    fn is_holding(&self) -> bool {
        self.naive.held_until().is_some()
    }
}

const fn peer_of(event: &Event<u8>) -> Option<u8> {
    match event {
        Event::Suspected { peer, .. } | Event::Trusted { peer, .. } | Event::Dead { peer, .. } => {
            Some(*peer)
        }
        _ => None,
    }
}

fn agrees(Schedule { config, steps }: Schedule, shards: u8) -> bool {
    let shards = NonZeroUsize::new([1, 2, 3, 16][usize::from(shards) % 4]).unwrap();
    let mut world = World::new(config, shards);
    for (passed, op) in steps {
        world.step(passed, op);
    }
    true
}

#[test]
fn the_shared_form_finds_the_same() {
    let agrees = agrees as fn(Schedule, u8) -> bool;
    QuickCheck::new().tests(schedules()).quickcheck(agrees);
}
