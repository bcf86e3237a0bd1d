use core::{error::Error, fmt};

use super::Tombstone;
use crate::CounterOverflow;

/// A replica that could not be retired, and why. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetireError<Id> {
    /// A replica cannot retire itself: the event would be one more of those that it has departed after.
    BySelf {
        /// The replica.
        replica: Id,
    },
    /// The replica that was to retire another one was retired itself.
    ByRetired {
        /// Its tombstone.
        tombstone: Tombstone<Id>,
    },
    /// The clock has no event of the departed replica, so there is nothing to leave out.
    NothingSeen {
        /// The departed replica.
        replica: Id,
    },
    /// The replica was retired already, after all of its events that the clock has.
    AlreadyRetired {
        /// Its tombstone.
        tombstone: Tombstone<Id>,
    },
    /// The survivor's counter is at its limit.
    Overflow(CounterOverflow<Id>),
    /// The survivor's next event is known to be another one, or to have gone before events of the
    /// departed replica: the clock is not the survivor's newest.
    Contradicted(LearnError<Id>),
}

impl<Id: fmt::Debug> fmt::Display for RetireError<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BySelf { replica } => write!(f, "replica {replica:?} cannot retire itself"),
            Self::ByRetired { tombstone } => {
                let Tombstone { replica, by, .. } = tombstone;
                let by = &by.replica;
                write!(f, "replica {replica:?} was retired by {by:?} and cannot retire another")
            }
            Self::NothingSeen { replica } => {
                write!(f, "no event of replica {replica:?} has been seen")
            }
            Self::AlreadyRetired { tombstone } => {
                let Tombstone { replica, last, by } = tombstone;
                let by = &by.replica;
                write!(f, "replica {replica:?} was retired by {by:?} after its event {last}")
            }
            Self::Overflow(error) => fmt::Display::fmt(error, f),
            Self::Contradicted(error) => write!(f, "the clock is not the newest: {error}"),
        }
    }
}

impl<Id: fmt::Debug> Error for RetireError<Id> {}

/// A tombstone that cannot be right if those that are known are. It was not taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LearnError<Id> {
    /// Another tombstone is known of the same event.
    Conflict {
        /// The one that is known.
        known: Tombstone<Id>,
        /// The one that was to be learned.
        learned: Tombstone<Id>,
    },
    /// The retired replica's events have seen the event by which it was retired, or that event is one
    /// of its own, or it is none at all: its counter is 0.
    Circular {
        /// The tombstone that was to be learned.
        learned: Tombstone<Id>,
    },
}

impl<Id: fmt::Debug> fmt::Display for LearnError<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { known, learned } => write!(
                f,
                "event {} of replica {:?} retired {:?} after its event {}, not {:?} after {}",
                known.by.counter,
                known.by.replica,
                known.replica,
                known.last,
                learned.replica,
                learned.last,
            ),
            Self::Circular { learned } => write!(
                f,
                "event {} of replica {:?} cannot have retired {:?}, whose event {} came after it",
                learned.by.counter, learned.by.replica, learned.replica, learned.last,
            ),
        }
    }
}

impl<Id: fmt::Debug> Error for LearnError<Id> {}
