use core::{error::Error, fmt, time::Duration};

use surmise_time::Instant;

use super::DriftAllowance;
use crate::{FencingToken, Grant};

/// What the holder of a lease knows of it: for how long it is valid, by its own clock.
///
/// The validity of a grant counts from *before* its request was sent, less an allowance for clocks that drift.
/// When the reply came does not matter: a grantor may have granted the lease long before, and counts from then.
/// So whoever sends a request notes the time first, and gives that time with the reply to this very request. A
/// request that hangs gives nothing; neither does a reply that was taken for that of a later request.
///
/// **A valid lease is a hint, and not safe to write by.** It keeps a holder from doing what would be refused. Between
/// the moment that [`token`](Self::token) was asked and the write, the holder may be paused for any time, and
/// clocks can fail. What makes the write safe is that it shows the token, and that the storage has a
/// [`Fence`](crate::Fence).
///
/// Time must be that of a clock which goes on while the machine sleeps, such as `BootClock` of `surmise-time`. Where a
/// clock steps back, the lease looks valid for so much longer, and steps add up. Only
/// [`remaining`](Self::remaining) never says more than was granted: a time before the request was sent counts as that
/// when it was.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_fence::{DriftAllowance, FencingToken, Grant, LeaseGuard};
/// use surmise_time::Instant;
///
/// let sent = Instant::from_nanos(0);
/// // The request is sent; this is the reply.
/// let grant = Grant { token: FencingToken::first(1), valid_for: Duration::from_secs(10) };
/// let guard = LeaseGuard::new(grant, sent, DriftAllowance::from_ppm(1_000));
///
/// assert_eq!(guard.token(sent + Duration::from_secs(9))?, grant.token);
/// assert!(guard.token(sent + Duration::from_millis(9_990)).is_err());
/// # Ok::<(), surmise_fence::LeaseExpired>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseGuard {
    token: FencingToken,
    drift: DriftAllowance,
    /// When that was sent which the validity counts from.
    sent: Instant,
    expires_at: Instant,
    lost: bool,
}

impl LeaseGuard {
    /// Creates the guard of a lease that was granted to a request sent at `sent`, or rather not before.
    ///
    /// The grantor's clock may run faster than this holder's by the allowance.
    #[must_use]
    pub fn new(grant: Grant, sent: Instant, drift: DriftAllowance) -> Self {
        let expires_at = sent + drift.shorten(grant.valid_for);
        Self { token: grant.token, drift, sent, expires_at, lost: false }
    }

    /// Takes note that the lease was renewed, by the reply to a request sent at `sent`, or rather not before.
    ///
    /// The validity counts from then, and never becomes shorter: a late reply to an early request changes nothing.
    /// A lease that had expired is valid again if the renewed validity is not over either; its grantor kept it
    /// for this holder. One that is known to be [`lost`](Self::lost) stays over.
    ///
    /// # Errors
    ///
    /// If the grant is of another token, and so another lease. The guard stays as it was.
    pub fn renewed(&mut self, grant: Grant, sent: Instant) -> Result<(), OtherToken> {
        if grant.token != self.token {
            return Err(OtherToken { offered: grant.token, held: self.token });
        }
        let expires_at = sent + self.drift.shorten(grant.valid_for);
        if expires_at > self.expires_at && !self.lost {
            self.expires_at = expires_at;
            self.sent = sent;
        }
        Ok(())
    }

    /// Takes note that the lease is not this holder's any more: its grantor said so, or it was given back.
    ///
    /// It is over from now on, for good: the reply to an earlier renewal may still come, and gives nothing.
    pub const fn lost(&mut self) {
        self.lost = true;
        self.expires_at = self.sent;
    }

    /// Returns the token, to be shown to the fence.
    ///
    /// # Errors
    ///
    /// If the lease is over: somebody else may hold it.
    #[inline]
    pub fn token(&self, now: Instant) -> Result<FencingToken, LeaseExpired> {
        if self.is_expired(now) {
            return Err(LeaseExpired { token: self.token, by: now - self.expires_at });
        }
        Ok(self.token)
    }

    /// Returns the token, whether or not the lease is over.
    ///
    /// To renew or release the lease, for logs, and for tests of the fence.
    #[must_use]
    pub const fn token_unchecked(&self) -> FencingToken {
        self.token
    }

    /// Returns for how much longer the lease is valid; zero if it is over.
    #[must_use]
    pub fn remaining(&self, now: Instant) -> Duration {
        self.expires_at - now.max(self.sent)
    }

    /// Returns whether the lease is over. It is at [`expires_at`](Self::expires_at).
    #[must_use]
    #[inline]
    pub fn is_expired(&self, now: Instant) -> bool {
        now.max(self.sent) >= self.expires_at
    }

    /// Returns whether the lease is known to be [`lost`](Self::lost), and not only over by this holder's clock.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.lost
    }

    /// Returns when the lease is over, unless it is renewed; [`sent`](Self::sent) once it is lost.
    #[must_use]
    pub const fn expires_at(&self) -> Instant {
        self.expires_at
    }

    /// Returns when the request was sent that the validity counts from.
    #[must_use]
    pub const fn sent(&self) -> Instant {
        self.sent
    }
}

/// A lease is over, by its holder's clock, or because it was lost or given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseExpired {
    /// The token of the lease.
    pub token: FencingToken,
    /// For how long it has been over. Of a lease that was [lost](LeaseGuard::lost), since its last request was sent.
    pub by: Duration,
}

impl fmt::Display for LeaseExpired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the lease with token {} is over, for {:?} at most", self.token, self.by)
    }
}

impl Error for LeaseExpired {}

/// A grant is not of the lease that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtherToken {
    /// The token of the grant.
    pub offered: FencingToken,
    /// The token of the lease that is held.
    pub held: FencingToken,
}

impl fmt::Display for OtherToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offered, held } = self;
        write!(f, "a grant of token {offered} does not renew the lease with token {held}")
    }
}

impl Error for OtherToken {}
