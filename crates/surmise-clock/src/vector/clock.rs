use core::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use super::{
    columns::Columns,
    entries,
    error::{AppendError, CounterOverflow},
    growable::GrowableColumns,
};
use crate::{CausalOrder, Dot};

/// How many events of each replica have been seen.
#[derive(Clone)]
pub struct VectorClock<Id, const N: usize = 8> {
    columns: GrowableColumns<Id, N>,
}

impl<Id, const N: usize> VectorClock<Id, N> {
    /// Creates a clock that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { columns: GrowableColumns::new() }
    }

    /// Returns the number of replicas of which an event has been seen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.replicas().len()
    }

    /// Returns whether nothing has been seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replicas().is_empty()
    }

    /// Returns the replicas, ascending, and how many of their events have been seen.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Id, u64)> + DoubleEndedIterator {
        entries::iter(&self.columns)
    }

    /// Returns the replicas, strictly ascending.
    pub(crate) fn replicas(&self) -> &[Id] {
        self.columns.replicas()
    }

    /// Returns the counters, one a replica, none of them zero.
    pub(crate) fn counters(&self) -> &[u64] {
        self.columns.counters()
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
        let Ok(next) = entries::increment(&mut self.columns, replica);
        next.ok_or_else(|| CounterOverflow { replica: replica.clone() })
    }

    /// Takes note of an event and of all that went before it at its replica.
    ///
    /// Returns whether that is news.
    pub fn record(&mut self, dot: &Dot<Id>) -> bool
    where
        Id: Clone,
    {
        let Ok(news) = entries::record(&mut self.columns, dot);
        news
    }

    /// Takes note of all that another clock has seen.
    pub fn merge(&mut self, other: &Self)
    where
        Id: Clone,
    {
        let Ok(()) = entries::merge(&mut self.columns, &other.columns);
    }

    /// Adds the entry of a replica that is greater than all that are there.
    ///
    /// Decoders build a clock so, entry by entry, without trusting what they read.
    pub(crate) fn append(&mut self, replica: Id, counter: u64) -> Result<(), AppendError> {
        entries::append(&mut self.columns, replica, counter)
    }

    /// Forgets a replica, and returns how many of its events had been seen.
    pub(crate) fn remove(&mut self, replica: &Id) -> Option<u64> {
        entries::remove(&mut self.columns, replica)
    }

    /// Returns how many events of a replica have been seen.
    #[must_use]
    pub fn get(&self, replica: &Id) -> u64 {
        entries::get(&self.columns, replica)
    }

    /// Returns whether an event has been seen.
    #[must_use]
    pub fn contains(&self, dot: &Dot<Id>) -> bool {
        self.get(&dot.replica) >= dot.counter
    }

    /// Returns how what this clock has seen stands to what another has seen.
    #[must_use]
    pub fn causal_order(&self, other: &Self) -> CausalOrder {
        entries::causal_order(&self.columns, &other.columns)
    }
}

impl<Id, const N: usize> Default for VectorClock<Id, N> {
    fn default() -> Self {
        Self::new()
    }
}

/// The replicas and their counters, as a map has them.
impl<Id: fmt::Debug, const N: usize> fmt::Debug for VectorClock<Id, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<Id: PartialEq, const N: usize> PartialEq for VectorClock<Id, N> {
    fn eq(&self, other: &Self) -> bool {
        self.replicas() == other.replicas() && self.counters() == other.counters()
    }
}

impl<Id: Eq, const N: usize> Eq for VectorClock<Id, N> {}

impl<Id: Hash, const N: usize> Hash for VectorClock<Id, N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.replicas().hash(state);
        self.counters().hash(state);
    }
}

/// In causal order, see [`causal_order`](VectorClock::causal_order).
impl<Id: Ord, const N: usize> PartialOrd for VectorClock<Id, N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.causal_order(other).into()
    }
}

/// The greatest counter of each replica; those that are zero are left out.
impl<Id: Ord, const N: usize> FromIterator<(Id, u64)> for VectorClock<Id, N> {
    fn from_iter<I: IntoIterator<Item = (Id, u64)>>(entries: I) -> Self {
        Self { columns: entries.into_iter().collect() }
    }
}
