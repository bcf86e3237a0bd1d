mod lists;
#[cfg(test)]
mod tests;

use alloc::{collections::BinaryHeap, vec::Vec};
use core::{cmp::Reverse, hint::black_box};

use surmise_time::Instant;

use self::lists::{CHUNK, LISTS, Lists, Place};

/// When to look at which peer.
///
/// What is written down stays until its time comes, even if nothing is due by then any more: so a heartbeat, which moves
/// a deadline later, changes one number, and whoever comes to look writes down the later time.
///
/// It is a wheel of a thousand lists, one for each few milliseconds of the next seconds, and a heap for the times before
/// the first list. As time goes on, those in the first list are looked at; the few that are due within it go to the heap,
/// which has them in their order, and all others to later lists. That costs the same however many peers there are, where a
/// heap of all of them costs a walk through all of its levels; and what it needs to know of a peer is apart from the peer,
/// and so small that of many it is near at hand.
#[derive(Clone, Debug)]
pub(super) struct Agenda {
    /// By slot.
    entries: Vec<Entry>,
    /// By time. Each has a number, which its entry has too unless it is void.
    near: BinaryHeap<Reverse<(Instant, u32, u32)>>,
    /// The number of the latest on the heap.
    latest: u32,
    /// From how many on the heap is looked through for void ones.
    crowded: usize,
    far: Lists,
    /// The last tick whose list has been emptied.
    poured: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// If it is in a list, nothing is due before; on the heap, when it is looked at.
    due: Instant,
    /// If it is in a list, the lowest bits of its tick; if on the heap, its number there; otherwise 0.
    mark: u32,
    /// Where it is, if in a list.
    place: Option<Place>,
}

/// How long a list is for: 2²² ns, or 4.2 ms.
const TICK_BITS: u32 = 22;

const FEW: usize = 64;

impl Agenda {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            entries: Vec::with_capacity(capacity),
            near: BinaryHeap::new(),
            latest: 0,
            crowded: FEW,
            far: Lists::new(),
            poured: 0,
        }
    }

    /// Has memory fetched that belongs to a peer.
    #[inline]
    pub(super) fn fetch(&self, slot: u32) {
        black_box(self.entries.get(slot as usize).map(|entry| entry.due));
    }

    /// Takes in that something is due for a peer, and nothing before. Returns whether it will be looked at earlier than was
    /// written down.
    #[inline]
    pub(super) fn note(&mut self, slot: u32, due: Instant) -> bool {
        let is_earlier = match self.entries.get_mut(slot as usize) {
            Some(entry) if entry.place.is_some() => {
                entry.due = due;
                tick(due) < full_tick(entry.mark, self.poured)
            }
            Some(entry) => entry.mark == 0 || due < entry.due,
            None => true,
        };
        if is_earlier {
            self.write(slot, due);
        }
        is_earlier
    }

    /// Forgets what is written down of a peer.
    pub(super) fn erase(&mut self, slot: u32) {
        let Some(entry) = self.entries.get_mut(slot as usize) else { return };
        // What is on the heap is void from now on, as its entry has not its number.
        let mark = core::mem::take(&mut entry.mark);
        let Some(place) = entry.place.take() else { return };
        let moved = self.far.remove(mark.into(), place);
        if let Some(entry) = self.entries.get_mut(moved as usize).filter(|_| moved != slot) {
            entry.place = Some(place);
        }
    }

    /// Returns the first of whatever is written down until then, which `due` is asked about.
    pub(super) fn first(
        &mut self,
        until: Instant,
        due: impl Fn(u32) -> Option<Instant>,
    ) -> Option<(Instant, u32)> {
        self.pour(tick(until), &due);
        loop {
            let &Reverse((at, slot, number)) =
                self.near.peek().filter(|Reverse((at, ..))| *at <= until)?;
            if self.is_void(slot, number) {
                self.near.pop();
                continue;
            }
            match due(slot) {
                Some(due) if due <= at => return Some((at, slot)),
                later => {
                    self.near.pop();
                    self.erase(slot);
                    if let Some(due) = later {
                        self.write(slot, due);
                    }
                }
            }
        }
    }

    /// Writes down that something is due for a peer, in place of whatever was written down of it.
    fn write(&mut self, slot: u32, due: Instant) {
        self.erase(slot);
        let index = slot as usize;
        if index >= self.entries.len() {
            self.entries.resize(index + 1, Entry { due, mark: 0, place: None });
        }
        let at = due.min(self.horizon());
        let (mark, place) = if tick(at) > self.poured {
            (low_bits(tick(at)), self.far.push(tick(at), slot))
        } else {
            (self.push_near(at, slot), None)
        };
        if let Some(entry) = self.entries.get_mut(index) {
            *entry = Entry { due, mark, place };
        }
    }

    /// Puts a peer on the heap, and returns its number there.
    fn push_near(&mut self, at: Instant, slot: u32) -> u32 {
        if self.near.len() >= self.crowded {
            let mut near = core::mem::take(&mut self.near);
            near.retain(|Reverse((_, slot, number))| !self.is_void(*slot, *number));
            self.crowded = FEW.max(2 * near.len());
            self.near = near;
        }
        self.latest = self.latest.checked_add(1).unwrap_or(1);
        self.near.push(Reverse((at, slot, self.latest)));
        self.latest
    }

    fn is_void(&self, slot: u32, number: u32) -> bool {
        let entry = self.entries.get(slot as usize);
        !entry.is_some_and(|entry| entry.place.is_none() && entry.mark == number)
    }

    /// Empties the lists up to a tick.
    fn pour(&mut self, until: u64, due: impl Fn(u32) -> Option<Instant>) {
        let Some(ticks) = until.checked_sub(self.poured) else { return };
        let first = self.poured + 1;
        self.poured = until;
        // Where time jumps, each list is emptied once. What goes to a list that is emptied later is looked at twice.
        let lists = usize::try_from(ticks).map_or(LISTS, |ticks| ticks.min(LISTS));
        for list in (first..).take(lists) {
            if self.far.is_empty() {
                return;
            }
            let mut rest = self.far.take(list);
            while let Some((slots, filled)) = self.far.read(&mut rest) {
                let slots = slots.into_iter().take(filled);
                // Nothing is written before all are looked at, so that none waits for the memory of another.
                let mut dues = [None; CHUNK];
                for (slot, due) in slots.clone().zip(&mut dues) {
                    let Some(entry) = self.entries.get_mut(slot as usize) else { continue };
                    *due = Some(entry.due);
                    (entry.mark, entry.place) = (0, None);
                }
                // Only of those that may be due the peers themselves are looked at.
                for (slot, noted) in slots.clone().zip(&mut dues) {
                    if noted.is_some_and(|noted| tick(noted) <= until) {
                        *noted = due(slot);
                    }
                }
                for (slot, due) in slots.zip(dues) {
                    if let Some(due) = due {
                        self.write(slot, due);
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

#[expect(clippy::cast_possible_truncation, reason = "the ticks of all lists differ in these bits")]
const fn low_bits(tick: u64) -> u32 {
    tick as u32
}

/// Returns the tick of a list that is not emptied yet, by its lowest bits.
const fn full_tick(low: u32, poured: u64) -> u64 {
    poured.saturating_add(low.wrapping_sub(low_bits(poured)) as u64)
}
