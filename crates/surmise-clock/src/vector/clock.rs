use core::cmp::Ordering;

use smallvec::SmallVec;

use super::{AppendError, CounterOverflow};
use crate::{CausalOrder, Dot};

/// How many events of each replica have been seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VectorClock<Id, const N: usize = 8> {
    /// Strictly ascending.
    replicas: SmallVec<[Id; N]>,
    /// One a replica, and none is zero.
    counters: SmallVec<[u64; N]>,
}

impl<Id, const N: usize> VectorClock<Id, N> {
    /// Creates a clock that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { replicas: SmallVec::new_const(), counters: SmallVec::new_const() }
    }

    /// Returns the number of replicas of which an event has been seen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.replicas.len()
    }

    /// Returns whether nothing has been seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replicas.is_empty()
    }

    /// Returns the replicas, strictly ascending.
    pub(crate) fn replicas(&self) -> &[Id] {
        &self.replicas
    }

    /// Returns the counters, one a replica, none of them zero.
    pub(crate) fn counters(&self) -> &[u64] {
        &self.counters
    }

    /// Returns the replicas, ascending, and how many of their events have been seen.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Id, u64)> + DoubleEndedIterator {
        self.replicas.iter().zip(self.counters.iter().copied())
    }
}

impl<Id: Ord, const N: usize> VectorClock<Id, N> {
    /// Counts an event of a replica, and returns which of its events it is.
    ///
    /// # Errors
    ///
    /// If the replica's counter is at its limit. Nothing is changed then.
    pub fn increment(&mut self, replica: &Id) -> Result<u64, CounterOverflow<Id>>
    where
        Id: Clone,
    {
        let next = self
            .get(replica)
            .checked_add(1)
            .ok_or_else(|| CounterOverflow { replica: replica.clone() })?;
        self.record(&Dot { replica: replica.clone(), counter: next });
        Ok(next)
    }

    /// Takes note of an event and of all that went before it at its replica.
    ///
    /// Returns whether that is news.
    pub fn record(&mut self, dot: &Dot<Id>) -> bool
    where
        Id: Clone,
    {
        if self.contains(dot) {
            return false;
        }
        match self.replicas.binary_search(&dot.replica) {
            Ok(at) => self.counters[at] = dot.counter,
            Err(at) => {
                self.replicas.insert(at, dot.replica.clone());
                self.counters.insert(at, dot.counter);
            }
        }
        true
    }

    /// Takes note of all that another clock has seen.
    pub fn merge(&mut self, other: &Self)
    where
        Id: Clone,
    {
        for (replica, counter) in other.iter() {
            self.record(&Dot { replica: replica.clone(), counter });
        }
    }

    /// Adds the entry of a replica that is greater than all that are there.
    ///
    /// Decoders build a clock so, entry by entry, without trusting what they read.
    pub(crate) fn append(&mut self, replica: Id, counter: u64) -> Result<(), AppendError> {
        if counter == 0 {
            return Err(AppendError::Zero);
        }
        if self.replicas.last().is_some_and(|last| *last >= replica) {
            return Err(AppendError::NotAscending);
        }
        self.replicas.push(replica);
        self.counters.push(counter);
        Ok(())
    }

    /// Forgets a replica, and returns how many of its events had been seen.
    pub(crate) fn remove(&mut self, replica: &Id) -> Option<u64> {
        let at = self.replicas.binary_search(replica).ok()?;
        self.replicas.remove(at);
        Some(self.counters.remove(at))
    }

    /// Returns how many events of a replica have been seen.
    #[must_use]
    pub fn get(&self, replica: &Id) -> u64 {
        self.replicas.binary_search(replica).map_or(0, |at| self.counters[at])
    }

    /// Returns whether an event has been seen.
    #[must_use]
    pub fn contains(&self, dot: &Dot<Id>) -> bool {
        self.get(&dot.replica) >= dot.counter
    }

    /// Returns how what this clock has seen stands to what another has seen.
    #[must_use]
    pub fn causal_order(&self, other: &Self) -> CausalOrder {
        let lacks = |a: &Self, b: &Self| b.iter().any(|(id, counter)| a.get(id) < counter);
        CausalOrder::of(lacks(other, self), lacks(self, other))
    }
}

impl<Id, const N: usize> Default for VectorClock<Id, N> {
    fn default() -> Self {
        Self::new()
    }
}

/// In causal order, see [`causal_order`](VectorClock::causal_order).
impl<Id: Ord, const N: usize> PartialOrd for VectorClock<Id, N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.causal_order(other).into()
    }
}

/// The greatest counter of each replica; those that are zero are left out.
impl<Id: Ord + Clone, const N: usize> FromIterator<(Id, u64)> for VectorClock<Id, N> {
    fn from_iter<I: IntoIterator<Item = (Id, u64)>>(entries: I) -> Self {
        let mut clock = Self::new();
        for (replica, counter) in entries {
            clock.record(&Dot { replica, counter });
        }
        clock
    }
}
