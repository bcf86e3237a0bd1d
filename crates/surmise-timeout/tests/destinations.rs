//! Tables of destinations against a list that is searched from one end.

#![cfg(feature = "std")]

extern crate alloc;

use alloc::sync::{Arc, Weak};
use core::{num::NonZeroUsize, panic::AssertUnwindSafe};
use std::{panic::catch_unwind, sync::OnceLock};

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_timeout::{Destinations, sync::SharedDestinations};

fn room(capacity: usize) -> NonZeroUsize {
    NonZeroUsize::new(capacity).expect("there is room")
}

/// The most recently used first.
#[derive(Default)]
struct Model(Vec<(u8, u32)>);

impl Model {
    fn get(&mut self, key: u8) -> Option<u32> {
        let found = self.0.remove(self.0.iter().position(|entry| entry.0 == key)?);
        self.0.insert(0, found);
        Some(found.1)
    }

    fn get_or_create(&mut self, key: u8, value: u32, capacity: usize) -> (u32, Option<(u8, u32)>) {
        if let Some(found) = self.get(key) {
            return (found, None);
        }
        let evicted = if self.0.len() == capacity { self.0.pop() } else { None };
        self.0.insert(0, (key, value));
        (value, evicted)
    }

    fn remove(&mut self, key: u8) -> Option<u32> {
        let found = self.0.iter().position(|entry| entry.0 == key)?;
        Some(self.0.remove(found).1)
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    GetOrCreate(u8),
    Fail(u8),
    Get(u8),
    Remove(u8),
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Self {
        let key = u8::arbitrary(g) % 12;
        match u8::arbitrary(g) % 8 {
            0 => Self::Get(key),
            1 => Self::Remove(key),
            2 => Self::Fail(key),
            _ => Self::GetOrCreate(key),
        }
    }
}

quickcheck! {
    /// In one shard the shared table keeps and forgets the same.
    fn who_was_used_least_recently_makes_room(ops: Vec<Op>, capacity: u8) -> bool {
        let capacity = usize::from(capacity % 10 + 1);
        let mut model = Model::default();
        let mut table = Destinations::<u8, u32>::new(room(capacity));
        let shared = SharedDestinations::<u8, u32>::new(room(capacity));
        let mut evictions = 0;
        for (op, value) in ops.into_iter().zip(0..) {
            match op {
                Op::GetOrCreate(key) => {
                    let (expected, evicted) = model.get_or_create(key, value, capacity);
                    let found = table.get_or_create_evicting(&key, || value);
                    assert_eq!((*found.0, found.1), (expected, evicted));
                    assert_eq!(*shared.get_or_create(&key, || value), expected);
                    evictions += u64::from(evicted.is_some());
                }
                Op::Fail(key) => {
                    let expected = model.get(key).ok_or("nothing can be made");
                    let made = || Err("nothing can be made");
                    assert_eq!(table.try_get_or_create(&key, made).map(|value| *value), expected);
                    assert_eq!(shared.try_get_or_create(&key, made).map(|value| *value), expected);
                }
                Op::Get(key) => {
                    let expected = model.get(key);
                    assert_eq!(table.get(&key).copied(), expected);
                    assert_eq!(shared.get(&key).as_deref().copied(), expected);
                }
                Op::Remove(key) => {
                    let expected = model.remove(key);
                    assert_eq!(table.remove(&key), expected);
                    assert_eq!(shared.remove(&key).as_deref().copied(), expected);
                }
            }
            assert!(table.iter().map(|(key, value)| (*key, *value)).eq(model.0.iter().copied()));
            let snapshot = shared.snapshot().into_iter().map(|(key, value)| (key, *value));
            assert!(snapshot.eq(model.0.iter().copied()));
            assert_eq!([table.len(), shared.len()], [model.0.len(); 2]);
            assert_eq!([table.evictions(), shared.evictions()], [evictions; 2]);
        }
        table.is_empty() == model.0.is_empty() && shared.is_empty() == model.0.is_empty()
    }

    /// In several shards the order is another one, and the bound the same.
    fn there_are_never_more_than_there_is_room_for(keys: Vec<u16>, capacity: u16) -> bool {
        let capacity = usize::from(capacity % 700 + 1);
        let shared = SharedDestinations::<u16, u16>::new(room(capacity));
        let mut made = 0;
        for key in keys.iter().flat_map(|key| (0..50).map(|more| key.wrapping_add(more))) {
            let value = shared.get_or_create(&key, || {
                made += 1;
                key
            });
            assert_eq!(*value, key);
            assert_eq!(shared.get(&key).as_deref(), Some(&key), "it was just used");
        }
        let kept = shared.len();
        shared.capacity().get() == capacity && kept <= capacity
            && kept as u64 + shared.evictions() == made
            && shared.snapshot().len() == kept
    }
}

#[test]
fn all_room_is_used() {
    for capacity in [1, 63, 127, 128, 129, 1000, 1024, 5000] {
        let shared = SharedDestinations::<usize, ()>::new(room(capacity));
        for key in 0..20 * capacity + 1000 {
            shared.get_or_create(&key, || ());
        }
        assert_eq!(shared.len(), capacity);
    }
}

/// No memory is taken for it.
#[test]
fn a_capacity_may_be_as_large_as_can_be() {
    let mut table = Destinations::<u8, u8>::new(NonZeroUsize::MAX);
    let shared = SharedDestinations::<u8, u8>::new(NonZeroUsize::MAX);
    assert_eq!((*table.get_or_create(&1, || 2), *shared.get_or_create(&1, || 2)), (2, 2));
    assert_eq!(table.capacity(), shared.capacity());
}

#[test]
fn values_can_be_changed_in_place() {
    let mut table = Destinations::<String, u32>::new(room(2));
    *table.get_or_create("a", || 1) += 10;
    *table.get_or_create("b", || 2) += 10;
    table.iter_mut().for_each(|(_, value)| *value += 100);
    // To look through all of them was no use of any.
    table.get_or_create("c", || 3);
    assert_eq!(format!("{table:?}"), r#"{"c": 3, "b": 112}"#);
    assert_eq!(table.get("a"), None);
}

#[test]
fn nothing_makes_room_for_a_value_that_cannot_be_made() {
    let mut table = Destinations::<u8, u8>::new(room(1));
    let shared = SharedDestinations::<u8, u8>::new(room(1));
    table.get_or_create(&1, || 1);
    shared.get_or_create(&1, || 1);
    let make = || -> u8 { panic!("out of values") };
    assert!(catch_unwind(AssertUnwindSafe(|| *table.get_or_create(&2, make))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| shared.get_or_create(&2, make))).is_err());
    assert_eq!(table.try_get_or_create(&2, || Err("none")), Err("none"));
    assert_eq!(shared.try_get_or_create(&2, || Err("none")), Err("none"));
    assert_eq!((table.get(&1), shared.get(&1).as_deref()), (Some(&mut 1), Some(&1)));
    assert_eq!((table.evictions(), shared.evictions()), (0, 0));
}

#[test]
fn threads_are_given_the_same_value() {
    let shared = SharedDestinations::<u8, u64>::new(room(300));
    let values: Vec<Vec<Arc<u64>>> = std::thread::scope(|scope| {
        let get = |thread| {
            let keys = 0..200;
            let shared = &shared;
            move || keys.map(|key| shared.get_or_create(&key, || thread)).collect()
        };
        let threads = [1, 2, 3].map(|thread| scope.spawn(get(thread)));
        threads.map(|thread| thread.join().expect("it only looks up")).into()
    });
    let [first, others @ ..] = values.as_slice() else { panic!("there are three") };
    for other in others {
        assert!(first.iter().zip(other).all(|(one, other)| Arc::ptr_eq(one, other)));
    }
}

/// Uses the table that it is in when it is dropped.
struct Nosy {
    table: Weak<OnceLock<SharedDestinations<u8, Self>>>,
}

impl Drop for Nosy {
    fn drop(&mut self) {
        if let Some(table) = self.table.upgrade().as_ref().and_then(|table| table.get()) {
            assert!(table.len() <= 1);
        }
    }
}

/// With a lock held all the while, this would never end.
#[test]
fn a_table_may_be_used_while_values_are_made_and_dropped() {
    let cell = Arc::new(OnceLock::new());
    let table = cell.get_or_init(|| SharedDestinations::new(room(1)));
    let nosy = || Nosy { table: Arc::downgrade(&cell) };
    table.get_or_create(&1, nosy);
    let mut first = None;
    let second = table.get_or_create(&2, || {
        assert!(table.get(&2).is_none());
        // As another thread may do meanwhile.
        first = Some(table.get_or_create(&2, nosy));
        nosy()
    });
    assert!(first.is_some_and(|first| Arc::ptr_eq(&first, &second)));
    drop(second);
    table.remove(&2);
    table.get_or_create(&3, nosy);
    table.get_or_create(&4, nosy);
    assert_eq!((table.len(), table.evictions()), (1, 2));
}
