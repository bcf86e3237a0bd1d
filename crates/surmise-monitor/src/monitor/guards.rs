use core::{hash::Hash, time::Duration};

use surmise_detector::FailureDetector;
use surmise_time::Instant;

use super::{
    correlation::{Correlation, Expiry},
    fleet::Fleet,
    observer::{Moment, Observer},
};
use crate::{Event, LocalHealth, MonitorConfig, PeerState};

/// What keeps an observer from taking its own failure for that of its peers, be they in one fleet or in several.
///
/// A peer is named by its place `P`: its slot, and where there are several fleets, which of them. All times but the
/// clock's are times awake.
#[derive(Clone)]
pub(crate) struct Guards<P> {
    pub(crate) observer: Observer,
    pub(crate) health: LocalHealth,
    pub(crate) correlation: Correlation<P>,
}

impl<P: Copy + Ord> Guards<P> {
    pub(crate) fn new(config: &MonitorConfig) -> Self {
        Self {
            observer: Observer::new(config),
            health: LocalHealth::new(config.health_recovery),
            correlation: Correlation::new(config.correlated_expiry),
        }
    }

    /// Notes that the observer is awake at `now`, by the clock. Returns for how long it was stalled, if it was.
    #[inline]
    pub(crate) fn observe(&mut self, now: Instant) -> (Moment, Option<Duration>) {
        let stall = self.observer.observe(now);
        (self.observer.moment(), stall)
    }

    /// Returns how much the observer should doubt itself, at the latest reading of the clock.
    pub(crate) fn health_score(&self) -> u8 {
        self.health.score(self.observer.awake())
    }

    /// Returns by when to look again if nothing is due for a peer before, in the time awake.
    pub(crate) fn next_look(&self) -> Instant {
        let reading = self.observer.next_reading();
        self.correlation.held_until().map_or(reading, |until| until.min(reading))
    }

    /// Returns when held verdicts are to be released, if that is by then and before the next step.
    pub(crate) fn release_before(&self, next: Option<Instant>, now: Instant) -> Option<Instant> {
        let until = self.correlation.held_until().filter(|until| *until <= now)?;
        next.is_none_or(|at| until <= at).then_some(until)
    }

    /// Does what is due at `at` for the peer in a slot of a fleet, one of so many living.
    pub(crate) fn step<K: Clone + Eq + Hash, D: FailureDetector>(
        &mut self,
        fleet: &mut Fleet<K, D>,
        (slot, place): (u32, P),
        living: usize,
        (at, now): (Instant, Instant),
    ) {
        match fleet.take_up(slot) {
            Some(PeerState::Unheard | PeerState::Trusted) => {
                self.expire(fleet, (slot, place), living, (at, now));
            }
            Some(PeerState::Suspected) => fleet.bury(slot, at, now),
            Some(PeerState::Dead) | None => {}
        }
        fleet.write_down(slot);
    }

    /// Reports a peer whose verdict was held back until `until`, unless it was heard of since.
    pub(crate) fn report_held<K: Clone + Eq + Hash, D: FailureDetector>(
        &self,
        fleet: &mut Fleet<K, D>,
        slot: u32,
        (until, now): (Instant, Instant),
    ) {
        // Its slot may be another's by now.
        if let Some(expired_at) = fleet.let_go(slot, until) {
            fleet.suspect(slot, (expired_at, until), now, self.health.score(until));
        }
        fleet.write_down(slot);
    }

    /// Lets a peer's deadline pass, at `at`.
    fn expire<K: Clone + Eq + Hash, D: FailureDetector>(
        &mut self,
        fleet: &mut Fleet<K, D>,
        (slot, place): (u32, P),
        living: usize,
        (at, now): (Instant, Instant),
    ) {
        match self.correlation.expire(place, at, living) {
            Expiry::Report => fleet.suspect(slot, (at, at), now, self.health.score(at)),
            Expiry::Hold => fleet.hold(slot),
            Expiry::BeginToHold { expired } => {
                fleet.hold(slot);
                let held_for = self.correlation.held_until().unwrap_or(at) - at;
                fleet.events.push_back(Event::ExpiredTogether {
                    expired,
                    watched: living,
                    held_for,
                });
            }
        }
    }
}
