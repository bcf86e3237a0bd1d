//! The laws of vector clocks, for every form of them, against maps and against sets of events.

#![cfg(feature = "alloc")]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

use alloc::collections::{BTreeMap, BTreeSet};
use core::{cmp::Ordering, hash::BuildHasher};
use std::hash::RandomState;

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_clock::{BoundedVectorClock, CausalOrder, DenseVectorClock, VectorClock};

use self::forms::Form;

#[path = "vector/forms.rs"]
mod forms;

/// Enough for clocks that are compared several counters at a time, with some left over.
const REPLICAS: u8 = 45;

type Inline = VectorClock<u8, 45>;
type Spilling = VectorClock<u8, 3>;
type Heap = VectorClock<u8, 0>;
type Bounded = BoundedVectorClock<u8, 45>;
type Dense = DenseVectorClock<45>;

type Map = BTreeMap<u8, u64>;

/// Three clocks of which one may come from another, and no counter of which is zero.
#[derive(Clone, Debug)]
struct Three([Map; 3]);

impl Arbitrary for Three {
    fn arbitrary(g: &mut Gen) -> Self {
        let first = random_map(g);
        let second = relative(g, &first);
        let third = if bool::arbitrary(g) { relative(g, &first) } else { relative(g, &second) };
        Self([first, second, third])
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let three = self.clone();
        Box::new(
            (0..REPLICAS)
                .filter(|replica| self.0.iter().any(|map| map.contains_key(replica)))
                .collect::<Vec<_>>()
                .into_iter()
                .map(move |replica| {
                    let mut fewer = three.clone();
                    for map in &mut fewer.0 {
                        map.remove(&replica);
                    }
                    fewer
                }),
        )
    }
}

fn random_map(g: &mut Gen) -> Map {
    let replicas = match u8::arbitrary(g) % 4 {
        0 => 3,
        1 => 8,
        2 => 20,
        _ => REPLICAS,
    };
    let absent = u8::arbitrary(g) % 3;
    let present: Vec<u8> =
        (0..replicas).filter(|_| absent == 0 || u8::arbitrary(g) % 4 >= absent).collect();
    present.into_iter().map(|replica| (replica, counter(g))).collect()
}

/// Returns a counter, small or at an end of its range, as seen by signed and by unsigned comparison.
fn counter(g: &mut Gen) -> u64 {
    let near = u64::from(u8::arbitrary(g) % 4);
    match u8::arbitrary(g) % 8 {
        0 => u64::MAX - near,
        1 => (1 << 63) - 2 + near,
        2 => (1 << 32) - 2 + near,
        3 => u64::arbitrary(g).max(1),
        _ => 1 + near,
    }
}

/// Returns a clock that is equal, has seen more, has seen less, both, or is another altogether.
fn relative(g: &mut Gen, of: &Map) -> Map {
    let mut map = of.clone();
    let kind = u8::arbitrary(g) % 8;
    let changes = u8::arbitrary(g) % 3;
    for change in 0..changes {
        let replica = u8::arbitrary(g) % REPLICAS;
        let known = map.keys().copied().nth(usize::from(replica) % map.len().max(1));
        match kind {
            1 => {
                let seen = map.entry(replica).or_insert(0);
                *seen = seen.saturating_add(1);
            }
            2 => lower(&mut map, known),
            3 if change == 0 => lower(&mut map, known),
            3 => _ = map.insert(replica, u64::MAX),
            4 => {
                let seen = map.entry(known.unwrap_or(replica)).or_insert(0);
                *seen = seen.saturating_add(1);
            }
            5 => _ = known.and_then(|replica| map.insert(replica, counter(g))),
            6 => _ = map.insert(replica, counter(g)),
            _ => {}
        }
    }
    if kind == 7 { random_map(g) } else { map }
}

/// Takes away the last event of a replica.
fn lower(map: &mut Map, replica: Option<u8>) {
    let Some(replica) = replica else { return };
    match map.remove(&replica) {
        Some(0 | 1) | None => {}
        Some(counter) => _ = map.insert(replica, counter - 1),
    }
}

fn clock<F: Form>(map: &Map) -> F {
    F::of(&map.iter().map(|(replica, counter)| (*replica, *counter)).collect::<Vec<_>>())
}

fn map_of<F: Form>(clock: &F) -> Map {
    let entries = clock.entries();
    assert!(entries.is_sorted_by(|(a, _), (b, _)| a < b), "{entries:?}");
    entries.into_iter().collect()
}

fn includes(map: &Map, other: &Map) -> bool {
    other.iter().all(|(replica, counter)| map.get(replica).is_some_and(|seen| seen >= counter))
}

fn order_of(includes: bool, is_included: bool) -> CausalOrder {
    match (includes, is_included) {
        (true, true) => CausalOrder::Equal,
        (true, false) => CausalOrder::After,
        (false, true) => CausalOrder::Before,
        (false, false) => CausalOrder::Concurrent,
    }
}

fn merged_maps(first: &Map, second: &Map) -> Map {
    let mut merged = first.clone();
    for (replica, counter) in second {
        let seen = merged.entry(*replica).or_insert(0);
        *seen = (*seen).max(*counter);
    }
    merged
}

/// Merging is a join: the least upper bound in causal order.
fn is_a_lattice<F: Form>(Three(maps): &Three) {
    let [a, b, c] = maps.each_ref().map(clock::<F>);
    let ab = a.merged(&b);
    assert_eq!(a.merged(&a), a);
    assert_eq!(ab, b.merged(&a));
    assert_eq!(ab.merged(&c), a.merged(&b.merged(&c)));
    assert_eq!(a.merged(&F::default()), a);
    assert_eq!(F::default().merged(&a), a);
    assert!(a <= ab && b <= ab);
    // Of all upper bounds it is the least.
    let other = ab.merged(&c);
    assert!(ab <= other);
    if a <= c && b <= c {
        assert!(ab <= c);
    }
    assert_eq!(a <= b, ab == b);
}

/// All that can be asked of a clock is what a map of its entries says.
fn is_a_map<F: Form>(Three([first, second, third]): &Three) {
    let (mut a, b) = (clock::<F>(first), clock::<F>(second));
    assert_eq!(map_of(&a), *first);
    for replica in 0..REPLICAS {
        let seen = first.get(&replica).copied().unwrap_or(0);
        assert_eq!(a.get(replica), seen);
        assert!(a.contains(replica, 0) && a.contains(replica, seen));
        assert!(seen == u64::MAX || !a.contains(replica, seen + 1));
    }
    let order = order_of(includes(first, second), includes(second, first));
    assert_eq!(a.causal_order(&b), order);
    assert_eq!(map_of(&a.merged(&b)), merged_maps(first, second));

    let mut map = first.clone();
    for (replica, counter) in third {
        let seen = map.entry(*replica).or_insert(0);
        assert_eq!(a.record(*replica, *counter), counter > seen);
        assert!(!a.record(*replica, 0) && !a.record(*replica, *counter));
        *seen = (*seen).max(*counter);
        assert_eq!(map_of(&a), map);
    }
}

fn orders_agree<F: Form>(Three(maps): &Three) {
    let [a, b, c] = maps.each_ref().map(clock::<F>);
    let order = a.causal_order(&b);
    assert_eq!(a.causal_order(&a), CausalOrder::Equal);
    assert_eq!(b.causal_order(&a), order.reverse());
    assert_eq!(a.partial_cmp(&b), order.into());
    assert_eq!(a == b, order == CausalOrder::Equal);
    assert_eq!(a == b, a.entries() == b.entries());
    if a == b {
        let state = RandomState::new();
        assert_eq!(state.hash_one(&a), state.hash_one(&b));
    }
    if a <= b && b <= c {
        assert!(a <= c);
    }
}

fn increments_are_after<F: Form>(Three([first, second, _]): &Three, replica: u8) {
    let (before, other) = (clock::<F>(first), clock::<F>(second));
    let replica = replica % REPLICAS;
    let mut after = before.clone();
    let next = after.increment(replica);
    if before.get(replica) == u64::MAX {
        assert_eq!(next, None);
        assert_eq!(after, before);
        return;
    }
    assert_eq!(next, Some(before.get(replica) + 1));
    assert_eq!(after.get(replica), before.get(replica) + 1);
    assert_eq!(after.causal_order(&before), CausalOrder::After);
    assert!(after.contains(replica, next.unwrap()) && !before.contains(replica, next.unwrap()));
    // Whoever has not seen the event cannot have seen all that its clock has.
    if !other.contains(replica, next.unwrap()) {
        assert!(matches!(after.causal_order(&other), CausalOrder::After | CausalOrder::Concurrent));
    }
    assert_eq!(after.entries().len(), map_of(&before).len() + usize::from(next == Some(1)));
}

quickcheck! {
    fn merging_joins(three: Three) -> bool {
        is_a_lattice::<Inline>(&three);
        is_a_lattice::<Spilling>(&three);
        is_a_lattice::<Heap>(&three);
        is_a_lattice::<Bounded>(&three);
        is_a_lattice::<Dense>(&three);
        true
    }

    fn clocks_are_maps(three: Three) -> bool {
        is_a_map::<Inline>(&three);
        is_a_map::<Spilling>(&three);
        is_a_map::<Heap>(&three);
        is_a_map::<Bounded>(&three);
        is_a_map::<Dense>(&three);
        true
    }

    fn equality_hash_and_order_agree(three: Three) -> bool {
        orders_agree::<Inline>(&three);
        orders_agree::<Spilling>(&three);
        orders_agree::<Heap>(&three);
        orders_agree::<Bounded>(&three);
        orders_agree::<Dense>(&three);
        true
    }

    fn an_increment_is_strictly_after(three: Three, replica: u8) -> bool {
        increments_are_after::<Inline>(&three, replica);
        increments_are_after::<Spilling>(&three, replica);
        increments_are_after::<Heap>(&three, replica);
        increments_are_after::<Bounded>(&three, replica);
        increments_are_after::<Dense>(&three, replica);
        true
    }

    fn entries_are_collected_in_any_order(entries: Vec<(u8, u8)>) -> bool {
        let mut map = Map::new();
        let entries: Vec<(u8, u64)> = entries
            .into_iter()
            .map(|(replica, counter)| (replica % REPLICAS, u64::from(counter % 4)))
            .collect();
        for &(replica, counter) in &entries {
            let seen = map.entry(replica).or_insert(0);
            *seen = (*seen).max(counter);
        }
        map.retain(|_, counter| *counter > 0);
        map_of(&Inline::of(&entries)) == map
            && map_of(&Spilling::of(&entries)) == map
            && map_of(&Heap::of(&entries)) == map
            && map_of(&Bounded::of(&entries)) == map
            && map_of(&Dense::of(&entries)) == map
    }
}

/// What happens at a replica: something of its own, or that it hears of all that another has seen.
#[derive(Clone, Copy, Debug)]
enum Step {
    Event { at: u8 },
    Receive { at: u8, from: u8 },
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        let at = u8::arbitrary(g);
        if bool::arbitrary(g) {
            Self::Event { at }
        } else {
            Self::Receive { at, from: u8::arbitrary(g) }
        }
    }
}

/// Runs some replicas, and returns the clock of every event beside the set of events before it.
///
/// That set, its causal history, is what happened before: event by event, without counting any.
fn run<F: Form>(replicas: u8, steps: &[Step]) -> Vec<(F, BTreeSet<usize>)> {
    let mut state = vec![(F::default(), BTreeSet::new()); usize::from(replicas)];
    let mut events = Vec::new();
    for &step in steps {
        let (Step::Event { at } | Step::Receive { at, .. }) = step;
        let at = at % replicas;
        if let Step::Receive { from, .. } = step {
            let (clock, history) = state[usize::from(from % replicas)].clone();
            let receiver = &mut state[usize::from(at)];
            receiver.0.merge(&clock);
            receiver.1.extend(history);
        }
        let (clock, history) = &mut state[usize::from(at)];
        clock.increment(at).unwrap();
        history.insert(events.len());
        events.push((clock.clone(), history.clone()));
    }
    events
}

fn order_is_causal<F: Form>(replicas: u8, steps: &[Step]) {
    let events = run::<F>(replicas, steps);
    for (clock, history) in &events {
        for (other_clock, other_history) in &events {
            let order =
                order_of(history.is_superset(other_history), history.is_subset(other_history));
            assert_eq!(clock.causal_order(other_clock), order);
            assert_eq!(clock < other_clock, order == CausalOrder::Before);
        }
    }
}

quickcheck! {
    fn clocks_order_events_as_their_histories_do(replicas: u8, steps: Vec<Step>) -> bool {
        let steps = &steps[..steps.len().min(60)];
        let replicas = 1 + replicas % 6;
        order_is_causal::<Inline>(replicas, steps);
        order_is_causal::<Spilling>(replicas, steps);
        order_is_causal::<Heap>(replicas, steps);
        order_is_causal::<Bounded>(replicas, steps);
        order_is_causal::<Dense>(replicas, steps);
        true
    }
}

/// Every length that is taken several counters at a time, and every place in it that may differ.
#[test]
fn one_counter_decides_wherever_it_stands() {
    for len in 1..=REPLICAS {
        for place in 0..len {
            for (less, more) in [(1, 2), (1, u64::MAX), ((1 << 63) - 1, 1 << 63)] {
                let mut entries: Vec<(u8, u64)> = (0..len).map(|replica| (replica, 5)).collect();
                entries[usize::from(place)].1 = less;
                let before = VectorClock::<u8>::of(&entries);
                entries[usize::from(place)].1 = more;
                let after = VectorClock::<u8>::of(&entries);
                assert_eq!(before.causal_order(&after), CausalOrder::Before);
                assert_eq!(after.partial_cmp(&before), Some(Ordering::Greater));
                assert_eq!(before.merged(&after), after);
                assert_eq!(after.merged(&before), after);
                // And another place decides against it.
                if len > 1 {
                    entries[usize::from((place + 1) % len)].1 = 4;
                    let other = VectorClock::<u8>::of(&entries);
                    assert_eq!(before.causal_order(&other), CausalOrder::Concurrent);
                    assert_eq!(other.causal_order(&before), CausalOrder::Concurrent);
                }
            }
        }
    }
}
