use core::{error::Error, fmt};

/// Why there is no such ballot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BallotError<O> {
    /// Votes would never be fresh.
    ZeroFreshness,
    /// There is no such electorate.
    Electorate(ElectorateError<O>),
}

impl<O: fmt::Debug> fmt::Display for BallotError<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroFreshness => f.write_str("a vote that is fresh for no time never counts"),
            Self::Electorate(error) => error.fmt(f),
        }
    }
}

impl<O: fmt::Debug> Error for BallotError<O> {}

/// Why observers are no electorate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElectorateError<O> {
    /// An observer is named twice, and would have two votes.
    Duplicate {
        /// The observer.
        observer: O,
    },
    /// The threshold is of more votes or fewer than there are observers.
    OtherSize {
        /// How many observers there are, or at least, if there are too many.
        observers: usize,
        /// Of how many votes the threshold is.
        votes: usize,
    },
}

impl<O: fmt::Debug> fmt::Display for ElectorateError<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { observer } => write!(f, "observer {observer:?} is named twice"),
            Self::OtherSize { observers, votes } => {
                write!(f, "the threshold is of {votes} votes, but there are {observers} observers")
            }
        }
    }
}

impl<O: fmt::Debug> Error for ElectorateError<O> {}

/// An observer is not in the electorate: it has no vote.
///
/// It has left, or the caller has not heard yet that it joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownObserver<O> {
    /// The observer.
    pub observer: O,
}

impl<O: fmt::Debug> fmt::Display for UnknownObserver<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "observer {:?} is not in the electorate, and has no vote", self.observer)
    }
}

impl<O: fmt::Debug> Error for UnknownObserver<O> {}
