use core::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use super::{
    columns::{Columns, InlineColumns},
    entries::{self, Entries},
    error::{AppendError, BoundedIncrementError, CapacityExceeded, CounterOverflow},
};
use crate::{CausalOrder, Dot};

/// How many events of each replica have been seen, for at most `N` replicas and without an allocator.
///
/// It is a `VectorClock` that refuses what does not fit, and then stays as it was. Ids of 8 bytes and
/// their counters take 16 bytes a replica and 16 more for the clock, all of it in place.
///
/// # Examples
///
/// ```
/// use surmise_clock::{BoundedVectorClock, CausalOrder};
///
/// let mut ours = BoundedVectorClock::<u16, 2>::new();
/// ours.increment(&7)?;
/// let mut theirs = ours.clone();
/// theirs.increment(&9)?;
/// assert_eq!(ours.causal_order(&theirs), CausalOrder::Before);
///
/// ours.try_merge(&theirs)?;
/// let full = ours.increment(&11).unwrap_err();
/// assert_eq!(full.to_string(), "3 replicas do not fit into a clock of at most 2");
/// assert_eq!(ours, theirs);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct BoundedVectorClock<Id, const N: usize> {
    columns: InlineColumns<Id, N>,
}

impl<Id, const N: usize> BoundedVectorClock<Id, N> {
    /// Creates a clock that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { columns: InlineColumns::new() }
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
        self.entries().iter()
    }

    /// Returns the replicas, strictly ascending.
    pub(crate) fn replicas(&self) -> &[Id] {
        self.entries().replicas
    }

    /// Returns the counters, one a replica, none of them zero.
    pub(crate) fn counters(&self) -> &[u64] {
        self.entries().counters
    }

    fn entries(&self) -> Entries<'_, Id> {
        self.columns.entries()
    }
}

impl<Id: Ord, const N: usize> BoundedVectorClock<Id, N> {
    /// Creates a clock from the greatest counter of each replica; those that are zero are left out.
    ///
    /// It takes the entries in any order, in O(log N) comparisons and O(N) moves each.
    ///
    /// # Errors
    ///
    /// If there are more than `N` replicas. `needed` is `N` + 1 then, since nobody counts the rest.
    pub fn try_from_iter(
        entries: impl IntoIterator<Item = (Id, u64)>,
    ) -> Result<Self, CapacityExceeded>
    where
        Id: Clone,
    {
        let mut clock = Self::new();
        for (replica, counter) in entries {
            clock.record(&Dot { replica, counter })?;
        }
        Ok(clock)
    }

    /// Counts an event of a replica, and returns which of its events it is, from 1.
    ///
    /// It takes O(log N) comparisons, and clones the id if the replica is new.
    ///
    /// # Errors
    ///
    /// If the replica's counter is at its limit, or the replica is new and the clock full. Nothing is
    /// changed then.
    pub fn increment(&mut self, replica: &Id) -> Result<u64, BoundedIncrementError<Id>>
    where
        Id: Clone,
    {
        let next = entries::increment(&mut self.columns, replica)?;
        Ok(next.ok_or_else(|| CounterOverflow { replica: replica.clone() })?)
    }

    /// Takes note of an event and of all that went before it at its replica.
    ///
    /// Returns whether that is news.
    ///
    /// # Errors
    ///
    /// If the replica is new and the clock is full. Nothing is changed then.
    pub fn record(&mut self, dot: &Dot<Id>) -> Result<bool, CapacityExceeded>
    where
        Id: Clone,
    {
        entries::record(&mut self.columns, dot)
    }

    /// Takes note of all that another clock has seen, in O(N).
    ///
    /// If an id panics as it is compared or cloned, entries may be lost.
    ///
    /// # Errors
    ///
    /// If the replicas of both are more than `N`. Nothing is changed then.
    pub fn try_merge(&mut self, other: &Self) -> Result<(), CapacityExceeded>
    where
        Id: Clone,
    {
        entries::merge(&mut self.columns, &other.columns)
    }

    /// Adds the entry of a replica that must be greater than all that are there.
    ///
    /// Decoders build a clock so, entry by entry, without trusting what they read.
    pub(crate) fn append(&mut self, replica: Id, counter: u64) -> Result<(), AppendError> {
        entries::append(&mut self.columns, replica, counter)
    }

    /// Returns how many events of a replica have been seen, in O(log N).
    #[must_use]
    pub fn get(&self, replica: &Id) -> u64 {
        self.entries().get(replica)
    }

    /// Returns whether an event has been seen, in O(log N).
    #[must_use]
    pub fn contains(&self, dot: &Dot<Id>) -> bool {
        self.get(&dot.replica) >= dot.counter
    }

    /// Returns how what this clock has seen stands to what another has seen, in O(N).
    #[must_use]
    pub fn causal_order(&self, other: &Self) -> CausalOrder {
        entries::causal_order(&self.columns, &other.columns)
    }
}

impl<Id, const N: usize> Default for BoundedVectorClock<Id, N> {
    fn default() -> Self {
        Self::new()
    }
}

/// The replicas and their counters, as a map has them.
impl<Id: fmt::Debug, const N: usize> fmt::Debug for BoundedVectorClock<Id, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries().fmt(f)
    }
}

impl<Id: PartialEq, const N: usize> PartialEq for BoundedVectorClock<Id, N> {
    fn eq(&self, other: &Self) -> bool {
        self.entries() == other.entries()
    }
}

impl<Id: Eq, const N: usize> Eq for BoundedVectorClock<Id, N> {}

impl<Id: Hash, const N: usize> Hash for BoundedVectorClock<Id, N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.entries().hash(state);
    }
}

/// In causal order, see [`causal_order`](BoundedVectorClock::causal_order).
impl<Id: Ord, const N: usize> PartialOrd for BoundedVectorClock<Id, N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.causal_order(other).into()
    }
}
