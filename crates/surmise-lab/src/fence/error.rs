use core::{error::Error, fmt, time::Duration};
use std::{io, path::PathBuf};

use surmise_store::{LimitExceeded, StoreError};

use crate::stores::OpenError;

/// What was to be shown was not.
#[derive(Debug)]
#[non_exhaustive]
pub enum FenceError {
    /// No store grants such a lease.
    Lease(LimitExceeded),
    /// The process goes on while it has its lease, so that there is nothing to be shown.
    PauseTooShort {
        /// How long it is stopped.
        pause: Duration,
        /// How long its lease lasts.
        lease: Duration,
    },
    /// The store cannot be opened.
    Open(OpenError),
    /// The store cannot be used.
    Store(StoreError),
    /// A process cannot be started, stopped or talked to.
    Process {
        /// What it is called.
        name: &'static str,
        /// What the operating system says.
        error: io::Error,
    },
    /// A process ended by itself.
    Ended {
        /// What it is called.
        name: &'static str,
    },
    /// A process did not answer.
    Silent {
        /// What it is called.
        name: &'static str,
        /// For how long it was waited for.
        patience: Duration,
    },
    /// A process could not do its step.
    Holder {
        /// What it is called.
        name: &'static str,
        /// Why not.
        why: String,
    },
    /// A process did something else than was to be shown.
    Unexpected {
        /// What it is called.
        name: &'static str,
        /// What it did.
        what: String,
    },
    /// The store did not grant the lease to another after it was over.
    NotTakenOver {
        /// How long the lease lasts.
        lease: Duration,
    },
    /// Somebody else wrote under the name that was drawn for this run.
    Foreign {
        /// What is there.
        what: String,
    },
    /// It ended otherwise than it should have.
    NotShown(String),
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

impl fmt::Display for FenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lease(error) => write!(f, "--lease: {error}"),
            Self::PauseTooShort { pause, lease } => write!(
                f,
                "the pause of {pause:?} does not outlast the lease of {lease:?}; take a longer --pause or a \
                 shorter --lease"
            ),
            Self::Open(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Process { name, error } => write!(f, "the process {name}: {error}"),
            Self::Ended { name } => write!(f, "the process {name} ended before it was told to"),
            Self::Silent { name, patience } => write!(
                f,
                "the process {name} said nothing for {patience:?}; is the store, or this machine, overloaded?"
            ),
            Self::Holder { name, why } => write!(f, "{name}: {why}"),
            Self::Unexpected { name, what } => {
                write!(f, "{name} did what was not to be shown: {what}")
            }
            Self::NotTakenOver { lease } => write!(
                f,
                "the lease of {lease:?} was not granted to another long after it was over; is the store's clock \
                 right?"
            ),
            Self::Foreign { what } => write!(f, "{what}; run it again, under another name"),
            Self::NotShown(why) => write!(f, "not shown: {why}"),
            Self::Interrupt { message } => write!(f, "Ctrl-C cannot be handled: {message}"),
            Self::Interrupted => f.write_str("interrupted; the processes were ended"),
            Self::Write { file, error } => {
                write!(f, "{}: cannot be written: {error}", file.display())
            }
        }
    }
}

impl Error for FenceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Lease(error) => Some(error),
            Self::Store(error) => error.source(),
            Self::Open(error) => error.source(),
            Self::Process { error, .. } | Self::Write { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for FenceError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<OpenError> for FenceError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}
