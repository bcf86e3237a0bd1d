use alloc::{vec, vec::Vec};

/// Finds slots by hashes.
///
/// A slot is in the bucket of its hash, or in one of those behind it where that was full. A bucket is one cache line, so
/// that a look-up waits for memory once before it knows which peer to fetch, and not twice as where tags and slots are
/// apart.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// As many as a power of two.
    buckets: Vec<Bucket>,
    len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
struct Bucket {
    /// Eight bits of the hash of each slot, which tell most of them apart; 0 where there is none.
    tags: [u8; BUCKET],
    /// How many slots had to go further, from here or from before.
    passed: u32,
    slots: [u32; BUCKET],
}

struct Location {
    bucket: usize,
    position: usize,
    slot: u32,
}

const BUCKET: usize = 12;
/// How many slots there may be for each bucket.
const CROWD: usize = 10;

impl Index {
    /// Creates one that holds so many slots before it is full.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        let buckets = capacity.div_ceil(CROWD).next_power_of_two();
        Self { buckets: vec![Bucket::EMPTY; buckets], len: 0 }
    }

    pub(super) fn is_full(&self) -> bool {
        self.len >= self.buckets.len() * CROWD
    }

    #[inline]
    pub(super) fn find(&self, hash: u64, is_sought: impl Fn(u32) -> bool) -> Option<u32> {
        Some(self.locate(hash, is_sought)?.slot)
    }

    /// Has the bucket of a hash fetched.
    #[inline]
    pub(super) fn fetch(&self, hash: u64) {
        let bucket = self.way(hash).next().and_then(|at| self.buckets.get(at));
        // It is fetched if somebody wants to know what is in it.
        core::hint::black_box(bucket.map(|bucket| bucket.passed));
    }

    /// Inserts a slot. It must not be full.
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        for at in self.way(hash) {
            let Some(bucket) = self.buckets.get_mut(at) else { return };
            let hole = bucket.tagged(0).next();
            if let Some((position, _)) = hole {
                bucket.put(position, tag(hash), slot);
                self.len += 1;
                return;
            }
            bucket.passed += 1;
        }
    }

    /// Removes a slot that was inserted with this hash.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        // A key whose hash changes is lost, as in any map, and others may be lost with it.
        let Some(found) = self.locate(hash, |other| other == slot) else { return };
        for at in self.way(hash) {
            let Some(bucket) = self.buckets.get_mut(at) else { return };
            if at == found.bucket {
                bucket.put(found.position, 0, 0);
                break;
            }
            bucket.passed -= 1;
        }
        self.len -= 1;
    }

    #[inline]
    fn locate(&self, hash: u64, is_sought: impl Fn(u32) -> bool) -> Option<Location> {
        for at in self.way(hash) {
            let bucket = self.buckets.get(at)?;
            for (position, slot) in bucket.tagged(tag(hash)) {
                if is_sought(slot) {
                    return Some(Location { bucket: at, position, slot });
                }
            }
            if bucket.passed == 0 {
                break;
            }
        }
        None
    }

    /// Returns the buckets where a slot may be, first its own.
    #[inline]
    fn way(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let buckets = self.buckets.len();
        #[expect(clippy::cast_possible_truncation, reason = "only the lowest bits count")]
        let first = hash as usize;
        (0..buckets).map(move |steps| first.wrapping_add(steps) & (buckets - 1))
    }
}

impl Bucket {
    const EMPTY: Self = Self { tags: [0; BUCKET], passed: 0, slots: [0; BUCKET] };

    /// Returns the slots with this tag, and their positions.
    #[inline]
    fn tagged(&self, tag: u8) -> impl Iterator<Item = (usize, u32)> {
        let mut found = self.mask(tag);
        core::iter::from_fn(move || {
            let position = found.trailing_zeros() as usize / 8;
            found &= found.wrapping_sub(1);
            Some((position, *self.slots.get(position)?))
        })
    }

    /// Returns a number in which the highest bit of each byte is set whose tag this is, and no other bit.
    #[inline]
    fn mask(&self, tag: u8) -> u128 {
        const ONES: u128 = u128::MAX / 0xff;
        const LOW: u128 = ONES * 0x7f;
        // The bytes behind the last tag are no position, whatever they are.
        let mut tags = [0; 16];
        tags[..BUCKET].copy_from_slice(&self.tags);
        let differences = u128::from_le_bytes(tags) ^ (ONES * u128::from(tag));
        // No sum carries into the next byte. So unlike with the shorter way to find a zero, there are no others.
        !(((differences & LOW) + LOW) | differences | LOW)
    }

    #[expect(clippy::indexing_slicing, reason = "it is a position of a slot that was found")]
    const fn put(&mut self, position: usize, tag: u8, slot: u32) {
        self.tags[position] = tag;
        self.slots[position] = slot;
    }
}

/// Returns the highest bits of a hash, of which none are those that choose the bucket.
const fn tag(hash: u64) -> u8 {
    let [.., highest] = hash.to_le_bytes();
    if highest == 0 { 1 } else { highest }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use quickcheck::quickcheck;

    use super::*;

    /// Returns one of few hashes: most for the last bucket, whose neighbour is the first, and of few tags.
    fn hash(of: u16) -> u64 {
        let bucket = if of % 4 == 0 { of.into() } else { u64::MAX >> 8 };
        bucket | (u64::from(of) % 7) << 56
    }

    quickcheck! {
        fn who_was_inserted_is_found_until_it_is_removed(ops: Vec<(bool, u16)>) -> bool {
            let mut index = Index::with_capacity(80);
            let mut slots = BTreeMap::new();
            for (is_removal, slot) in ops.repeat(3) {
                let key = u32::from(slot % 199);
                if is_removal {
                    if let Some(hash) = slots.remove(&key) {
                        index.remove(hash, key);
                    }
                } else if !index.is_full() && !slots.contains_key(&key) {
                    slots.insert(key, hash(slot));
                    index.insert(hash(slot), key);
                }
                assert_eq!(index.len, slots.len());
                for key in 0..199 {
                    let of = slots.get(&key).copied();
                    let found = index.find(of.unwrap_or(hash(slot)), |slot| slot == key);
                    assert_eq!(found, of.map(|_| key));
                }
            }
            for (slot, hash) in slots {
                index.remove(hash, slot);
            }
            // Nobody looks beyond a bucket in vain for those that were there once.
            index.buckets == [Bucket::EMPTY; 8]
        }

        fn a_mask_is_of_the_tags_that_are_equal(tags: Vec<u8>, tag: u8, near: bool) -> bool {
            // Tags that differ by little are the ones that carries would confuse.
            let near = |other: &u8| if near { tag ^ (other % 3) } else { *other };
            let mut bucket = Bucket::EMPTY;
            for (tag, other) in bucket.tags.iter_mut().zip(tags.iter().map(near)) {
                *tag = other;
            }
            let found: Vec<_> = bucket.tagged(tag).map(|(position, _)| position).collect();
            let expected: Vec<_> = (0..BUCKET).filter(|&at| bucket.tags[at] == tag).collect();
            found == expected
        }
    }

    #[test]
    fn it_is_full_when_it_holds_what_it_was_made_for() {
        for (capacity, holds) in [(0, 10), (1, 10), (10, 10), (11, 20), (21, 40)] {
            let mut index = Index::with_capacity(capacity);
            let inserted = (0..).take_while(|&slot| {
                let is_full = index.is_full();
                index.insert(0, slot);
                !is_full
            });
            assert_eq!(inserted.count(), holds);
        }
    }

    #[test]
    fn who_is_in_no_bucket_is_not_sought_for_ever() {
        // One after the other is filled until one passes, and emptied but for that.
        let mut index = Index::with_capacity(20);
        for bucket in 0..2 {
            (0..13).for_each(|slot| index.insert(bucket, slot));
            (0..12).for_each(|slot| index.remove(bucket, slot));
        }
        assert!(index.buckets.iter().all(|bucket| bucket.passed > 0));
        assert_eq!(index.find(0, |slot| slot == 99), None);
    }

    #[test]
    fn who_is_sought_by_another_hash_stays() {
        let mut index = Index::with_capacity(20);
        index.insert(0, 7);
        let before = index.clone();
        for hash in [1, 2 << 56, 1 | 2 << 56] {
            index.remove(hash, 7);
            assert_eq!((&index.buckets, index.len), (&before.buckets, before.len));
        }
    }

    #[test]
    fn a_bucket_is_a_cache_line() {
        assert_eq!(size_of::<Bucket>(), 64);
    }
}
