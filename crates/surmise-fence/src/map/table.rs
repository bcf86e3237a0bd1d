use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{Refused, WriteRefusal};
use crate::{Pass, Refusal};

pub(crate) type Hasher = DefaultHashBuilder;

/// The keys of a map, or of one of its shards, above a floor. It has no bound: whoever has it says whether there is
/// room.
///
/// Hashes come from [`hash`](Self::hash), or from a clone of the same hasher.
#[derive(Clone)]
pub(crate) struct Table<K, V> {
    slots: HashTable<Slot<K, V>>,
    hasher: Hasher,
    /// Its sequence is 0.
    floor: Option<Pass>,
    tombstones: usize,
    /// Whether the floor was raised since the last time that superfluous tombstones were forgotten. Only that makes
    /// tombstones superfluous.
    is_prune_due: bool,
}

#[derive(Clone)]
struct Slot<K, V> {
    key: K,
    /// `None` in a tombstone.
    value: Option<V>,
    pass: Pass,
}

impl<K: Eq + Hash, V> Table<K, V> {
    pub(crate) fn new(hasher: Hasher) -> Self {
        let slots = HashTable::new();
        Self { slots, hasher, floor: None, tombstones: 0, is_prune_due: false }
    }

    /// Raises the floor, and returns whether it was lower.
    pub(crate) fn raise(&mut self, pass: Pass) -> Result<bool, Refusal> {
        pass.check_floor(self.floor)?;
        let floor = Some(pass.with_sequence(0));
        let is_higher = self.floor != floor;
        if is_higher {
            self.floor = floor;
            self.is_prune_due = true;
        }
        Ok(is_higher)
    }

    /// Writes a value, if need be to a new slot, if `claim` has one.
    #[inline]
    pub(crate) fn write(
        &mut self,
        hash: u64,
        key: K,
        value: V,
        pass: Pass,
        claim: impl FnOnce() -> Result<(), WriteRefusal>,
    ) -> Result<Option<V>, Refused<K, V>> {
        if let Err(refusal) = pass.check_floor(self.floor) {
            return Err(Refused::new(key, value, refusal.into()));
        }
        if let Some(slot) = self.slots.find_mut(hash, |slot| slot.key == key) {
            if let Err(refusal) = pass.check(Some(slot.pass)) {
                return Err(Refused::new(key, value, refusal.into()));
            }
            slot.pass = pass;
            let previous = slot.value.replace(value);
            self.tombstones -= usize::from(previous.is_none());
            return Ok(previous);
        }
        match claim() {
            Ok(()) => {
                self.insert(hash, Slot { key, value: Some(value), pass });
                Ok(None)
            }
            Err(full) => Err(Refused::new(key, value, full)),
        }
    }

    /// Removes a key, and leaves a tombstone if one is needed, in a new slot if `claim` has one.
    pub(crate) fn remove<Q>(
        &mut self,
        hash: u64,
        key: &Q,
        pass: Pass,
        claim: impl FnOnce() -> Result<(), WriteRefusal>,
    ) -> Result<Option<V>, WriteRefusal>
    where
        K: Borrow<Q>,
        Q: Eq + ToOwned<Owned = K> + ?Sized,
    {
        pass.check_floor(self.floor)?;
        let is_needed = !is_superfluous(pass, self.floor);
        if let Ok(mut entry) = self.slots.find_entry(hash, |slot| slot.key.borrow() == key) {
            let slot = entry.get_mut();
            pass.check(Some(slot.pass))?;
            slot.pass = pass;
            let value = slot.value.take();
            self.tombstones -= usize::from(value.is_none());
            if is_needed {
                self.tombstones += 1;
            } else {
                entry.remove();
            }
            return Ok(value);
        }
        if is_needed {
            claim()?;
            self.insert(hash, Slot { key: key.to_owned(), value: None, pass });
            self.tombstones += 1;
        }
        Ok(None)
    }

    /// Forgets superfluous tombstones, and returns how many.
    pub(crate) fn prune(&mut self) -> usize {
        self.is_prune_due = false;
        if self.tombstones == 0 {
            return 0;
        }
        let (before, floor) = (self.slots.len(), self.floor);
        self.slots.retain(|slot| slot.value.is_some() || !is_superfluous(slot.pass, floor));
        let pruned = before - self.slots.len();
        self.tombstones -= pruned;
        pruned
    }

    /// Forgets superfluous tombstones if there can be any.
    pub(crate) fn prune_if_due(&mut self) -> usize {
        if self.is_prune_due { self.prune() } else { 0 }
    }

    /// Returns the value of a key, and the pass that it was written with.
    #[inline]
    pub(crate) fn entry<Q>(&self, hash: u64, key: &Q) -> Option<(&V, Pass)>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let slot = self.slot(hash, key)?;
        Some((slot.value.as_ref()?, slot.pass))
    }

    /// Returns the pass of a key or of its tombstone.
    pub(crate) fn pass<Q>(&self, hash: u64, key: &Q) -> Option<Pass>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        Some(self.slot(hash, key)?.pass)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V, Pass)> {
        self.slots.iter().filter_map(|slot| Some((&slot.key, slot.value.as_ref()?, slot.pass)))
    }

    #[inline]
    pub(crate) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }

    pub(crate) const fn floor(&self) -> Option<Pass> {
        self.floor
    }

    /// Returns how many slots are taken, by values or tombstones.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    pub(crate) const fn tombstones(&self) -> usize {
        self.tombstones
    }

    #[inline]
    fn slot<Q>(&self, hash: u64, key: &Q) -> Option<&Slot<K, V>>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.slots.find(hash, |slot| slot.key.borrow() == key)
    }

    fn insert(&mut self, hash: u64, slot: Slot<K, V>) {
        let hasher = &self.hasher;
        self.slots.insert_unique(hash, slot, |slot| hasher.hash_one(&slot.key));
    }
}

/// Returns whether a tombstone refuses nobody whom the floor, whose sequence is 0, admits.
///
/// Whom the floor admits has a token as high as the floor's. It is accepted by [`Pass::check`] because it is higher
/// than the tombstone's; or the floor admits the one grant with this token, of which the tombstone without a sequence
/// refuses nothing.
fn is_superfluous(tombstone: Pass, floor: Option<Pass>) -> bool {
    floor.is_some_and(|floor| tombstone.token < floor.token || tombstone == floor)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::num::NonZeroU64;

    use super::*;
    use crate::FencingToken;

    /// Enough of each that another is lower, equal and higher.
    fn passes() -> Vec<Pass> {
        let numbers = |counter| (0..4_u64).map(move |number| (counter, number / 2 + 1, number % 2));
        let pass = |(counter, nonce, sequence)| {
            let token = FencingToken::new(1, NonZeroU64::MIN.saturating_add(counter));
            Pass::from(token).with_nonce(nonce).with_sequence(sequence)
        };
        (0..4).flat_map(numbers).map(pass).collect()
    }

    #[test]
    fn a_tombstone_is_superfluous_exactly_if_it_refuses_nobody_whom_the_floor_admits() {
        let floors = passes().into_iter().filter(|floor| floor.sequence == 0).map(Some);
        for floor in floors.chain([None]) {
            for tombstone in passes() {
                let admitted = passes().into_iter().filter(|pass| pass.check_floor(floor).is_ok());
                let refused = admitted.filter(|pass| pass.check(Some(tombstone)).is_err()).count();
                assert_eq!(
                    is_superfluous(tombstone, floor),
                    refused == 0,
                    "{tombstone:?} above {floor:?}"
                );
            }
        }
    }
}
