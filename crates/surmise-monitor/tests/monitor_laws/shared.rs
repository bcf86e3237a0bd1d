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
    fn new(mut config: MonitorConfig, shards: NonZeroUsize) -> Self {
        if shards.get() > 1 {
            // After a stall all who were not heard of yet would expire at once, and which of them first depends on shards.
            config.first_heartbeat = None;
        }
        let now = Instant::from_nanos(1 << 40);
        let mut naive = Naive::new(config);
        naive.only_polls_count = true;
        let mut world = Self {
            config,
            shards,
            monitor: Monitor::with_shards(config, 0, shards).unwrap(),
            naive,
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
        let forth = Duration::from_nanos(passed.max(0).unsigned_abs());
        let back = Duration::from_nanos(passed.min(0).unsigned_abs());
        if self.has_many_shards() {
            self.pass_alone(forth);
        } else {
            self.now = self.now + forth - back;
        }
        self.perform(op);
        let is_amid_stall = self.now - self.polled_at > self.config.max_poll_gap;
        if matches!(op, Op::Poll) || (is_amid_stall && self.has_many_shards()) {
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

    /// Lets time pass so that no two things happen at once.
    ///
    /// What is due at once comes in the order of shards, and in the naive one in that of slots; and whether it is held back
    /// can depend on that. So time does not step back, nothing comes between a poll and a stall, and only one thing in it.
    fn pass_alone(&mut self, forth: Duration) {
        let (gap, forth) = (self.config.max_poll_gap, forth + Duration::from_nanos(10));
        if self.now + forth - self.polled_at > gap {
            let soon = self.now + Duration::from_nanos(5);
            self.now = soon.min(self.polled_at + gap).max(self.now);
            self.poll();
        }
        self.now += forth;
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
                let is_watched = monitor.watch(peer, detector(peer), now).is_ok();
                assert_eq!(is_watched, naive.watch(peer, detector(peer), now));
                if is_watched {
                    self.handles[usize::from(peer)] = monitor.handle(&peer);
                }
            }
            Op::Unwatch(peer) => {
                assert_eq!(monitor.unwatch(&peer).is_some(), naive.unwatch(peer));
                // What is not told of it by now is never told.
                let is_its = |event: &Event<u8>| event.peer() == Some(&peer);
                let mut told = self.told.iter().filter(|event| is_its(event)).count();
                self.found.retain(|event| {
                    let is_told = !is_its(event) || told > 0;
                    told -= usize::from(is_its(event) && told > 0);
                    is_told
                });
            }
            Op::Heartbeat { peer, incarnation, sequence } => {
                let beat = monitor.heartbeat(&peer, incarnation, sequence, now);
                assert_eq!(beat, naive.heartbeat(peer, incarnation, sequence, now));
            }
            Op::Heartbeats { count, incarnation, sequence } => {
                for (peer, sequence) in (0..count).map(|n| n % (PEERS + 1)).zip(sequence..) {
                    let beat = monitor.heartbeat(&peer, incarnation, sequence, now);
                    assert_eq!(beat, naive.heartbeat(peer, incarnation, sequence, now));
                }
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
                events.iter().filter(|event| event.peer() == peer.as_ref()).cloned().collect()
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
            let (said, expected) = (handle.verdict(now), verdict(now));
            let waits_for_poll = self.is_holding() || self.was_stalled_since_heard_of(peer);
            let is_patient = waits_for_poll && said == Verdict::Trust;
            assert!(said == expected || is_patient, "{peer} at {now}: {:?}", self.told);
        }
        let stalled = self.polled_at + self.config.max_poll_gap + Duration::from_nanos(1);
        assert_eq!(handle.verdict(stalled), Verdict::Trust);
        assert_eq!(handle.verdict(Instant::MAX), Verdict::Trust);
    }

    /// Returns whether a stall may have ended when or since a peer was heard of: heartbeats amid a stall count as having
    /// come a little later than its end.
    fn was_stalled_since_heard_of(&self, peer: u8) -> bool {
        let status = self.monitor.status(&peer).unwrap();
        let heard_at = self.naive.awake_at_latest() - status.silent_for;
        self.naive.stalls.last().is_some_and(|&end| end + self.config.max_poll_gap >= heard_at)
    }

    /// Returns whether verdicts are held back, as far as can be seen: whoever is held back is not heard of yet.
    fn is_holding(&self) -> bool {
        self.naive.held_until.is_some()
    }
}

/// Returns a detector whose timeouts are those of no other peer.
fn detector(peer: u8) -> Capricious {
    let mut detector = Capricious::default();
    detector.longer = Duration::from_nanos(peer.into());
    detector
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
