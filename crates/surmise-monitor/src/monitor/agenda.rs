mod lists;

use alloc::collections::BinaryHeap;
use core::{cmp::Reverse, hash::Hash};

use surmise_detector::FailureDetector;
use surmise_time::Instant;

pub(super) use self::lists::Place;
use self::lists::{CHUNK, LISTS, Lists};
use super::{peer::Peer, peers::Peers};

/// When to look at which peer.
///
/// What is written down stays until its time comes, even if nothing is due by then any more: so a heartbeat, which moves
/// a deadline later, leaves it alone, and whoever comes to look writes down the later time.
///
/// It is a wheel of a thousand lists, one for each few milliseconds of the next seconds, and a heap for the times before
/// the first list. As time goes on, those in the first list are looked at; the few that are due within it go to the heap,
/// which has them in their order, and all others to later lists. That costs the same however many peers there are, where a
/// heap of all of them costs a walk through all of its levels.
#[derive(Clone, Debug)]
pub(super) struct Agenda {
    near: BinaryHeap<Reverse<(Instant, u32)>>,
    /// From how many entries on the heap is looked through for void ones.
    crowded: usize,
    far: Lists,
    /// The last tick whose list has been emptied.
    poured: u64,
}

/// How long a list is for: 2²² ns, or 4.2 ms.
const TICK_BITS: u32 = 22;

const FEW: usize = 64;

impl Agenda {
    pub(super) fn new() -> Self {
        Self { near: BinaryHeap::new(), crowded: FEW, far: Lists::new(), poured: 0 }
    }

    /// Writes down that a peer has to be looked at by then, in place of whatever was written down of it.
    pub(super) fn write<K: Eq + Hash, D: FailureDetector>(
        &mut self,
        peers: &mut Peers<K, D>,
        slot: u32,
        due: Instant,
    ) {
        self.erase(peers, slot);
        let Some(peer) = peers.get_mut(slot) else { return };
        let at = due.min(self.horizon());
        peer.looked_at = at;
        if tick(at) > self.poured {
            peer.place = self.far.push(tick(at), slot);
            return;
        }
        self.near.push(Reverse((at, slot)));
        if self.near.len() > self.crowded {
            self.near.retain(|Reverse((at, slot))| {
                peers.get(*slot).is_some_and(|peer| peer.looked_at == *at)
            });
            self.crowded = FEW.max(2 * self.near.len());
        }
    }

    /// Forgets what is written down of a peer.
    pub(super) fn erase<K: Eq + Hash, D: FailureDetector>(
        &mut self,
        peers: &mut Peers<K, D>,
        slot: u32,
    ) {
        let Some(peer) = peers.get_mut(slot) else { return };
        let at = core::mem::replace(&mut peer.looked_at, Instant::MAX);
        // What is in the heap is void from now on, as it is not what its peer says.
        let Some(place) = peer.place.take() else { return };
        let moved = self.far.remove(tick(at), place);
        if let Some(peer) = peers.get_mut(moved).filter(|_| moved != slot) {
            peer.place = Some(place);
        }
    }

    /// Returns the first of whatever is written down until then, which `due` is asked about.
    pub(super) fn first<K: Eq + Hash, D: FailureDetector>(
        &mut self,
        peers: &mut Peers<K, D>,
        until: Instant,
        due: impl Fn(u32, &Peer<K, D>) -> Option<Instant>,
    ) -> Option<(Instant, u32)> {
        self.pour(peers, tick(until), &due);
        loop {
            let &Reverse((at, slot)) = self.near.peek().filter(|Reverse((at, _))| *at <= until)?;
            let counts = |peer: &&Peer<K, D>| peer.looked_at == at;
            match peers.get(slot).filter(counts).map(|peer| due(slot, peer)) {
                Some(Some(due)) if due <= at => return Some((at, slot)),
                Some(Some(due)) => {
                    self.near.pop();
                    self.write(peers, slot, due);
                }
                Some(None) => {
                    self.near.pop();
                    self.erase(peers, slot);
                }
                None => {
                    self.near.pop();
                }
            }
        }
    }

    /// Empties the lists up to a tick.
    fn pour<K: Eq + Hash, D: FailureDetector>(
        &mut self,
        peers: &mut Peers<K, D>,
        until: u64,
        due: impl Fn(u32, &Peer<K, D>) -> Option<Instant>,
    ) {
        let Some(ticks) = until.checked_sub(self.poured) else { return };
        let first = self.poured + 1;
        self.poured = until;
        // Where time jumps, each list is emptied once. What goes to a list that is emptied later is looked at twice.
        let lists = usize::try_from(ticks).map_or(LISTS, |ticks| ticks.min(LISTS));
        for tick in (first..).take(lists) {
            if self.far.is_empty() {
                return;
            }
            let mut rest = self.far.take(tick);
            while let Some((slots, filled)) = self.far.read(&mut rest) {
                let slots = slots.into_iter().take(filled);
                // Nothing is written before all are looked at, so that none waits for the memory of another.
                let mut dues = [None; CHUNK];
                for (slot, at) in slots.clone().zip(&mut dues) {
                    *at = peers.get(slot).and_then(|peer| due(slot, peer));
                }
                for (slot, at) in slots.zip(dues) {
                    let Some(peer) = peers.get_mut(slot) else { continue };
                    (peer.looked_at, peer.place) = (Instant::MAX, None);
                    if let Some(due) = at {
                        self.write(peers, slot, due);
                    }
                }
            }
        }
    }

    /// Returns the last time for which there is a list. Whoever is due later is looked at then.
    const fn horizon(&self) -> Instant {
        let last = self.poured.saturating_add(LISTS as u64 - 1);
        Instant::from_nanos(last.saturating_mul(1 << TICK_BITS))
    }
}

const fn tick(at: Instant) -> u64 {
    at.as_nanos() >> TICK_BITS
}
