use core::{error::Error, fmt, time::Duration};

use crate::{FencingToken, TokensExhausted};

/// Why there is no [`LeaseTable`](crate::LeaseTable).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaseTableError {
    /// The longest TTL is zero.
    ZeroMaxTtl,
    /// There can be no lease.
    ZeroMaxLeases,
    /// Tokens of a higher epoch were issued before.
    EpochTooLow {
        /// The epoch.
        epoch: u64,
        /// The last token that was reserved before.
        reserved: FencingToken,
    },
}

impl fmt::Display for LeaseTableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroMaxTtl => f.write_str("the longest TTL is zero"),
            Self::ZeroMaxLeases => f.write_str("a table of no leases grants none"),
            Self::EpochTooLow { epoch, reserved } => {
                write!(
                    f,
                    "epoch {epoch} is lower than that of {reserved}, which was reserved before"
                )
            }
        }
    }
}

impl Error for LeaseTableError {}

/// Why a lease is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcquireError {
    /// Another holds it.
    Held {
        /// The token of the grant.
        token: FencingToken,
        /// For how much longer, unless it is renewed or released.
        remaining: Duration,
    },
    /// Nobody holds it, but the lock-delay is not over.
    Delayed {
        /// For how much longer.
        remaining: Duration,
    },
    /// The TTL is zero or too long.
    Ttl {
        /// The TTL that was asked for.
        ttl: Duration,
        /// The longest one.
        max_ttl: Duration,
    },
    /// There are as many leases as there can be. Those that ended make room when they are
    /// [forgotten](crate::LeaseTable::expire).
    Full {
        /// How many that is.
        max_leases: usize,
    },
    /// No token that was reserved is left: the [next block](crate::LeaseTable::next_block) must be reserved first.
    NoTokens,
    /// The epoch has no more tokens.
    Exhausted(TokensExhausted),
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { token, remaining } => {
                write!(f, "the lease is held with token {token} for another {remaining:?}")
            }
            Self::Delayed { remaining } => {
                write!(
                    f,
                    "the lease ended without being released; its lock-delay takes another {remaining:?}"
                )
            }
            Self::Ttl { ttl, max_ttl } => write_ttl(f, *ttl, *max_ttl),
            Self::Full { max_leases } => {
                write!(
                    f,
                    "there are {max_leases} leases, and no room for another before `expire` forgets those that ended"
                )
            }
            Self::NoTokens => f.write_str("no reserved token is left: reserve the next block"),
            Self::Exhausted(exhausted) => exhausted.fmt(f),
        }
    }
}

/// It has no source: [`Exhausted`](Self::Exhausted) says what the error in it says.
impl Error for AcquireError {}

/// Why a lease is not renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RenewError {
    /// It ended. Whoever wants it must acquire it, and is granted another token.
    Expired {
        /// The token of the grant.
        token: FencingToken,
        /// For how long it has been over.
        by: Duration,
    },
    /// It was granted again, to somebody else or to another request.
    Superseded {
        /// The token that was shown.
        token: FencingToken,
        /// The token of the later grant.
        by: FencingToken,
    },
    /// It is not held with this token, which is of another epoch: the grantor was restored, or is another one.
    ForeignEpoch {
        /// The token that was shown.
        token: FencingToken,
        /// The epoch of the grantor.
        epoch: u64,
    },
    /// There is no such lease: it was released, it ended long ago, or the token was never granted for this
    /// resource.
    Unknown {
        /// The token that was shown.
        token: FencingToken,
    },
    /// The TTL is zero or too long. The lease is held as before.
    Ttl {
        /// The TTL that was asked for.
        ttl: Duration,
        /// The longest one.
        max_ttl: Duration,
    },
}

impl From<ReleaseError> for RenewError {
    fn from(error: ReleaseError) -> Self {
        match error {
            ReleaseError::Expired { token, by } => Self::Expired { token, by },
            ReleaseError::Superseded { token, by } => Self::Superseded { token, by },
            ReleaseError::ForeignEpoch { token, epoch } => Self::ForeignEpoch { token, epoch },
            ReleaseError::Unknown { token } => Self::Unknown { token },
        }
    }
}

impl fmt::Display for RenewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Expired { token, by } => ReleaseError::Expired { token, by }.fmt(f),
            Self::Superseded { token, by } => ReleaseError::Superseded { token, by }.fmt(f),
            Self::ForeignEpoch { token, epoch } => {
                ReleaseError::ForeignEpoch { token, epoch }.fmt(f)
            }
            Self::Unknown { token } => ReleaseError::Unknown { token }.fmt(f),
            Self::Ttl { ttl, max_ttl } => write_ttl(f, ttl, max_ttl),
        }
    }
}

impl Error for RenewError {}

/// Why a lease is not released: it is not held with this token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReleaseError {
    /// It ended before.
    Expired {
        /// The token of the grant.
        token: FencingToken,
        /// For how long it has been over.
        by: Duration,
    },
    /// It was granted again, to somebody else or to another request.
    Superseded {
        /// The token that was shown.
        token: FencingToken,
        /// The token of the later grant.
        by: FencingToken,
    },
    /// The token is of another epoch: the grantor was restored, or is another one.
    ForeignEpoch {
        /// The token that was shown.
        token: FencingToken,
        /// The epoch of the grantor.
        epoch: u64,
    },
    /// There is no such lease: it was released, it ended long ago, or the token was never granted for this
    /// resource.
    Unknown {
        /// The token that was shown.
        token: FencingToken,
    },
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { token, by } => {
                write!(f, "the lease with token {token} expired {by:?} ago")
            }
            Self::Superseded { token, by } => {
                write!(f, "the lease with token {token} is over: {by} was granted since")
            }
            Self::ForeignEpoch { token, epoch } => {
                write!(f, "token {token} holds no lease in epoch {epoch}: acquire the lease anew")
            }
            Self::Unknown { token } => write!(f, "token {token} holds no lease of this resource"),
        }
    }
}

impl Error for ReleaseError {}

/// Why a lease is not put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreError {
    /// The resource has a lease.
    Present {
        /// The token of its grant.
        token: FencingToken,
    },
    /// The token could be issued again: it is above all that were issued, or may have been before a restart.
    NotIssued {
        /// The token.
        token: FencingToken,
        /// The highest token that was issued, or may have been, if any.
        issued: Option<FencingToken>,
    },
    /// There are as many leases as there can be.
    Full {
        /// How many that is.
        max_leases: usize,
    },
    /// The TTL is zero.
    ZeroTtl,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present { token } => write!(f, "the resource has a lease, with token {token}"),
            Self::NotIssued { token, issued: Some(issued) } => {
                write!(f, "token {token} was not issued: {issued} was the last")
            }
            Self::NotIssued { token, issued: None } => {
                write!(f, "token {token} was not issued: none was")
            }
            Self::Full { max_leases } => {
                write!(f, "there are {max_leases} leases, and no room for another")
            }
            Self::ZeroTtl => f.write_str("the TTL is zero"),
        }
    }
}

impl Error for RestoreError {}

fn write_ttl(f: &mut fmt::Formatter<'_>, ttl: Duration, max_ttl: Duration) -> fmt::Result {
    if ttl.is_zero() {
        f.write_str("the TTL is zero")
    } else {
        write!(f, "a TTL of {ttl:?} is longer than {max_ttl:?}")
    }
}
