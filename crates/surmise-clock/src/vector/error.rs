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
