use core::{fmt::Debug, hash::Hash};

use surmise_clock::{
    BoundedIncrementError, BoundedVectorClock, CausalOrder, DenseIncrementError, DenseVectorClock,
    Dot, VectorClock,
};

/// A vector clock in one of its forms, over replicas that are small numbers.
///
/// What a test says of a form must hold of each, and none may refuse anything for want of room.
pub(crate) trait Form: Clone + Debug + Default + Eq + Hash + PartialOrd {
    fn of(entries: &[(u8, u64)]) -> Self;
    /// Returns the entries that are not zero.
    fn entries(&self) -> Vec<(u8, u64)>;
    /// Returns nothing if the counter is at its limit.
    fn increment(&mut self, replica: u8) -> Option<u64>;
    fn record(&mut self, replica: u8, counter: u64) -> bool;
    fn merge(&mut self, other: &Self);
    fn get(&self, replica: u8) -> u64;
    fn contains(&self, replica: u8, counter: u64) -> bool;
    fn causal_order(&self, other: &Self) -> CausalOrder;

    fn merged(&self, other: &Self) -> Self {
        let mut merged = self.clone();
        merged.merge(other);
        merged
    }
}

impl<const N: usize> Form for VectorClock<u8, N> {
    fn of(entries: &[(u8, u64)]) -> Self {
        entries.iter().copied().collect()
    }

    fn entries(&self) -> Vec<(u8, u64)> {
        let entries: Vec<_> = self.iter().map(|(replica, counter)| (*replica, counter)).collect();
        assert_eq!((self.len(), self.is_empty()), (entries.len(), entries.is_empty()));
        entries
    }

    fn increment(&mut self, replica: u8) -> Option<u64> {
        let next = Self::increment(self, &replica);
        next.map_err(|overflow| assert_eq!(overflow.replica, replica)).ok()
    }

    fn record(&mut self, replica: u8, counter: u64) -> bool {
        Self::record(self, &Dot { replica, counter })
    }

    fn merge(&mut self, other: &Self) {
        Self::merge(self, other);
    }

    fn get(&self, replica: u8) -> u64 {
        Self::get(self, &replica)
    }

    fn contains(&self, replica: u8, counter: u64) -> bool {
        Self::contains(self, &Dot { replica, counter })
    }

    fn causal_order(&self, other: &Self) -> CausalOrder {
        Self::causal_order(self, other)
    }
}

impl<const N: usize> Form for BoundedVectorClock<u8, N> {
    fn of(entries: &[(u8, u64)]) -> Self {
        Self::try_from_iter(entries.iter().copied()).unwrap()
    }

    fn entries(&self) -> Vec<(u8, u64)> {
        let entries: Vec<_> = self.iter().map(|(replica, counter)| (*replica, counter)).collect();
        assert_eq!((self.len(), self.is_empty()), (entries.len(), entries.is_empty()));
        entries
    }

    fn increment(&mut self, replica: u8) -> Option<u64> {
        match Self::increment(self, &replica) {
            Ok(next) => Some(next),
            Err(BoundedIncrementError::CounterOverflow(overflow)) => {
                assert_eq!(overflow.replica, replica);
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn record(&mut self, replica: u8, counter: u64) -> bool {
        Self::record(self, &Dot { replica, counter }).unwrap()
    }

    fn merge(&mut self, other: &Self) {
        self.try_merge(other).unwrap();
    }

    fn get(&self, replica: u8) -> u64 {
        Self::get(self, &replica)
    }

    fn contains(&self, replica: u8, counter: u64) -> bool {
        Self::contains(self, &Dot { replica, counter })
    }

    fn causal_order(&self, other: &Self) -> CausalOrder {
        Self::causal_order(self, other)
    }
}

impl<const N: usize> Form for DenseVectorClock<N> {
    fn of(entries: &[(u8, u64)]) -> Self {
        let mut counters = [0; N];
        for &(replica, counter) in entries {
            let slot: &mut u64 = counters.get_mut(usize::from(replica)).unwrap();
            *slot = counter.max(*slot);
        }
        counters.into()
    }

    fn entries(&self) -> Vec<(u8, u64)> {
        let entries = (0..).zip(self.counters().iter().copied());
        entries.filter(|&(_, counter)| counter > 0).collect()
    }

    fn increment(&mut self, replica: u8) -> Option<u64> {
        match Self::increment(self, usize::from(replica)) {
            Ok(next) => Some(next),
            Err(DenseIncrementError::CounterOverflow(overflow)) => {
                assert_eq!(overflow.replica, usize::from(replica));
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn record(&mut self, replica: u8, counter: u64) -> bool {
        Self::record(self, &Dot { replica: usize::from(replica), counter }).unwrap()
    }

    fn merge(&mut self, other: &Self) {
        Self::merge(self, other);
    }

    fn get(&self, replica: u8) -> u64 {
        Self::get(self, usize::from(replica))
    }

    fn contains(&self, replica: u8, counter: u64) -> bool {
        Self::contains(self, &Dot { replica: usize::from(replica), counter })
    }

    fn causal_order(&self, other: &Self) -> CausalOrder {
        Self::causal_order(self, other)
    }
}
