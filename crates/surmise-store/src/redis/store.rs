use core::future::Future;
use std::io;

use surmise_fence::{FencingToken, Pass};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    RedisConfig,
    client::Client,
    connected::Connected,
    executions, fence, lease,
    scripts::{LUA, Scripts},
};
use crate::{
    Change, Claim, Claimed, Entry, Extended, FencedStore, Granted, Holding, IdempotencyStore,
    LeaseRequest, LeaseStore, Outcome, Resource, Revoked, Settled, Settlement, StoreError, Ticket,
    Ttl,
    fenced_store::check_key,
    stream::{self, Connector, boxed},
};

/// Leases, fenced values and executions in a Redis server.
///
/// See the [module](super) for what it guarantees, and what it costs.
#[derive(Debug)]
pub struct RedisStore {
    client: Client,
}

impl RedisStore {
    /// Connects to a server without TLS, looks at how it is set up, and makes what is needed under the prefix if nothing is
    /// there.
    ///
    /// It is to be called within a Tokio runtime, which the connection then lives in.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached within the `connect_timeout`, is a replica, a sentinel or older than Redis 7.0.3,
    /// rewrites its log, does not let the user in, or has keys of something else or of another version under the prefix.
    pub async fn connect(config: RedisConfig) -> Result<Connected, StoreError> {
        Self::open(config, boxed(stream::plain), &LUA).await
    }

    /// Connects to a server by a function that is given its [`address`](RedisConfig::address) and returns a connection to it,
    /// such as one with TLS. It is called again whenever a connection ended.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_with<C, F, S>(
        config: RedisConfig,
        connect: C,
    ) -> Result<Connected, StoreError>
    where
        C: Fn(String) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Self::open(config, boxed(connect), &LUA).await
    }

    pub(super) async fn open(
        config: RedisConfig,
        connector: Connector,
        lua: &Scripts<&'static str>,
    ) -> Result<Connected, StoreError> {
        let client = Client::new(config, connector, lua)?;
        let server = client.begin().await?;
        Ok(Connected::new(client, server))
    }

    pub(super) const fn new(client: Client) -> Self {
        Self { client }
    }

    #[cfg(test)]
    pub(super) fn looks_again(&self) {
        self.client.looks_again();
    }
}

impl LeaseStore for RedisStore {
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        lease::grant(&self.client, request).await
    }

    async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        lease::extend(&self.client, resource, token, ttl).await
    }

    async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        lease::revoke(&self.client, resource, token).await
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        lease::holding(&self.client, resource).await
    }

    async fn advance_epoch(&self) -> Result<u64, StoreError> {
        lease::advance_epoch(&self.client).await
    }
}

impl FencedStore for RedisStore {
    async fn apply(&self, change: Change<'_>) -> Result<Outcome, StoreError> {
        fence::write(&self.client, change).await
    }

    async fn raise_floor(&self, resource: Resource<'_>, pass: Pass) -> Result<Outcome, StoreError> {
        fence::raise(&self.client, resource, pass).await
    }

    async fn floor(&self, resource: Resource<'_>) -> Result<Option<Pass>, StoreError> {
        fence::floor(&self.client, resource).await
    }

    async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let resource = Resource::new(resource)?;
        check_key(key)?;
        fence::read(&self.client, resource, key).await
    }
}

impl IdempotencyStore for RedisStore {
    async fn claim(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        executions::claim(&self.client, claim).await
    }

    async fn settle(
        &self,
        ticket: &Ticket,
        settlement: Settlement<'_>,
    ) -> Result<Settled, StoreError> {
        ticket.terms().checked()?;
        executions::settle(&self.client, ticket, settlement).await
    }
}
