use core::{future::poll_fn, num::NonZeroU64, task::Poll, time::Duration};

use surmise_fence::{FencingToken, Grant};
use surmise_store::{
    Extended, Granted, Holding, LeaseRequest, LeaseStore, Resource, Revoked, StoreError, Ttl,
};
use surmise_time::MonotonicClock as _;

use super::{Broken, Fault, Lease};

impl LeaseStore for Broken<'_> {
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        let name = self.name(request.resource().as_str());
        let now = self.simulation.now();
        let holding = |lease: &Lease| {
            let holder = lease.holder.clone();
            let nonce = if self.has(Fault::HidesHolder) { request.nonce() } else { lease.nonce };
            Holding::new(lease.token, nonce, holder, lease.until - now)
        };
        let ttl = request.ttl().get();
        let mut until = now + ttl;
        let found = self.state().leases.get(&name).filter(|lease| now < lease.until).cloned();
        let mut retried = None;
        if let Some(lease) = found {
            let is_retry = lease.nonce == request.nonce()
                && (lease.nonce != 0 || self.has(Fault::ZeroIsANonce));
            if is_retry && !self.has(Fault::RetryIsAnother) {
                retried = Some(lease.token);
                if self.has(Fault::RetryIsNoLonger) {
                    until = lease.until;
                }
            } else if !self.has(Fault::GrantsHeld) && !is_retry {
                return Ok(Granted::Held(holding(&lease)));
            }
        }
        if self.has(Fault::ChecksThenGrants) {
            yield_now().await;
        }
        let grant = {
            let mut state = self.state();
            let counter = state.issued.get(&name).copied();
            let token = retried.unwrap_or_else(|| match counter {
                Some(last) if last.epoch() == state.epoch => {
                    FencingToken::new(last.epoch(), last.counter().saturating_add(1))
                }
                _ => FencingToken::new(state.epoch, NonZeroU64::MIN),
            });
            state.issued.insert(name.clone(), token);
            let early = if self.has(Fault::EndsEarly) { ttl / 4 } else { Duration::ZERO };
            let holder = self.name(request.holder());
            let lease = Lease { token, nonce: request.nonce(), holder, until: until - early };
            state.leases.insert(name, lease);
            Grant { token, valid_for: ttl }
        };
        let travelled = self.travel().await;
        Ok(Granted::Granted(Grant { valid_for: grant.valid_for + travelled, ..grant }))
    }

    async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        let name = self.name(resource.as_str());
        let mut state = self.state();
        if !self.held(&state, &name, token) {
            return Ok(Extended::Lost);
        }
        let until = self.simulation.now() + ttl.get();
        if let Some(lease) = state.leases.get_mut(&name)
            && !self.has(Fault::RenewalIsNoLonger)
        {
            lease.until = lease.until.max(until);
        }
        Ok(Extended::Extended(Grant { token, valid_for: ttl.get() }))
    }

    async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        let name = self.name(resource.as_str());
        let mut state = self.state();
        if !self.held(&state, &name, token) {
            return Ok(Revoked::Lost);
        }
        state.leases.remove(&name);
        match self.fault {
            Fault::ForgetsOnRelease => _ = state.issued.remove(&name),
            Fault::ReleasesAll => state.leases.clear(),
            _ => {}
        }
        Ok(Revoked::Revoked)
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        let name = self.name(resource.as_str());
        let now = self.simulation.now();
        let state = self.state();
        let lease = state.leases.get(&name).filter(|lease| now < lease.until);
        Ok(lease.map(|lease| {
            Holding::new(lease.token, lease.nonce, lease.holder.clone(), lease.until - now)
        }))
    }

    async fn advance_epoch(&self) -> Result<u64, StoreError> {
        let mut state = self.state();
        let seconds = if self.has(Fault::EpochIsACount) { 0 } else { 1_800_000_000 };
        let next = (state.epoch + 1).max(seconds);
        if !self.has(Fault::EpochStays) {
            state.epoch = next;
        }
        if self.has(Fault::EpochForgets) {
            state.leases.clear();
        }
        Ok(next)
    }
}

/// Lets the other futures of this task go on.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if core::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
