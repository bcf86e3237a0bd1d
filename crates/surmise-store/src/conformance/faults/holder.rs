use core::time::Duration;

use surmise_fence::{DriftAllowance, LeaseGuard, Pass};
use surmise_time::MonotonicClock as _;

use super::{PAUSE, Workload, skewed::Skewed};
use crate::{
    Extended, FencedStore, Granted, LeaseRequest, LeaseStore, Outcome, Resource, Ttl,
    conformance::{Timer, draws::Draws},
};

/// One who takes leases and writes under them.
pub(super) struct Holder<'a, S, T> {
    plan: &'a Workload,
    store: &'a S,
    timer: &'a T,
    clock: Skewed<&'a T>,
    draws: Draws,
    client: u64,
    /// How many values it has written, so that no two are the same.
    values: u64,
}

/// What a holder knows of a lease of its.
struct Tenure {
    resource: String,
    guard: LeaseGuard,
    nonce: u64,
    /// The number of its last write.
    sequence: u64,
}

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
        let clock = Skewed::new(timer, ppm);
        Self { plan, store, timer, clock, draws, client, values: 0 }
    }

    pub(super) async fn run(mut self) {
        for _ in 0..self.plan.turns {
            let resource = self.plan.resource(self.draws.below(self.plan.resources));
            match self.acquire(resource).await {
                Some(tenure) => self.serve(tenure).await,
                None => self.sleep_for_up_to(self.plan.ttl / 2).await,
            }
        }
    }

    async fn acquire(&mut self, name: String) -> Option<Tenure> {
        let nonce = self.draws.next().max(1);
        let holder = format!("client {}", self.client);
        let request = LeaseRequest::new(&name, &holder, nonce, self.plan.ttl).ok()?;
        let sent = self.clock.now();
        let (grant, sent) = match self.store.grant(request).await {
            Ok(Granted::Granted(grant)) => (grant, sent),
            Ok(Granted::Indeterminate(_)) => {
                let sent = self.clock.now();
                let holding = self.store.holding(request.resource()).await.ok()??;
                if holding.nonce != nonce {
                    return None;
                }
                (holding.grant(), sent)
            }
            _ => return None,
        };
        let guard = LeaseGuard::new(grant, sent, DriftAllowance::default());
        Some(Tenure { resource: name, guard, nonce, sequence: 0 })
    }

    async fn serve(&mut self, mut tenure: Tenure) {
        self.mishap().await;
        if !self.raise(&tenure).await {
            return;
        }
        for key in 0..self.plan.keys {
            _ = self.store.read(&tenure.resource, &[key]).await;
        }
        for _ in 0..self.plan.writes {
            let over = tenure.guard.is_expired(self.clock.now());
            // Not everybody looks.
            if over && !self.draws.one_in(8) {
                break;
            }
            self.mishap().await;
            let lost = self.write(&mut tenure).await;
            if lost && !self.draws.one_in(4) {
                break;
            }
            if self.draws.one_in(4) {
                self.renew(&mut tenure).await;
            }
            if self.draws.one_in(4) {
                let key = self.draws.below(self.plan.keys);
                _ = self.store.read(&tenure.resource, &[key]).await;
            }
        }
        self.leave(tenure).await;
    }

    /// Raises the floor, and returns whether that is sure.
    async fn raise(&mut self, tenure: &Tenure) -> bool {
        for _ in 0..3 {
            match self.store.raise(&tenure.resource, tenure.pass()).await {
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
    async fn write(&mut self, tenure: &mut Tenure) -> bool {
        let key = [self.draws.below(self.plan.keys)];
        self.values += 1;
        let value = [self.client.to_be_bytes(), self.values.to_be_bytes()].concat();
        tenure.sequence += 1;
        let pass = tenure.pass().with_sequence(tenure.sequence);
        let removes = self.draws.one_in(8);
        for _ in 0..2 {
            let outcome = if removes {
                self.store.remove(&tenure.resource, &key, pass).await
            } else {
                self.store.write(&tenure.resource, &key, &value, pass).await
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

    async fn renew(&mut self, tenure: &mut Tenure) {
        let (Ok(resource), Ok(ttl)) = (Resource::new(&tenure.resource), Ttl::new(self.plan.ttl))
        else {
            return;
        };
        let sent = self.clock.now();
        let renewed = self.store.extend(resource, tenure.guard.token_unchecked(), ttl).await;
        if let Ok(Extended::Extended(grant)) = renewed {
            // Another token is found by who checks the history.
            _ = tenure.guard.renewed(grant, sent);
        }
    }

    /// Releases the lease or not, and sometimes goes on as if nothing were.
    async fn leave(&mut self, mut tenure: Tenure) {
        if self.draws.one_in(2)
            && let Ok(resource) = Resource::new(&tenure.resource)
        {
            _ = self.store.revoke(resource, tenure.guard.token_unchecked()).await;
        }
        if self.draws.one_in(3) {
            self.sleep_for_up_to(self.plan.ttl * 2).await;
            self.renew(&mut tenure).await;
            self.write(&mut tenure).await;
        }
    }

    async fn sleep_for_up_to(&mut self, time: Duration) {
        let share = u32::from(self.draws.below(255)) + 1;
        self.timer.sleep(time * share / 256).await;
    }
}

impl Tenure {
    fn pass(&self) -> Pass {
        Pass::from(self.guard.token_unchecked()).with_nonce(self.nonce)
    }
}
