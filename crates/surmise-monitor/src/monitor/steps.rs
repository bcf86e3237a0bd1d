use alloc::collections::BTreeMap;
use core::{hash::Hash, time::Duration};

use surmise_detector::{AccrualDetector, FailureDetector, Verdict};
use surmise_time::Instant;

use super::{
    fleet::Fleet,
    observer::Observer,
    peer::{Peer, Suspicion},
    stalls::Stalls,
};
use crate::{Event, MonitorConfig, PeerState, PeerStatus, SuspicionReason, TrustReason};

/// What time does to peers. All times are times awake.
impl<K: Clone + Eq + Hash, D: FailureDetector> Fleet<K, D> {
    /// Returns what is due first, and when, if that is not after `until`.
    pub(crate) fn next_step(&mut self, until: Instant) -> Option<(Instant, u32)> {
        let Self { config, stalls, peers, agenda, suspicions, .. } = self;
        agenda.first(until, |slot| due(slot, peers.get(slot)?, (config, stalls), suspicions))
    }

    /// Takes a peer off the agenda, for which something is due, and returns what it was up to now.
    pub(super) fn take_up(&mut self, slot: u32) -> Option<PeerState> {
        self.agenda.erase(slot);
        Some(self.peers.get(slot)?.state)
    }

    /// Holds back the verdict on a peer that expired.
    pub(super) fn hold(&mut self, slot: u32) {
        if let Some(peer) = self.peers.get_mut(slot) {
            peer.is_held = true;
        }
    }

    /// Does not hold back the verdict on a peer any more, and returns when it expired, if it was held back and the
    /// observer was not stalled meanwhile.
    pub(super) fn let_go(&mut self, slot: u32, until: Instant) -> Option<Instant> {
        let peer = self.peers.get_mut(slot).filter(|peer| peer.is_held)?;
        peer.is_held = false;
        peer.expires_at(&self.config, &self.stalls).filter(|at| *at <= until)
    }

    /// Reports that a peer is suspected since `since`, whose deadline passed at `expired_at`, by an observer of this
    /// health.
    pub(super) fn suspect(
        &mut self,
        slot: u32,
        (expired_at, since): (Instant, Instant),
        now: Instant,
        health: u8,
    ) {
        let Some(peer) = self.peers.get_mut(slot) else { return };
        peer.state = PeerState::Suspected;
        self.suspicions.insert(slot, Suspicion::new(since, health, self.stalls.latest()));
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
    pub(super) fn bury(&mut self, slot: u32, at: Instant, now: Instant) {
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
        peer.state = PeerState::Trusted;
        if suspicion.is_some() {
            let flaps = self.flaps.entry(slot).or_default();
            *flaps = flaps.saturating_add(1);
        }
        self.has_news = true;
        self.events.push_back(Event::Trusted {
            peer: peer.key.clone(),
            incarnation: peer.incarnation,
            reason,
            suspected_for: suspicion.map_or(Duration::ZERO, |suspicion| now - suspicion.since()),
        });
    }

    /// Writes down when something is due for a peer.
    #[inline]
    pub(super) fn write_down(&mut self, slot: u32) {
        let Some(peer) = self.peers.get(slot) else { return };
        let due = due(slot, peer, (&self.config, &self.stalls), &self.suspicions);
        if due.is_some_and(|due| self.agenda.note(slot, due)) {
            self.has_news = true;
        }
    }
}

impl<K, D: FailureDetector> Fleet<K, D> {
    /// Returns what is known of the peer in a slot.
    pub(crate) fn status(&self, slot: u32, observer: &Observer) -> Option<PeerStatus> {
        Some(self.status_of(slot, self.peers.get(slot)?, observer))
    }

    /// Returns what the peer in a slot was last reported to be, and the last time awake at which it is trusted if it
    /// is not heard of; `None` for ever.
    #[cfg(feature = "std")]
    pub(crate) fn outlook(&self, slot: u32) -> Option<(PeerState, Option<Instant>)> {
        let peer = self.peers.get(slot)?;
        let last =
            peer.expires_at(&self.config, &self.stalls).map(|at| at - Duration::from_nanos(1));
        Some((peer.state, last))
    }

    /// Returns the verdict that was last reported of the peer in a slot.
    pub(crate) fn verdict(&self, slot: u32) -> Option<Verdict> {
        Some(self.peers.get(slot)?.state.verdict())
    }

    /// Returns how strongly the peer in a slot is to be suspected.
    pub(crate) fn suspicion_level(&self, slot: u32, now: Instant) -> Option<f64>
    where
        D: AccrualDetector,
    {
        Some(self.peers.get(slot)?.detector.suspicion_level(now))
    }

    /// Returns the peers with what is known of them, in no order that means anything.
    pub(crate) fn iter(&self, observer: &Observer) -> impl Iterator<Item = (&K, PeerStatus)> {
        self.peers.iter().map(move |(slot, peer)| (&peer.key, self.status_of(slot, peer, observer)))
    }

    fn status_of(&self, slot: u32, peer: &Peer<K, D>, observer: &Observer) -> PeerStatus {
        let is_suspected = matches!(peer.state, PeerState::Suspected | PeerState::Dead);
        let expires_at = peer.expires_at(&self.config, &self.stalls).filter(|_| !is_suspected);
        PeerStatus {
            state: peer.state,
            incarnation: peer.incarnation,
            flaps: self.flaps.get(&slot).copied().unwrap_or(0),
            silent_for: observer.awake() - peer.heard_at,
            deadline: expires_at.map(|at| observer.clock(at - Duration::from_nanos(1))),
            is_held: peer.is_held,
        }
    }
}

/// Returns when something happens to the peer in a slot if it is not heard of.
#[inline]
fn due<K, D: FailureDetector>(
    slot: u32,
    peer: &Peer<K, D>,
    (config, stalls): (&MonitorConfig, &Stalls),
    suspicions: &BTreeMap<u32, Suspicion<K>>,
) -> Option<Instant> {
    match peer.state {
        PeerState::Unheard | PeerState::Trusted if peer.is_held => None,
        PeerState::Unheard | PeerState::Trusted => peer.expires_at(config, stalls),
        PeerState::Suspected => suspicions.get(&slot)?.ends_at(config.grace.as_ref()?, stalls),
        PeerState::Dead => None,
    }
}
