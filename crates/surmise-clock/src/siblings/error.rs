use core::{error::Error, fmt};

use crate::CounterOverflow;

/// A value that could not be written, since its replica cannot count another event.
///
/// The set is as it was, and the value is handed back.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PutError<Id, V> {
    /// The replica whose counter is at its limit.
    pub overflow: CounterOverflow<Id>,
    /// The value that was to be written.
    pub value: V,
}

/// Without the value, so that any value can be handed back.
impl<Id: fmt::Debug, V> fmt::Debug for PutError<Id, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutError").field("overflow", &self.overflow).finish_non_exhaustive()
    }
}

impl<Id: fmt::Debug, V> fmt::Display for PutError<Id, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.overflow, f)
    }
}

impl<Id: fmt::Debug, V> Error for PutError<Id, V> {}

/// Entries that are those of no dotted version vector set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntriesError {
    /// A replica is not greater than the one before it.
    NotAscending {
        /// The index of its entry.
        index: usize,
    },
    /// A replica is listed of which no event has been seen.
    NoEvents {
        /// The index of its entry.
        index: usize,
    },
    /// A replica has more values than events.
    TooManyValues {
        /// The index of its entry.
        index: usize,
        /// How many events of it have been seen.
        counter: u64,
        /// How many values it has.
        values: usize,
    },
}

impl fmt::Display for EntriesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAscending { index } => {
                write!(f, "the replica of entry {index} is not greater than the one before it")
            }
            Self::NoEvents { index } => write!(f, "the counter of entry {index} is zero"),
            Self::TooManyValues { index, counter, values } => {
                write!(f, "entry {index} has {values} values, but only {counter} events")
            }
        }
    }
}

impl Error for EntriesError {}
