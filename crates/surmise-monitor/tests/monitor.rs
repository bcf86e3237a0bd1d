//! What a monitor does, case by case.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use core::{num::NonZeroU8, time::Duration};

use surmise_detector::{Beat, FixedTimeout, Verdict};
use surmise_monitor::{
    CorrelatedExpiry, Event, Grace, Ignored, Monitor, MonitorConfig, MonitorConfigError, PeerState,
    SuspicionReason, TrustReason, WatchRefusal,
};
use surmise_time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const NANOSECOND: Duration = Duration::from_nanos(1);

/// A monitor of peers with a timeout of a second, whose clock is driven as it wishes.
struct Watch {
    monitor: Monitor<&'static str, FixedTimeout>,
    now: Instant,
}

impl Watch {
    fn new(config: MonitorConfig) -> Self {
        let now = Instant::from_nanos(1_000_000_000);
        Self { monitor: Monitor::new(config).unwrap(), now }
    }

    fn watch(&mut self, peer: &'static str) {
        let detector = FixedTimeout::new(SECOND).unwrap();
        self.monitor.watch(peer, detector, self.now).unwrap();
    }

    fn heartbeat(&mut self, peer: &'static str, incarnation: u64, sequence: u64) -> Beat {
        self.monitor.heartbeat(&peer, incarnation, sequence, self.now).unwrap()
    }

    /// Polls at each deadline for so long, and returns what was found out, and when.
    fn pass(&mut self, time: Duration) -> Vec<(Instant, Event<&'static str>)> {
        let end = self.now + time;
        let mut events = Vec::new();
        while let Some(deadline) = self.monitor.deadline().filter(|&deadline| deadline <= end) {
            self.now = self.now.max(deadline);
            events.extend(self.monitor.poll(self.now).map(|event| (self.now, event)));
        }
        self.now = end;
        events
    }

    fn state(&self, peer: &'static str) -> PeerState {
        self.monitor.status(&peer).unwrap().state
    }
}

fn quiet() -> MonitorConfig {
    MonitorConfig { correlated_expiry: None, ..MonitorConfig::default() }
}

#[test]
fn a_peer_goes_from_unheard_to_trusted_suspected_dead_and_back() {
    let grace = Some(Grace::fixed(5 * SECOND));
    let mut watch = Watch::new(MonitorConfig { grace, ..quiet() });
    watch.watch("a");
    assert_eq!(watch.state("a"), PeerState::Unheard);
    assert_eq!(watch.monitor.verdict(&"a"), Some(Verdict::Unknown));

    assert_eq!(watch.heartbeat("a", 7, 1), Beat::First);
    let begun = watch.now;
    let first = Event::Trusted {
        peer: "a",
        incarnation: 7,
        reason: TrustReason::First,
        suspected_for: Duration::ZERO,
    };
    let suspected = Event::Suspected {
        peer: "a",
        incarnation: 7,
        reason: SuspicionReason::Silent,
        silent_for: SECOND + NANOSECOND,
        late: Duration::ZERO,
        held_for: Duration::ZERO,
    };
    let dead = Event::Dead {
        peer: "a",
        incarnation: 7,
        suspected_for: 5 * SECOND,
        late: Duration::ZERO,
        confirmations: 0,
    };
    let since = begun + SECOND + NANOSECOND;
    assert_eq!(
        watch.pass(7 * SECOND),
        [(begun, first), (since, suspected), (since + 5 * SECOND, dead)]
    );
    assert_eq!(watch.monitor.verdict(&"a"), Some(Verdict::Suspect));

    assert_eq!(watch.heartbeat("a", 7, 2), Beat::Fresh { lost: 0, suspected: true });
    let again = Event::Trusted {
        peer: "a",
        incarnation: 7,
        reason: TrustReason::Heartbeat,
        suspected_for: watch.now - since,
    };
    assert_eq!(watch.pass(Duration::ZERO), [(watch.now, again)]);
    let status = watch.monitor.status(&"a").unwrap();
    assert_eq!((status.state, status.flaps), (PeerState::Trusted, 1));
    assert_eq!(status.deadline, Some(watch.now + SECOND));
}

#[test]
fn who_is_never_heard_of_is_suspected_after_a_while() {
    let mut watch = Watch::new(quiet());
    watch.watch("a");
    let begun = watch.now;
    let events = watch.pass(11 * SECOND);
    let (at, event) = &events[0];
    assert_eq!(*at, begun + 10 * SECOND + NANOSECOND);
    let Event::Suspected { reason, silent_for, .. } = event else { panic!("{event:?}") };
    assert_eq!(*reason, SuspicionReason::NeverHeard);
    assert_eq!(*silent_for, 10 * SECOND + NANOSECOND);

    // Its first heartbeat is the first, even if it comes late.
    watch.heartbeat("a", 3, 1);
    let events = watch.pass(Duration::ZERO);
    assert!(matches!(events[0].1, Event::Trusted { reason: TrustReason::First, .. }), "{events:?}");
}

#[test]
fn who_may_take_for_ever_is_never_suspected_before_the_first_heartbeat() {
    let mut watch = Watch::new(MonitorConfig { first_heartbeat: None, ..quiet() });
    watch.watch("a");
    assert_eq!(watch.pass(1000 * SECOND), []);
    assert_eq!(watch.state("a"), PeerState::Unheard);
}

#[test]
fn without_a_grace_nobody_dies() {
    let mut watch = Watch::new(MonitorConfig { grace: None, ..quiet() });
    watch.watch("a");
    watch.heartbeat("a", 0, 1);
    assert_eq!(watch.pass(1000 * SECOND).len(), 2);
    assert_eq!(watch.state("a"), PeerState::Suspected);
}

#[test]
fn a_restart_is_told_from_a_recovery() {
    let mut watch = Watch::new(quiet());
    watch.watch("a");
    watch.heartbeat("a", 1, 900);
    watch.pass(3 * SECOND);
    // It counts anew, which would be stale without the incarnation.
    assert_eq!(watch.heartbeat("a", 2, 1), Beat::First);
    let events = watch.pass(Duration::ZERO);
    assert!(matches!(events[0].1, Event::Trusted { reason: TrustReason::Restarted, .. }));
}

#[test]
fn what_is_told_of_a_former_life_is_ignored() {
    let mut watch = Watch::new(quiet());
    watch.watch("a");
    watch.heartbeat("a", 5, 1);
    let before = watch.monitor.status(&"a");
    let old = Err(Ignored::OldIncarnation { offered: 4, latest: 5 });
    assert_eq!(watch.monitor.heartbeat(&"a", 4, 2, watch.now), old);
    assert_eq!(watch.monitor.confirm(&"a", 4, "b", watch.now), old.map(|_| false));
    let same = Err(Ignored::OldIncarnation { offered: 5, latest: 5 });
    assert_eq!(watch.monitor.refute(&"a", 5, watch.now), same);
    assert_eq!(watch.monitor.status(&"a"), before);
}

#[test]
fn stale_and_repeated_heartbeats_are_no_signs_of_life() {
    let mut watch = Watch::new(quiet());
    watch.watch("a");
    watch.heartbeat("a", 0, 9);
    watch.pass(2 * SECOND);
    assert_eq!(watch.heartbeat("a", 0, 9), Beat::Duplicate);
    assert_eq!(watch.heartbeat("a", 0, 8), Beat::Stale { highest: 9 });
    assert_eq!(watch.state("a"), PeerState::Suspected);
}

#[test]
fn a_refutation_ends_a_suspicion_and_begins_a_wait() {
    let mut watch = Watch::new(quiet());
    watch.watch("a");
    watch.heartbeat("a", 1, 1);
    watch.pass(2 * SECOND);
    watch.monitor.refute(&"a", 2, watch.now).unwrap();
    let refuted = watch.now;
    let events = watch.pass(11 * SECOND);
    assert!(matches!(events[0].1, Event::Trusted { reason: TrustReason::Refuted, .. }));
    let Event::Suspected { incarnation: 2, reason: SuspicionReason::NeverHeard, .. } = events[1].1
    else {
        panic!("{events:?}")
    };
    assert_eq!(events[1].0, refuted + 10 * SECOND + NANOSECOND);
}

#[test]
fn each_of_enough_others_shortens_the_grace_once() {
    let grace = Grace { min: 2 * SECOND, max: 12 * SECOND, confirmations: 3 };
    let mut watch = Watch::new(MonitorConfig { grace: Some(grace), ..quiet() });
    watch.watch("a");
    watch.heartbeat("a", 0, 1);
    // Whoever is not suspected here is not the more suspect for others' sake.
    assert_eq!(watch.monitor.confirm(&"a", 0, "b", watch.now), Ok(false));
    let since = watch.now + SECOND + NANOSECOND;
    watch.pass(SECOND + NANOSECOND);
    let confirmed =
        ["b", "b", "c", "d", "e"].map(|by| watch.monitor.confirm(&"a", 0, by, watch.now).unwrap());
    assert_eq!(confirmed, [true, false, true, true, false]);
    let events = watch.pass(3 * SECOND);
    let [(at, Event::Dead { confirmations: 3, .. })] = events[..] else { panic!("{events:?}") };
    assert_eq!(at, since + 2 * SECOND);
    // The dead cannot be confirmed to be dead.
    assert_eq!(watch.monitor.confirm(&"a", 0, "f", watch.now), Ok(false));
}

#[test]
fn an_observer_that_is_unwell_waits_for_longer() {
    let grace = Some(Grace::fixed(2 * SECOND));
    let mut watch = Watch::new(MonitorConfig { grace, ..quiet() });
    watch.watch("a");
    watch.heartbeat("a", 0, 1);
    watch.monitor.worsen_health(watch.now);
    watch.monitor.worsen_health(watch.now);
    watch.monitor.improve_health(watch.now);
    assert_eq!(watch.monitor.health_score(), 1);
    let since = watch.now + SECOND + NANOSECOND;
    let events = watch.pass(10 * SECOND);
    assert_eq!(events.last().unwrap().0, since + 4 * SECOND);
}

#[test]
fn nobody_is_watched_twice_or_beyond_the_limit() {
    let mut monitor = Monitor::new(MonitorConfig { max_peers: 1, ..quiet() }).unwrap();
    let detector = |seconds| FixedTimeout::new(seconds * SECOND).unwrap();
    let now = Instant::ORIGIN;
    monitor.watch("a", detector(1), now).unwrap();
    let again = monitor.watch("a", detector(2), now).unwrap_err();
    assert_eq!((again.peer, again.reason), ("a", WatchRefusal::AlreadyWatched));
    let other = monitor.watch("b", detector(3), now).unwrap_err();
    assert_eq!((other.peer, other.reason), ("b", WatchRefusal::Full { max_peers: 1 }));
    assert_eq!(monitor.len(), 1);
    assert!(monitor.unwatch(&"b").is_none());
    assert!(monitor.unwatch(&"a").is_some());
    monitor.watch("b", other.detector, now).unwrap();
}

#[test]
fn nothing_is_told_of_strangers() {
    let mut watch = Watch::new(quiet());
    let now = watch.now;
    assert_eq!(watch.monitor.heartbeat(&"a", 0, 1, now), Err(Ignored::UnknownPeer));
    assert_eq!(watch.monitor.refute(&"a", 1, now), Err(Ignored::UnknownPeer));
    assert_eq!(watch.monitor.confirm(&"a", 1, "b", now), Err(Ignored::UnknownPeer));
    assert_eq!(watch.monitor.verdict(&"a"), None);
    assert_eq!(watch.monitor.status(&"a"), None);
    assert_eq!(watch.monitor.deadline(), None);
    assert_eq!(watch.monitor.iter().count(), 0);
}

#[test]
fn what_is_not_taken_comes_the_next_time() {
    let mut watch = Watch::new(quiet());
    for peer in ["a", "b", "c"] {
        watch.watch(peer);
        watch.heartbeat(peer, 0, 1);
    }
    assert_eq!(watch.monitor.poll(watch.now).len(), 3);
    let peers = |event| match event {
        Event::Trusted { peer, .. } => peer,
        other => panic!("{other:?}"),
    };
    assert_eq!(watch.monitor.poll(watch.now).next().map(peers), Some("a"));
    assert_eq!(watch.monitor.deadline(), Some(watch.now));
    assert!(watch.monitor.poll(watch.now).map(peers).eq(["b", "c"]));
    assert!(watch.monitor.deadline().is_some_and(|deadline| deadline > watch.now));
}

#[test]
fn too_many_at_once_are_held_back_and_who_is_heard_of_is_spared() {
    let hold = CorrelatedExpiry { peers: 2, percent: 50, within: SECOND, hold: 2 * SECOND };
    let mut watch =
        Watch::new(MonitorConfig { correlated_expiry: Some(hold), ..MonitorConfig::default() });
    for peer in ["a", "b", "c", "d"] {
        watch.watch(peer);
        watch.heartbeat(peer, 0, 1);
    }
    watch.monitor.poll(watch.now).for_each(drop);
    let expired = watch.now + SECOND + NANOSECOND;
    let events = watch.pass(2 * SECOND);
    // The first of them was alone.
    assert!(matches!(events[0], (at, Event::Suspected { peer: "a", .. }) if at == expired));
    let together = Event::ExpiredTogether { expired: 2, watched: 4, held_for: 2 * SECOND };
    assert_eq!(events[1..], [(expired, together)]);
    assert!(watch.monitor.status(&"b").unwrap().is_held);
    assert_eq!(watch.monitor.verdict(&"b"), Some(Verdict::Trust));

    watch.heartbeat("c", 0, 2);
    let events = watch.pass(SECOND / 2 * 3);
    let held = |peer| Event::Suspected {
        peer,
        incarnation: 0,
        reason: SuspicionReason::Silent,
        silent_for: 3 * SECOND + NANOSECOND,
        late: 2 * SECOND,
        held_for: 2 * SECOND,
    };
    let released = expired + 2 * SECOND;
    assert_eq!(events[..2], [(released, held("b")), (released, held("d"))]);
}

#[test]
fn configurations_out_of_range_are_refused_by_name() {
    let refusal = |config| Monitor::<u8, FixedTimeout>::new(config).unwrap_err().to_string();
    let ok = MonitorConfig::default();
    let short = MonitorConfig { max_poll_gap: NANOSECOND, ..ok };
    assert_eq!(refusal(short), "`max_poll_gap` is 1ns, but must be at least 1ms");
    let none = MonitorConfig { first_heartbeat: Some(Duration::ZERO), ..ok };
    assert_eq!(refusal(none), "`first_heartbeat` is 0ns, but must be at least 1ns");
    let none = MonitorConfig { health_recovery: Duration::ZERO, ..ok };
    assert_eq!(refusal(none), "`health_recovery` is 0ns, but must be at least 1ns");
    let grace = Grace { min: 2 * SECOND, max: SECOND, confirmations: 3 };
    let odd = MonitorConfig { grace: Some(grace), ..ok };
    assert_eq!(refusal(odd), "`grace.max` is 1s, but must be at least 2s");
    let grace = Grace { confirmations: 65, ..Grace::default() };
    let many = MonitorConfig { grace: Some(grace), ..ok };
    assert_eq!(refusal(many), "`grace.confirmations` is 65, but must lie between 0 and 64");
    let hold = CorrelatedExpiry { percent: 0, ..CorrelatedExpiry::default() };
    let none = MonitorConfig { correlated_expiry: Some(hold), ..ok };
    assert_eq!(refusal(none), "`correlated_expiry.percent` is 0, but must lie between 1 and 100");
    let many = MonitorConfig { max_peers: (1 << 31) + 1, ..ok };
    let error = Monitor::<u8, FixedTimeout>::new(many).unwrap_err();
    assert!(matches!(error, MonitorConfigError::Count { field: "max_peers", .. }));
}

#[test]
fn at_the_end_of_time_nothing_overflows() {
    let mut monitor = Monitor::new(MonitorConfig::default()).unwrap();
    let detector = || FixedTimeout::new(SECOND).unwrap();
    monitor.watch(NonZeroU8::MIN, detector(), Instant::MAX).unwrap();
    monitor.heartbeat(&NonZeroU8::MIN, u64::MAX, u64::MAX, Instant::MAX).unwrap();
    monitor.watch(NonZeroU8::MAX, detector(), Instant::ORIGIN).unwrap();
    assert_eq!(monitor.poll(Instant::MAX).count(), 1);
    assert!(monitor.deadline().is_some());
}
