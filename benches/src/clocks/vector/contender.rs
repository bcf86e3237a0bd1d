use core::cmp::Ordering;

use crate::Origin;

/// A vector clock that is measured: ours or a peer's.
pub trait VectorContender: Clone + 'static {
    /// Who wrote it.
    const ORIGIN: Origin;

    /// Its causal order, as it tells it.
    type Order: Into<Option<Ordering>>;

    /// What it merges with.
    type Other;

    /// What it says of an event that it counts.
    type Incremented;

    /// Creates a clock that has seen so many events of each replica.
    fn from_entries(entries: &[(u64, u64)]) -> Self;

    /// Returns how many events of a replica it has seen.
    fn get(&self, replica: u64) -> u64;

    /// Returns how it stands to another.
    fn causal_order(&self, other: &Self) -> Self::Order;

    /// Makes of another clock what it merges with.
    fn lend(other: &'static Self) -> Self::Other;

    /// Takes note of all that another has seen.
    fn merge(&mut self, other: Self::Other);

    /// Counts an event.
    fn increment(&mut self, replica: &u64) -> Self::Incremented;
}

/// Does something with every vector clock, whatever its type.
pub trait Visitor {
    /// Visits a clock.
    fn visit<C: VectorContender>(&mut self, name: &'static str);
}
