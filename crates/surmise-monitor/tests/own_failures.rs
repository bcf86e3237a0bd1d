//! What an observer's own failures do, case by case.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use core::time::Duration;

use surmise_detector::{Beat, FailureDetector, FixedTimeout};
use surmise_monitor::{CorrelatedExpiry, Event, Grace, Monitor, MonitorConfig, PeerState};
use surmise_time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

struct Watch {
    monitor: Monitor<u8, FixedTimeout>,
    now: Instant,
}

impl Watch {
    fn new(config: MonitorConfig) -> Self {
        let now = Instant::from_nanos(1_000_000_000);
        Self { monitor: Monitor::new(config).unwrap(), now }
    }

    fn watch(&mut self, peer: u8, timeout: Duration) {
        self.monitor.watch(peer, FixedTimeout::new(timeout).unwrap(), self.now).unwrap();
    }

    fn heartbeat(&mut self, peer: u8, sequence: u64) -> Beat {
        self.monitor.heartbeat(&peer, 0, sequence, self.now).unwrap()
    }

    /// Polls every ten milliseconds for so long, and returns what was found out.
    fn pass(&mut self, time: Duration) -> Vec<Event<u8>> {
        let end = self.now + time;
        let mut events = Vec::new();
        while self.now < end {
            self.now = end.min(self.now + 10 * MILLISECOND);
            events.extend(self.monitor.poll(self.now));
        }
        events
    }

    fn stall(&mut self, time: Duration) -> Vec<Event<u8>> {
        self.now += time;
        self.monitor.poll(self.now).collect()
    }

    fn state(&self, peer: u8) -> PeerState {
        self.monitor.status(&peer).unwrap().state
    }
}

fn quiet() -> MonitorConfig {
    MonitorConfig { correlated_expiry: None, ..MonitorConfig::default() }
}

#[test]
fn a_stall_makes_no_old_heartbeat_new() {
    let mut watch = Watch::new(MonitorConfig { grace: Some(Grace::fixed(SECOND)), ..quiet() });
    watch.watch(1, SECOND);
    assert_eq!(watch.heartbeat(1, 9), Beat::First);
    watch.pass(4 * SECOND);
    assert_eq!(watch.state(1), PeerState::Dead);
    watch.stall(SECOND);
    assert_eq!(watch.heartbeat(1, 9), Beat::Duplicate);
    assert_eq!(watch.heartbeat(1, 8), Beat::Stale { highest: 9 });
    assert_eq!(watch.state(1), PeerState::Dead);
    assert_eq!(watch.heartbeat(1, 11), Beat::Fresh { lost: 1, suspected: true });
    assert_eq!(watch.state(1), PeerState::Trusted);
}

#[test]
fn who_may_have_been_heard_of_in_a_stall_has_its_whole_time_again_once() {
    let mut watch = Watch::new(quiet());
    watch.watch(1, SECOND);
    watch.heartbeat(1, 1);
    watch.pass(900 * MILLISECOND);
    watch.stall(5 * SECOND);
    assert_eq!(watch.pass(990 * MILLISECOND), []);
    let deadline = watch.monitor.status(&1).unwrap().deadline.unwrap();
    assert_eq!(deadline, watch.now + 10 * MILLISECOND);
    // Another stall moves that by as long as it lasted, and gives no more.
    watch.stall(5 * SECOND);
    assert_eq!(watch.monitor.status(&1).unwrap().deadline.unwrap(), deadline + 5 * SECOND);
    assert_eq!(watch.pass(10 * MILLISECOND), []);
    assert_eq!(watch.pass(10 * MILLISECOND).len(), 1);
    assert_eq!(watch.state(1), PeerState::Suspected);
}

/// After a long stall nothing is learned for a while; another one that comes then counts all the same.
#[test]
fn a_stall_soon_after_another_gives_the_time_again_too() {
    let mut watch = Watch::new(quiet());
    watch.watch(1, 1250 * MILLISECOND);
    watch.heartbeat(1, 1);
    watch.stall(20 * SECOND);
    for sequence in 2..=6 {
        watch.heartbeat(1, sequence);
        watch.pass(SECOND);
    }
    watch.heartbeat(1, 7);
    watch.pass(800 * MILLISECOND);
    // The next one is lost in it, and the one after that comes 700 ms after its end.
    watch.stall(500 * MILLISECOND);
    assert_eq!(watch.pass(700 * MILLISECOND), []);
    watch.heartbeat(1, 9);
    assert_eq!(watch.state(1), PeerState::Trusted);
}

#[test]
fn the_dead_are_found_however_often_the_observer_stalls() {
    let mut watch = Watch::new(quiet());
    watch.watch(1, 10 * SECOND);
    watch.heartbeat(1, 1);
    let mut awake = Duration::ZERO;
    while watch.state(1) == PeerState::Trusted {
        watch.pass(70 * MILLISECOND);
        watch.stall(300 * MILLISECOND);
        awake += 70 * MILLISECOND;
        assert!(awake < 11 * SECOND, "its whole time is given again once");
    }
    assert!(awake > 10 * SECOND);
}

#[test]
fn nobody_is_buried_for_a_heartbeat_that_was_lost_in_a_stall() {
    let grace = Some(Grace::fixed(500 * MILLISECOND));
    let mut watch = Watch::new(MonitorConfig { grace, ..quiet() });
    watch.watch(1, 1250 * MILLISECOND);
    watch.heartbeat(1, 1);
    watch.pass(1500 * MILLISECOND);
    assert_eq!(watch.state(1), PeerState::Suspected);
    watch.stall(600 * MILLISECOND);
    assert_eq!(watch.pass(490 * MILLISECOND), []);
    watch.pass(20 * MILLISECOND);
    assert_eq!(watch.state(1), PeerState::Dead);
}

#[test]
fn a_stall_while_verdicts_are_held_back_gives_more_time() {
    let together = CorrelatedExpiry { peers: 1, percent: 1, within: SECOND, hold: SECOND };
    let config = MonitorConfig { correlated_expiry: Some(together), ..MonitorConfig::default() };
    let mut watch = Watch::new(config);
    watch.watch(1, 2 * SECOND);
    watch.heartbeat(1, 1);
    let events = watch.pass(2500 * MILLISECOND);
    assert!(matches!(events.last(), Some(Event::ExpiredTogether { .. })), "{events:?}");
    watch.stall(SECOND);
    // The hold is over half a second later, and its two seconds one and a half after that.
    assert_eq!(watch.pass(1990 * MILLISECOND), []);
    assert!(!watch.monitor.status(&1).unwrap().is_held);
    watch.pass(20 * MILLISECOND);
    assert!(watch.monitor.status(&1).unwrap().is_held, "it expires again, and is held again");
}

/// However often one peer expires, it is one.
#[test]
fn one_that_flaps_holds_nobody_elses_verdict_back() {
    let mut watch = Watch::new(MonitorConfig::default());
    for peer in 0..10 {
        watch.watch(peer, if peer == 0 { 150 * MILLISECOND } else { 10 * SECOND });
        watch.heartbeat(peer, 1);
    }
    let mut flaps = 0;
    for sequence in 2..42 {
        for event in watch.pass(200 * MILLISECOND) {
            assert!(!matches!(event, Event::ExpiredTogether { .. }), "{event:?}");
            flaps += u32::from(matches!(event, Event::Suspected { peer: 0, .. }));
        }
        watch.heartbeat(0, sequence);
    }
    assert_eq!(flaps, 40);
}

#[test]
fn who_is_heard_of_while_held_can_be_held_again_and_is_told_of_once() {
    let together = CorrelatedExpiry { peers: 1, percent: 1, within: SECOND, hold: SECOND };
    let config = MonitorConfig { correlated_expiry: Some(together), ..MonitorConfig::default() };
    let mut watch = Watch::new(config);
    watch.watch(1, 100 * MILLISECOND);
    let mut events = Vec::new();
    for sequence in 0..5 {
        watch.heartbeat(1, sequence);
        events.extend(watch.pass(150 * MILLISECOND));
    }
    events.extend(watch.pass(SECOND));
    let suspicions = events.iter().filter(|event| matches!(event, Event::Suspected { .. }));
    assert_eq!(suspicions.count(), 1, "{events:?}");
}

#[test]
fn who_watches_nobody_does_not_fail() {
    let mut watch = Watch::new(quiet());
    watch.watch(1, SECOND);
    watch.monitor.unwatch(&1);
    assert_eq!(watch.stall(SECOND), []);
    assert_eq!(watch.monitor.deadline(), None);
    watch.now += 60 * SECOND;
    watch.watch(2, SECOND);
    assert_eq!(watch.monitor.health_score(), 0);
    watch.stall(SECOND);
    assert_eq!(watch.monitor.health_score(), 1);
}

/// A detector that remembers which heartbeats it could learn from.
struct Learned(FixedTimeout, Vec<u64>);

impl FailureDetector for Learned {
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.1.push(sequence);
        self.0.heartbeat(sequence, now)
    }

    fn queued_heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.0.queued_heartbeat(sequence, now)
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }
}

/// A long queue takes long to work off, and all that is in it came in the stall.
#[test]
fn the_longer_a_stall_the_later_is_anything_learned_again() {
    for (gap, settled) in [(SECOND, 5), (8 * SECOND, 40)] {
        let mut monitor = Monitor::new(quiet()).unwrap();
        let mut now = Instant::ORIGIN;
        let detector = Learned(FixedTimeout::new(60 * SECOND).unwrap(), Vec::new());
        monitor.watch(1, detector, now).unwrap();
        monitor.heartbeat(&1, 0, 0, now).unwrap();
        now += gap;
        for tenth in 0..50 {
            monitor.heartbeat(&1, 0, 1 + tenth, now).unwrap();
            now += 100 * MILLISECOND;
        }
        // The first that is after the queue does not tell for how long nothing was sent before it.
        let learned = monitor.unwatch(&1).unwrap().1;
        assert_eq!(learned, [vec![0], (settled + 2..=50).collect()].concat(), "{gap:?}");
    }
}

#[test]
fn a_confirmation_that_comes_late_does_not_backdate_the_death() {
    let grace = Grace { min: 2 * SECOND, max: 12 * SECOND, confirmations: 1 };
    let mut watch = Watch::new(MonitorConfig { grace: Some(grace), ..quiet() });
    watch.watch(1, SECOND);
    watch.heartbeat(1, 1);
    watch.pass(9 * SECOND + 10 * MILLISECOND);
    assert!(!watch.monitor.confirm(&1, 0, 1, watch.now).unwrap(), "nobody confirms of itself");
    assert!(watch.monitor.confirm(&1, 0, 7, watch.now).unwrap());
    let told: Vec<_> = watch.monitor.poll(watch.now).collect();
    let [Event::Dead { suspected_for, late, confirmations: 1, .. }] = *told else {
        panic!("{told:?}");
    };
    assert_eq!(late, Duration::ZERO);
    assert!(suspected_for > 8 * SECOND, "{suspected_for:?}");
}

#[test]
fn nobody_hears_of_a_peer_that_is_not_watched() {
    let mut watch = Watch::new(quiet());
    watch.watch(1, SECOND);
    watch.watch(2, SECOND);
    watch.heartbeat(1, 1);
    watch.heartbeat(2, 1);
    let detector = watch.monitor.unwatch(&1).unwrap();
    let events: Vec<_> = watch.monitor.poll(watch.now).collect();
    assert!(matches!(*events, [Event::Trusted { peer: 2, .. }]), "{events:?}");

    // A detector that was used begins anew.
    watch.monitor.watch(1, detector, watch.now).unwrap();
    assert_eq!(watch.state(1), PeerState::Unheard);
    assert_eq!(watch.heartbeat(1, 0), Beat::First);
}
