use core::mem;

use arrayvec::{ArrayVec, IntoIter};

use super::{
    entries::{self, Entries},
    error::{AppendError, CapacityExceeded},
};

/// Where a clock keeps its entries.
///
/// Both columns have one length, the replicas are strictly ascending and no counter is zero: those who
/// change the columns see to that.
pub(super) trait Columns<Id> {
    /// What is said of entries that do not fit.
    type Full: Into<AppendError>;

    /// Refuses a number of entries that can never fit.
    fn admit(needed: usize) -> Result<(), Self::Full>;

    /// Adds an entry before the one at `at`, which is at most the length.
    fn insert(&mut self, at: usize, replica: Id, counter: u64) -> Result<(), Self::Full>;

    /// Adds an entry after all others.
    fn push(&mut self, replica: Id, counter: u64) -> Result<(), Self::Full>;

    /// Adds the entries of the replicas that only the other has, which are `missing` and fit.
    fn insert_missing(&mut self, other: Entries<'_, Id>, missing: usize)
    where
        Id: Ord + Clone;

    fn entries(&self) -> Entries<'_, Id>;

    /// Returns both columns, of which the counters may be raised.
    fn entries_mut(&mut self) -> (&[Id], &mut [u64]);
}

/// Columns in place, which cannot grow.
#[derive(Clone)]
pub(super) struct InlineColumns<Id, const N: usize> {
    pub(super) replicas: ArrayVec<Id, N>,
    pub(super) counters: ArrayVec<u64, N>,
}

impl<Id, const N: usize> InlineColumns<Id, N> {
    const FULL: CapacityExceeded = CapacityExceeded { needed: N + 1, capacity: N };

    pub(super) const fn new() -> Self {
        Self { replicas: ArrayVec::new_const(), counters: ArrayVec::new_const() }
    }

    /// Adds an entry before the one at `at`, or gives it back if there is no room.
    pub(super) fn try_insert(
        &mut self,
        at: usize,
        replica: Id,
        counter: u64,
    ) -> Result<(), (Id, u64)> {
        if let Err(full) = self.replicas.try_insert(at, replica) {
            return Err((full.element(), counter));
        }
        self.counters.insert(at, counter);
        Ok(())
    }
}

impl<Id, const N: usize> Default for InlineColumns<Id, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Id, const N: usize> Columns<Id> for InlineColumns<Id, N> {
    type Full = CapacityExceeded;

    fn admit(needed: usize) -> Result<(), CapacityExceeded> {
        if needed <= N { Ok(()) } else { Err(CapacityExceeded { needed, capacity: N }) }
    }

    fn insert(&mut self, at: usize, replica: Id, counter: u64) -> Result<(), CapacityExceeded> {
        self.try_insert(at, replica, counter).map_err(|_| Self::FULL)
    }

    fn push(&mut self, replica: Id, counter: u64) -> Result<(), CapacityExceeded> {
        self.replicas.try_push(replica).map_err(|_| Self::FULL)?;
        self.counters.push(counter);
        Ok(())
    }

    fn insert_missing(&mut self, other: Entries<'_, Id>, _missing: usize)
    where
        Id: Ord + Clone,
    {
        let Self { replicas, counters } = mem::take(self);
        let push = |replica, counter| {
            let fits = self.push(replica, counter);
            debug_assert!(fits.is_ok(), "the missing were counted");
        };
        entries::interleave(replicas.into_iter(), IntoIter::as_slice, &counters, other, push);
    }

    fn entries(&self) -> Entries<'_, Id> {
        Entries { replicas: &self.replicas, counters: &self.counters }
    }

    fn entries_mut(&mut self) -> (&[Id], &mut [u64]) {
        (&self.replicas, &mut self.counters)
    }
}
