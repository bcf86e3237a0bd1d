use alloc::vec::Vec;
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

    /// Moves the entries to the heap, unless they are there, with room for more.
    fn into_heap(self, additional: usize) -> HeapColumns<Id> {
        match self {
            Self::Inline(columns) => {
                let capacity = columns.entries().replicas.len() + additional;
                let mut heap = HeapColumns::with_capacity(capacity);
                for (replica, counter) in columns.into_entries() {
                    heap.push(replica, counter);
                }
                heap
            }
            Self::Heap(columns) => columns,
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
            Self::Inline(columns) if columns.entries().replicas.len() < N => {
                _ = columns.insert(at, replica, counter);
            }
            Self::Heap(columns) => columns.insert(at, replica, counter),
            Self::Inline(_) => {
                // Room for as many again, as a vector makes it.
                let mut heap = mem::take(self).into_heap(N.max(1));
                heap.insert(at, replica, counter);
                *self = Self::Heap(heap);
            }
        }
        Ok(())
    }

    fn push(&mut self, replica: Id, counter: u64) -> Result<(), Infallible> {
        match self {
            Self::Inline(columns) if columns.entries().replicas.len() < N => {
                _ = columns.push(replica, counter);
                Ok(())
            }
            Self::Heap(columns) => {
                columns.push(replica, counter);
                Ok(())
            }
            Self::Inline(_) => self.insert(N, replica, counter),
        }
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
                    Self::Inline(own) => entries::interleave(own.into_entries(), other, push),
                    Self::Heap(own) => entries::interleave(own.into_entries(), other, push),
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
                continue;
            }
            // They do not come in order, so the rest is sorted together with what there is.
            let mut all: Vec<_> = columns.into_heap(0).into_entries().collect();
            all.push((replica, counter));
            all.extend(entries);
            all.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
            all.dedup_by(|later, kept| later.0 == kept.0);
            let mut columns = Self::new();
            for (replica, counter) in all {
                let Ok(()) = columns.push(replica, counter);
            }
            return columns;
        }
        columns
    }
}

impl<Id> HeapColumns<Id> {
    fn with_capacity(capacity: usize) -> Self {
        Self { replicas: Vec::with_capacity(capacity), counters: Vec::with_capacity(capacity) }
    }

    fn into_entries(self) -> impl Iterator<Item = (Id, u64)> {
        self.replicas.into_iter().zip(self.counters)
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
