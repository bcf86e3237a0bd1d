//! One task renews a lease, and another works under it, until the work is done or the lease is lost.

#![expect(
    clippy::std_instead_of_alloc,
    reason = "this keeps libraries honest that do without std; an example has it"
)]

use core::{error::Error, time::Duration};
use std::sync::Arc;

use surmise_fence::{RenewSchedule, Renewal, ZeroSpacing};
use surmise_store::{
    FencedStore, Lease, LeaseClock, LeaseStore, RenewError,
    memory::{MemoryConfig, MemoryStore},
};
use surmise_time::MonotonicClock;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

/// Renews a lease until it is over, with requests that are `spacing` apart until one is answered.
pub(crate) async fn keep<S, C>(
    lease: Arc<Lease<C>>,
    store: Arc<S>,
    spacing: Duration,
) -> Result<(), ZeroSpacing>
where
    S: LeaseStore + 'static,
    C: MonotonicClock + Send + Sync + 'static,
{
    let mut schedule = RenewSchedule::new(&lease.guard(), spacing)?;
    let mut renewals = JoinSet::new();
    loop {
        let now = lease.clock().now();
        let until = match schedule.poll(now) {
            Renewal::Expired => return Ok(()),
            Renewal::Send => {
                let (lease, store) = (Arc::clone(&lease), Arc::clone(&store));
                // One that hangs is not waited for: the next is sent meanwhile.
                renewals.spawn(async move { timeout(spacing, lease.renew(&store)).await });
                continue;
            }
            Renewal::Wait { until } => until,
        };
        tokio::select! {
            () = sleep(until - now) => {}
            Some(renewed) = renewals.join_next() => match renewed {
                Ok(Ok(Ok(()))) => schedule.renewed(&lease.guard()),
                Ok(Ok(Err(RenewError::Lost { .. }))) => schedule.lost(),
                // It was not answered, or the store could not be asked: the next one may be.
                _ => {}
            },
        }
    }
}

/// Writes now and then. Each write says whether the lease is valid still, and the store says whether that is true.
async fn work(lease: &Lease, store: &impl FencedStore) -> Result<(), Box<dyn Error>> {
    store.raise(lease.resource(), lease.pass()?).await?.applied()?;
    for number in 1..=5_u8 {
        sleep(Duration::from_millis(100)).await;
        store.write(lease.resource(), b"number", &[number], lease.next_pass()?).await?.applied()?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Arc::new(MemoryStore::new(MemoryConfig::default(), LeaseClock)?);
    let [ttl, spacing] = [200, 20].map(Duration::from_millis);
    let lease = Arc::new(store.acquire("ledger", "node-1", ttl).await?);
    let done = tokio::select! {
        kept = keep(Arc::clone(&lease), Arc::clone(&store), spacing) => {
            kept?;
            Err("the lease is lost".into())
        }
        done = work(&lease, &store) => done,
    };
    lease.release(&store).await?;
    done
}
