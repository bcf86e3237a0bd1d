mod index;

use core::hash::{BuildHasher, Hash};

use hashbrown::DefaultHashBuilder;
use slab::Slab;

use self::index::Index;
use super::peer::Peer;

/// The peers, each in a slot that stays its own while it is watched, and found by its key.
#[derive(Clone, Debug)]
pub(super) struct Peers<K, D> {
    slots: Slab<Peer<K, D>>,
    index: Index,
    hasher: DefaultHashBuilder,
}

impl<K: Eq + Hash, D> Peers<K, D> {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            slots: Slab::with_capacity(capacity),
            index: Index::with_capacity(capacity),
            hasher: DefaultHashBuilder::default(),
        }
    }

    #[inline]
    pub(super) fn find(&self, key: &K) -> Option<u32> {
        self.find_by(self.hash(key), key)
    }

    /// Finds a key by its hash.
    #[inline]
    pub(super) fn find_by(&self, hash: u64, key: &K) -> Option<u32> {
        self.index.find(hash, |slot| self.get(slot).is_some_and(|peer| peer.key == *key))
    }

    #[inline]
    pub(super) fn hash(&self, key: &K) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Has the part of the index fetched in which a hash is.
    #[inline]
    pub(super) fn fetch(&self, hash: u64) {
        self.index.fetch(hash);
    }

    /// Inserts a peer that has none of the keys there are. There are at most 2³¹.
    pub(super) fn insert(&mut self, peer: Peer<K, D>) -> u32 {
        if self.index.is_full() {
            let mut index = Index::with_capacity(2 * self.len());
            for (slot, peer) in self.iter() {
                index.insert(self.hasher.hash_one(&peer.key), slot);
            }
            self.index = index;
        }
        let hash = self.hasher.hash_one(&peer.key);
        let slot = u32::try_from(self.slots.insert(peer)).expect("there are at most 2³¹ peers");
        self.index.insert(hash, slot);
        slot
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Peer<K, D>> {
        let peer = self.slots.try_remove(slot as usize)?;
        let hash = self.hasher.hash_one(&peer.key);
        self.index.remove(hash, slot);
        Some(peer)
    }
}

impl<K, D> Peers<K, D> {
    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&Peer<K, D>> {
        self.slots.get(slot as usize)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Peer<K, D>> {
        self.slots.get_mut(slot as usize)
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns the peers with their slots, in the order of these.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Peer<K, D>)> {
        self.slots.iter().filter_map(|(slot, peer)| Some((u32::try_from(slot).ok()?, peer)))
    }
}

#[cfg(test)]
mod tests {
    use surmise_time::Instant;

    use super::*;
    use crate::PeerState;

    #[test]
    fn nothing_is_left_of_who_was_removed() {
        let mut peers = Peers::with_capacity(0);
        let peer = |key: u32| Peer {
            key,
            detector: (),
            incarnation: 0,
            heard_at: Instant::ORIGIN,
            stall: 0,
            heard_after: 0,
            state: PeerState::Unheard,
            was_heard: false,
            is_held: false,
        };
        for key in 0..100 {
            let slot = peers.insert(peer(key));
            assert_eq!(peers.find(&key), Some(slot));
        }
        for key in 0..100 {
            let slot = peers.find(&key).unwrap();
            assert_eq!(peers.remove(slot).map(|peer| peer.key), Some(key));
            let hash = peers.hasher.hash_one(key);
            assert_ne!(peers.index.find(hash, |_| true), Some(slot));
        }
        assert_eq!(peers.len(), 0);
    }
}
