use alloc::sync::Arc;
use core::time::Duration;

use surmise_fence::DriftAllowance;

use super::{PAUSE, Workload, skewed::Skewed};
use crate::{
    FencedStore, LeaseRequest, LeaseStore, Outcome, Resource, Ttl,
    conformance::{Timer, draws::Draws},
};

/// One who takes leases and writes under them.
pub(super) struct Holder<'a, S, T> {
    plan: &'a Workload,
    store: &'a S,
    timer: &'a T,
    clock: Arc<Skewed<&'a T>>,
    draws: Draws,
    client: u64,
    /// How many values it has written, so that no two are the same.
    values: u64,
}

/// A lease by the holder's own clock.
type Lease<'a, T> = crate::Lease<Arc<Skewed<&'a T>>>;

impl<'a, S: LeaseStore + FencedStore, T: Timer> Holder<'a, S, T> {
    pub(super) fn new(
        plan: &'a Workload,
        store: &'a S,
        timer: &'a T,
        client: u64,
        mut draws: Draws,
    ) -> Self {
        // Most clocks are right; some go wrong by half.
        let rates = [0, 200, -200, 500_000, -500_000];
        let ppm = rates.into_iter().nth(draws.below(5).into()).unwrap_or(0);
        let clock = Arc::new(Skewed::new(timer, ppm));
        Self { plan, store, timer, clock, draws, client, values: 0 }
    }

    pub(super) async fn run(mut self) {
        for _ in 0..self.plan.turns {
            let resource = self.plan.resource(self.draws.below(self.plan.resources));
            match self.acquire(&resource).await {
                Some(lease) => self.serve(&lease).await,
                None => self.sleep_for_up_to(self.plan.ttl / 2).await,
            }
        }
    }

    async fn acquire(&mut self, resource: &str) -> Option<Lease<'a, T>> {
        let nonce = self.draws.next().max(1);
        let holder = format!("client {}", self.client);
        let request = LeaseRequest::new(resource, &holder, nonce, self.plan.ttl).ok()?;
        let clock = Arc::clone(&self.clock);
        Lease::acquire(self.store, request, DriftAllowance::default(), clock).await.ok()
    }

    async fn serve(&mut self, lease: &Lease<'a, T>) {
        self.mishap().await;
        if !self.raise(lease).await {
            return;
        }
        for key in 0..self.plan.keys {
            _ = self.store.read(lease.resource(), &[key]).await;
        }
        for _ in 0..self.plan.writes {
            let over = lease.token().is_err();
            // Not everybody looks.
            if over && !self.draws.one_in(8) {
                break;
            }
            self.mishap().await;
            let lost = self.write(lease).await;
            if lost && !self.draws.one_in(4) {
                break;
            }
            if self.draws.one_in(4) {
                _ = lease.renew(self.store).await;
            }
            if self.draws.one_in(4) {
                let key = self.draws.below(self.plan.keys);
                _ = self.store.read(lease.resource(), &[key]).await;
            }
        }
        self.leave(lease).await;
    }

    /// Raises the floor, and returns whether that is sure.
    async fn raise(&mut self, lease: &Lease<'a, T>) -> bool {
        let pass = lease.pass_unchecked();
        for _ in 0..3 {
            match self.store.raise(lease.resource(), pass).await {
                Ok(Outcome::Indeterminate(_)) => {}
                Ok(outcome) => return outcome.is_done(),
                Err(_) => self.timer.sleep(PAUSE).await,
            }
        }
        false
    }

    /// What goes wrong between the moment that a holder looked at its lease and its next request.
    async fn mishap(&mut self) {
        match self.draws.below(32) {
            0 | 1 => self.timer.sleep(self.plan.ttl * 3 / 2).await,
            2 => self.clock.step(self.plan.ttl, false),
            3 => self.clock.step(self.plan.ttl, true),
            4..8 => self.sleep_for_up_to(self.plan.ttl).await,
            _ => {}
        }
    }

    /// Writes to some key, and returns whether the lease is known to be lost.
    async fn write(&mut self, lease: &Lease<'a, T>) -> bool {
        let key = [self.draws.below(self.plan.keys)];
        self.values += 1;
        let value = [self.client.to_be_bytes(), self.values.to_be_bytes()].concat();
        let pass = lease.next_pass_unchecked();
        let removes = self.draws.one_in(8);
        for _ in 0..2 {
            let outcome = if removes {
                self.store.remove(lease.resource(), &key, pass).await
            } else {
                self.store.write(lease.resource(), &key, &value, pass).await
            };
            match outcome {
                // It may be sent again: if it was done, it is known by its number.
                Ok(Outcome::Indeterminate(_)) if self.draws.one_in(2) => {}
                Ok(Outcome::Stale { .. } | Outcome::Collision { .. }) => return true,
                Ok(_) => return false,
                Err(_) => self.timer.sleep(PAUSE).await,
            }
        }
        false
    }

    /// Releases the lease or not, and sometimes goes on as if nothing were.
    async fn leave(&mut self, lease: &Lease<'a, T>) {
        if self.draws.one_in(2) {
            _ = lease.release(self.store).await;
        }
        if self.draws.one_in(3) {
            self.sleep_for_up_to(self.plan.ttl * 2).await;
            // Not by the lease, which knows that it was given back.
            if let (Ok(resource), Ok(ttl)) =
                (Resource::new(lease.resource()), Ttl::new(lease.ttl()))
            {
                _ = self.store.extend(resource, lease.token_unchecked(), ttl).await;
            }
            self.write(lease).await;
        }
    }

    async fn sleep_for_up_to(&mut self, time: Duration) {
        let share = u32::from(self.draws.below(255)) + 1;
        self.timer.sleep(time * share / 256).await;
    }
}
