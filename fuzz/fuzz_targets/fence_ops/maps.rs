//! Fenced maps beside the list of all that they accepted.

use core::num::NonZeroUsize;

use arbitrary::Arbitrary;
use surmise_fence::{FencedMap, Pass, WriteRefusal, sync};

use crate::reference::{History, KEYS, pass};

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Op {
    Raise(Few),
    Write(u8, Few),
    Remove(u8, Few),
    Prune,
}

/// One of few passes, so that they meet.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Few(u8, u8, u8);

impl Few {
    pub(crate) fn pass(self) -> Pass {
        pass(self.0, self.1, self.2)
    }
}

pub(crate) fn check(capacity: u8, ops: &[Op]) {
    let capacity = NonZeroUsize::MIN.saturating_add(usize::from(capacity % (KEYS + 1)));
    let (one, many) = (FencedMap::new(capacity), sync::FencedMap::new(capacity));
    let mut model = Model { one, many, history: History::default() };
    // The reference takes time in the square of the operations.
    for (&op, value) in ops.iter().take(100).zip(0..) {
        model.step(op, value);
        model.check();
    }
}

struct Model {
    one: FencedMap<u8, u32>,
    many: sync::FencedMap<u8, u32>,
    history: History,
}

impl Model {
    fn step(&mut self, op: Op, value: u32) {
        match op {
            Op::Raise(few) => {
                let pass = few.pass();
                let raised = self.one.raise(pass);
                assert_eq!(raised, self.many.raise(pass));
                assert_eq!(raised.is_ok(), self.history.admits_raise(pass));
                if raised.is_ok() {
                    self.history.raise(pass);
                }
            }
            Op::Write(key, few) => {
                let (key, pass) = (key % KEYS, few.pass());
                let written = self.one.write(key, value, pass);
                assert_eq!(written, self.many.write(key, value, pass));
                if let Err(refused) = written {
                    assert_eq!((refused.key, refused.value), (key, value));
                }
                let result = written.map_err(|refused| refused.reason);
                self.take(key, Some(value), pass, result);
            }
            Op::Remove(key, few) => {
                let (key, pass) = (key % KEYS, few.pass());
                let removed = self.one.remove(&key, pass);
                assert_eq!(removed, self.many.remove(&key, pass));
                self.take(key, None, pass, removed);
            }
            Op::Prune => {
                assert_eq!(self.one.prune(), self.many.prune());
                let slots = self.one.len() + self.one.tombstones();
                assert_eq!(slots, self.history.remembered().len());
            }
        }
    }

    /// Takes note of what came of a write or a removal, if it is what must.
    fn take(
        &mut self,
        key: u8,
        value: Option<u32>,
        pass: Pass,
        result: Result<Option<u32>, WriteRefusal>,
    ) {
        let is_admitted = self.history.admits_write(key, pass);
        match result {
            Ok(previous) => {
                assert!(is_admitted);
                assert_eq!(previous, self.history.get(key).map(|(value, _)| value));
                self.history.write(key, value, pass);
            }
            Err(WriteRefusal::Refused(refusal)) => {
                assert!(!is_admitted && !refusal.to_string().is_empty());
            }
            Err(WriteRefusal::Full { capacity }) => {
                let remembered = self.history.remembered();
                assert!(is_admitted && !remembered.contains(&key));
                assert_eq!((remembered.len(), capacity), (capacity, self.one.capacity().get()));
            }
            Err(other) => panic!("{other}"),
        }
    }

    fn check(&self) {
        for key in 0..KEYS {
            let expected = self.history.get(key);
            let got = self.one.get_with_pass(&key).map(|(&value, pass)| (value, pass));
            assert_eq!((got, self.many.get_with_pass(&key)), (expected, expected));
            assert_eq!(self.one.pass(&key), self.many.pass(&key));
        }
        assert_eq!(self.one.iter().count(), self.many.snapshot().len());
        assert_eq!((self.one.len(), self.one.floor()), (self.many.len(), self.many.floor()));
        assert_eq!(self.one.tombstones(), self.many.tombstones());
        assert!(self.one.len() + self.one.tombstones() <= self.one.capacity().get());
        assert!(self.history.remembered().len() <= self.one.capacity().get());
    }
}
