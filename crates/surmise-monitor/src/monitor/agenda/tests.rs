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
