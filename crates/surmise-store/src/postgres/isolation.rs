use core::fmt;

use tokio_postgres::Error;

/// Why a floor was not raised inside a transaction of the caller's.
#[derive(Debug)]
#[non_exhaustive]
pub enum RaiseError {
    /// The transaction goes by a snapshot, in which what the holder before is about to commit would never be seen.
    /// Nothing was done, and the transaction goes on: raise the floor at READ COMMITTED, and begin anew after it.
    Isolation {
        /// The isolation level, as the server calls it.
        level: String,
    },
    /// The client's error, as it is.
    Client(Error),
}

impl fmt::Display for RaiseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Isolation { level } => write!(
                f,
                "the floor is raised at READ COMMITTED, not in a transaction that is {level}"
            ),
            Self::Client(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RaiseError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Isolation { .. } => None,
            // It is shown as it is, so that its cause is the next.
            Self::Client(error) => error.source(),
        }
    }
}

impl From<Error> for RaiseError {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}
