use core::{error::Error, fmt, time::Duration};

use surmise_fence::FencingToken;

use crate::{Holding, LimitExceeded, LostReply, StoreError};

/// Why a lease was not acquired.
///
/// Its text has that of the error within; its source is what is below that.
#[derive(Debug)]
#[non_exhaustive]
pub enum AcquireError {
    /// Another holds it.
    Held(Holding),
    /// Nobody holds it, but it is not granted before its lock-delay is over.
    Delayed {
        /// For how much longer.
        remaining: Duration,
    },
    /// It may have been granted, or may yet be while the request is under way.
    ///
    /// If so, it keeps everybody else out, and its asker too if that comes with another nonce, until the time that was
    /// asked for has passed since the store took the request, and what the store adds to it: a lock-delay, a
    /// time rounded up, a restart. To have it after all, [`Lease::acquire`](crate::Lease::acquire) with this nonce.
    Indeterminate {
        /// The number of the request.
        nonce: u64,
        /// What was lost.
        lost: LostReply,
    },
    /// The store could not be asked, or did not take the request.
    Store(StoreError),
    /// The system has no random numbers, to tell the request from others.
    Random(getrandom::Error),
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(Holding { holder, token, remaining, .. }) => {
                write!(f, "{holder:?} holds the lease with token {token} for another {remaining:?}")
            }
            Self::Delayed { remaining } => {
                write!(
                    f,
                    "the lease ended without being given back; its lock-delay takes another {remaining:?}"
                )
            }
            Self::Indeterminate { nonce, lost } => write!(
                f,
                "the lease may have been granted, and is had by asking again with nonce {nonce:#x}: {lost}"
            ),
            Self::Store(error) => error.fmt(f),
            Self::Random(error) => write!(f, "no nonce for the request: {error}"),
        }
    }
}

impl Error for AcquireError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Indeterminate { lost, .. } => lost.source(),
            Self::Store(error) => error.source(),
            Self::Random(error) => error.source(),
            Self::Held(_) | Self::Delayed { .. } => None,
        }
    }
}

impl From<StoreError> for AcquireError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<LimitExceeded> for AcquireError {
    fn from(limit: LimitExceeded) -> Self {
        Self::Store(limit.into())
    }
}

/// Why a lease does not last for longer.
///
/// Its text has that of the error within; its source is what is below that.
#[derive(Debug)]
#[non_exhaustive]
pub enum RenewError {
    /// It is over, and may be another's: its holder should stop.
    Lost {
        /// The token of the grant.
        token: FencingToken,
    },
    /// It may last for longer, but not as far as its holder knows.
    Indeterminate(LostReply),
    /// The store could not be asked.
    Store(StoreError),
}

impl fmt::Display for RenewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { token } => write!(
                f,
                "the lease with token {token} is over: stop what needs it, and acquire it anew"
            ),
            Self::Indeterminate(lost) => lost.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl Error for RenewError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Lost { .. } => None,
            Self::Indeterminate(lost) => lost.source(),
            Self::Store(error) => error.source(),
        }
    }
}

impl From<StoreError> for RenewError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Why it is not known that a lease was given back.
///
/// Its text has that of the error within; its source is what is below that.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The store did not say whether it was.
    Indeterminate(LostReply),
    /// The store could not be asked.
    Store(StoreError),
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Indeterminate(lost) => lost.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl Error for ReleaseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Indeterminate(lost) => lost.source(),
            Self::Store(error) => error.source(),
        }
    }
}

impl From<StoreError> for ReleaseError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
