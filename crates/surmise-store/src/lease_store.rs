use core::{future::Future, time::Duration};

use surmise_fence::{FencingToken, Grant};

use crate::{AcquireError, Lease, LimitExceeded, LostReply, Resource, StoreError, Ttl, lease};

/// Grants leases with fencing tokens.
///
/// To use one, [`acquire`](Self::acquire) a [`Lease`]. The other methods are what a store implements, one
/// request each. What all of them hold to:
///
/// * An error says that nothing happened. Where something may have happened, the outcome is `Indeterminate`.
/// * A token is never granted twice: not after a release, not after a restart, and not after the store was restored
///   from a backup, if the operator then calls [`advance_epoch`](Self::advance_epoch). A grant's
///   token is greater than that of every earlier grant of the same resource.
/// * A lease is granted to somebody else only after it was released, or after the time that its
///   holder was told has passed on the store's clock.
///
/// `surmise_store::conformance` tests all of this, for your own store too. References to a store, and an
/// [`Arc`](alloc::sync::Arc) of one, are stores.
pub trait LeaseStore: Send + Sync {
    /// Asks for a lease.
    ///
    /// If the lease is held under the request's nonce, it is that one that is granted again, with its token, and
    /// with the time that was asked for from now: so the retry of a request whose reply was lost does no harm.
    fn grant(
        &self,
        request: LeaseRequest<'_>,
    ) -> impl Future<Output = Result<Granted, StoreError>> + Send;

    /// Asks for more time for a lease that is held: `ttl` from now.
    ///
    /// The lease is known by its token alone. So where a token was granted twice, as by a store that was restored from a
    /// backup and did not begin the next epoch, the earlier holder makes the lease of the later one last for longer.
    fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> impl Future<Output = Result<Extended, StoreError>> + Send;

    /// Gives a lease back.
    ///
    /// As with [`extend`](Self::extend), the lease is known by its token alone: where one was granted twice, the earlier
    /// holder ends the lease of the later one.
    fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> impl Future<Output = Result<Revoked, StoreError>> + Send;

    /// Returns who holds a lease.
    fn holding(
        &self,
        resource: Resource<'_>,
    ) -> impl Future<Output = Result<Option<Holding>, StoreError>> + Send;

    /// Begins the next epoch, and returns it: all tokens from now on are greater than all that ever were
    /// issued, even those that this store does not remember.
    ///
    /// It is the number of seconds since 1970, or one more than the last epoch if that is greater. So a store need not
    /// remember which epochs began since it was backed up, as when it is restored for the second time, if its clock is
    /// not behind that of those who began them, and they began less than one a second. Stores in Redis count microseconds.
    ///
    /// For operators, after the store was restored from a backup or lost writes that it had acknowledged, as
    /// when a replica without the last ones was promoted. Leases that are held stay held. To do it again, because its
    /// reply was lost, begins one more epoch, and does no harm; so it is the one operation that may have been done where
    /// it returns an error.
    fn advance_epoch(&self) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Acquires a lease, for which `holder` is the name that others are shown.
    ///
    /// If the reply is lost, it asks who holds the lease before it gives up. [`Lease::acquire`] does the same with a nonce,
    /// a clock and an allowance for its drift of the caller's.
    ///
    /// # Errors
    ///
    /// If another holds the lease, if the store could not be asked, and if it is not known whether the
    /// lease was granted.
    ///
    /// # Cancellation
    ///
    /// If the future is dropped, the lease may have been granted under a nonce that nobody knows, and keeps all out
    /// until it is over. Whoever gives up waiting, as time-outs do, takes [`Lease::acquire`] with a nonce of its own, and
    /// asks with that again.
    fn acquire(
        &self,
        resource: &str,
        holder: &str,
        ttl: Duration,
    ) -> impl Future<Output = Result<Lease, AcquireError>> + Send
    where
        Self: Sized,
    {
        lease::acquire(self, resource, holder, ttl)
    }
}

/// A request for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseRequest<'a> {
    resource: Resource<'a>,
    holder: &'a str,
    nonce: u64,
    ttl: Ttl,
}

impl<'a> LeaseRequest<'a> {
    /// The length of the longest name of a holder.
    pub const MAX_HOLDER_BYTES: usize = 255;

    /// Creates a request for a lease of `ttl`, under a random `nonce`, in the name of `holder`.
    ///
    /// The nonce 0 is none: no later request is taken for the retry of one without a nonce.
    ///
    /// # Errors
    ///
    /// If a name or the time is beyond its limits.
    pub fn new(
        resource: &'a str,
        holder: &'a str,
        nonce: u64,
        ttl: Duration,
    ) -> Result<Self, LimitExceeded> {
        if holder.len() > Self::MAX_HOLDER_BYTES || holder.contains('\0') {
            return Err(LimitExceeded::Holder { bytes: holder.len() });
        }
        Ok(Self { resource: Resource::new(resource)?, holder, nonce, ttl: Ttl::new(ttl)? })
    }

    /// Returns what the lease is about.
    #[must_use]
    pub const fn resource(&self) -> Resource<'a> {
        self.resource
    }

    /// Returns the name of who asks, for people.
    #[must_use]
    pub const fn holder(&self) -> &'a str {
        self.holder
    }

    /// Returns the number that tells this request from others.
    #[must_use]
    pub const fn nonce(&self) -> u64 {
        self.nonce
    }

    /// Returns for how long the lease is asked.
    #[must_use]
    pub const fn ttl(&self) -> Ttl {
        self.ttl
    }
}

/// What became of a request for a lease.
#[derive(Debug)]
#[must_use = "it says whether the lease was granted"]
#[non_exhaustive]
pub enum Granted {
    /// The lease is the caller's.
    Granted(Grant),
    /// Another holds it.
    Held(Holding),
    /// Nobody holds it, but it is not granted before its lock-delay is over.
    Delayed {
        /// For how much longer.
        remaining: Duration,
    },
    /// It may have been granted, or may yet be.
    Indeterminate(LostReply),
}

/// What became of a request for more time.
#[derive(Debug)]
#[must_use = "the lease may be lost"]
#[non_exhaustive]
pub enum Extended {
    /// The lease lasts for longer.
    Extended(Grant),
    /// The lease is over, and may be another's.
    Lost,
    /// It may last for longer, or may yet do so.
    Indeterminate(LostReply),
}

/// What became of a lease that was given back.
#[derive(Debug)]
#[must_use = "the lease may still be held"]
#[non_exhaustive]
pub enum Revoked {
    /// Nobody holds it.
    Revoked,
    /// It was over before, and may be another's.
    Lost,
    /// It may have been given back, or may yet be.
    Indeterminate(LostReply),
}

/// Who holds a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holding {
    /// The token of the grant.
    pub token: FencingToken,
    /// The number of the request that it was granted to.
    pub nonce: u64,
    /// The name that the holder gave.
    pub holder: String,
    /// For how much longer, at least, at some time between the question and the answer.
    pub remaining: Duration,
}

impl Holding {
    /// Creates what a store says of a lease.
    #[must_use]
    pub const fn new(token: FencingToken, nonce: u64, holder: String, remaining: Duration) -> Self {
        Self { token, nonce, holder, remaining }
    }

    /// Returns what the store promises to the holder, if it counts from before it asked.
    #[must_use]
    pub const fn grant(&self) -> Grant {
        Grant { token: self.token, valid_for: self.remaining }
    }
}
