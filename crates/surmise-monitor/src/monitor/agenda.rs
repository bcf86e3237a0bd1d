mod lists;

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

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use core::time::Duration;

    use quickcheck::quickcheck;

    use super::*;

    const SLOTS: u32 = 40;

    /// Something less than a tick, some ticks, or more than there are lists for.
    fn span(of: u16) -> Duration {
        let unit = [1_000, 1 << TICK_BITS, 100 << TICK_BITS][usize::from(of % 3)];
        Duration::from_nanos(unit * u64::from(of / 3 % 64))
    }

    fn first_of(dues: &BTreeMap<u32, Instant>, until: Instant) -> Option<(Instant, u32)> {
        dues.iter().map(|(slot, due)| (*due, *slot)).filter(|(due, _)| *due <= until).min()
    }

    quickcheck! {
        fn the_first_is_that_of_a_search_through_all(era: u8, ops: Vec<(u8, u8, u16)>) -> bool {
            let mut agenda = Agenda::with_capacity(0);
            let mut dues = BTreeMap::new();
            // The lowest bits of ticks begin again after seven months, and time ends.
            let eras = [0, (1 << 54) - (50 << TICK_BITS), u64::MAX - (2000 << TICK_BITS)];
            let mut now = Instant::from_nanos(eras[usize::from(era % 3)]);
            assert_eq!(agenda.first(now, |_| None), None);
            // By when somebody who sleeps will look.
            let mut wakes_at = Instant::ORIGIN;
            for (kind, slot, span_of) in ops.repeat(4) {
                let slot = u32::from(slot) % SLOTS;
                let at = now + span(span_of);
                match kind % 8 {
                    0 => {
                        dues.remove(&slot);
                        agenda.erase(slot);
                    }
                    // It turns out to be due later than was said.
                    1 => {
                        dues.entry(slot).and_modify(|due| *due = at.max(*due));
                    }
                    2 => {
                        (now, wakes_at) = (at, Instant::ORIGIN);
                        while let Some((due, slot)) = first_of(&dues, now) {
                            assert_eq!(agenda.first(now, |slot| dues.get(&slot).copied()), Some((due, slot)));
                            agenda.erase(slot);
                            dues.remove(&slot);
                        }
                    }
                    3 => {
                        let found = agenda.first(at, |slot| dues.get(&slot).copied());
                        assert_eq!(found, first_of(&dues, at));
                        wakes_at = found.map_or(at, |(due, _)| due);
                    }
                    _ => {
                        dues.insert(slot, at);
                        let is_earlier = agenda.note(slot, at);
                        assert!(is_earlier || at >= wakes_at);
                        wakes_at = wakes_at.min(at);
                    }
                }
                assert!(agenda.near.len() <= FEW.max(2 * SLOTS as usize));
            }
            agenda.first(Instant::MAX, |slot| dues.get(&slot).copied()) == first_of(&dues, Instant::MAX)
        }
    }

    #[test]
    fn it_says_what_will_be_looked_at_earlier() {
        let mut agenda = Agenda::with_capacity(0);
        let at = |ticks: u64| Instant::from_nanos(ticks << TICK_BITS);
        let notes = [(9, true), (12, false), (9, false), (8, true), (11, false), (2, true)];
        for (due, is_earlier) in notes {
            assert_eq!(agenda.note(7, at(due)), is_earlier, "{due}");
        }
        assert_eq!(agenda.first(at(2), |_| Some(at(2))), Some((at(2), 7)));
        // On the heap, too.
        assert!(!agenda.note(7, at(3)));
        assert!(!agenda.note(7, at(2) + Duration::from_nanos(1)));
        assert!(agenda.note(7, at(1)));
        agenda.erase(7);
        assert!(agenda.note(7, at(5)));
    }

    #[test]
    fn who_is_never_due_is_forgotten_until_it_is() {
        // On the heap, and in a list.
        for due in [Instant::from_nanos(5), Instant::from_nanos(5 << TICK_BITS)] {
            let mut agenda = Agenda::with_capacity(0);
            agenda.note(0, due);
            assert_eq!(agenda.first(due, |_| None), None);
            assert_eq!(agenda.first(due, |_| unreachable!("it is not on the agenda")), None);
            assert!(agenda.note(0, due));
            assert_eq!(agenda.first(due, |_| Some(due)), Some((due, 0)));
        }
    }

    #[test]
    fn no_list_is_left_out_however_far_time_jumps() {
        let slots = 0..u32::try_from(LISTS).unwrap();
        let at = |slot: u32| Instant::from_nanos((u64::from(slot) + 1) << TICK_BITS);
        for jump in [LISTS as u64, LISTS as u64 + 1, 5000, u64::MAX >> TICK_BITS] {
            let mut agenda = Agenda::with_capacity(LISTS);
            slots.clone().for_each(|slot| assert!(agenda.note(slot, at(slot))));
            let now = Instant::from_nanos(jump << TICK_BITS);
            for slot in slots.clone() {
                assert_eq!(agenda.first(now, |slot| Some(at(slot))), Some((at(slot), slot)));
                agenda.erase(slot);
            }
        }
    }

    #[test]
    fn the_heap_is_rid_of_what_is_void() {
        let mut agenda = Agenda::with_capacity(0);
        let at = Instant::from_nanos;
        (1..100).for_each(|slot| assert!(agenda.note(slot, at(9))));
        for _ in 0..1000 {
            agenda.erase(0);
            assert!(agenda.note(0, at(7)));
        }
        assert!(agenda.near.len() <= 200);
        for slot in 0..100 {
            let due = |slot| Some(at(if slot == 0 { 7 } else { 9 }));
            assert_eq!(agenda.first(at(9), due), due(slot).map(|at| (at, slot)));
            agenda.erase(slot);
        }
    }

    #[test]
    fn numbers_on_the_heap_begin_again() {
        let mut agenda = Agenda::with_capacity(0);
        agenda.latest = u32::MAX - 1;
        let at = Instant::from_nanos;
        for due in [9, 8, 7] {
            assert!(agenda.note(0, at(due)));
        }
        assert_eq!(agenda.first(at(9), |_| Some(at(7))), Some((at(7), 0)));
    }

    #[test]
    fn an_entry_is_a_quarter_of_a_cache_line() {
        assert_eq!(size_of::<Entry>(), 16);
    }
}
