//! The example of a task that renews a lease, in time that passes only when everybody waits for it.

#![expect(clippy::unwrap_used, reason = "what is not as expected is a failure of the test")]
#![expect(
    clippy::std_instead_of_alloc,
    reason = "this keeps libraries honest that do without std; a test has it"
)]

#[path = "../examples/renewing.rs"]
#[expect(dead_code, reason = "the example's own `main`")]
mod example;

use core::{
    future::pending,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};
use std::sync::Arc;

use surmise_fence::{DriftAllowance, FencingToken};
use surmise_store::{
    Extended, Granted, Holding, Lease, LeaseRequest, LeaseStore, Resource, Revoked, StoreError,
    Ttl,
    memory::{MemoryConfig, MemoryStore},
};
use surmise_time::{Instant, MonotonicClock};
use tokio::time::sleep;

const TTL: Duration = Duration::from_secs(9);
const SPACING: Duration = Duration::from_secs(1);

/// The runtime's clock, which stands still while something is to be done.
#[derive(Clone, Copy)]
struct Paused(tokio::time::Instant);

impl MonotonicClock for Paused {
    fn now(&self) -> Instant {
        Instant::ORIGIN + self.0.elapsed()
    }
}

/// A store that, when it is told, does not answer renewals.
struct Hanging {
    store: MemoryStore<Paused>,
    hangs: AtomicBool,
    renewals: AtomicU32,
}

impl Hanging {
    fn new(clock: Paused) -> Arc<Self> {
        let store = MemoryStore::new(MemoryConfig::default(), clock).unwrap();
        Arc::new(Self { store, hangs: AtomicBool::new(false), renewals: AtomicU32::new(0) })
    }

    async fn lease(&self, clock: Paused) -> Arc<Lease<Paused>> {
        let request = LeaseRequest::new("ledger", "somebody", 7, TTL).unwrap();
        Arc::new(Lease::acquire(self, request, DriftAllowance::from_ppm(0), clock).await.unwrap())
    }

    fn renewals(&self) -> u32 {
        self.renewals.load(Ordering::Relaxed)
    }
}

impl LeaseStore for Hanging {
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        self.store.grant(request).await
    }

    async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        self.renewals.fetch_add(1, Ordering::Relaxed);
        if self.hangs.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
        self.store.extend(resource, token, ttl).await
    }

    async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        self.store.revoke(resource, token).await
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        self.store.holding(resource).await
    }

    async fn advance_epoch(&self) -> Result<u64, StoreError> {
        self.store.advance_epoch().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_kept_while_the_store_answers_and_no_longer() {
    let clock = Paused(tokio::time::Instant::now());
    let store = Hanging::new(clock);
    let lease = store.lease(clock).await;
    let keeper = tokio::spawn(example::keep(Arc::clone(&lease), Arc::clone(&store), SPACING));
    sleep(10 * TTL).await;
    lease.token().unwrap();
    // Once every three seconds, and no more: the last at 87 s or at 90 s.
    assert!((29..=30).contains(&store.renewals()), "{}", store.renewals());

    store.hangs.store(true, Ordering::Relaxed);
    let until = lease.guard().expires_at();
    let before = store.renewals();
    keeper.await.unwrap().unwrap();
    assert!(clock.now() >= until && clock.now() <= until + Duration::from_millis(2));
    assert!(lease.token().is_err() && !lease.guard().is_lost());
    // A spacing apart, from a third of the time on.
    assert!((5..=6).contains(&(store.renewals() - before)), "{}", store.renewals() - before);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_lost_is_not_kept() {
    let clock = Paused(tokio::time::Instant::now());
    let store = Hanging::new(clock);
    let lease = store.lease(clock).await;
    let keeper = tokio::spawn(example::keep(Arc::clone(&lease), Arc::clone(&store), SPACING));
    sleep(SPACING).await;
    let resource = Resource::new("ledger").unwrap();
    let revoked = store.revoke(resource, lease.token_unchecked()).await;
    assert!(matches!(revoked, Ok(Revoked::Revoked)), "{revoked:?}");
    keeper.await.unwrap().unwrap();
    assert!(lease.guard().is_lost());
    assert!(clock.now() <= Instant::ORIGIN + TTL / 3 + Duration::from_millis(2));
}
