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
    /// Runs broke nothing, and did not come to their end.
    Unfinished {
        /// How many runs.
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
        matches!(self, Self::Lease(_) | Self::Usage(_))
    }

    /// Returns the exit status of the command: 3 if nothing was broken but not all was done, 2 if it was given wrongly, and
    /// else 1.
    #[must_use]
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::Unfinished { .. } => 3,
            error if error.is_usage() => 2,
            _ => 1,
        }
    }
}

impl fmt::Display for FailoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lease(error) => write!(f, "--lease: {error}"),
            Self::Usage(why) => f.write_str(why),
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
            Self::Unfinished { runs, of } => {
                match of {
                    1 => f.write_str("the run did not finish")?,
                    _ => write!(f, "{runs} of {of} runs did not finish")?,
                }
                f.write_str(
                    ", though nothing was broken: a write was not acknowledged before the client was given up; leave a \
                     majority of the nodes running and joined, make --lease or --work shorter, or give the machine less to \
                     do, with fewer --jobs",
                )
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
