use core::{error::Error, fmt};

/// A replica's counter stands at `u64::MAX`, and there is no next event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CounterOverflow<Id> {
    /// The replica.
    pub replica: Id,
}

impl<Id: fmt::Debug> fmt::Display for CounterOverflow<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the counter of replica {:?} is at its limit", self.replica)
    }
}

impl<Id: fmt::Debug> Error for CounterOverflow<Id> {}

/// An array of replicas is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CapacityExceeded {
    /// How many replicas the clock would have to hold.
    pub needed: usize,
    /// How many it can hold.
    pub capacity: usize,
}

impl fmt::Display for CapacityExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a clock of {} replicas, where {} is the most", self.needed, self.capacity)
    }
}

impl Error for CapacityExceeded {}

/// Why an entry cannot follow those that a clock already has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AppendError {
    /// The counter is zero, and zero entries are not stored.
    Zero,
    /// The replica is not greater than the one before it.
    NotAscending,
    /// A bounded clock is full.
    Full(CapacityExceeded),
}
