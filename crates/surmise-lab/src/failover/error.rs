use core::{error::Error, fmt, time::Duration};
use std::{io, path::PathBuf};

use surmise_store::{LimitExceeded, StoreError};

use crate::stores::OpenError;

/// A run that could not be made, or did not keep what it promised.
#[derive(Debug)]
#[non_exhaustive]
pub enum FailoverError {
    /// No store grants such a lease.
    Lease(LimitExceeded),
    /// The arguments do not go together.
    Usage(String),
    /// A partition begins before the one before it has ended, which would end both.
    Overlap {
        /// The one that begins first.
        first: String,
        /// The one that begins before it has ended.
        second: String,
    },
    /// So many nodes are killed and do not come back that no majority is left.
    NoMajority {
        /// How many are killed for ever.
        killed: usize,
        /// Of how many.
        nodes: usize,
    },
    /// The faults, or what is asked for, take too long.
    TooLong {
        /// How long a run would be.
        duration: Duration,
        /// How long it may be.
        longest: Duration,
    },
    /// Clocks are further apart than hybrid clocks bear.
    Spread {
        /// How far.
        spread: Duration,
        /// How far they may be.
        max_offset: Duration,
    },
    /// The store cannot be opened.
    Open(OpenError),
    /// The store cannot be used.
    Store(StoreError),
    /// A process cannot be started, stopped or talked to.
    Process {
        /// What it is called.
        name: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// A process ended by itself.
    Ended {
        /// What it is called.
        name: String,
    },
    /// A process did not begin.
    Silent {
        /// What it is called.
        name: String,
        /// For how long it was waited for.
        patience: Duration,
    },
    /// A process could not go on.
    Failed {
        /// What it is called.
        name: String,
        /// Why not.
        why: String,
    },
    /// Runs did not keep what was promised.
    Violated {
        /// In how many runs.
        runs: u64,
        /// Of how many.
        of: u64,
    },
    /// Without a fence, most runs must show what the fence is for.
    NothingFound {
        /// How many runs showed it.
        runs: u64,
        /// Of how many.
        of: u64,
    },
    /// Ctrl-C cannot be handled.
    Interrupt {
        /// Why not.
        message: String,
    },
    /// Ctrl-C was pressed.
    Interrupted,
    /// A result cannot be written.
    Write {
        /// Where it should have gone; `-` is the standard output.
        file: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
}

impl FailoverError {
    /// Returns whether the command was given wrongly, so that nothing was begun.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Lease(_)
                | Self::Usage(_)
                | Self::Overlap { .. }
                | Self::NoMajority { .. }
                | Self::TooLong { .. }
                | Self::Spread { .. }
        )
    }
}

impl fmt::Display for FailoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lease(error) => write!(f, "--lease: {error}"),
            Self::Usage(why) => f.write_str(why),
            Self::Overlap { first, second } => write!(
                f,
                "--partition {second} begins before {first} is over, and there is one partition at a time; take a later \
                 start, or more sides"
            ),
            Self::NoMajority { killed, nodes } => write!(
                f,
                "{killed} of {nodes} nodes may be killed for ever, which leaves no majority, so that nothing goes on; \
                 take more --nodes, or let some come back, as in `--kill leader@5s+2s`"
            ),
            Self::TooLong { duration, longest } => write!(
                f,
                "the run would take {duration:?}, and may take {longest:?}; take a shorter --duration, or earlier faults"
            ),
            Self::Spread { spread, max_offset } => write!(
                f,
                "clocks are {spread:?} apart, more than --max-offset of {max_offset:?} lets hybrid clocks bear; raise it"
            ),
            Self::Open(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Process { name, error } => write!(f, "the process {name}: {error}"),
            Self::Ended { name } => write!(f, "the process {name} ended before it was told to"),
            Self::Silent { name, patience } => write!(
                f,
                "the process {name} said nothing for {patience:?}; is the store, or this machine, overloaded?"
            ),
            Self::Failed { name, why } => write!(f, "{name}: {why}"),
            Self::Violated { runs, of: 1 } if *runs == 1 => {
                f.write_str("the run did not keep what was promised")
            }
            Self::Violated { runs, of } => {
                write!(f, "{runs} of {of} runs did not keep what was promised")
            }
            Self::NothingFound { runs, of } => write!(
                f,
                "without a fence, {runs} of {of} runs are corrupt; was any leader stopped for longer than its lease \
                 lasts?"
            ),
            Self::Interrupt { message } => write!(f, "Ctrl-C cannot be handled: {message}"),
            Self::Interrupted => f.write_str("interrupted; the processes were ended"),
            Self::Write { file, error } => {
                write!(f, "{}: cannot be written: {error}", file.display())
            }
        }
    }
}

impl Error for FailoverError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Lease(error) => Some(error),
            Self::Open(error) => error.source(),
            Self::Store(error) => error.source(),
            Self::Process { error, .. } | Self::Write { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<OpenError> for FailoverError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<StoreError> for FailoverError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
