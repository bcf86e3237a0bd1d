//! A fleet of a thousand, whose observer is paused, or which loses a rack.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

#[cfg(feature = "std")]
#[path = "stalls/shared.rs"]
mod shared;

use alloc::collections::{BTreeSet, VecDeque};
use core::time::Duration;

use surmise_detector::{
    Bertier, BertierConfig, Chen, ChenConfig, Exponential, ExponentialConfig,
    ExponentiallyWeighted, FailureDetector, FixedTimeout, JitterScaled, JitterScaledConfig,
    PhiAccrual, PhiConfig, Satzger, SatzgerConfig, TwoWindow, TwoWindowConfig,
};
use surmise_monitor::{Event, Monitor, MonitorConfig, PeerStatus};
use surmise_time::Instant;

const PEERS: u32 = 1000;
const INTERVAL: Duration = Duration::from_secs(1);
/// How often the observer looks.
const TICK: Duration = Duration::from_millis(50);

/// What becomes of what arrives while nobody reads it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Queue {
    /// It is read before the first poll.
    First,
    /// It is read after the first poll.
    AfterPoll,
    /// It is read bit by bit, between polls.
    BitByBit,
    /// It is lost, as what a machine does not receive that sleeps.
    Lost,
}

const QUEUES: [Queue; 4] = [Queue::First, Queue::AfterPoll, Queue::BitByBit, Queue::Lost];

/// One of the forms of a monitor.
trait Form {
    type Detector: FailureDetector;

    fn new(config: MonitorConfig) -> Self;
    fn watch(&mut self, peer: u32, detector: Self::Detector);
    fn heartbeat(&mut self, peer: u32, sequence: u64, now: Instant);
    fn poll(&mut self, now: Instant) -> Vec<Event<u32>>;
    fn status(&self, peer: u32) -> PeerStatus;
}

impl<D: FailureDetector> Form for Monitor<u32, D> {
    type Detector = D;

    fn new(config: MonitorConfig) -> Self {
        Self::new(config).unwrap()
    }

    fn watch(&mut self, peer: u32, detector: D) {
        self.watch(peer, detector, Instant::ORIGIN).unwrap();
    }

    fn heartbeat(&mut self, peer: u32, sequence: u64, now: Instant) {
        self.heartbeat(&peer, 1, sequence, now).unwrap();
    }

    fn poll(&mut self, now: Instant) -> Vec<Event<u32>> {
        self.poll(now).collect()
    }

    fn status(&self, peer: u32) -> PeerStatus {
        self.status(&peer).unwrap()
    }
}

/// A simulated fleet: who sends when, and what has arrived that the observer has not read yet.
struct Fleet<M> {
    monitor: M,
    /// In ticks.
    now: u32,
    /// In which tick each of them stops, if it does.
    dies_at: Vec<u32>,
    queue: VecDeque<(u32, u32)>,
}

impl<M: Form> Fleet<M> {
    fn new(detector: impl Fn() -> M::Detector) -> Self {
        Self::with_config(MonitorConfig::default(), detector)
    }

    fn with_config(config: MonitorConfig, detector: impl Fn() -> M::Detector) -> Self {
        let mut monitor = M::new(config);
        for peer in 0..PEERS {
            monitor.watch(peer, detector());
        }
        let dies_at = vec![u32::MAX; PEERS as usize];
        Self { monitor, now: 0, dies_at, queue: VecDeque::new() }
    }

    fn clock(&self) -> Instant {
        Instant::ORIGIN + TICK * self.now
    }

    /// Lets a tick pass in which all that live send what they have to: once in twenty ticks, some of them a tick late.
    fn tick(&mut self) {
        self.now += 1;
        let (beat, tick) = (self.now / 20, self.now % 20);
        for late in [0, 1] {
            // None of those that are due in the last tick is late, or it would be late for the next second.
            let Some(due) = tick.checked_sub(late).filter(|&due| due < 19) else { continue };
            for peer in (due..PEERS).step_by(19) {
                let is_late = (peer * 7919 + beat * 104_729) >> 3 & 1;
                if is_late == late && self.now < self.dies_at[peer as usize] {
                    self.queue.push_back((peer, beat));
                }
            }
        }
    }

    fn read(&mut self, most: usize) {
        for (peer, beat) in self.queue.drain(..most.min(self.queue.len())) {
            let now = Instant::ORIGIN + TICK * self.now;
            self.monitor.heartbeat(peer, u64::from(beat), now);
        }
    }

    fn look(&mut self) -> Vec<Event<u32>> {
        self.read(usize::MAX);
        self.monitor.poll(self.clock())
    }

    /// Lives so many ticks, and returns what was found out, with the time.
    fn live(&mut self, ticks: u32) -> Vec<(u32, Event<u32>)> {
        let mut events = Vec::new();
        for _ in 0..ticks {
            self.tick();
            events.extend(self.look().into_iter().map(|event| (self.now, event)));
        }
        events
    }

    /// Stops the observer for so many ticks, and returns what it finds out when it comes back.
    fn stall(&mut self, ticks: u32, queue: Queue) -> Vec<(u32, Event<u32>)> {
        (0..ticks).for_each(|_| self.tick());
        let mut events = Vec::new();
        match queue {
            Queue::First => {}
            Queue::Lost => self.queue.clear(),
            Queue::AfterPoll => events.extend(self.monitor.poll(self.clock())),
            Queue::BitByBit => {
                let share = self.queue.len().div_ceil(3);
                for _ in 0..3 {
                    events.extend(self.monitor.poll(self.clock()));
                    self.read(share);
                }
            }
        }
        events.extend(self.look());
        events.into_iter().map(|event| (self.now, event)).collect()
    }
}

type Phi = PhiAccrual<ExponentiallyWeighted>;

fn phi() -> Phi {
    let config = PhiConfig::for_interval(INTERVAL);
    PhiAccrual::with_storage(config, ExponentiallyWeighted::over(100)).unwrap()
}

fn is_suspicion(event: &Event<u32>) -> bool {
    matches!(event, Event::Suspected { .. } | Event::ExpiredTogether { .. })
}

/// Returns in which tick a peer was first suspected.
fn found(events: &[(u32, Event<u32>)], sought: u32) -> Option<u32> {
    let is_it =
        |event: &Event<u32>| matches!(event, Event::Suspected { peer, .. } if *peer == sought);
    events.iter().find(|(_, event)| is_it(event)).map(|&(at, _)| at)
}

fn fixed() -> FixedTimeout {
    FixedTimeout::new(INTERVAL * 5 / 4).unwrap()
}

/// Half a second, five, twenty and two minutes, in ticks.
const STALLS: [u32; 4] = [10, 100, 400, 2400];

fn nobody_is_suspected_for_a_stall<M: Form>(detector: impl Fn() -> M::Detector) {
    for queue in QUEUES {
        for stall in STALLS {
            let mut fleet = Fleet::<M>::new(&detector);
            let events = fleet.live(600);
            let events = [events, fleet.stall(stall, queue), fleet.live(300)].concat();
            let suspicions = events.iter().filter(|(_, event)| is_suspicion(event)).count();
            assert_eq!(suspicions, 0, "{stall} ticks, {queue:?}");
            let told = Event::ObserverStalled { gap: TICK * stall };
            let stalls = events.iter().filter(|(_, event)| *event == told);
            assert_eq!(stalls.count(), 1, "{stall} ticks, {queue:?}");
        }
    }
}

#[test]
fn nobody_is_suspected_for_a_stall_by_detectors_that_know_the_schedule() {
    let margin = INTERVAL / 4;
    nobody_is_suspected_for_a_stall::<Monitor<_, _>>(|| {
        let config = TwoWindowConfig { interval: INTERVAL, safety_margin: margin };
        TwoWindow::<[i64; 16]>::new(config).unwrap()
    });
    nobody_is_suspected_for_a_stall::<Monitor<_, _>>(|| {
        let config = ChenConfig { interval: INTERVAL, safety_margin: margin };
        Chen::<[i64; 16]>::new(config).unwrap()
    });
    nobody_is_suspected_for_a_stall::<Monitor<_, _>>(|| {
        let config = BertierConfig { deviation_weight: 6.0, ..BertierConfig::published(INTERVAL) };
        Bertier::<[i64; 100]>::new(config).unwrap()
    });
    nobody_is_suspected_for_a_stall::<Monitor<_, _>>(|| {
        JitterScaled::new(JitterScaledConfig::for_interval(INTERVAL)).unwrap()
    });
}

#[test]
fn nobody_is_suspected_for_a_stall_by_detectors_that_look_at_intervals() {
    nobody_is_suspected_for_a_stall::<Monitor<_, _>>(phi);
    nobody_is_suspected_for_a_stall::<Monitor<_, _>>(|| {
        PhiAccrual::<[u32; 32]>::new(PhiConfig::akka(INTERVAL)).unwrap()
    });
    nobody_is_suspected_for_a_stall::<Monitor<_, _>>(fixed);
    nobody_is_suspected_for_a_stall::<Monitor<_, _>>(|| {
        Exponential::<[u32; 32]>::new(ExponentialConfig::cassandra(INTERVAL)).unwrap()
    });
    nobody_is_suspected_for_a_stall::<Monitor<_, _>>(|| {
        Satzger::<[u32; 32]>::new(SatzgerConfig::for_interval(INTERVAL)).unwrap()
    });
}

#[test]
fn who_died_in_a_stall_is_found() {
    who_died_in_a_stall_is_found_as_late_as_without_one::<Monitor<_, _>>();
}

fn who_died_in_a_stall_is_found_as_late_as_without_one<M: Form<Detector = Phi>>() {
    let normal = {
        let mut fleet = Fleet::<M>::new(phi);
        fleet.live(2000);
        fleet.dies_at[7] = fleet.now;
        let died_at = fleet.now;
        found(&fleet.live(200), 7).unwrap() - died_at
    };
    for queue in QUEUES {
        for stall in STALLS {
            let mut fleet = Fleet::<M>::new(phi);
            fleet.live(2000);
            fleet.dies_at[7] = fleet.now + stall / 2;
            let mut events = fleet.stall(stall, queue);
            let ended = fleet.now;
            events.extend(fleet.live(400));
            let found = found(&events, 7).unwrap() - ended;
            // The heartbeat before may be up to an interval older in one than in the other.
            assert!(found <= normal + 21, "{stall} ticks, {queue:?}: {found}, normally {normal}");
            assert_eq!(events.iter().filter(|(_, event)| is_suspicion(event)).count(), 1);
        }
    }
}

/// Returns after how long a silence each peer is suspected.
fn timeouts<M: Form>(fleet: &Fleet<M>) -> Vec<Duration> {
    let timeout = |peer| {
        let status = fleet.monitor.status(peer);
        status.deadline.unwrap() - fleet.clock() + status.silent_for
    };
    (0..PEERS).map(timeout).collect()
}

#[test]
fn what_was_known_is_known_after_a_stall() {
    nothing_is_learned_from_a_stall::<Monitor<_, _>>();
}

/// What was learned before a stall is what is known after it.
fn nothing_is_learned_from_a_stall<M: Form<Detector = Phi>>() {
    for queue in QUEUES {
        for stall in STALLS {
            let mut fleet = Fleet::<M>::new(phi);
            fleet.live(2000);
            let before = timeouts(&fleet);
            fleet.stall(stall, queue);
            fleet.live(40);
            for (before, after) in before.into_iter().zip(timeouts(&fleet)) {
                let change = before.abs_diff(after);
                assert!(change <= TICK, "{stall} ticks, {queue:?}: {before:?}, {after:?}");
            }
        }
    }
}

#[test]
fn a_rack_that_is_lost_is_reported() {
    a_rack_that_is_lost_is_reported_within_the_grace::<Monitor<_, _>>();
}

fn a_rack_that_is_lost_is_reported_within_the_grace<M: Form<Detector = Phi>>() {
    let mut fleet = Fleet::<M>::new(phi);
    fleet.live(2000);
    let died_at = fleet.now;
    fleet.dies_at[..500].fill(died_at);
    let events = fleet.live(400);
    let hold = MonitorConfig::default().correlated_expiry.unwrap().hold;
    let mut suspected = BTreeSet::new();
    for (_, event) in &events {
        if let Event::Suspected { peer, held_for, late, .. } = event {
            assert!(*peer < 500 && suspected.insert(*peer), "{event:?}");
            assert!(*held_for <= hold && *late <= hold + TICK, "{event:?}");
        }
    }
    assert_eq!(suspected.len(), 500);
    let is_told = |(_, event): &(u32, Event<u32>)| matches!(event, Event::ExpiredTogether { .. });
    assert!(events.iter().any(is_told));
}

/// Cuts the observer off for a second and a quarter, though it is awake, and returns how many it suspects.
fn suspected_when_cut_off(config: MonitorConfig) -> usize {
    let mut fleet = Fleet::<Monitor<_, _>>::with_config(config, fixed);
    let mut events = fleet.live(200);
    for _ in 0..25 {
        fleet.tick();
        fleet.queue.clear();
        events.extend(fleet.look().into_iter().map(|event| (fleet.now, event)));
    }
    events.extend(fleet.live(400));
    let is_suspected = |(_, event): &&(u32, Event<u32>)| matches!(event, Event::Suspected { .. });
    events.iter().filter(is_suspected).count()
}

#[test]
fn who_is_cut_off_for_a_moment_suspects_fewer_than_look_like_a_fault_of_its_own() {
    let alone = MonitorConfig { correlated_expiry: None, ..MonitorConfig::default() };
    assert!(suspected_when_cut_off(alone) > 500);
    // A fifth of them are too many. Those before were reported already.
    let suspected = suspected_when_cut_off(MonitorConfig::default());
    assert!((1..200).contains(&suspected), "{suspected}");
}
