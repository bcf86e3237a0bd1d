use core::cmp::Ordering;

use super::{
    counters,
    error::{CounterOverflow, DenseIncrementError, UnknownReplica},
};
use crate::{CausalOrder, Dot};

/// How many events of each of `N` replicas have been seen, where the replicas are known beforehand.
///
/// A replica is its index, so that the clock is an array of `N` counters, 8·`N` bytes, as Mattern and
/// Fidge had it. Clocks of as many counters that number their replicas differently must not meet:
/// nothing in them tells.
///
/// # Examples
///
/// ```
/// use surmise_clock::{CausalOrder, DenseVectorClock};
///
/// let mut ours = DenseVectorClock::<3>::new();
/// ours.increment(0)?;
/// let mut theirs = ours.clone();
/// theirs.increment(2)?;
/// assert_eq!(ours.causal_order(&theirs), CausalOrder::Before);
///
/// ours.increment(0)?;
/// assert_eq!(ours.causal_order(&theirs), CausalOrder::Concurrent);
/// ours.merge(&theirs);
/// assert_eq!(ours.counters(), &[2, 0, 1]);
/// # Ok::<(), surmise_clock::DenseIncrementError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DenseVectorClock<const N: usize> {
    counters: [u64; N],
}

impl<const N: usize> DenseVectorClock<N> {
    /// Creates a clock that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { counters: [0; N] }
    }

    /// Counts an event of a replica, and returns which of its events it is, from 1.
    ///
    /// # Errors
    ///
    /// If there is no such replica, or its counter is at its limit. Nothing is changed then.
    pub fn increment(&mut self, replica: usize) -> Result<u64, DenseIncrementError> {
        let counter = self.counter_mut(replica)?;
        let next = counter.checked_add(1).ok_or(CounterOverflow { replica })?;
        *counter = next;
        Ok(next)
    }

    /// Takes note of an event and of all that went before it at its replica.
    ///
    /// Returns whether that is news.
    ///
    /// # Errors
    ///
    /// If there is no such replica, though a counter of 0 stands for no event and is never news.
    pub fn record(&mut self, dot: &Dot<usize>) -> Result<bool, UnknownReplica> {
        if self.contains(dot) {
            return Ok(false);
        }
        *self.counter_mut(dot.replica)? = dot.counter;
        Ok(true)
    }

    /// Takes note of all that another clock has seen, in O(`N`).
    pub fn merge(&mut self, other: &Self) {
        counters::raise(&mut self.counters, &other.counters);
    }

    /// Returns how many events of a replica have been seen, which is none if there is no such replica.
    #[must_use]
    pub fn get(&self, replica: usize) -> u64 {
        self.counters.get(replica).copied().unwrap_or(0)
    }

    /// Returns whether an event has been seen.
    #[must_use]
    pub fn contains(&self, dot: &Dot<usize>) -> bool {
        self.get(dot.replica) >= dot.counter
    }

    /// Returns how many events of each replica have been seen.
    #[must_use]
    pub const fn counters(&self) -> &[u64; N] {
        &self.counters
    }

    /// Returns how what this clock has seen stands to what another has seen, in O(`N`).
    #[must_use]
    pub fn causal_order(&self, other: &Self) -> CausalOrder {
        counters::causal_order(&self.counters, &other.counters)
    }

    fn counter_mut(&mut self, replica: usize) -> Result<&mut u64, UnknownReplica> {
        self.counters.get_mut(replica).ok_or(UnknownReplica { replica, members: N })
    }
}

impl<const N: usize> Default for DenseVectorClock<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> From<[u64; N]> for DenseVectorClock<N> {
    fn from(counters: [u64; N]) -> Self {
        Self { counters }
    }
}

/// In causal order, see [`causal_order`](DenseVectorClock::causal_order).
impl<const N: usize> PartialOrd for DenseVectorClock<N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.causal_order(other).into()
    }
}
