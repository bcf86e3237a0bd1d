use alloc::{vec, vec::Vec};
use core::num::NonZeroU32;

/// A list of slots for each of the next ticks, on a circle.
///
/// A list is of chunks, each of them one cache line. So whoever empties it knows many slots at a time, and what is kept of
/// these is fetched at once. With links in the peers, each had to wait for the one before it.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    /// The first chunk of each list, the only one that need not be full.
    first: Vec<u32>,
    chunks: Vec<Chunk>,
    /// The first chunk of those that are in no list.
    spare: u32,
    /// How many slots there are in all lists.
    len: usize,
}

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Chunk {
    slots: [u32; CHUNK],
    filled: u32,
    behind: u32,
}

/// Where a slot is in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(NonZeroU32);

/// What is left of a list that was taken off its tick.
#[derive(Debug)]
pub(super) struct Rest(u32);

/// How many lists there are.
pub(super) const LISTS: usize = 1 << 10;
pub(super) const CHUNK: usize = 14;

/// By how much the places of a chunk are beyond those of the one before it. There are fewer than 2²⁸ chunks.
const STRIDE: u32 = 16;
const NO_CHUNK: u32 = u32::MAX;

#[expect(clippy::indexing_slicing, reason = "chunks in lists exist, and have places from 1 to 14")]
impl Lists {
    pub(super) fn new() -> Self {
        Self { first: vec![NO_CHUNK; LISTS], chunks: Vec::new(), spare: NO_CHUNK, len: 0 }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts a slot into the list of a tick, and returns where it is.
    pub(super) fn push(&mut self, tick: u64, slot: u32) -> Option<Place> {
        self.len += 1;
        let mut first = self.first[list(tick)];
        if self.chunks.get(first as usize).is_none_or(|chunk| chunk.filled as usize == CHUNK) {
            first = self.add_chunk(first);
            self.first[list(tick)] = first;
        }
        let chunk = &mut self.chunks[first as usize];
        chunk.slots[chunk.filled as usize] = slot;
        chunk.filled += 1;
        NonZeroU32::new(first * STRIDE + chunk.filled).map(Place)
    }

    /// Takes a slot out of the list of a tick, and returns which one has its place now, if not itself.
    pub(super) fn remove(&mut self, tick: u64, Place(place): Place) -> u32 {
        self.len -= 1;
        let first = self.first[list(tick)];
        let chunk = &mut self.chunks[first as usize];
        chunk.filled -= 1;
        let (last, is_empty) = (chunk.slots[chunk.filled as usize], chunk.filled == 0);
        let (chunk, position) = (place.get() / STRIDE, place.get() % STRIDE - 1);
        self.chunks[chunk as usize].slots[position as usize] = last;
        if is_empty {
            self.first[list(tick)] = self.spare_chunk(first);
        }
        last
    }

    /// Takes a whole list off its tick. All of it has to be read.
    pub(super) fn take(&mut self, tick: u64) -> Rest {
        Rest(core::mem::replace(&mut self.first[list(tick)], NO_CHUNK))
    }

    /// Returns the next slots of a list, and how many they are.
    pub(super) fn read(&mut self, rest: &mut Rest) -> Option<([u32; CHUNK], usize)> {
        let &Chunk { slots, filled, .. } = self.chunks.get(rest.0 as usize)?;
        rest.0 = self.spare_chunk(rest.0);
        self.len -= filled as usize;
        Some((slots, filled as usize))
    }

    /// Makes an empty chunk before another one.
    fn add_chunk(&mut self, behind: u32) -> u32 {
        let empty = Chunk { slots: [0; CHUNK], filled: 0, behind };
        if let Some(chunk) = self.chunks.get_mut(self.spare as usize) {
            let next = core::mem::replace(chunk, empty).behind;
            return core::mem::replace(&mut self.spare, next);
        }
        if self.chunks.len() == self.chunks.capacity() {
            // By a quarter at a time, as doubling would cost each peer up to twice as much.
            self.chunks.reserve_exact(self.chunks.len() / 4 + 1);
        }
        self.chunks.push(empty);
        u32::try_from(self.chunks.len() - 1).expect("there are fewer than 2²⁸ chunks")
    }

    /// Keeps a chunk for later, and returns the one behind it.
    fn spare_chunk(&mut self, index: u32) -> u32 {
        let spare = core::mem::replace(&mut self.spare, index);
        core::mem::replace(&mut self.chunks[index as usize].behind, spare)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the remainder is below 2¹⁰")]
const fn list(tick: u64) -> usize {
    (tick % LISTS as u64) as usize
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use quickcheck::quickcheck;

    use super::*;

    /// Lists, and what has to be in them: the tick and the place of each slot.
    struct World {
        lists: Lists,
        slots: BTreeMap<u32, (u64, Place)>,
    }

    impl World {
        fn push(&mut self, tick: u64, slot: u32) {
            if !self.slots.contains_key(&slot) {
                let place = self.lists.push(tick, slot).unwrap();
                self.slots.insert(slot, (tick, place));
            }
        }

        fn remove(&mut self, slot: u32) {
            if let Some((tick, place)) = self.slots.remove(&slot) {
                let moved = self.lists.remove(tick, place);
                if moved != slot {
                    assert_eq!(list(self.slots[&moved].0), list(tick));
                    self.slots.get_mut(&moved).unwrap().1 = place;
                }
            }
        }

        fn empty(&mut self, tick: u64) {
            let mut rest = self.lists.take(tick);
            while let Some((slots, filled)) = self.lists.read(&mut rest) {
                for slot in &slots[..filled] {
                    let was_in = self.slots.remove(slot).map(|(tick, _)| list(tick));
                    assert_eq!(was_in, Some(list(tick)), "{slot}");
                }
            }
            assert!(self.slots.values().all(|(other, _)| list(*other) != list(tick)));
        }
    }

    quickcheck! {
        fn slots_are_in_their_lists_until_they_are_taken_out(ops: Vec<(u8, u8, u16)>) -> bool {
            let mut world = World { lists: Lists::new(), slots: BTreeMap::new() };
            for (kind, tick, slot) in ops.repeat(4) {
                // Few lists, so that they grow beyond a chunk, one of which has two ticks.
                let tick = [1022, 1023, 1024, 2047][usize::from(tick % 4)];
                match kind % 16 {
                    0 => world.empty(tick),
                    1..4 => world.remove((slot % 64).into()),
                    _ => (0..).zip(0..slot % 8).for_each(|(n, _)| {
                        world.push(tick, ((slot % 64) ^ n).into());
                    }),
                }
                assert_eq!(world.lists.len, world.slots.len());
            }
            for tick in 1022..1026 {
                world.empty(tick);
            }
            world.lists.is_empty() && world.slots.is_empty()
        }
    }

    #[test]
    fn chunks_are_used_again() {
        let mut world = World { lists: Lists::new(), slots: BTreeMap::new() };
        for tick in 0..3000 {
            (0..98).for_each(|slot| world.push(tick, slot));
            (0..50).for_each(|slot| world.remove(slot));
            world.empty(tick);
            (0..15).for_each(|slot| world.push(tick, slot));
            (0..15).for_each(|slot| world.remove(slot));
        }
        assert_eq!(world.lists.chunks.len(), 7);
        assert_eq!(world.lists.first, [NO_CHUNK; LISTS]);
    }

    #[test]
    fn a_chunk_is_a_cache_line() {
        assert_eq!((size_of::<Chunk>(), size_of::<Option<Place>>()), (64, 4));
    }
}
