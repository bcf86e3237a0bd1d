mod error;

use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use surmise_fence::{DriftAllowance, FencingToken, Grant, LeaseExpired, LeaseGuard, Pass};
use surmise_time::MonotonicClock;

pub use self::error::{AcquireError, ReleaseError, RenewError};
use crate::{
    Extended, Granted, LeaseClock, LeaseRequest, LeaseStore, Resource, Revoked, StoreError, Ttl,
};

/// A lease that was granted: what its holder shows to the fences.
///
/// Its validity is counted from before the request was sent, by a [clock](LeaseClock) of this machine, less an allowance
/// for a store whose clock goes faster: 0.1 %, which is enough where all clocks are steered by no more than 500 ppm
/// (`maxslewrate 500` of chrony), unless another was [given](Self::acquire). It is a hint that spares useless work, no more: between asking it and a write, any
/// time can pass. Safety is the store's, which refuses the tokens of earlier holders.
///
/// It can be shared: one task renews it while others write. Dropping it does not give it back: that takes a request,
/// [`release`](Self::release).
///
/// # What to show
///
/// * [`next_pass`](Self::next_pass) for each write. Only what is numbered is not overwritten by an earlier write of the
///   same holder that was not answered, and comes late.
/// * [`pass`](Self::pass) where it cannot matter which of two writes comes last, and to raise a floor.
/// * [`token`](Self::token) to a fence that knows of no more.
///
/// The first two show the nonce of the grant and the last does not: a fence that saw one of the two refuses the other,
/// as a [`Collision`](crate::Outcome::Collision).
#[derive(Debug)]
pub struct Lease<C = LeaseClock> {
    resource: String,
    nonce: u64,
    ttl: Ttl,
    clock: C,
    guard: Mutex<LeaseGuard>,
    /// The number of the last numbered pass.
    sequence: AtomicU64,
}

impl<C: MonotonicClock> Lease<C> {
    /// Acquires a lease as [`LeaseStore::acquire`] does, with all that it chooses by itself.
    ///
    /// The clock of the store may go faster than `clock` by the allowance `drift`. Where chrony steers clocks as fast as it
    /// may by default, the default is too little ([`DriftAllowance`] says what is enough): leases may overlap then,
    /// which the fences make harmless.
    ///
    /// The nonce of the request tells it from others. So one who was not answered, or who did not wait for the answer,
    /// sends the same request again, and has the same lease if it was granted. Only so long as no `Lease` came
    /// of it: two of one grant would number their writes alike, and take each other's for their own. A request with
    /// nonce 0 is nobody's to send again.
    ///
    /// # Errors
    ///
    /// As [`LeaseStore::acquire`].
    pub async fn acquire<S: LeaseStore>(
        store: &S,
        request: LeaseRequest<'_>,
        drift: DriftAllowance,
        clock: C,
    ) -> Result<Self, AcquireError> {
        let nonce = request.nonce();
        let sent = clock.now();
        let (grant, sent) = match store.grant(request).await? {
            Granted::Granted(grant) => (grant, sent),
            Granted::Held(holding) => return Err(AcquireError::Held(holding)),
            Granted::Delayed { remaining } => return Err(AcquireError::Delayed { remaining }),
            Granted::Indeterminate(lost) => {
                let sent = clock.now();
                match store.holding(request.resource()).await {
                    Ok(Some(holding)) if nonce != 0 && holding.nonce == nonce => {
                        // The clock of the store may have been set back since it granted.
                        let grant = holding.grant();
                        let valid_for = grant.valid_for.min(request.ttl().get());
                        (Grant { valid_for, ..grant }, sent)
                    }
                    // The request may still be under way, so that nobody can say that it was not granted.
                    _ => return Err(AcquireError::Indeterminate { nonce, lost }),
                }
            }
        };
        Ok(Self {
            resource: request.resource().as_str().to_owned(),
            nonce,
            ttl: request.ttl(),
            clock,
            guard: Mutex::new(LeaseGuard::new(grant, sent, drift)),
            sequence: AtomicU64::new(0),
        })
    }

    /// Asks for as much time as at first, from now.
    ///
    /// The time is counted from before the request, and a request without a reply gives none. Several may be under way.
    /// [`RenewSchedule`](surmise_fence::RenewSchedule) says when to call this; `examples/renewing.rs` is a
    /// task that does.
    ///
    /// # Errors
    ///
    /// If the lease is over for good, which it is from then on by [`token`](Self::token) too. If the store could not be
    /// asked or did not answer, the validity stays as it was.
    ///
    /// # Cancellation
    ///
    /// If the future is dropped, the lease may last for longer, but not as far as its holder knows.
    pub async fn renew<S: LeaseStore>(&self, store: &S) -> Result<(), RenewError> {
        let resource = Resource::new(&self.resource).map_err(StoreError::from)?;
        let token = self.token_unchecked();
        if self.guard().is_lost() {
            return Err(RenewError::Lost { token });
        }
        let sent = self.clock.now();
        let extended = store.extend(resource, token, self.ttl).await?;
        let mut guard = self.guard.lock();
        match extended {
            Extended::Extended(grant) if guard.renewed(grant, sent).is_ok() => {}
            Extended::Extended(_) | Extended::Lost => guard.lost(),
            Extended::Indeterminate(lost) => return Err(RenewError::Indeterminate(lost)),
        }
        if guard.is_lost() { Err(RenewError::Lost { token }) } else { Ok(()) }
    }

    /// Gives the lease back, so that the next holder need not wait until it is over.
    ///
    /// Whatever comes of it, the lease is over for its holder from the call on. That it was over before is no error:
    /// nobody waits for it then.
    ///
    /// # Errors
    ///
    /// If the store could not be asked, and if it did not answer. It may be called again then; else the lease ends by
    /// itself.
    ///
    /// # Cancellation
    ///
    /// If the future is dropped, the lease may have been given back.
    pub async fn release<S: LeaseStore>(&self, store: &S) -> Result<(), ReleaseError> {
        let resource = Resource::new(&self.resource).map_err(StoreError::from)?;
        self.guard.lock().lost();
        match store.revoke(resource, self.token_unchecked()).await? {
            Revoked::Revoked | Revoked::Lost => Ok(()),
            Revoked::Indeterminate(lost) => Err(ReleaseError::Indeterminate(lost)),
        }
    }

    /// Returns the token, to be shown to a fence that has seen no nonce with it.
    ///
    /// # Errors
    ///
    /// If the lease is over, as far as this machine's clock can tell.
    pub fn token(&self) -> Result<FencingToken, LeaseExpired> {
        self.guard().token(self.clock.now())
    }

    /// Returns the token with the nonce of the grant, to be shown to a fence that has seen no pass of this
    /// grant without it.
    ///
    /// # Errors
    ///
    /// If the lease is over, as far as this machine's clock can tell.
    pub fn pass(&self) -> Result<Pass, LeaseExpired> {
        self.token()?;
        Ok(self.pass_unchecked())
    }

    /// Returns the pass with the next number, from 1: for one write, and for all attempts to have that one done.
    ///
    /// To a key that was written with a number, all of the grant's writes need one. Of two writes to a key, the one with
    /// the higher number stays, in whatever order they come.
    ///
    /// # Errors
    ///
    /// If the lease is over, as far as this machine's clock can tell.
    pub fn next_pass(&self) -> Result<Pass, LeaseExpired> {
        self.token()?;
        Ok(self.next_pass_unchecked())
    }

    /// Returns for how much longer the lease is valid, zero if it is over.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.guard().remaining(self.clock.now())
    }
}

impl<C> Lease<C> {
    /// Returns the token, also if the lease is over: for logs, and for tests of what the fences refuse.
    #[must_use]
    pub fn token_unchecked(&self) -> FencingToken {
        self.guard().token_unchecked()
    }

    /// Returns the pass, also if the lease is over.
    pub(crate) fn pass_unchecked(&self) -> Pass {
        Pass::from(self.token_unchecked()).with_nonce(self.nonce)
    }

    /// Returns the next pass, also if the lease is over.
    pub(crate) fn next_pass_unchecked(&self) -> Pass {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        self.pass_unchecked().with_sequence(sequence)
    }

    /// Returns what the holder knows of its time now, as a [`RenewSchedule`](surmise_fence::RenewSchedule) needs it.
    #[must_use]
    pub fn guard(&self) -> LeaseGuard {
        *self.guard.lock()
    }

    /// Returns the clock that the lease is counted by.
    #[must_use]
    pub const fn clock(&self) -> &C {
        &self.clock
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
}

/// Acquires a lease under a nonce that is drawn for it.
pub(crate) async fn acquire<S: LeaseStore>(
    store: &S,
    resource: &str,
    holder: &str,
    ttl: Duration,
) -> Result<Lease, AcquireError> {
    // 0 says that there is no nonce.
    let nonce = getrandom::u64().map_err(AcquireError::Random)?.max(1);
    let request = LeaseRequest::new(resource, holder, nonce, ttl)?;
    Lease::acquire(store, request, DriftAllowance::default(), LeaseClock).await
}
