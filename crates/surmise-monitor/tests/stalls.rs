//! A fleet of a thousand, whose observer is paused, or which loses a rack.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

use alloc::collections::BTreeSet;
use core::time::Duration;

use surmise_detector::{
    ExponentiallyWeighted, FailureDetector, FixedTimeout, PhiAccrual, PhiConfig, TwoWindow,
    TwoWindowConfig,
};
use surmise_monitor::{Event, Monitor, MonitorConfig};
use surmise_time::Instant;

const PEERS: u32 = 1000;
const INTERVAL: Duration = Duration::from_secs(1);
/// How often the observer looks.
const TICK: Duration = Duration::from_millis(50);

/// A simulated fleet: who sends when, and what has arrived that the observer has not read yet.
struct Fleet<D> {
    monitor: Monitor<u32, D>,
    /// In ticks.
    now: u32,
    /// In which tick each of them stops, if it does.
    dies_at: Vec<u32>,
    queue: Vec<(u32, u64)>,
}

impl<D: FailureDetector> Fleet<D> {
    fn new(detector: impl Fn() -> D) -> Self {
        let mut monitor = Monitor::new(MonitorConfig::default()).unwrap();
        for peer in 0..PEERS {
            monitor.watch(peer, detector(), Instant::ORIGIN).unwrap();
        }
        let dies_at = vec![u32::MAX; PEERS as usize];
        Self { monitor, now: 0, dies_at, queue: Vec::new() }
    }

    fn clock(&self) -> Instant {
        Instant::ORIGIN + TICK * self.now
    }

    /// Lets a tick pass in which all that live send what they have to.
    fn tick(&mut self) {
        self.now += 1;
        let beats = 20;
        for peer in (0..PEERS).filter(|peer| peer % beats == self.now % beats) {
            if self.now < self.dies_at[peer as usize] {
                self.queue.push((peer, u64::from(self.now / beats)));
            }
        }
    }

    fn look(&mut self) -> Vec<Event<u32>> {
        let now = self.clock();
        for (peer, sequence) in core::mem::take(&mut self.queue) {
            self.monitor.heartbeat(&peer, 1, sequence + 1, now).unwrap();
        }
        self.monitor.poll(now).collect()
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

    /// Stops the observer for so many ticks.
    fn stall(&mut self, ticks: u32) {
        (0..ticks).for_each(|_| self.tick());
    }
}

fn phi() -> PhiAccrual<ExponentiallyWeighted> {
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

/// Half a second, five, twenty and two minutes, in ticks.
const STALLS: [u32; 4] = [10, 100, 400, 2400];

fn nobody_is_suspected_for_a_stall<D: FailureDetector>(detector: impl Fn() -> D + Copy) {
    for stall in STALLS {
        let mut fleet = Fleet::new(detector);
        fleet.live(2000);
        fleet.stall(stall);
        let events = fleet.live(4000);
        let suspicions = events.iter().filter(|(_, event)| is_suspicion(event)).count();
        assert_eq!(suspicions, 0, "{stall} ticks: {events:?}");
        // The tick that ends it is part of it.
        let gap = TICK * (stall + 1);
        assert_eq!(events[0].1, Event::ObserverStalled { gap });
    }
}

#[test]
fn nobody_is_suspected_for_a_stall_whatever_the_detector() {
    nobody_is_suspected_for_a_stall(phi);
    nobody_is_suspected_for_a_stall(|| {
        let config = TwoWindowConfig { interval: INTERVAL, safety_margin: INTERVAL / 4 };
        TwoWindow::<[i64; 16]>::new(config).unwrap()
    });
    nobody_is_suspected_for_a_stall(|| FixedTimeout::new(INTERVAL * 5 / 4).unwrap());
}

#[test]
fn who_died_in_a_stall_is_found_as_late_as_without_one() {
    let normal = {
        let mut fleet = Fleet::new(phi);
        fleet.live(2000);
        fleet.dies_at[7] = fleet.now;
        let died_at = fleet.now;
        found(&fleet.live(200), 7).unwrap() - died_at
    };
    for stall in STALLS {
        let mut fleet = Fleet::new(phi);
        fleet.live(2000);
        fleet.dies_at[7] = fleet.now + stall / 2;
        fleet.stall(stall);
        let ended = fleet.now;
        let events = fleet.live(400);
        let found = found(&events, 7).unwrap() - ended;
        // The heartbeat before may be up to an interval older in one than in the other.
        assert!(found <= normal + 20, "{stall} ticks: after {found}, normally {normal}");
        assert_eq!(events.iter().filter(|(_, event)| is_suspicion(event)).count(), 1);
    }
}

/// Returns after how long a silence each peer is suspected.
fn timeouts<D: FailureDetector>(fleet: &Fleet<D>) -> Vec<Duration> {
    let timeout = |peer| {
        let status = fleet.monitor.status(&peer).unwrap();
        status.deadline.unwrap() - fleet.clock() + status.silent_for
    };
    (0..PEERS).map(timeout).collect()
}

/// What was learned before a stall is what is known after it.
#[test]
fn nothing_is_learned_from_a_stall() {
    for stall in STALLS {
        let mut fleet = Fleet::new(phi);
        fleet.live(2000);
        let before = timeouts(&fleet);
        fleet.stall(stall);
        fleet.live(200);
        for (before, after) in before.into_iter().zip(timeouts(&fleet)) {
            let change = before.abs_diff(after);
            assert!(change <= Duration::from_millis(5), "{stall} ticks: {before:?}, {after:?}");
        }
    }
}

#[test]
fn a_rack_that_is_lost_is_reported_within_the_grace() {
    let mut fleet = Fleet::new(phi);
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

#[test]
fn who_is_cut_off_for_a_moment_suspects_few() {
    let mut fleet = Fleet::new(phi);
    fleet.live(2000);
    // Nothing arrives for a second and a half, though the observer is awake.
    for _ in 0..30 {
        fleet.tick();
        fleet.queue.clear();
        let suspicions =
            fleet.look().into_iter().filter(|event| matches!(event, Event::Suspected { .. }));
        assert!(suspicions.count() <= 200);
    }
    let events = fleet.live(400);
    let suspected = events.iter().filter(|(_, event)| matches!(event, Event::Suspected { .. }));
    assert_eq!(suspected.count(), 0);
}
