use core::{error::Error, fmt, time::Duration};
use std::{io, path::PathBuf};

use surmise_store::{LimitExceeded, StoreError};

use crate::stores::OpenError;

/// A run with processes that could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// No store grants such a lease.
    Lease(LimitExceeded),
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
    /// A process did not begin, or did not answer.
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

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lease(error) => write!(f, "--lease: {error}"),
            Self::Open(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Process { name, error } => write!(f, "the process {name}: {error}"),
            Self::Ended { name } => write!(f, "the process {name} ended before it was told to"),
            Self::Silent { name, patience } => write!(
                f,
                "the process {name} said nothing for {patience:?}; is the store, or this machine, overloaded?"
            ),
            Self::Failed { name, why } => write!(f, "{name}: {why}"),
            Self::Interrupt { message } => write!(f, "Ctrl-C cannot be handled: {message}"),
            Self::Interrupted => f.write_str("interrupted; the processes were ended"),
            Self::Write { file, error } => {
                write!(f, "{}: cannot be written: {error}", file.display())
            }
        }
    }
}

impl Error for RunError {
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

impl From<OpenError> for RunError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
