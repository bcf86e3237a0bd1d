use alloc::collections::{BTreeMap, VecDeque};
use core::hash::Hash;

use surmise_detector::{Beat, FailureDetector};

use super::{
    agenda::Agenda,
    observer::Moment,
    peer::{Peer, Suspicion},
    peers::Peers,
    stalls::Stalls,
};
use crate::{Event, Ignored, MonitorConfig, NotWatched, PeerState, TrustReason, WatchRefusal};

/// Peers, what is due for them, and what was found out of them.
///
/// It has no clock of its own, and does not decide whether a peer that expired is suspected: that is for
/// [`Guards`](super::guards::Guards), which may watch over several fleets. All times are times awake.
#[derive(Clone)]
pub(crate) struct Fleet<K, D> {
    pub(super) config: MonitorConfig,
    pub(super) stalls: Stalls,
    pub(super) peers: Peers<K, D>,
    pub(super) agenda: Agenda,
    /// By slot, of all that are suspected or dead.
    pub(super) suspicions: BTreeMap<u32, Suspicion<K>>,
    /// By slot, how often a peer was suspected wrongly, of those that were.
    pub(super) flaps: BTreeMap<u32, u32>,
    pub(super) dead: usize,
    pub(crate) events: VecDeque<Event<K>>,
    /// Whether there is an event, or something is due earlier, that whoever looked last does not know of.
    pub(crate) has_news: bool,
}

impl<K: Clone + Eq + Hash, D: FailureDetector> Fleet<K, D> {
    pub(crate) fn new(config: MonitorConfig, capacity: usize) -> Self {
        Self {
            config,
            stalls: Stalls::default(),
            peers: Peers::with_capacity(capacity),
            agenda: Agenda::with_capacity(capacity),
            suspicions: BTreeMap::new(),
            flaps: BTreeMap::new(),
            dead: 0,
            events: VecDeque::new(),
            has_news: false,
        }
    }

    /// Begins to watch a peer if there is room, and returns its slot.
    pub(crate) fn watch(
        &mut self,
        peer: K,
        mut detector: D,
        now: Moment,
        has_room: impl FnOnce(&Self) -> bool,
    ) -> Result<u32, NotWatched<K, D>> {
        let reason = if self.find(&peer).is_some() {
            WatchRefusal::AlreadyWatched
        } else if !has_room(self) {
            WatchRefusal::Full { max_peers: self.config.max_peers }
        } else {
            // It may have been used, by another clock.
            detector.restart();
            let slot = self.peers.insert(Peer {
                key: peer,
                detector,
                incarnation: 0,
                heard_at: now.awake,
                stall: now.noted,
                heard_after: now.noted,
                state: PeerState::Unheard,
                was_heard: false,
                is_held: false,
            });
            self.write_down(slot);
            // Somebody has to look from now on, be it only lest a pause be taken for a stall.
            self.has_news = true;
            return Ok(slot);
        };
        Err(NotWatched { peer, detector, reason })
    }

    pub(crate) fn unwatch(&mut self, slot: u32) -> Option<D> {
        self.agenda.erase(slot);
        let peer = self.peers.remove(slot)?;
        self.suspicions.remove(&slot);
        self.flaps.remove(&slot);
        self.dead -= usize::from(peer.state == PeerState::Dead);
        self.events.retain(|event| event.peer() != Some(&peer.key));
        Some(peer.detector)
    }

    /// Notes that the observer came back from a stall.
    pub(crate) fn resume(&mut self, now: Moment) {
        self.stalls.end(now.noted, now.awake);
    }

    /// Has the memory of a peer fetched while the next one is looked up.
    #[inline]
    pub(crate) fn fetch(&self, slot: u32) {
        if let Some(peer) = self.peers.get(slot) {
            // It is fetched if somebody wants to know what is in it.
            core::hint::black_box((peer.detector.deadline(), peer.heard_at));
        }
        self.agenda.fetch(slot);
    }

    #[inline]
    pub(crate) fn heartbeat(
        &mut self,
        slot: u32,
        incarnation: u64,
        sequence: u64,
        now: Moment,
    ) -> Result<Beat, Ignored> {
        // It is apart from the peer, and so fetched while the peer is.
        self.agenda.fetch(slot);
        let peer = self.peers.get_mut(slot).ok_or(Ignored::UnknownPeer)?;
        let is_restart = peer.incarnation != incarnation;
        if is_restart {
            peer.live_again(incarnation)?;
        }
        // What came while nobody listened tells that the peer lived, but not when; nor is it known how long before the first
        // heartbeat after the queue its last one was sent.
        let is_measured = peer.stall == now.stall;
        let beat = if is_measured {
            peer.detector.heartbeat(sequence, now.awake)
        } else {
            peer.detector.queued_heartbeat(sequence, now.awake)
        };
        if matches!(beat, Beat::First | Beat::Fresh { .. }) {
            if now.is_settled {
                peer.stall = now.stall;
            }
            (peer.heard_at, peer.heard_after) = (now.awake, now.noted);
            peer.is_held = false;
            let was_heard = core::mem::replace(&mut peer.was_heard, true);
            if peer.state != PeerState::Trusted {
                let reason = match (was_heard, is_restart) {
                    (false, _) => TrustReason::First,
                    (true, false) => TrustReason::Heartbeat,
                    (true, true) => TrustReason::Restarted,
                };
                self.trust(slot, reason, now.awake);
            }
            self.write_down(slot);
        }
        Ok(beat)
    }

    pub(crate) fn refute(
        &mut self,
        slot: u32,
        incarnation: u64,
        now: Moment,
    ) -> Result<(), Ignored> {
        let peer = self.peers.get_mut(slot).ok_or(Ignored::UnknownPeer)?;
        if incarnation == peer.incarnation {
            return Err(Ignored::OldIncarnation { offered: incarnation, latest: incarnation });
        }
        peer.live_again(incarnation)?;
        (peer.heard_at, peer.heard_after) = (now.awake, now.noted);
        peer.is_held = false;
        if matches!(peer.state, PeerState::Suspected | PeerState::Dead) {
            self.trust(slot, TrustReason::Refuted, now.awake);
        }
        self.write_down(slot);
        Ok(())
    }

    pub(crate) fn confirm(
        &mut self,
        slot: u32,
        incarnation: u64,
        observer: K,
        now: Moment,
    ) -> Result<bool, Ignored> {
        let peer = self.peers.get(slot).ok_or(Ignored::UnknownPeer)?;
        if incarnation < peer.incarnation {
            return Err(Ignored::OldIncarnation { offered: incarnation, latest: peer.incarnation });
        }
        let (Some(grace), PeerState::Suspected) = (&self.config.grace, peer.state) else {
            return Ok(false);
        };
        let suspicion = self.suspicions.get_mut(&slot).filter(|_| observer != peer.key);
        let is_news =
            suspicion.is_some_and(|suspicion| suspicion.confirm(observer, grace, now.awake));
        if is_news {
            self.write_down(slot);
        }
        Ok(is_news)
    }
}

impl<K: Eq + Hash, D> Fleet<K, D> {
    #[inline]
    pub(crate) fn find(&self, peer: &K) -> Option<u32> {
        self.peers.find(peer)
    }
}

impl<K, D> Fleet<K, D> {
    pub(crate) const fn max_peers(&self) -> usize {
        self.config.max_peers
    }

    pub(crate) fn len(&self) -> usize {
        self.peers.len()
    }

    /// Returns how many are watched and not dead.
    pub(crate) fn living(&self) -> usize {
        self.len() - self.dead
    }

    /// Returns how many are suspected and not dead.
    pub(crate) fn suspected(&self) -> usize {
        self.suspicions.len() - self.dead
    }

    pub(crate) const fn dead(&self) -> usize {
        self.dead
    }
}
