//! What the kinds of vector clocks have in common, and what each of them refuses.

use core::{fmt::Debug, hash::Hash};

use surmise_clock::{
    BoundedIncrementError, BoundedVectorClock, CapacityExceeded, CausalOrder, DenseIncrementError,
    DenseVectorClock, Dot, UnknownReplica, VectorClock,
};

use crate::model::Seen;

pub(crate) trait Clock: Clone + Debug + Default + Eq + Hash + PartialOrd {
    /// Says what must be refused because this kind of clock cannot hold it.
    fn admit(seen: &Seen) -> Result<(), Refusal>;

    fn collect(entries: &[(u8, u64)]) -> Result<Self, Refusal>;

    fn increment(&mut self, replica: u8) -> Result<u64, Refusal>;

    fn record(&mut self, replica: u8, counter: u64) -> Result<bool, Refusal>;

    fn merge(&mut self, other: &Self) -> Result<(), Refusal>;

    fn get(&self, replica: u8) -> u64;

    fn contains(&self, replica: u8, counter: u64) -> bool;

    fn causal_order(&self, other: &Self) -> CausalOrder;

    fn entries(&self) -> Seen;
}

#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    Overflow { replica: u8 },
    Full { needed: usize, capacity: usize },
    Unknown { replica: usize, members: usize },
}

impl<const N: usize> Clock for VectorClock<u8, N> {
    fn admit(_seen: &Seen) -> Result<(), Refusal> {
        Ok(())
    }

    fn collect(entries: &[(u8, u64)]) -> Result<Self, Refusal> {
        Ok(entries.iter().copied().collect())
    }

    fn increment(&mut self, replica: u8) -> Result<u64, Refusal> {
        let overflow = |replica| Refusal::Overflow { replica };
        self.increment(&replica).map_err(|error| overflow(error.replica))
    }

    fn record(&mut self, replica: u8, counter: u64) -> Result<bool, Refusal> {
        Ok(self.record(&Dot { replica, counter }))
    }

    fn merge(&mut self, other: &Self) -> Result<(), Refusal> {
        self.merge(other);
        Ok(())
    }

    fn get(&self, replica: u8) -> u64 {
        self.get(&replica)
    }

    fn contains(&self, replica: u8, counter: u64) -> bool {
        self.contains(&Dot { replica, counter })
    }

    fn causal_order(&self, other: &Self) -> CausalOrder {
        self.causal_order(other)
    }

    fn entries(&self) -> Seen {
        listed(self.len(), self.is_empty(), self.iter())
    }
}

impl<const N: usize> Clock for BoundedVectorClock<u8, N> {
    fn admit(seen: &Seen) -> Result<(), Refusal> {
        let needed = seen.len();
        if needed > N { Err(Refusal::Full { needed, capacity: N }) } else { Ok(()) }
    }

    fn collect(entries: &[(u8, u64)]) -> Result<Self, Refusal> {
        Ok(Self::try_from_iter(entries.iter().copied())?)
    }

    fn increment(&mut self, replica: u8) -> Result<u64, Refusal> {
        self.increment(&replica).map_err(|error| match error {
            BoundedIncrementError::CounterOverflow(error) => {
                Refusal::Overflow { replica: error.replica }
            }
            BoundedIncrementError::CapacityExceeded(error) => error.into(),
            error => panic!("{error}"),
        })
    }

    fn record(&mut self, replica: u8, counter: u64) -> Result<bool, Refusal> {
        Ok(self.record(&Dot { replica, counter })?)
    }

    fn merge(&mut self, other: &Self) -> Result<(), Refusal> {
        Ok(self.try_merge(other)?)
    }

    fn get(&self, replica: u8) -> u64 {
        self.get(&replica)
    }

    fn contains(&self, replica: u8, counter: u64) -> bool {
        self.contains(&Dot { replica, counter })
    }

    fn causal_order(&self, other: &Self) -> CausalOrder {
        self.causal_order(other)
    }

    fn entries(&self) -> Seen {
        listed(self.len(), self.is_empty(), self.iter())
    }
}

impl<const N: usize> Clock for DenseVectorClock<N> {
    fn admit(seen: &Seen) -> Result<(), Refusal> {
        let last = seen.keys().next_back().map_or(0, |&replica| usize::from(replica));
        if last < N { Ok(()) } else { Err(Refusal::Unknown { replica: last, members: N }) }
    }

    fn collect(entries: &[(u8, u64)]) -> Result<Self, Refusal> {
        let mut counters = [0; N];
        for &(replica, counter) in entries.iter().filter(|(_, counter)| *counter > 0) {
            let own = counters.get_mut(usize::from(replica));
            let own = own.ok_or(Refusal::Unknown { replica: replica.into(), members: N })?;
            *own = counter.max(*own);
        }
        Ok(counters.into())
    }

    fn increment(&mut self, replica: u8) -> Result<u64, Refusal> {
        self.increment(replica.into()).map_err(|error| match error {
            DenseIncrementError::CounterOverflow(error) => {
                Refusal::Overflow { replica: error.replica.try_into().expect("it was a u8") }
            }
            DenseIncrementError::UnknownReplica(error) => error.into(),
            error => panic!("{error}"),
        })
    }

    fn record(&mut self, replica: u8, counter: u64) -> Result<bool, Refusal> {
        Ok(self.record(&Dot { replica: replica.into(), counter })?)
    }

    fn merge(&mut self, other: &Self) -> Result<(), Refusal> {
        self.merge(other);
        Ok(())
    }

    fn get(&self, replica: u8) -> u64 {
        self.get(replica.into())
    }

    fn contains(&self, replica: u8, counter: u64) -> bool {
        self.contains(&Dot { replica: replica.into(), counter })
    }

    fn causal_order(&self, other: &Self) -> CausalOrder {
        self.causal_order(other)
    }

    fn entries(&self) -> Seen {
        let entries = (0..).zip(self.counters().iter().copied());
        entries.filter(|&(_, counter)| counter > 0).collect()
    }
}

/// Returns the entries of a clock, which must be listed in the one order that there is.
fn listed<'a>(
    len: usize,
    is_empty: bool,
    entries: impl ExactSizeIterator<Item = (&'a u8, u64)>,
) -> Seen {
    assert_eq!((entries.len(), len == 0), (len, is_empty));
    let entries: Vec<_> = entries.map(|(&replica, counter)| (replica, counter)).collect();
    assert!(entries.is_sorted_by(|(earlier, _), (later, _)| earlier < later), "{entries:?}");
    assert!(entries.iter().all(|&(_, counter)| counter > 0), "{entries:?}");
    assert_eq!(entries.len(), len);
    entries.into_iter().collect()
}

impl From<CapacityExceeded> for Refusal {
    fn from(error: CapacityExceeded) -> Self {
        Self::Full { needed: error.needed, capacity: error.capacity }
    }
}

impl From<UnknownReplica> for Refusal {
    fn from(error: UnknownReplica) -> Self {
        Self::Unknown { replica: error.replica, members: error.members }
    }
}
