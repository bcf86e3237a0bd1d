//! What does not depend on how often a monitor is polled.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

use alloc::collections::BTreeMap;
use core::time::Duration;

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_detector::FixedTimeout;
use surmise_monitor::{Event, Grace, Monitor, MonitorConfig, PeerState};
use surmise_time::Instant;

const PEERS: u8 = 5;

/// A heartbeat of one of them after so many milliseconds, and whether the rarely polled monitor is polled then.
#[derive(Clone, Debug)]
struct Step {
    passed: u16,
    peer: u8,
    sequence: u8,
    is_polled: bool,
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        Self {
            passed: u16::arbitrary(g) % 400,
            peer: u8::arbitrary(g) % PEERS,
            sequence: u8::arbitrary(g),
            is_polled: u8::arbitrary(g) % 4 == 0,
        }
    }
}

/// A monitor, and what it told last of each peer.
struct Told {
    monitor: Monitor<u8, FixedTimeout>,
    last: BTreeMap<u8, PeerState>,
}

impl Told {
    fn new(start: Instant) -> Self {
        let config = MonitorConfig {
            // None of the pauses between polls is a stall here.
            max_poll_gap: Duration::from_secs(3600),
            first_heartbeat: Some(Duration::from_millis(700)),
            grace: Some(Grace::fixed(Duration::from_millis(500))),
            correlated_expiry: None,
            ..MonitorConfig::default()
        };
        let mut monitor = Monitor::new(config).unwrap();
        for peer in 0..PEERS {
            let timeout = Duration::from_millis(200 + 100 * u64::from(peer));
            monitor.watch(peer, FixedTimeout::new(timeout).unwrap(), start).unwrap();
        }
        Self { monitor, last: BTreeMap::new() }
    }

    fn poll(&mut self, now: Instant) {
        for event in self.monitor.poll(now) {
            let (peer, state, may_follow): (_, _, &[_]) = match event {
                Event::Suspected { peer, .. } => {
                    (peer, PeerState::Suspected, &[PeerState::Trusted])
                }
                Event::Dead { peer, .. } => (peer, PeerState::Dead, &[PeerState::Suspected]),
                Event::Trusted { peer, .. } => {
                    (peer, PeerState::Trusted, &[PeerState::Suspected, PeerState::Dead])
                }
                other => panic!("{other:?}"),
            };
            let last = self.last.insert(peer, state);
            let is_in_order =
                last.map_or(state != PeerState::Dead, |last| may_follow.contains(&last));
            assert!(is_in_order, "peer {peer}: {state:?} after {last:?}");
        }
    }

    /// Polls whenever there is something to find.
    fn poll_until(&mut self, now: Instant) {
        while let Some(deadline) = self.monitor.deadline().filter(|&deadline| deadline <= now) {
            self.poll(deadline);
        }
        self.poll(now);
    }

    /// Checks that what it told is what is so, and returns it.
    fn states(&self) -> Vec<PeerState> {
        let state = |peer| {
            let state = self.monitor.status(&peer).unwrap().state;
            assert_eq!(self.last.get(&peer).copied().unwrap_or(PeerState::Unheard), state);
            state
        };
        (0..PEERS).map(state).collect()
    }
}

quickcheck! {
    /// Each transition is told once, in an order that makes sense, and all who look at the same time see the same states.
    fn states_do_not_depend_on_how_often_one_polls(steps: Vec<Step>) -> bool {
        let mut now = Instant::from_nanos(1 << 40);
        let (mut often, mut rarely) = (Told::new(now), Told::new(now));
        for step in steps {
            now += Duration::from_millis(step.passed.into());
            often.poll_until(now);
            for monitor in [&mut often.monitor, &mut rarely.monitor] {
                monitor.heartbeat(&step.peer, 0, step.sequence.into(), now).unwrap();
            }
            if step.is_polled {
                often.poll_until(now);
                rarely.poll(now);
                assert_eq!(often.states(), rarely.states());
            }
        }
        true
    }
}

/// Who is heard of in time for the poll was never suspected, and nothing is told of it.
#[test]
fn who_is_heard_of_before_the_poll_is_spared() {
    let start = Instant::from_nanos(1 << 40);
    let (mut often, mut rarely) = (Told::new(start), Told::new(start));
    let (late, last) = (start + Duration::from_millis(250), start + Duration::from_millis(300));
    for told in [&mut often, &mut rarely] {
        told.monitor.heartbeat(&0, 0, 1, start).unwrap();
    }
    often.poll_until(late);
    for told in [&mut often, &mut rarely] {
        told.monitor.heartbeat(&0, 0, 2, late).unwrap();
        told.poll(last);
    }
    let flaps = [&often, &rarely].map(|told| told.monitor.status(&0).unwrap().flaps);
    assert_eq!(flaps, [1, 0]);
}
