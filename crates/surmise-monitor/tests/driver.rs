//! The thread that polls a shared monitor.
#![cfg(feature = "std")]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

use alloc::sync::Arc;
use core::time::Duration;

use crossbeam_channel::{Receiver, bounded, unbounded};
use surmise_detector::{Beat, FailureDetector, FixedTimeout};
use surmise_monitor::{
    Event, MonitorConfig, TrustReason,
    sync::{Driver, Monitor},
};
use surmise_time::{Instant, ManualClock, MonotonicClock};

const TIMEOUT: Duration = Duration::from_millis(100);
const NANOSECOND: Duration = Duration::from_nanos(1);

/// A clock that tests move.
#[derive(Clone, Default)]
struct Clock(Arc<ManualClock>);

impl MonotonicClock for Clock {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

struct World<D: FailureDetector + Send + 'static> {
    monitor: Arc<Monitor<u32, D>>,
    clock: Clock,
    driver: Driver,
    events: Receiver<Event<u32>>,
}

/// Starts a driver with room for so many events, or for any number.
fn start<D: FailureDetector + Send + 'static>(room: Option<usize>) -> World<D> {
    let config = MonitorConfig {
        correlated_expiry: None,
        grace: None,
        first_heartbeat: None,
        ..MonitorConfig::default()
    };
    let monitor = Arc::new(Monitor::new(config).unwrap());
    let clock = Clock::default();
    let (sender, events) = room.map_or_else(unbounded, bounded);
    let driver = Driver::spawn(Arc::clone(&monitor), clock.clone(), sender).unwrap();
    World { monitor, clock, driver, events }
}

impl World<FixedTimeout> {
    fn watch(&self, peer: u32) {
        let detector = FixedTimeout::new(TIMEOUT).unwrap();
        self.monitor.watch(peer, detector, self.clock.now()).unwrap();
    }

    /// The driver sleeps by the clock of the operating system, and this one stands still. So it is woken by a heartbeat of
    /// a new peer, which is an event, to look at the clock again.
    fn advance(&self, time: Duration, new_peer: u32) {
        self.clock.0.advance(time);
        self.watch(new_peer);
        self.monitor.heartbeat(&new_peer, 1, 1, self.clock.now()).unwrap();
    }
}

fn trusted(peer: u32) -> Event<u32> {
    let mut monitor = surmise_monitor::Monitor::new(MonitorConfig::default()).unwrap();
    monitor.watch(peer, FixedTimeout::new(TIMEOUT).unwrap(), Instant::ORIGIN).unwrap();
    monitor.heartbeat(&peer, 1, 1, Instant::ORIGIN).unwrap();
    monitor.poll(Instant::ORIGIN).next().unwrap()
}

#[test]
fn it_sends_what_is_found_out_and_is_woken_for_it() {
    let world = start(None);
    world.watch(0);
    world.monitor.heartbeat(&0, 1, 1, world.clock.now()).unwrap();
    // Nobody moves the clock: it is woken by the heartbeat.
    assert_eq!(world.events.recv(), Ok(trusted(0)));
    world.advance(TIMEOUT + NANOSECOND, 1);
    let mut told: Vec<_> = world.events.iter().take(2).collect();
    told.sort_by_key(|event| matches!(event, Event::Suspected { .. }));
    assert!(matches!(
        told[..],
        [
            Event::Trusted { peer: 1, reason: TrustReason::First, .. },
            Event::Suspected { peer: 0, late: Duration::ZERO, .. }
        ]
    ));
    world.driver.stop().unwrap();
    assert!(world.events.recv().is_err(), "it is the only sender");
}

#[test]
fn it_sends_one_by_one_where_there_is_little_room() {
    for room in [0, 1, 3] {
        let world = start(Some(room));
        for peer in 0..100 {
            world.watch(peer);
            world.monitor.heartbeat(&peer, 1, 1, world.clock.now()).unwrap();
        }
        let mut peers: Vec<_> = world
            .events
            .iter()
            .take(100)
            .map(|event| match event {
                Event::Trusted { peer, .. } => peer,
                event => panic!("{event:?}"),
            })
            .collect();
        peers.sort_unstable();
        assert!(peers.into_iter().eq(0..100));
        assert!(world.driver.is_running());
    }
}

#[test]
fn it_polls_on_while_there_is_no_room() {
    let world = start(Some(1));
    for peer in 0..10 {
        world.watch(peer);
        world.monitor.heartbeat(&peer, 1, 1, world.clock.now()).unwrap();
    }
    let handle = world.monitor.handle(&0).unwrap();
    // Nobody takes an event, and yet the poll finds it suspected, also for those whose clock is behind.
    world.advance(TIMEOUT + NANOSECOND, 10);
    while handle.verdict(Instant::ORIGIN) != surmise_detector::Verdict::Suspect {
        std::thread::yield_now();
    }
    let events: Vec<_> = world.events.iter().take(21).collect();
    for peer in 0..10 {
        let turns = events.iter().filter_map(|event| match event {
            Event::Trusted { peer: other, .. } if *other == peer => Some(true),
            Event::Suspected { peer: other, .. } if *other == peer => Some(false),
            _ => None,
        });
        assert!(turns.eq([true, false]), "{events:?}");
    }
}

#[test]
fn what_was_not_sent_stays_in_the_monitor() {
    let world = start(Some(2));
    for peer in 0..10 {
        world.watch(peer);
        world.monitor.heartbeat(&peer, 1, 1, world.clock.now()).unwrap();
    }
    while !world.events.is_full() {
        std::thread::yield_now();
    }
    drop(world.driver);
    let sent = world.events.iter();
    let left = world.monitor.poll(world.clock.now());
    assert_eq!(sent.chain(left).count(), 10);
}

#[test]
fn it_ends_when_nobody_receives() {
    let world = start(None);
    drop(world.events);
    let (monitor, clock, driver) = (world.monitor, world.clock, world.driver);
    monitor.watch(0, FixedTimeout::new(TIMEOUT).unwrap(), clock.now()).unwrap();
    monitor.heartbeat(&0, 1, 1, clock.now()).unwrap();
    while driver.is_running() {
        std::thread::yield_now();
    }
    assert!(format!("{driver:?}").contains("is_running: false"));
    driver.stop().unwrap();
    assert_eq!(monitor.poll(clock.now()).collect::<Vec<_>>(), [trusted(0)]);
}

#[test]
fn who_sleeps_for_ever_is_stopped_all_the_same() {
    // Nobody is watched, so that there is no deadline. By the time the last one has begun, most of them sleep.
    let worlds: Vec<_> = (0..50).map(|_| start::<FixedTimeout>(None)).collect();
    for (n, world) in worlds.into_iter().enumerate() {
        assert!(world.driver.is_running());
        if n % 2 == 0 {
            world.driver.stop().unwrap();
        } else {
            drop(world.driver);
        }
        assert!(world.events.recv().is_err(), "the thread has ended");
    }
}

/// A detector that panics when it is asked under the driver's poll, or whenever it is asked.
#[derive(Debug)]
struct Fragile {
    thread: std::thread::ThreadId,
}

impl FailureDetector for Fragile {
    fn heartbeat(&mut self, _sequence: u64, _now: Instant) -> Beat {
        Beat::First
    }

    fn queued_heartbeat(&mut self, _sequence: u64, _now: Instant) -> Beat {
        Beat::First
    }

    fn restart(&mut self) {}

    fn deadline(&self) -> Option<Instant> {
        assert_eq!(std::thread::current().id(), self.thread, "fragile");
        Some(Instant::ORIGIN)
    }
}

#[test]
fn a_detector_that_panics_ends_the_driver_and_hangs_nobody() {
    let world = start(None);
    let detector = || Fragile { thread: std::thread::current().id() };
    world.monitor.watch(0, detector(), world.clock.now()).unwrap();
    while world.driver.is_running() {
        std::thread::yield_now();
    }
    let panicked = world.driver.stop().unwrap_err();
    assert!(panicked.downcast_ref::<String>().unwrap().contains("fragile"));
    // No lock stays taken, and dropping one that panicked does not hang.
    assert_eq!(world.monitor.len(), 1);
    assert!(world.monitor.unwatch(&0).is_some());
    let world = start(None);
    world.monitor.watch(0, detector(), world.clock.now()).unwrap();
    drop(world.driver);
    assert!(world.monitor.unwatch(&0).is_some());
}
