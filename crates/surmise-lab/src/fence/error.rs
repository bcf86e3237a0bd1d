use core::{error::Error, fmt, time::Duration};

use crate::processes::RunError;

/// What was to be shown was not.
#[derive(Debug)]
#[non_exhaustive]
pub enum FenceError {
    /// The run could not be made.
    Run(RunError),
    /// The process goes on while it has its lease, so that there is nothing to be shown.
    PauseTooShort {
        /// How long it is stopped.
        pause: Duration,
        /// How long its lease lasts.
        lease: Duration,
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
}

impl fmt::Display for FenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(error) => error.fmt(f),
            Self::PauseTooShort { pause, lease } => write!(
                f,
                "the pause of {pause:?} does not outlast the lease of {lease:?}; take a longer --pause or a \
                 shorter --lease"
            ),
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
        }
    }
}

impl Error for FenceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Run(error) => error.source(),
            _ => None,
        }
    }
}

impl<E: Into<RunError>> From<E> for FenceError {
    fn from(error: E) -> Self {
        Self::Run(error.into())
    }
}
