use alloc::{collections::TryReserveError, vec::Vec};

/// The slots of the keys, found by their hashes: chains, each of the keys whose hashes lead to the same head.
///
/// There are tables that find a key in fewer steps. But where keys come and go, what goes leaves a mark there,
/// and all of them are cleared away at once, when they are too many: once in a while one caller waits until all keys
/// have moved, perhaps to twice the memory. Here nothing is left behind, and nothing ever moves.
pub(super) struct Index {
    /// The first of each chain, as its slot and 1: 0 is the end of a chain.
    heads: Vec<u32>,
    /// Of each slot, the next one of its chain.
    next: Vec<u32>,
}

impl Index {
    pub(super) const fn new() -> Self {
        Self { heads: Vec::new(), next: Vec::new() }
    }

    /// Allocates the memory for so many keys, of which there is none yet. With more, it is slower.
    pub(super) fn reserve(&mut self, capacity: usize) -> Result<(), TryReserveError> {
        // One key and a third to a chain: with those that follow, 7 bytes a key.
        let chains = capacity - capacity / 4;
        self.next.try_reserve_exact(capacity)?;
        self.heads.try_reserve_exact(chains)?;
        self.heads.resize(chains, 0);
        Ok(())
    }

    /// Returns the slot of a key.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mut link = self.heads.get(self.chain(hash)).copied()?;
        while let Some(slot) = link.checked_sub(1) {
            if is_it(slot) {
                return Some(slot);
            }
            link = self.next.get(slot as usize).copied()?;
        }
        None
    }

    /// Adds the slot of a key that is not there.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        let chain = self.chain(hash);
        let Some(head) = self.heads.get_mut(chain) else { return };
        let next = core::mem::replace(head, slot + 1);
        match self.next.get_mut(slot as usize) {
            Some(vacant) => *vacant = next,
            // Slots are taken into use one after another.
            None => self.next.push(next),
        }
    }

    /// Removes the slot of a key, and returns whether it was there.
    #[inline]
    pub(super) fn remove(&mut self, hash: u64, slot: u32) -> bool {
        let chain = self.chain(hash);
        let Some(&behind) = self.next.get(slot as usize) else { return false };
        let mut link = self.heads.get_mut(chain);
        while let Some(at) = link {
            match at.checked_sub(1) {
                Some(found) if found == slot => {
                    *at = behind;
                    return true;
                }
                Some(other) => link = self.next.get_mut(other as usize),
                None => return false,
            }
        }
        false
    }

    /// Returns where the chain of a hash begins.
    ///
    /// The hashes of keys that differ regularly do so as well with one seed out of a hundred: of such a table a
    /// hundred keys may lie in one chain if only some bits of each are looked at.
    #[inline]
    fn chain(&self, hash: u64) -> usize {
        let mixed = (hash ^ (hash >> 32)).wrapping_mul(GOLDEN_RATIO);
        ((mixed >> 32).wrapping_mul(self.heads.len() as u64) >> 32) as usize
    }
}

/// 2⁶⁴ divided by it, which leads what is near to each other apart (Knuth, *The Art of Computer Programming*, §6.4).
const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    fn index(capacity: usize) -> Index {
        let mut index = Index::new();
        index.reserve(capacity).expect("there is memory");
        index
    }

    /// Hashes of which some lead to the same chain.
    const HASHES: [u64; 4] = [7, 7, 1 << 40, 7];

    #[test]
    fn keys_of_one_chain_are_removed_in_any_order() {
        let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]];
        for order in orders {
            let mut index = index(4);
            let find =
                |index: &Index, slot: u32| index.find(HASHES[slot as usize], |found| found == slot);
            for slot in 0..4 {
                assert_eq!(find(&index, slot), None);
                index.insert(HASHES[slot as usize], slot);
            }
            for (removed, &slot) in order.iter().enumerate() {
                assert!(index.remove(HASHES[slot as usize], slot));
                assert!(!index.remove(HASHES[slot as usize], slot));
                for (at, &other) in order.iter().enumerate() {
                    assert_eq!(find(&index, other).is_some(), at > removed, "{order:?}");
                }
            }
        }
    }

    #[test]
    fn a_slot_may_come_back_in_another_chain() {
        let mut index = index(4);
        index.insert(0, 0);
        index.insert(u64::MAX, 1);
        assert!(!index.remove(u64::MAX, 0) && index.remove(0, 0));
        index.insert(u64::MAX, 0);
        assert_eq!(index.find(0, |_| true), None);
        assert_eq!(
            [0, 1].map(|slot| index.find(u64::MAX, |found| found == slot)),
            [Some(0), Some(1)]
        );
    }

    #[test]
    fn hashes_that_differ_regularly_do_not_meet() {
        let index = index(1792);
        for odd in [1, 3, 0x5555_5555_5555_5555, 0xffff_0001, 0x9e37_79b9_7f4a_7c15] {
            for shift in 0..54 {
                let mut lengths = [0; 1344];
                for key in 0..1792_u64 {
                    lengths[index.chain(key.wrapping_mul(odd) << shift)] += 1;
                }
                assert!(lengths.iter().all(|&length| length < 20), "{odd:x} << {shift}");
            }
        }
    }

    #[test]
    fn there_may_be_more_keys_than_was_said() {
        let mut index = index(1);
        for slot in 0..100 {
            index.insert(u64::from(slot) << 26, slot);
        }
        assert!((0..100).all(|slot| index.remove(u64::from(slot) << 26, slot)));
        assert_eq!(index.find(0, |_| true), None);
    }
}
