use alloc::vec::{self, Vec};
use core::{convert::Infallible, mem};

use super::{
    columns::{Columns, InlineColumns},
    entries::{self, Entries},
};

/// Columns in place while they hold at most `N` entries, and on the heap once there were more.
///
/// One tag tells for both columns where they are.
#[derive(Clone)]
pub(super) enum GrowableColumns<Id, const N: usize> {
    Inline(InlineColumns<Id, N>),
    Heap(HeapColumns<Id>),
}

#[derive(Clone)]
pub(super) struct HeapColumns<Id> {
    replicas: Vec<Id>,
    counters: Vec<u64>,
}

impl<Id, const N: usize> GrowableColumns<Id, N> {
    pub(super) const fn new() -> Self {
        Self::Inline(InlineColumns::new())
    }

    fn from_unsorted(mut entries: Vec<(Id, u64)>) -> Self
    where
        Id: Ord,
    {
        // The greatest counter of a replica comes first, and is the one to keep.
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        entries.dedup_by(|later, kept| later.0 == kept.0);
        let mut columns = Self::new();
        for (replica, counter) in entries {
            let Ok(()) = columns.push(replica, counter);
        }
        columns
    }

    fn into_vec(self) -> Vec<(Id, u64)> {
        match self {
            Self::Inline(InlineColumns { replicas, counters }) => {
                replicas.into_iter().zip(counters).collect()
            }
            Self::Heap(HeapColumns { replicas, counters }) => {
                replicas.into_iter().zip(counters).collect()
            }
        }
    }
}

impl<Id, const N: usize> Default for GrowableColumns<Id, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Id, const N: usize> Columns<Id> for GrowableColumns<Id, N> {
    type Full = Infallible;

    fn admit(_needed: usize) -> Result<(), Infallible> {
        Ok(())
    }

    fn insert(&mut self, at: usize, replica: Id, counter: u64) -> Result<(), Infallible> {
        match self {
            Self::Inline(columns) => {
                if let Err((replica, counter)) = columns.try_insert(at, replica, counter) {
                    let mut heap = HeapColumns::spill(mem::take(columns));
                    heap.insert(at, replica, counter);
                    *self = Self::Heap(heap);
                }
            }
            Self::Heap(columns) => columns.insert(at, replica, counter),
        }
        Ok(())
    }

    fn push(&mut self, replica: Id, counter: u64) -> Result<(), Infallible> {
        self.insert(self.entries().replicas.len(), replica, counter)
    }

    fn insert_missing(&mut self, other: Entries<'_, Id>, missing: usize)
    where
        Id: Ord + Clone,
    {
        let total = self.entries().replicas.len() + missing;
        match self {
            Self::Inline(columns) if total <= N => columns.insert_missing(other, missing),
            _ => {
                let mut heap = HeapColumns::with_capacity(total);
                let push = |replica, counter| heap.push(replica, counter);
                match mem::take(self) {
                    Self::Inline(InlineColumns { replicas, counters }) => {
                        let (replicas, left) = (replicas.into_iter(), arrayvec::IntoIter::as_slice);
                        entries::interleave(replicas, left, &counters, other, push);
                    }
                    Self::Heap(HeapColumns { replicas, counters }) => {
                        let (replicas, left) = (replicas.into_iter(), vec::IntoIter::as_slice);
                        entries::interleave(replicas, left, &counters, other, push);
                    }
                }
                *self = Self::Heap(heap);
            }
        }
    }

    fn entries(&self) -> Entries<'_, Id> {
        match self {
            Self::Inline(columns) => columns.entries(),
            Self::Heap(HeapColumns { replicas, counters }) => Entries { replicas, counters },
        }
    }

    fn entries_mut(&mut self) -> (&[Id], &mut [u64]) {
        match self {
            Self::Inline(columns) => columns.entries_mut(),
            Self::Heap(HeapColumns { replicas, counters }) => (replicas, counters),
        }
    }
}

/// The greatest counter of each replica; those that are zero are left out.
impl<Id: Ord, const N: usize> FromIterator<(Id, u64)> for GrowableColumns<Id, N> {
    fn from_iter<I: IntoIterator<Item = (Id, u64)>>(entries: I) -> Self {
        let mut columns = Self::new();
        let mut entries = entries.into_iter().filter(|(_, counter)| *counter != 0);
        while let Some((replica, counter)) = entries.next() {
            if columns.entries().replicas.last().is_none_or(|last| *last < replica) {
                let Ok(()) = columns.push(replica, counter);
            } else {
                let mut all = columns.into_vec();
                all.push((replica, counter));
                all.extend(entries);
                return Self::from_unsorted(all);
            }
        }
        columns
    }
}

impl<Id> HeapColumns<Id> {
    fn with_capacity(capacity: usize) -> Self {
        Self { replicas: Vec::with_capacity(capacity), counters: Vec::with_capacity(capacity) }
    }

    /// Moves entries to where there is room for as many again, and for one if there were none.
    fn spill<const N: usize>(inline: InlineColumns<Id, N>) -> Self {
        let mut heap = Self::with_capacity(2 * N.max(1));
        heap.replicas.extend(inline.replicas);
        heap.counters.extend(inline.counters);
        heap
    }

    fn insert(&mut self, at: usize, replica: Id, counter: u64) {
        self.replicas.insert(at, replica);
        self.counters.insert(at, counter);
    }

    fn push(&mut self, replica: Id, counter: u64) {
        self.replicas.push(replica);
        self.counters.push(counter);
    }
}
