use alloc::sync::Arc;

use surmise_fence::{FencingToken, Pass};

use crate::{
    Change, Claim, Claimed, Entry, Extended, FencedStore, Granted, Holding, IdempotencyStore,
    LeaseRequest, LeaseStore, Outcome, Resource, Revoked, Settled, Settlement, StoreError, Ticket,
    Ttl,
};

/// Forwards to the store behind a pointer.
macro_rules! forward {
    ($Pointer:ty) => {
        impl<S: LeaseStore> LeaseStore for $Pointer {
            async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
                (**self).grant(request).await
            }

            async fn extend(
                &self,
                resource: Resource<'_>,
                token: FencingToken,
                ttl: Ttl,
            ) -> Result<Extended, StoreError> {
                (**self).extend(resource, token, ttl).await
            }

            async fn revoke(
                &self,
                resource: Resource<'_>,
                token: FencingToken,
            ) -> Result<Revoked, StoreError> {
                (**self).revoke(resource, token).await
            }

            async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
                (**self).holding(resource).await
            }

            async fn advance_epoch(&self) -> Result<u64, StoreError> {
                (**self).advance_epoch().await
            }
        }

        impl<S: FencedStore> FencedStore for $Pointer {
            async fn apply(&self, change: Change<'_>) -> Result<Outcome, StoreError> {
                (**self).apply(change).await
            }

            async fn raise_floor(
                &self,
                resource: Resource<'_>,
                pass: Pass,
            ) -> Result<Outcome, StoreError> {
                (**self).raise_floor(resource, pass).await
            }

            async fn floor(&self, resource: Resource<'_>) -> Result<Option<Pass>, StoreError> {
                (**self).floor(resource).await
            }

            async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
                (**self).read(resource, key).await
            }
        }

        impl<S: IdempotencyStore> IdempotencyStore for $Pointer {
            async fn claim(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
                (**self).claim(claim).await
            }

            async fn settle(
                &self,
                ticket: &Ticket,
                settlement: Settlement<'_>,
            ) -> Result<Settled, StoreError> {
                (**self).settle(ticket, settlement).await
            }
        }
    };
}

forward!(&S);
forward!(Arc<S>);
