use core::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use super::{
    columns::Columns,
    entries::{self, Entries},
    error::{AppendError, CounterOverflow},
    growable::GrowableColumns,
};
use crate::{CausalOrder, Dot};

/// How many events of each replica have been seen.
///
/// Two such clocks tell whether what one has seen includes what the other has seen, or whether each has
/// seen something that the other could not know of: Fidge, "Timestamps in Message-Passing Systems That
/// Preserve the Partial Ordering" (Australian Computer Science Conference 1988), and Mattern, "Virtual
/// Time and Global States of Distributed Systems" (Workshop on Parallel and Distributed Algorithms,
/// 1988). A message carries the clock of its sender; who receives it merges that clock and counts an
/// event of its own.
///
/// A replica that has been seen is an entry for ever after. Entries whose age or number exceeds a limit
/// must not be dropped: a clock without them is no longer after the clocks that it came from, so that
/// what was overwritten long ago comes back as a conflict.
///
/// # Layout and cost
///
/// Replicas are sorted, with their ids in one column and their counters in another, both in place while
/// there are at most `N`. Then the clock takes `N` times the size of an id and a counter, and 24 bytes
/// more: 152 bytes for eight ids of 8 bytes. A longer clock has its columns in two allocations. Zero
/// entries are never stored, so that equality, hash and order agree.
///
/// With n and m replicas, [`get`](Self::get) takes O(log n) comparisons of ids; [`merge`](Self::merge)
/// and [`causal_order`](Self::causal_order) take O(n + m) whatever the replicas are. If they are the
/// same, which is what clocks of one group soon come to, only counters remain to be looked at, and of
/// those long clocks take several at a time: with AVX2 where the machine has it (feature `std`).
///
/// # Examples
///
/// ```
/// use surmise_clock::{CausalOrder, VectorClock};
///
/// let mut alice: VectorClock<&str> = VectorClock::new();
/// alice.increment(&"alice")?;
/// let message = alice.clone();
///
/// let mut bob = VectorClock::new();
/// bob.increment(&"bob")?;
/// assert_eq!(bob.causal_order(&message), CausalOrder::Concurrent);
/// bob.merge(&message);
/// bob.increment(&"bob")?;
/// assert_eq!(bob.causal_order(&message), CausalOrder::After);
/// assert!(bob > message);
/// assert_eq!(bob.iter().collect::<Vec<_>>(), [(&"alice", 1), (&"bob", 2)]);
/// # Ok::<(), surmise_clock::CounterOverflow<&str>>(())
/// ```
#[derive(Clone)]
pub struct VectorClock<Id, const N: usize = 8> {
    columns: GrowableColumns<Id, N>,
}

impl<Id> VectorClock<Id> {
    /// Creates a clock that has seen nothing. It allocates nothing.
    ///
    /// It has the usual room in place; [`Default`] makes clocks with any.
    #[must_use]
    pub const fn new() -> Self {
        Self { columns: GrowableColumns::new() }
    }
}

impl<Id, const N: usize> VectorClock<Id, N> {
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

impl<Id: Ord, const N: usize> VectorClock<Id, N> {
    /// Counts an event of a replica, and returns which of its events it is, from 1.
    ///
    /// It takes O(log n) comparisons, and clones the id if the replica is new.
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
    /// Returns whether that is news. It takes O(log n) comparisons, and clones the id if the replica is
    /// new.
    pub fn record(&mut self, dot: &Dot<Id>) -> bool
    where
        Id: Clone,
    {
        let Ok(news) = entries::record(&mut self.columns, dot);
        news
    }

    /// Takes note of all that another clock has seen.
    ///
    /// What comes of it is the least clock that includes both: merging is idempotent, commutative and
    /// associative. It takes O(n + m), and clones the ids of new replicas only. If an id panics as it is
    /// compared or cloned, entries may be lost.
    pub fn merge(&mut self, other: &Self)
    where
        Id: Clone,
    {
        let Ok(()) = entries::merge(&mut self.columns, &other.columns);
    }

    /// Adds the entry of a replica that must be greater than all that are there.
    ///
    /// Decoders build a clock so, entry by entry, without trusting what they read.
    pub(crate) fn append(&mut self, replica: Id, counter: u64) -> Result<(), AppendError> {
        entries::append(&mut self.columns, replica, counter)
    }

    /// Returns how many events of a replica have been seen, in O(log n).
    #[must_use]
    pub fn get(&self, replica: &Id) -> u64 {
        self.entries().get(replica)
    }

    /// Returns whether an event has been seen, in O(log n).
    #[must_use]
    pub fn contains(&self, dot: &Dot<Id>) -> bool {
        self.get(&dot.replica) >= dot.counter
    }

    /// Returns how what this clock has seen stands to what another has seen, in O(n + m).
    #[must_use]
    pub fn causal_order(&self, other: &Self) -> CausalOrder {
        entries::causal_order(&self.columns, &other.columns)
    }
}

impl<Id, const N: usize> Default for VectorClock<Id, N> {
    fn default() -> Self {
        Self { columns: GrowableColumns::new() }
    }
}

/// The replicas and their counters, as a map has them.
impl<Id: fmt::Debug, const N: usize> fmt::Debug for VectorClock<Id, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries().fmt(f)
    }
}

impl<Id: PartialEq, const N: usize> PartialEq for VectorClock<Id, N> {
    fn eq(&self, other: &Self) -> bool {
        self.entries() == other.entries()
    }
}

impl<Id: Eq, const N: usize> Eq for VectorClock<Id, N> {}

impl<Id: Hash, const N: usize> Hash for VectorClock<Id, N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.entries().hash(state);
    }
}

/// In causal order, see [`causal_order`](VectorClock::causal_order).
impl<Id: Ord, const N: usize> PartialOrd for VectorClock<Id, N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.causal_order(other).into()
    }
}

/// The greatest counter of each replica; those that are zero are left out.
///
/// Entries that come in ascending order are appended; if others are among them, all are sorted, in
/// O(n log n).
impl<Id: Ord, const N: usize> FromIterator<(Id, u64)> for VectorClock<Id, N> {
    fn from_iter<I: IntoIterator<Item = (Id, u64)>>(entries: I) -> Self {
        Self { columns: entries.into_iter().collect() }
    }
}
