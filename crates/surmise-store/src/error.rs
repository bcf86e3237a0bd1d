use core::{error::Error, fmt, time::Duration};

/// Any error, as the libraries below a store have it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why a store did not do what it was asked to.
///
/// Whatever it says, *nothing happened*: where something may have happened, the operation returns its outcome
/// `Indeterminate` instead. Only [`Unanswered`](Self::Unanswered) says that a new epoch may have begun, which does no harm.
///
/// Its text has that of the error within; its source is what is below that.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// A name, key, value or duration is beyond what every store takes.
    Limit(LimitExceeded),
    /// The store could not be reached, or not before the time limit. It may be asked again.
    Unavailable {
        /// Which store, and where.
        store: String,
        /// What went wrong.
        source: BoxError,
    },
    /// The store was asked to begin the next epoch, and did not answer. The epoch may have begun; to ask again does no harm.
    Unanswered {
        /// Which store, and where.
        store: String,
        /// What went wrong.
        source: BoxError,
    },
    /// The store was reached, and cannot be used as it is.
    Unusable {
        /// Which store, and where.
        store: String,
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The store holds what this crate did not write. It stays as it is, to be looked at; if it is damaged, a backup is
    /// to be restored, and [`LeaseStore::advance_epoch`](crate::LeaseStore::advance_epoch) to be called.
    Corrupt {
        /// Which store, and where.
        store: String,
        /// What was found, and what was expected.
        problem: String,
    },
    /// The epoch has no more tokens; [`LeaseStore::advance_epoch`](crate::LeaseStore::advance_epoch) goes on.
    TokensExhausted {
        /// The epoch.
        epoch: u64,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(limit) => limit.fmt(f),
            Self::Unavailable { store, source } => {
                write!(f, "{store} is unavailable: {source}; nothing was done, ask again later")
            }
            Self::Unanswered { store, source } => {
                write!(
                    f,
                    "{store} did not answer: {source}; the next epoch may have begun: ask again, that does no harm"
                )
            }
            Self::Unusable { store, problem, remedy } => {
                write!(f, "{store} cannot be used: {problem}; {remedy}")
            }
            Self::Corrupt { store, problem } => {
                write!(
                    f,
                    "{store} holds what surmise did not write: {problem}; look for what else writes there, or \
                     restore a backup and begin the next epoch"
                )
            }
            Self::TokensExhausted { epoch } => {
                write!(f, "epoch {epoch} has no more tokens: go on with the next epoch")
            }
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Limit(limit) => limit.source(),
            Self::Unavailable { source, .. } | Self::Unanswered { source, .. } => source.source(),
            _ => None,
        }
    }
}

impl From<LimitExceeded> for StoreError {
    fn from(limit: LimitExceeded) -> Self {
        Self::Limit(limit)
    }
}

/// A name, key, value or duration is beyond what every store takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitExceeded {
    /// The name of a resource is empty, or has more than [`Resource::MAX_BYTES`](crate::Resource::MAX_BYTES).
    Resource {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The name of a resource has a NUL, which not every store can keep.
    NulInResource {
        /// Where it is, in bytes.
        at: usize,
    },
    /// The name of a holder has more bytes than [`LeaseRequest::MAX_HOLDER_BYTES`](crate::LeaseRequest::MAX_HOLDER_BYTES),
    /// or a NUL.
    Holder {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A key is empty, or has more bytes than [`Change::MAX_KEY_BYTES`](crate::Change::MAX_KEY_BYTES).
    Key {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A value has more bytes than [`Change::MAX_VALUE_BYTES`](crate::Change::MAX_VALUE_BYTES).
    Value {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A lease is to last for less than [`Ttl::MIN`](crate::Ttl::MIN) or more than [`Ttl::MAX`](crate::Ttl::MAX).
    Ttl {
        /// For how long.
        ttl: Duration,
    },
    /// A [retention](crate::Terms::retention) is less than [`Terms::MIN_RETENTION`](crate::Terms::MIN_RETENTION) or more than
    /// [`Terms::MAX_RETENTION`](crate::Terms::MAX_RETENTION).
    Retention {
        /// For how long.
        retention: Duration,
    },
    /// A [brief retention](crate::Terms::brief_retention), or that of one [completion](crate::Settlement::complete), is less
    /// than [`Ttl::MIN`](crate::Ttl::MIN) or more than [`Terms::MAX_RETENTION`](crate::Terms::MAX_RETENTION).
    BriefRetention {
        /// For how long.
        retention: Duration,
    },
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::{Change, LeaseRequest, Resource, Terms, Ttl};
        match self {
            Self::Resource { bytes } => {
                write!(f, "a resource is named by 1 to {} bytes, not {bytes}", Resource::MAX_BYTES)
            }
            Self::NulInResource { at } => {
                write!(f, "the name of a resource has a NUL at byte {at}")
            }
            Self::Holder { bytes } => write!(
                f,
                "a holder is named by at most {} bytes without NUL; {bytes} were given",
                LeaseRequest::MAX_HOLDER_BYTES
            ),
            Self::Key { bytes } => {
                write!(f, "a key has 1 to {} bytes, not {bytes}", Change::MAX_KEY_BYTES)
            }
            Self::Value { bytes } => {
                write!(f, "a value has at most {} bytes, not {bytes}", Change::MAX_VALUE_BYTES)
            }
            Self::Ttl { ttl } => {
                write!(f, "a lease lasts for {:?} to {:?}, not {ttl:?}", Ttl::MIN, Ttl::MAX)
            }
            Self::Retention { retention } => write!(
                f,
                "a retention is {:?} to {:?}, not {retention:?}",
                Terms::MIN_RETENTION,
                Terms::MAX_RETENTION
            ),
            Self::BriefRetention { retention } => write!(
                f,
                "a result is kept for {:?} to {:?}, not {retention:?}",
                Ttl::MIN,
                Terms::MAX_RETENTION
            ),
        }
    }
}

impl Error for LimitExceeded {}

/// The reply to an operation was lost: it may have happened once, or not at all, or may yet happen.
///
/// That it happened can be seen: whose lease it is ([`LeaseStore::holding`](crate::LeaseStore::holding), by the nonce), or
/// what was written ([`FencedStore::read`](crate::FencedStore::read), by the pass). That it did not cannot: the
/// request may still be under way. [`AcquireError::Indeterminate`](crate::AcquireError::Indeterminate) and
/// [`Outcome::Indeterminate`](crate::Outcome::Indeterminate) say how it is settled.
///
/// Its text has that of its [`cause`](Self::cause); its source is what is below that.
#[derive(Debug)]
pub struct LostReply {
    store: String,
    source: BoxError,
}

impl LostReply {
    /// Creates what a store returns when it was asked, and did not hear whether it was done.
    pub fn new(store: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self { store: store.into(), source: source.into() }
    }

    /// Returns what happened to the reply.
    #[must_use]
    pub fn cause(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.source.as_ref()
    }
}

impl fmt::Display for LostReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} did not say whether it was done: {}", self.store, self.source)
    }
}

impl Error for LostReply {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.source()
    }
}
