use core::{error::Error, fmt, time::Duration};

use surmise_fence::{DriftAllowance, FencingToken, LeaseExpired, LeaseGuard, Pass};
use surmise_time::MonotonicClock as _;

use crate::{
    Extended, Granted, Holding, LeaseRequest, LeaseStore, LimitExceeded, LostReply, Resource,
    Revoked, StoreError, Ttl, clock::LeaseClock,
};

/// A lease that was granted: what its holder shows to the fences.
///
/// Its validity is counted from before the request was sent, by a clock that goes on while the machine sleeps, less
/// 0.1 % for clocks that drift. It is a hint that spares useless work, no more: between asking it and a write, any
/// time can pass. Safety is the store's, which refuses the tokens of earlier holders.
///
/// Dropping it does not give it back: that takes a request, [`release`](Self::release).
#[derive(Debug)]
pub struct Lease {
    guard: LeaseGuard,
    resource: String,
    nonce: u64,
    ttl: Ttl,
}

/// A clock that is off by more than 0.1 % is broken: crystals are good to 0.01 %.
const DRIFT: DriftAllowance = DriftAllowance::from_ppm(1_000);

impl Lease {
    pub(crate) async fn acquire<S: LeaseStore>(
        store: &S,
        resource: &str,
        holder: &str,
        ttl: Duration,
    ) -> Result<Self, AcquireError> {
        // 0 says that there is no nonce.
        let nonce = getrandom::u64().map_err(AcquireError::Random)?.max(1);
        let request = LeaseRequest::new(resource, holder, nonce, ttl)?;
        let sent = LeaseClock.now();
        let (grant, sent) = match store.grant(request).await? {
            Granted::Granted(grant) => (grant, sent),
            Granted::Held(holding) => return Err(AcquireError::Held(holding)),
            Granted::Delayed { remaining } => return Err(AcquireError::Delayed { remaining }),
            Granted::Indeterminate(lost) => {
                let sent = LeaseClock.now();
                match store.holding(request.resource()).await {
                    Ok(Some(holding)) if holding.nonce == nonce => (holding.grant(), sent),
                    // The request may still be under way, so that nobody can say that it was not granted.
                    _ => return Err(AcquireError::Indeterminate(lost)),
                }
            }
        };
        let guard = LeaseGuard::new(grant, sent, DRIFT);
        Ok(Self { guard, resource: resource.to_owned(), nonce, ttl: request.ttl() })
    }

    /// Asks for as much time as at first, from now.
    ///
    /// The time is counted from before the request, and a request without a reply gives none.
    /// [`RenewSchedule`](surmise_fence::RenewSchedule) says when to call this.
    ///
    /// # Errors
    ///
    /// If the lease is over, if the store could not be asked, and if it did not answer. The
    /// validity stays as it was.
    pub async fn renew<S: LeaseStore>(&mut self, store: &S) -> Result<(), RenewError> {
        let resource = Resource::new(&self.resource).map_err(StoreError::from)?;
        let token = self.guard.token_unchecked();
        let sent = LeaseClock.now();
        match store.extend(resource, token, self.ttl).await? {
            Extended::Extended(grant) => {
                self.guard.renewed(grant, sent).map_err(|_| RenewError::Lost { token })
            }
            Extended::Lost => Err(RenewError::Lost { token }),
            Extended::Indeterminate(lost) => Err(RenewError::Indeterminate(lost)),
        }
    }

    /// Gives the lease back, so that the next holder need not wait until it is over.
    ///
    /// That it was over before is no error: nobody waits for it then.
    ///
    /// # Errors
    ///
    /// If the store could not be asked, and if it did not answer. The lease ends by itself then.
    pub async fn release<S: LeaseStore>(self, store: &S) -> Result<(), ReleaseError> {
        let resource = Resource::new(&self.resource).map_err(StoreError::from)?;
        match store.revoke(resource, self.guard.token_unchecked()).await? {
            Revoked::Revoked | Revoked::Lost => Ok(()),
            Revoked::Indeterminate(lost) => Err(ReleaseError::Indeterminate(lost)),
        }
    }

    /// Returns the token, to be shown to a fence.
    ///
    /// # Errors
    ///
    /// If the lease is over, as far as this machine's clock can tell.
    pub fn token(&self) -> Result<FencingToken, LeaseExpired> {
        self.guard.token(LeaseClock.now())
    }

    /// Returns the token with the nonce of the grant, to be shown to a fence that has seen no pass of this
    /// grant without it.
    ///
    /// # Errors
    ///
    /// If the lease is over, as far as this machine's clock can tell.
    pub fn pass(&self) -> Result<Pass, LeaseExpired> {
        Ok(Pass::from(self.token()?).with_nonce(self.nonce))
    }

    /// Returns the token, also if the lease is over: for logs, and for tests of what the fences refuse.
    #[must_use]
    pub const fn token_unchecked(&self) -> FencingToken {
        self.guard.token_unchecked()
    }

    /// Returns for how much longer the lease is valid, zero if it is over.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.guard.remaining(LeaseClock.now())
    }

    /// Returns what the lease is about.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Returns the number of the request that the lease was granted to.
    #[must_use]
    pub const fn nonce(&self) -> u64 {
        self.nonce
    }

    /// Returns for how long the lease was asked.
    #[must_use]
    pub const fn ttl(&self) -> Duration {
        self.ttl.get()
    }

    /// Returns what the holder knows of its time, for a driver that has a clock of its own.
    #[must_use]
    pub const fn guard(&self) -> &LeaseGuard {
        &self.guard
    }
}

/// Why a lease was not acquired.
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
    /// It may have been granted. If so, it is over after the time that was asked for.
    Indeterminate(LostReply),
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
            Self::Indeterminate(lost) => write!(f, "the lease may have been granted: {lost}"),
            Self::Store(error) => error.fmt(f),
            Self::Random(error) => write!(f, "no nonce for the request: {error}"),
        }
    }
}

impl Error for AcquireError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Indeterminate(lost) => Some(lost),
            Self::Store(error) => Some(error),
            Self::Random(error) => Some(error),
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
            Self::Lost { token } => write!(f, "the lease with token {token} is over"),
            Self::Indeterminate(lost) => lost.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl Error for RenewError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Lost { .. } => None,
            Self::Indeterminate(lost) => Some(lost),
            Self::Store(error) => Some(error),
        }
    }
}

impl From<StoreError> for RenewError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Why it is not known that a lease was given back.
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
            Self::Indeterminate(lost) => Some(lost),
            Self::Store(error) => Some(error),
        }
    }
}

impl From<StoreError> for ReleaseError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
