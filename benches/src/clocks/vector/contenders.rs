use core::cmp::Ordering;

use crdts::{CmRDT, CvRDT};
use surmise_clock::{CausalOrder, CounterOverflow, VectorClock};

use super::{VectorContender, Visitor};
use crate::Origin;

/// Shows every vector clock to a visitor: ours first, then the peers.
pub fn visit_all(visitor: &mut impl Visitor) {
    visitor.visit::<VectorClock<u64>>("vector");
    visitor.visit::<crdts::VClock<u64>>("crdts");
    visitor.visit::<vclock::VClock<u64, u64>>("vclock");
}

impl VectorContender for VectorClock<u64> {
    const ORIGIN: Origin = Origin::Ours;

    type Order = CausalOrder;

    type Other = &'static Self;

    type Incremented = Result<u64, CounterOverflow<u64>>;

    fn from_entries(entries: &[(u64, u64)]) -> Self {
        entries.iter().copied().collect()
    }

    fn get(&self, replica: u64) -> u64 {
        Self::get(self, &replica)
    }

    #[inline]
    fn causal_order(&self, other: &Self) -> CausalOrder {
        Self::causal_order(self, other)
    }

    fn lend(other: &'static Self) -> &'static Self {
        other
    }

    #[inline]
    fn merge(&mut self, other: &'static Self) {
        Self::merge(self, other);
    }

    #[inline]
    fn increment(&mut self, replica: &u64) -> Self::Incremented {
        Self::increment(self, replica)
    }
}

/// A B-tree of counters. It merges only with a clock that it may consume; the clone of one that is
/// still needed is not measured.
impl VectorContender for crdts::VClock<u64> {
    const ORIGIN: Origin = Origin::Peer;

    type Order = Option<Ordering>;

    type Other = Self;

    type Incremented = ();

    fn from_entries(entries: &[(u64, u64)]) -> Self {
        entries.iter().map(|&(replica, counter)| crdts::Dot::new(replica, counter)).collect()
    }

    fn get(&self, replica: u64) -> u64 {
        Self::get(self, &replica)
    }

    #[inline]
    fn causal_order(&self, other: &Self) -> Option<Ordering> {
        self.partial_cmp(other)
    }

    fn lend(other: &'static Self) -> Self {
        other.clone()
    }

    #[inline]
    fn merge(&mut self, other: Self) {
        CvRDT::merge(self, other);
    }

    #[inline]
    fn increment(&mut self, replica: &u64) {
        let dot = self.inc(*replica);
        self.apply(dot);
    }
}

/// A hash map of counters, with the standard library's hash.
impl VectorContender for vclock::VClock<u64, u64> {
    const ORIGIN: Origin = Origin::Peer;

    type Order = Option<Ordering>;

    type Other = &'static Self;

    type Incremented = ();

    fn from_entries(entries: &[(u64, u64)]) -> Self {
        entries.iter().copied().collect::<std::collections::HashMap<_, _>>().into()
    }

    fn get(&self, replica: u64) -> u64 {
        Self::get(self, &replica).unwrap_or(0)
    }

    #[inline]
    fn causal_order(&self, other: &Self) -> Option<Ordering> {
        self.partial_cmp(other)
    }

    fn lend(other: &'static Self) -> &'static Self {
        other
    }

    #[inline]
    fn merge(&mut self, other: &'static Self) {
        Self::merge(self, other);
    }

    #[inline]
    fn increment(&mut self, replica: &u64) {
        self.incr(replica);
    }
}
