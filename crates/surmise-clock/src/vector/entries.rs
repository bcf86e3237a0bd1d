//! What clocks do, whatever columns they keep their entries in.

use core::{cmp::Ordering, fmt};

use super::{columns::Columns, counters, error::AppendError};
use crate::{CausalOrder, Dot};

/// The entries of a clock: strictly ascending replicas, and a counter above zero for each.
#[derive(PartialEq, Hash)]
pub(super) struct Entries<'a, Id> {
    pub(super) replicas: &'a [Id],
    pub(super) counters: &'a [u64],
}

impl<Id> Clone for Entries<'_, Id> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Id> Copy for Entries<'_, Id> {}

impl<Id: fmt::Debug> fmt::Debug for Entries<'_, Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'a, Id> Entries<'a, Id> {
    /// Returns the replicas, ascending, and how many of their events have been seen.
    pub(super) fn iter(self) -> impl ExactSizeIterator<Item = (&'a Id, u64)> + DoubleEndedIterator {
        self.replicas.iter().zip(self.counters.iter().copied())
    }
}

impl<Id: Ord> Entries<'_, Id> {
    /// Returns how many events of a replica have been seen.
    pub(super) fn get(self, replica: &Id) -> u64 {
        let at = self.replicas.binary_search(replica).ok();
        at.and_then(|at| self.counters.get(at)).copied().unwrap_or(0)
    }

    /// Returns whether all that another clock has seen has been seen.
    fn includes(self, other: Self) -> bool {
        let mut own = self.iter();
        let mut other = other.iter();
        other.all(|(replica, counter)| {
            let found = own.find(|(id, _)| *id >= replica);
            found.is_some_and(|(id, own)| id == replica && own >= counter)
        })
    }

    /// Returns the entries of replicas that only the other has.
    fn missing<'a>(self, other: Entries<'a, Id>) -> impl Iterator<Item = (&'a Id, u64)> {
        let mut own = self.replicas.iter().peekable();
        other.iter().filter(move |(replica, _)| {
            while own.next_if(|id| id < replica).is_some() {}
            own.next_if_eq(replica).is_none()
        })
    }
}

/// Counts an event of a replica, and returns which of its events it is.
///
/// Returns nothing if the counter is at its limit.
pub(super) fn increment<Id: Ord + Clone, C: Columns<Id>>(
    columns: &mut C,
    replica: &Id,
) -> Result<Option<u64>, C::Full> {
    match counter_mut(columns, replica) {
        Ok(counter) => {
            let next = counter.checked_add(1);
            if let Some(next) = next {
                *counter = next;
            }
            Ok(next)
        }
        Err(at) => insert(columns, at, replica, 1).map(|()| Some(1)),
    }
}

/// Takes note of an event and of all before it, and returns whether that is news.
pub(super) fn record<Id: Ord + Clone, C: Columns<Id>>(
    columns: &mut C,
    dot: &Dot<Id>,
) -> Result<bool, C::Full> {
    match counter_mut(columns, &dot.replica) {
        Ok(counter) => {
            let news = *counter < dot.counter;
            *counter = dot.counter.max(*counter);
            Ok(news)
        }
        Err(_) if dot.counter == 0 => Ok(false),
        Err(at) => insert(columns, at, &dot.replica, dot.counter).map(|()| true),
    }
}

/// Takes note of all that another clock has seen.
pub(super) fn merge<Id: Ord + Clone, C: Columns<Id>>(
    columns: &mut C,
    other: &C,
) -> Result<(), C::Full> {
    let ((replicas, counters), others) = (columns.entries_mut(), other.entries());
    if replicas == others.replicas {
        counters::raise(counters, others.counters);
        Ok(())
    } else {
        merge_others(columns, other)
    }
}

/// Takes note of all that a clock of other replicas has seen.
#[inline(never)]
fn merge_others<Id: Ord + Clone, C: Columns<Id>>(
    columns: &mut C,
    other: &C,
) -> Result<(), C::Full> {
    let (own, other) = (columns.entries(), other.entries());
    if C::admit(own.replicas.len() + other.replicas.len()).is_err() {
        C::admit(own.replicas.len() + own.missing(other).count())?;
    }
    let (replicas, counters) = columns.entries_mut();
    match raise_common(replicas, counters, other) {
        0 => {}
        // To make room for one that has joined moves less than to rebuild the columns.
        1 => {
            let joined = columns.entries().missing(other).next();
            if let Some((replica, counter)) = joined {
                let at = columns.entries().replicas.partition_point(|id| id < replica);
                insert(columns, at, replica, counter)?;
            }
        }
        missing => columns.insert_missing(other, missing),
    }
    Ok(())
}

/// Returns how what one clock has seen stands to what another has seen.
pub(super) fn causal_order<Id: Ord, C: Columns<Id>>(columns: &C, other: &C) -> CausalOrder {
    let (own, others) = (columns.entries(), other.entries());
    if own.replicas == others.replicas {
        counters::causal_order(own.counters, others.counters)
    } else {
        order_of_others(columns, other)
    }
}

/// Returns the order of clocks whose replicas are not the same.
///
/// No counter is zero, so a clock has seen something else as soon as it has a replica that the other has
/// not. Hence the shorter never includes the longer, and neither includes the other if they are as long.
#[inline(never)]
fn order_of_others<Id: Ord, C: Columns<Id>>(columns: &C, other: &C) -> CausalOrder {
    let (own, other) = (columns.entries(), other.entries());
    match own.replicas.len().cmp(&other.replicas.len()) {
        Ordering::Greater if own.includes(other) => CausalOrder::After,
        Ordering::Less if other.includes(own) => CausalOrder::Before,
        _ => CausalOrder::Concurrent,
    }
}

/// Raises the counters of the replicas that are in both, and returns how many only the other has.
fn raise_common<Id: Ord>(replicas: &[Id], counters: &mut [u64], other: Entries<'_, Id>) -> usize {
    let mut own = replicas.iter().zip(counters);
    let mut next = own.next();
    let mut missing = 0;
    for (replica, other) in other.iter() {
        while next.as_ref().is_some_and(|(id, _)| *id < replica) {
            next = own.next();
        }
        match next.take_if(|(id, _)| *id == replica) {
            Some((_, counter)) => {
                *counter = other.max(*counter);
                next = own.next();
            }
            None => missing += 1,
        }
    }
    missing
}

/// Passes on the own entries and those of replicas that only the other has, in order.
///
/// The own replicas come as an iterator that owns them and a view of those that are left in it.
pub(super) fn interleave<Id: Ord + Clone, I: Iterator<Item = Id>>(
    mut replicas: I,
    left: impl Fn(&I) -> &[Id],
    counters: &[u64],
    other: Entries<'_, Id>,
    mut push: impl FnMut(Id, u64),
) {
    let mut counters = counters.iter().copied();
    for (replica, counter) in other.iter() {
        loop {
            let order = left(&replicas).first().map_or(Ordering::Greater, |id| id.cmp(replica));
            if order == Ordering::Greater {
                push(replica.clone(), counter);
                break;
            }
            if let (Some(id), Some(counter)) = (replicas.next(), counters.next()) {
                push(id, counter);
            }
            if order == Ordering::Equal {
                break;
            }
        }
    }
    for (id, counter) in replicas.zip(counters) {
        push(id, counter);
    }
}

/// Adds the entry of a replica that must be greater than all that are there.
pub(super) fn append<Id: Ord, C: Columns<Id>>(
    columns: &mut C,
    replica: Id,
    counter: u64,
) -> Result<(), AppendError> {
    if counter == 0 {
        return Err(AppendError::Zero);
    }
    if columns.entries().replicas.last().is_some_and(|last| *last >= replica) {
        return Err(AppendError::NotAscending);
    }
    columns.push(replica, counter).map_err(Into::into)
}

/// Returns the counter of a replica, or the place at which it would be inserted.
fn counter_mut<'a, Id: Ord + 'a, C: Columns<Id>>(
    columns: &'a mut C,
    replica: &Id,
) -> Result<&'a mut u64, usize> {
    let (replicas, counters) = columns.entries_mut();
    let at = replicas.binary_search(replica)?;
    counters.get_mut(at).ok_or(at)
}

/// Adds the entry of a new replica, whose id is cloned if there is room for it.
fn insert<Id: Clone, C: Columns<Id>>(
    columns: &mut C,
    at: usize,
    replica: &Id,
    counter: u64,
) -> Result<(), C::Full> {
    C::admit(columns.entries().replicas.len() + 1)?;
    columns.insert(at, replica.clone(), counter)
}
