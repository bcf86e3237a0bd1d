use core::{convert::Infallible, error::Error, fmt};

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

/// A bounded clock has no room for the replicas that it would have to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CapacityExceeded {
    /// How many replicas it would have to hold.
    pub needed: usize,
    /// How many it can hold.
    pub capacity: usize,
}

impl fmt::Display for CapacityExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} replicas do not fit into a clock of at most {}", self.needed, self.capacity)
    }
}

impl Error for CapacityExceeded {}

/// A clock of fixed members has none of that index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownReplica {
    /// The index that was given.
    pub replica: usize,
    /// How many members there are, whose indices start at 0.
    pub members: usize,
}

impl fmt::Display for UnknownReplica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no replica {} among {}", self.replica, self.members)
    }
}

impl Error for UnknownReplica {}

/// An event that a [`BoundedVectorClock`](crate::BoundedVectorClock) cannot count.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BoundedIncrementError<Id> {
    /// The replica has counted all the events that it can.
    CounterOverflow(CounterOverflow<Id>),
    /// The replica is new, and the clock is full.
    CapacityExceeded(CapacityExceeded),
}

impl<Id: fmt::Debug> fmt::Display for BoundedIncrementError<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CounterOverflow(error) => error.fmt(f),
            Self::CapacityExceeded(error) => error.fmt(f),
        }
    }
}

impl<Id: fmt::Debug> Error for BoundedIncrementError<Id> {}

impl<Id> From<CounterOverflow<Id>> for BoundedIncrementError<Id> {
    fn from(error: CounterOverflow<Id>) -> Self {
        Self::CounterOverflow(error)
    }
}

impl<Id> From<CapacityExceeded> for BoundedIncrementError<Id> {
    fn from(error: CapacityExceeded) -> Self {
        Self::CapacityExceeded(error)
    }
}

/// An event that a [`DenseVectorClock`](crate::DenseVectorClock) cannot count.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DenseIncrementError {
    /// The replica has counted all the events that it can.
    CounterOverflow(CounterOverflow<usize>),
    /// The replica is not a member.
    UnknownReplica(UnknownReplica),
}

impl fmt::Display for DenseIncrementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CounterOverflow(error) => error.fmt(f),
            Self::UnknownReplica(error) => error.fmt(f),
        }
    }
}

impl Error for DenseIncrementError {}

impl From<CounterOverflow<usize>> for DenseIncrementError {
    fn from(error: CounterOverflow<usize>) -> Self {
        Self::CounterOverflow(error)
    }
}

impl From<UnknownReplica> for DenseIncrementError {
    fn from(error: UnknownReplica) -> Self {
        Self::UnknownReplica(error)
    }
}

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

impl From<CapacityExceeded> for AppendError {
    fn from(error: CapacityExceeded) -> Self {
        Self::Full(error)
    }
}

impl From<Infallible> for AppendError {
    fn from(error: Infallible) -> Self {
        match error {}
    }
}
