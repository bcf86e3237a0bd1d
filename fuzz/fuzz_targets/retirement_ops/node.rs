//! A replica, and its causal history.

use std::collections::BTreeMap;

use surmise_clock::{CausalOrder, RetireError, Retirements, Tombstone, VectorClock};

#[derive(Clone)]
pub(crate) struct Node {
    me: u8,
    pub(crate) clock: VectorClock<u8, 2>,
    retirements: Retirements<u8>,
    /// What the clock stands for, with nothing left out.
    seen: BTreeMap<u8, u64>,
}

impl Node {
    pub(crate) fn new(me: u8) -> Self {
        let (clock, retirements) = (VectorClock::default(), Retirements::new());
        Self { me, clock, retirements, seen: BTreeMap::new() }
    }

    /// Counts an event, even where the replica was retired by others in error.
    pub(crate) fn count_event(&mut self) {
        self.retirements.restore(&mut self.clock);
        let counter = self.clock.increment(&self.me).expect("inputs are short");
        assert_eq!(counter, self.seen.get(&self.me).unwrap_or(&0) + 1);
        self.seen.insert(self.me, counter);
    }

    pub(crate) fn take_in(&mut self, other: &Self) {
        for tombstone in other.retirements.iter() {
            let is_known = self.retirements.iter().any(|known| known == tombstone);
            let learned = self.retirements.learn(*tombstone);
            assert_eq!(learned, Ok(!is_known), "honest replicas do not contradict each other");
        }
        self.clock.merge(&other.clock);
        for (&replica, &counter) in &other.seen {
            let own = self.seen.entry(replica).or_default();
            *own = counter.max(*own);
        }
    }

    pub(crate) fn retire(&mut self, departed: u8) {
        let last = self.seen.get(&departed).copied().unwrap_or(0);
        let find = |replica, last| {
            let mut known = self.retirements.iter();
            known.any(|known| known.replica == replica && known.last >= last)
        };
        let (is_retired, was_retired) = (find(self.me, 0), find(departed, last));
        let before = (self.clock.clone(), self.retirements.clone());
        match self.retirements.retire(&mut self.clock, &departed, &self.me) {
            Ok(Tombstone { by, replica, last: recorded }) => {
                assert!(departed != self.me && last > 0 && !is_retired && !was_retired);
                assert_eq!((by.replica, replica, recorded), (self.me, departed, last));
                assert_eq!(by.counter, self.seen.get(&self.me).unwrap_or(&0) + 1);
                self.seen.insert(self.me, by.counter);
                return;
            }
            Err(RetireError::BySelf { replica }) => {
                assert!(replica == departed && departed == self.me);
            }
            Err(RetireError::ByRetired { tombstone }) => {
                assert!(is_retired && tombstone.replica == self.me);
            }
            Err(RetireError::NothingSeen { replica }) => assert!(replica == departed && last == 0),
            Err(RetireError::AlreadyRetired { tombstone }) => {
                assert!(was_retired && tombstone.replica == departed && tombstone.last >= last);
            }
            Err(error) => panic!("{error}"),
        }
        assert_eq!((&self.clock, &self.retirements), (&before.0, &before.1));
    }

    pub(crate) fn compact(&mut self) {
        let before = self.clock.len();
        self.retirements.restore(&mut self.clock);
        let restored = self.clock.len();
        self.retirements.compact(&mut self.clock);
        assert!(before <= restored && self.clock.len() <= before, "to compact adds entries");
    }

    pub(crate) fn restore(&mut self) {
        self.retirements.restore(&mut self.clock);
        assert_eq!(entries(&self.clock), self.seen);
    }

    pub(crate) fn forget(&mut self) {
        let tombstones: Vec<_> = self.retirements.iter().copied().collect();
        for tombstone in tombstones {
            let by = tombstone.by;
            assert_eq!(self.retirements.forget(&by), Some(tombstone));
            assert_eq!(self.retirements.forget(&by), None);
        }
        assert_eq!((self.retirements.is_empty(), self.retirements.len()), (true, 0));
    }

    /// Checks that nothing is lost by what is left out.
    pub(crate) fn check(&self) {
        self.clone().restore();
    }

    pub(crate) fn compare(&self, other: &Self) {
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
        let mut known = self.retirements.clone();
        for tombstone in other.retirements.iter() {
            known.learn(*tombstone).expect("honest replicas do not contradict each other");
        }
        assert_eq!(known.causal_order(&self.clock, &other.clock), expected);
    }
}

fn entries(clock: &VectorClock<u8, 2>) -> BTreeMap<u8, u64> {
    clock.iter().map(|(&replica, counter)| (replica, counter)).collect()
}
