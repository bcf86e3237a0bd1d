//! The same drills on the form that threads share.

use surmise_detector::FailureDetector;
use surmise_monitor::{Event, MonitorConfig, PeerStatus, sync::Monitor};
use surmise_time::Instant;

use super::{
    Form, a_rack_that_is_lost_is_reported_within_the_grace, fixed, nobody_is_suspected_for_a_stall,
    nothing_is_learned_from_a_stall, phi, who_died_in_a_stall_is_found_as_late_as_without_one,
};

impl<D: FailureDetector> Form for Monitor<u32, D> {
    type Detector = D;

    fn new(config: MonitorConfig) -> Self {
        Self::new(config).unwrap()
    }

    fn watch(&mut self, peer: u32, detector: D) {
        Self::watch(self, peer, detector, Instant::ORIGIN).unwrap();
    }

    fn heartbeat(&mut self, peer: u32, sequence: u64, now: Instant) {
        Self::heartbeat(self, &peer, 1, sequence, now).unwrap();
    }

    fn poll(&mut self, now: Instant) -> Vec<Event<u32>> {
        Self::poll(self, now).collect()
    }

    fn status(&self, peer: u32) -> PeerStatus {
        Self::status(self, &peer).unwrap()
    }
}

#[test]
fn nobody_is_suspected() {
    nobody_is_suspected_for_a_stall::<Monitor<_, _>>(phi);
    nobody_is_suspected_for_a_stall::<Monitor<_, _>>(fixed);
}

#[test]
fn who_died_in_a_stall_is_found() {
    who_died_in_a_stall_is_found_as_late_as_without_one::<Monitor<_, _>>();
}

#[test]
fn nothing_is_learned() {
    nothing_is_learned_from_a_stall::<Monitor<_, _>>();
}

#[test]
fn a_rack_that_is_lost_is_reported() {
    a_rack_that_is_lost_is_reported_within_the_grace::<Monitor<_, _>>();
}
