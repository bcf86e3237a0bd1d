use alloc::{sync::Arc, vec::Vec};
use core::hash::Hash;

use crossbeam_utils::CachePadded;
use surmise_detector::{Beat, FailureDetector};
use surmise_time::Instant;

use super::handle::Outlook;
use crate::{
    Ignored, MonitorConfig, NotWatched,
    monitor::{fleet::Fleet, observer::Observer},
};

/// Some of the peers of a monitor.
pub(super) struct Shard<K, D> {
    pub(super) fleet: Fleet<K, D>,
    /// The poller's, as of its latest visit.
    pub(super) observer: Observer,
    /// By slot, of those peers that have handles.
    outlooks: Vec<Option<Arc<CachePadded<Outlook>>>>,
}

impl<K: Clone + Eq + Hash, D: FailureDetector> Shard<K, D> {
    pub(super) fn new(config: MonitorConfig, capacity: usize) -> Self {
        let fleet = Fleet::new(config, capacity);
        Self { fleet, observer: Observer::new(&config), outlooks: Vec::new() }
    }

    pub(super) fn watch(
        &mut self,
        peer: K,
        detector: D,
        now: Instant,
        has_room: impl FnOnce() -> bool,
    ) -> Result<(), NotWatched<K, D>> {
        let now = self.observer.moment_at(now);
        self.fleet.watch(peer, detector, now, |_| has_room()).map(|_| ())
    }

    /// Ceases to watch a peer, and returns the slot in which it was.
    pub(super) fn unwatch(&mut self, peer: &K) -> Option<(u32, D)> {
        let slot = self.fleet.find(peer)?;
        let detector = self.fleet.unwatch(slot)?;
        self.publish(slot);
        if let Some(outlook) = self.outlooks.get_mut(slot as usize) {
            *outlook = None;
        }
        Some((slot, detector))
    }

    /// Takes over the poller's reading of the clock, which came after a stall or not.
    pub(super) fn hear_of(&mut self, reading: &Observer, is_stall_over: bool) {
        self.observer = reading.clone();
        if is_stall_over {
            self.fleet.resume(reading.moment());
        }
    }

    #[inline]
    pub(super) fn heartbeat(
        &mut self,
        peer: &K,
        incarnation: u64,
        sequence: u64,
        now: Instant,
    ) -> Result<Beat, Ignored> {
        let slot = self.fleet.find(peer).ok_or(Ignored::UnknownPeer)?;
        let now = self.observer.moment_at(now);
        let beat = self.fleet.heartbeat(slot, incarnation, sequence, now)?;
        if matches!(beat, Beat::First | Beat::Fresh { .. }) {
            self.publish(slot);
        }
        Ok(beat)
    }

    pub(super) fn refute(
        &mut self,
        peer: &K,
        incarnation: u64,
        now: Instant,
    ) -> Result<(), Ignored> {
        let slot = self.fleet.find(peer).ok_or(Ignored::UnknownPeer)?;
        let now = self.observer.moment_at(now);
        self.fleet.refute(slot, incarnation, now)?;
        self.publish(slot);
        Ok(())
    }

    pub(super) fn confirm(
        &mut self,
        peer: &K,
        incarnation: u64,
        observer: K,
    ) -> Result<bool, Ignored> {
        let slot = self.fleet.find(peer).ok_or(Ignored::UnknownPeer)?;
        self.fleet.confirm(slot, incarnation, observer, self.observer.moment())
    }

    /// Returns where what is to be thought of a peer is published from now on.
    pub(super) fn outlook(&mut self, peer: &K) -> Option<Arc<CachePadded<Outlook>>> {
        let slot = self.fleet.find(peer)?;
        let index = slot as usize;
        if self.outlooks.len() <= index {
            self.outlooks.resize(index + 1, None);
        }
        let outlook = self
            .outlooks
            .get_mut(index)?
            .get_or_insert_with(|| Arc::new(CachePadded::new(Outlook::new())));
        let outlook = Arc::clone(outlook);
        self.publish(slot);
        Some(outlook)
    }
}

impl<K, D: FailureDetector> Shard<K, D> {
    /// Publishes what is known of the peer in a slot, for its handles. The lock is to be held until that is done, so that
    /// what is published is never older than what others see under it.
    #[inline]
    pub(super) fn publish(&self, slot: u32) {
        if let Some(Some(outlook)) = self.outlooks.get(slot as usize) {
            outlook.publish(&self.fleet, slot, self.observer.moment().noted);
        }
    }
}
