//! Vector clocks as maps, in the plainest way.

use core::hash::{BuildHasher, BuildHasherDefault};
use std::{collections::BTreeMap, hash::DefaultHasher};

use arbitrary::Arbitrary;
use surmise_clock::CausalOrder;

use crate::clocks::{Clock, Refusal};

/// How many events of each replica have been seen, none of them zero.
pub(crate) type Seen = BTreeMap<u8, u64>;

/// Something that is done to one of some clocks.
#[derive(Arbitrary, Debug)]
pub(crate) enum Op {
    Increment {
        clock: Slot,
        replica: u8,
    },
    Record {
        clock: Slot,
        replica: u8,
        counter: Counter,
    },
    /// Some replicas at once.
    Meet {
        clock: Slot,
        first: u8,
        replicas: u8,
        counter: Counter,
    },
    Merge {
        clock: Slot,
        from: Slot,
    },
    Copy {
        clock: Slot,
        from: Slot,
    },
    Collect {
        clock: Slot,
        entries: Vec<(u8, Counter)>,
    },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Slot {
    First,
    Second,
    Third,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Counter {
    Any(u64),
    Low(u8),
    High(u8),
}

/// Does what is said with clocks of one kind, and checks each result.
pub(crate) fn drive<C: Clock>(ops: &[Op]) {
    let mut pairs: [Pair<C>; 3] = Default::default();
    for op in ops {
        let slot = match *op {
            Op::Increment { clock, replica } => {
                pairs[clock as usize].increment(replica);
                clock
            }
            Op::Record { clock, replica, counter } => {
                pairs[clock as usize].record(replica, counter.into());
                clock
            }
            Op::Meet { clock, first, replicas, counter } => {
                for replica in (first..=u8::MAX).take(usize::from(replicas) % 64) {
                    pairs[clock as usize].record(replica, counter.into());
                }
                clock
            }
            Op::Merge { clock, from } => {
                let other = pairs[from as usize].clone();
                pairs[clock as usize].merge(&other);
                clock
            }
            Op::Copy { clock, from } => {
                pairs[clock as usize] = pairs[from as usize].clone();
                clock
            }
            Op::Collect { clock, ref entries } => {
                let entries = entries.iter().map(|&(replica, counter)| (replica, counter.into()));
                pairs[clock as usize].collect(&entries.collect::<Vec<_>>());
                clock
            }
        };
        let changed = &pairs[slot as usize];
        changed.check();
        for other in &pairs {
            changed.compare(other);
        }
    }
}

/// A clock, and the map that it must be.
#[derive(Clone, Debug, Default)]
struct Pair<C> {
    clock: C,
    seen: Seen,
}

impl<C: Clock> Pair<C> {
    fn increment(&mut self, replica: u8) {
        let next = self.seen.get(&replica).unwrap_or(&0).checked_add(1);
        let expected = match next {
            Some(next) => self.expect(replica, next).map(|_| next),
            None => Err(Refusal::Overflow { replica }),
        };
        assert_eq!(self.clock.increment(replica), expected);
    }

    fn record(&mut self, replica: u8, counter: u64) {
        let is_seen = self.clock.contains(replica, counter);
        let expected = self.expect(replica, counter);
        assert_eq!(self.clock.record(replica, counter), expected);
        assert!(is_seen != expected.unwrap_or(true));
    }

    /// Takes note of events in the map, unless the clock must refuse them.
    fn expect(&mut self, replica: u8, counter: u64) -> Result<bool, Refusal> {
        let is_news = raise(&mut self.seen, replica, counter);
        let admitted = C::admit(&self.seen);
        if admitted.is_err() {
            // Whatever is refused is refused for a new replica.
            self.seen.remove(&replica);
        }
        admitted.map(|()| is_news)
    }

    fn merge(&mut self, other: &Self) {
        let mut seen = self.seen.clone();
        for (&replica, &counter) in &other.seen {
            raise(&mut seen, replica, counter);
        }
        let expected = C::admit(&seen);
        assert_eq!(self.clock.merge(&other.clock), expected);
        if expected.is_ok() {
            self.seen = seen;
        }
    }

    fn collect(&mut self, entries: &[(u8, u64)]) {
        let mut seen = Seen::new();
        for &(replica, counter) in entries {
            raise(&mut seen, replica, counter);
        }
        let collected = C::collect(entries);
        // Which entry is the first too many depends on their order.
        assert_eq!(collected.is_ok(), C::admit(&seen).is_ok(), "{collected:?}");
        if let Ok(clock) = collected {
            *self = Self { clock, seen };
        }
    }

    /// Checks that the clock is what it must be, whether something was done or refused.
    fn check(&self) {
        assert_eq!(self.clock.entries(), self.seen);
        for (&replica, &counter) in &self.seen {
            assert_eq!(self.clock.get(replica), counter);
            let next = replica.wrapping_add(1);
            assert_eq!(self.clock.get(next), self.seen.get(&next).copied().unwrap_or(0));
        }
    }

    fn compare(&self, other: &Self) {
        let has_more = |first: &Self, second: &Self| {
            let lacks = |(replica, counter)| second.seen.get(replica).unwrap_or(&0) < counter;
            first.seen.iter().any(lacks)
        };
        let expected = match (has_more(self, other), has_more(other, self)) {
            (false, false) => CausalOrder::Equal,
            (false, true) => CausalOrder::Before,
            (true, false) => CausalOrder::After,
            (true, true) => CausalOrder::Concurrent,
        };
        assert_eq!(self.clock.causal_order(&other.clock), expected);
        assert_eq!(other.clock.causal_order(&self.clock), expected.reverse());
        assert_eq!(self.clock.partial_cmp(&other.clock), expected.into());
        assert_eq!(self.clock == other.clock, expected == CausalOrder::Equal);
        let hash = |clock: &C| BuildHasherDefault::<DefaultHasher>::new().hash_one(clock);
        assert!(self.clock != other.clock || hash(&self.clock) == hash(&other.clock));
    }
}

/// Takes note of events, and returns whether they are news.
fn raise(seen: &mut Seen, replica: u8, counter: u64) -> bool {
    let is_news = seen.get(&replica).unwrap_or(&0) < &counter;
    if is_news {
        seen.insert(replica, counter);
    }
    is_news
}

impl From<Counter> for u64 {
    fn from(counter: Counter) -> Self {
        match counter {
            Counter::Any(counter) => counter,
            Counter::Low(counter) => counter.into(),
            Counter::High(below) => Self::MAX - Self::from(below),
        }
    }
}
