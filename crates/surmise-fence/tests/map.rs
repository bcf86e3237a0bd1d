//! Fenced maps, for one thread and for many, accept what the definition accepts.

#![cfg(feature = "std")]

mod support {
    pub(crate) mod map;
}

use core::num::NonZeroUsize;

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_fence::{FencedMap, FencingToken, Pass, Refusal, WriteRefusal, sync};

use crate::support::map::{History, KEYS, pass};

#[derive(Clone, Copy, Debug)]
enum Op {
    Raise(Pass),
    Write(u8, Pass),
    Remove(u8, Pass),
    Prune,
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Self {
        let pass = pass(u8::arbitrary(g), u8::arbitrary(g), u8::arbitrary(g));
        let key = u8::arbitrary(g) % KEYS;
        match u8::arbitrary(g) % 16 {
            0..2 => Self::Raise(pass),
            2..9 => Self::Write(key, pass),
            9..15 => Self::Remove(key, pass),
            _ => Self::Prune,
        }
    }
}

quickcheck! {
    fn a_write_is_accepted_exactly_if_all_before_it_lets_it(ops: Vec<Op>, capacity: u8) -> bool {
        let capacity = NonZeroUsize::MIN.saturating_add(usize::from(capacity % 5));
        let mut pair = Pair::new(capacity);
        ops.into_iter().zip(0..).for_each(|(op, value)| pair.step(op, value));
        true
    }
}

/// Both maps, and what they are meant to be.
struct Pair {
    one: FencedMap<u8, u32>,
    many: sync::FencedMap<u8, u32>,
    history: History,
}

impl Pair {
    fn new(capacity: NonZeroUsize) -> Self {
        let (one, many) = (FencedMap::new(capacity), sync::FencedMap::new(capacity));
        Self { one, many, history: History::default() }
    }

    fn step(&mut self, op: Op, value: u32) {
        match op {
            Op::Raise(pass) => {
                let raised = self.one.raise(pass);
                assert_eq!(raised, self.many.raise(pass));
                assert_eq!(raised.is_ok(), self.history.admits_raise(pass), "{pass:?}");
                if raised.is_ok() {
                    self.history.raise(pass);
                    assert_eq!(self.one.floor(), Some(pass.with_sequence(0)));
                }
            }
            Op::Write(key, pass) => {
                let expected = self.expected(key, pass, true);
                let written = self.one.write(key, value, pass);
                assert_eq!(written, self.many.write(key, value, pass));
                if let Err(refused) = written {
                    assert_eq!((refused.key, refused.value), (key, value));
                }
                self.check(expected, written.map_err(|refused| refused.reason));
                if written.is_ok() {
                    self.history.write(key, Some(value), pass);
                }
            }
            Op::Remove(key, pass) => {
                let is_kept = self.one.floor() != Some(pass);
                let expected = self.expected(key, pass, is_kept);
                let removed = self.one.remove(&key, pass);
                assert_eq!(removed, self.many.remove(&key, pass));
                self.check(expected, removed);
                if removed.is_ok() {
                    self.history.write(key, None, pass);
                }
            }
            Op::Prune => {
                assert_eq!(self.one.prune(), self.many.prune());
                let remembered = self.history.remembered().len();
                assert_eq!(self.one.len() + self.one.tombstones(), remembered);
            }
        }
        self.check_contents();
    }

    /// Returns what must come of a write: the value before it, or `Full`, or `None` for any refusal.
    fn expected(&self, key: u8, pass: Pass, takes_room: bool) -> Option<Result<Option<u32>, Full>> {
        if !self.history.admits_write(key, pass) {
            return None;
        }
        let remembered = self.history.remembered();
        let is_full = remembered.len() == self.one.capacity().get();
        if takes_room && is_full && !remembered.contains(&key) {
            return Some(Err(Full));
        }
        Some(Ok(self.history.get(key).map(|(value, _)| value)))
    }

    fn check(
        &self,
        expected: Option<Result<Option<u32>, Full>>,
        result: Result<Option<u32>, WriteRefusal>,
    ) {
        let capacity = self.one.capacity().get();
        match expected {
            Some(expected) => {
                assert_eq!(result, expected.map_err(|Full| WriteRefusal::Full { capacity }));
            }
            None => assert!(matches!(result, Err(WriteRefusal::Refused(_))), "{result:?}"),
        }
    }

    fn check_contents(&self) {
        let expected: Vec<_> = (0..KEYS)
            .filter_map(|key| self.history.get(key).map(|(value, pass)| (key, value, pass)))
            .collect();
        let mut iterated: Vec<_> =
            self.one.iter().map(|(&key, &value, pass)| (key, value, pass)).collect();
        let mut snapshot = self.many.snapshot();
        iterated.sort_unstable_by_key(|entry| entry.0);
        snapshot.sort_unstable_by_key(|entry| entry.0);
        assert_eq!(iterated, expected);
        assert_eq!(snapshot, expected);
        for key in 0..KEYS {
            let got = self.history.get(key);
            assert_eq!(self.one.get(&key).copied(), got.map(|(value, _)| value));
            assert_eq!(self.many.get(&key), got.map(|(value, _)| value));
            assert_eq!(self.one.get_with_pass(&key).map(|(&value, pass)| (value, pass)), got);
            assert_eq!(self.many.get_with_pass(&key), got);
            assert!(got.is_none() || self.one.pass(&key) == got.map(|(_, pass)| pass));
        }
        assert_eq!((self.one.len(), self.many.len()), (expected.len(), expected.len()));
        assert_eq!(self.one.is_empty(), expected.is_empty());
        assert_eq!(self.many.is_empty(), expected.is_empty());
        assert_eq!(self.one.floor(), self.many.floor());
        assert!(self.one.len() + self.one.tombstones() <= self.one.capacity().get());
        assert!(self.many.len() + self.many.tombstones() <= self.many.capacity().get());
    }
}

#[derive(Debug)]
struct Full;

fn map(capacity: usize) -> FencedMap<&'static str, i32> {
    FencedMap::new(NonZeroUsize::new(capacity).expect("a map has room"))
}

fn grant(counter: u64) -> Pass {
    FencingToken::new(1, counter.try_into().expect("counters begin at 1")).into()
}

/// With `>` where `>=` belongs, the holder's second write would be refused.
#[test]
fn a_holder_writes_a_key_as_often_as_it_likes() {
    let mut map = map(1);
    map.raise(grant(1)).unwrap();
    map.raise(grant(1)).unwrap();
    assert_eq!(map.write("a", 1, grant(1)), Ok(None));
    assert_eq!(map.write("a", 2, grant(1)), Ok(Some(1)));
    assert_eq!(map.remove(&"a", grant(1)), Ok(Some(2)));
    assert_eq!(map.remove(&"a", grant(1)), Ok(None));
}

/// With a check of the key alone, the second write would land.
#[test]
fn a_stale_holder_writes_no_key_that_the_new_one_has_not_touched() {
    let mut map = map(2);
    map.write("a", 1, grant(1)).unwrap();
    map.raise(grant(2)).unwrap();
    for key in ["a", "b"] {
        let refused = map.write(key, 2, grant(1)).unwrap_err();
        let (offered, highest) = (grant(1).token, grant(2).token);
        assert_eq!(refused.reason, Refusal::Stale { offered, highest }.into());
    }
    assert_eq!((map.get("a"), map.get("b")), (Some(&1), None));
}

/// With the floor at the highest write, a holder's write would stop another's that is in order.
#[test]
fn a_write_does_not_raise_the_floor() {
    let mut map = map(2);
    map.write("a", 1, grant(2)).unwrap();
    assert_eq!(map.floor(), None);
    assert_eq!(map.write("b", 1, grant(1)), Ok(None));
    assert_eq!(map.raise(grant(1)), Ok(()));
}

/// With a removal that forgets, the late write would bring the key back.
#[test]
fn a_late_write_does_not_bring_a_removed_key_back() {
    let mut map = map(3);
    map.write("a", 1, grant(2)).unwrap();
    map.remove(&"a", grant(2)).unwrap();
    assert_eq!((map.get("a"), map.pass("a")), (None, Some(grant(2))));
    assert!(map.write("a", 2, grant(1)).is_err());
    assert!(map.remove(&"a", grant(1)).is_err());

    // Nor if the removal overtook the write.
    map.raise(grant(3)).unwrap();
    assert_eq!(map.remove(&"b", grant(3).with_sequence(2)), Ok(None));
    let refused = map.write("b", 1, grant(3).with_sequence(1)).unwrap_err();
    assert_eq!(refused.reason, Refusal::OutOfOrder { offered: 1, highest: 2 }.into());
}

/// Neither what was removed before nor the numbers of the writes have to be known.
#[test]
fn who_fills_a_map_again_after_a_restart_does_so_as_a_new_holder() {
    let mut before = map(3);
    for (key, counter) in [("a", 1), ("b", 2), ("c", 1)] {
        before.write(key, 1, grant(counter).with_sequence(7)).unwrap();
    }
    before.remove(&"c", grant(2).with_sequence(8)).unwrap();

    let mut after = map(3);
    after.raise(grant(3)).unwrap();
    for (key, value, _) in before.iter() {
        after.write(*key, *value, grant(3)).unwrap();
    }
    assert_eq!(["a", "b", "c"].map(|key| after.get(key)), [Some(&1), Some(&1), None]);
    for key in ["a", "b", "c"] {
        assert!(after.write(key, 2, grant(2).with_sequence(9)).is_err());
    }
}

#[test]
fn a_full_map_takes_no_new_key_until_the_floor_makes_tombstones_superfluous() {
    let mut map = map(2);
    let full = WriteRefusal::Full { capacity: 2 };
    map.write("a", 1, grant(1)).unwrap();
    map.remove(&"b", grant(1)).unwrap();
    assert_eq!((map.len(), map.tombstones()), (1, 1));
    let refused = map.write("c", 3, grant(2)).unwrap_err();
    assert_eq!((refused.key, refused.value, refused.reason), ("c", 3, full));
    assert_eq!(map.remove(&"c", grant(2)), Err(full));
    assert_eq!(map.write("a", 2, grant(1)), Ok(Some(1)));
    assert_eq!(map.write("b", 2, grant(1)), Ok(None));

    map.remove(&"b", grant(1)).unwrap();
    map.raise(grant(2)).unwrap();
    assert_eq!(map.write("c", 3, grant(2)), Ok(None));
    assert_eq!((map.len(), map.tombstones()), (2, 0));
    assert!(map.write("b", 4, grant(1)).is_err());
    assert_eq!(map.write("b", 4, grant(2)).unwrap_err().reason, full);
}

#[test]
fn what_is_printed_are_counts_and_reasons_and_no_values() {
    let mut map = map(1);
    map.raise(grant(2)).unwrap();
    map.write("secret", 42, grant(2)).unwrap();
    let refused = map.write("secret", 43, grant(1)).unwrap_err();
    assert_eq!(refused.to_string(), "token 1.1 is stale: 1.2 was seen; acquire the lease anew");
    let full = map.write("other", 43, grant(2)).unwrap_err();
    assert_eq!(
        full.to_string(),
        "no room for a new key: 1 keys are remembered, and no more can be"
    );
    let printed = format!("{map:?} {refused:?} {full:?}");
    assert!(!printed.contains("secret") && !printed.contains("43"), "{printed}");
    assert!(printed.contains("len: 1"), "{printed}");
}
