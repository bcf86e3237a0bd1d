use core::{hash::Hash, time::Duration};

use surmise_detector::FailureDetector;
use surmise_time::Instant;

use super::{
    Monitor,
    correlation::Expiry,
    peer::{Peer, Suspicion},
};
use crate::{Event, PeerState, PeerStatus, SuspicionReason, TrustReason};

/// What time does to peers. All times are times awake.
impl<K: Clone + Eq + Hash, D: FailureDetector> Monitor<K, D> {
    /// Reads the clock, and returns the time awake.
    #[inline]
    pub(super) fn observe(&mut self, now: Instant) -> Instant {
        let (now, stall) = self.observer.observe(now);
        if let Some(gap) = stall {
            self.health.worsen(now);
            if self.peers.len() > 0 {
                self.events.push_back(Event::ObserverStalled { gap });
            }
        }
        now
    }

    /// Does all that is due, in the order in which it became due.
    pub(super) fn advance(&mut self, now: Instant) {
        loop {
            let next = self.next_step(now);
            match self.correlation.held_until() {
                Some(until) if until <= now && next.is_none_or(|(at, _)| until <= at) => {
                    self.release(until, now);
                }
                _ => match next {
                    Some((at, slot)) => self.step(slot, at, now),
                    None => break,
                },
            }
        }
    }

    /// Returns what is due first, and when, if that is not after `until`.
    pub(super) fn next_step(&mut self, until: Instant) -> Option<(Instant, u32)> {
        let Self { config, peers, agenda, suspicions, .. } = self;
        agenda.first(peers, until, |slot, peer| due(peer, config, suspicions.get(&slot)))
    }

    /// Does what is due for a peer.
    fn step(&mut self, slot: u32, at: Instant, now: Instant) {
        self.agenda.erase(&mut self.peers, slot);
        let Some(peer) = self.peers.get(slot) else { return };
        match peer.state {
            PeerState::Unheard | PeerState::Trusted => self.expire(slot, at, now),
            PeerState::Suspected => self.bury(slot, at, now),
            PeerState::Dead => {}
        }
        self.write_down(slot);
    }

    /// Lets a peer's deadline pass, at `at`.
    fn expire(&mut self, slot: u32, at: Instant, now: Instant) {
        let living = self.peers.len() - self.dead;
        let Some(peer) = self.peers.get_mut(slot) else { return };
        match self.correlation.expire(slot, at, living) {
            Expiry::Report => self.suspect(slot, at, at, now),
            Expiry::Hold => peer.is_held = true,
            Expiry::BeginToHold { expired } => {
                peer.is_held = true;
                let until = self.correlation.held_until().unwrap_or(at);
                self.events.push_back(Event::ExpiredTogether {
                    expired,
                    watched: living,
                    held_for: until - at,
                });
            }
        }
    }

    /// Ends the hold, and reports who was not heard of in it.
    fn release(&mut self, until: Instant, now: Instant) {
        for slot in self.correlation.release() {
            // Some may have been heard of since, and some slots may be others' by now.
            let Some(peer) = self.peers.get_mut(slot).filter(|peer| peer.is_held) else { continue };
            peer.is_held = false;
            let expired_at = peer.expires_at(&self.config).unwrap_or(until);
            self.suspect(slot, expired_at, until, now);
            self.write_down(slot);
        }
    }

    /// Reports that a peer is suspected since `since`, whose deadline passed at `expired_at`.
    fn suspect(&mut self, slot: u32, expired_at: Instant, since: Instant, now: Instant) {
        let health = self.health.score(since);
        let Some(peer) = self.peers.get_mut(slot) else { return };
        peer.state = PeerState::Suspected;
        self.suspicions.insert(slot, Suspicion::new(since, health));
        let is_heard = peer.detector.deadline().is_some();
        self.events.push_back(Event::Suspected {
            peer: peer.key.clone(),
            incarnation: peer.incarnation,
            reason: if is_heard { SuspicionReason::Silent } else { SuspicionReason::NeverHeard },
            silent_for: now - peer.heard_at,
            late: now - expired_at,
            held_for: since - expired_at,
        });
    }

    /// Reports that the grace of a peer is over, at `at`.
    fn bury(&mut self, slot: u32, at: Instant, now: Instant) {
        let Some(peer) = self.peers.get_mut(slot) else { return };
        let Some(suspicion) = self.suspicions.get(&slot) else { return };
        peer.state = PeerState::Dead;
        self.dead += 1;
        self.events.push_back(Event::Dead {
            peer: peer.key.clone(),
            incarnation: peer.incarnation,
            suspected_for: at - suspicion.since(),
            late: now - at,
            confirmations: suspicion.confirmations(),
        });
    }

    /// Reports that a peer that was not trusted is, from `now` on.
    pub(super) fn trust(&mut self, slot: u32, reason: TrustReason, now: Instant) {
        let Some(peer) = self.peers.get_mut(slot) else { return };
        let suspicion = self.suspicions.remove(&slot);
        self.dead -= usize::from(peer.state == PeerState::Dead);
        peer.flaps = peer.flaps.saturating_add(u32::from(suspicion.is_some()));
        peer.state = PeerState::Trusted;
        self.events.push_back(Event::Trusted {
            peer: peer.key.clone(),
            incarnation: peer.incarnation,
            reason,
            suspected_for: suspicion.map_or(Duration::ZERO, |suspicion| now - suspicion.since()),
        });
    }

    /// Writes down when to look at a peer, if that is earlier than was written down.
    #[inline]
    pub(super) fn write_down(&mut self, slot: u32) {
        let Some(peer) = self.peers.get(slot) else { return };
        let suspicion = match peer.state {
            PeerState::Unheard | PeerState::Trusted => None,
            PeerState::Suspected | PeerState::Dead => self.suspicions.get(&slot),
        };
        let Some(due) = due(peer, &self.config, suspicion) else { return };
        if due < peer.looked_at {
            self.agenda.write(&mut self.peers, slot, due);
        }
    }
}

impl<K, D: FailureDetector> Monitor<K, D> {
    pub(super) fn status_of(&self, peer: &Peer<K, D>) -> PeerStatus {
        let is_suspected = matches!(peer.state, PeerState::Suspected | PeerState::Dead);
        let expires_at = peer.expires_at(&self.config).filter(|_| !is_suspected);
        PeerStatus {
            state: peer.state,
            incarnation: peer.incarnation,
            flaps: peer.flaps,
            silent_for: self.observer.awake() - peer.heard_at,
            deadline: expires_at.map(|at| self.observer.clock(at - Duration::from_nanos(1))),
            is_held: peer.is_held,
        }
    }
}

/// Returns when something happens to a peer if it is not heard of.
#[inline]
fn due<K, D: FailureDetector>(
    peer: &Peer<K, D>,
    config: &crate::MonitorConfig,
    suspicion: Option<&Suspicion<K>>,
) -> Option<Instant> {
    match peer.state {
        PeerState::Unheard | PeerState::Trusted if peer.is_held => None,
        PeerState::Unheard | PeerState::Trusted => peer.expires_at(config),
        PeerState::Suspected => suspicion?.ends_at(config.grace.as_ref()?),
        PeerState::Dead => None,
    }
}
