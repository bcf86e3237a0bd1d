use core::future::Future;
use std::io;

use surmise_fence::{FencingToken, Pass};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    EtcdConfig,
    client::Client,
    connection::Member,
    endpoint::Endpoint,
    executions::Executions,
    fence::{self, Written},
    keys::Keys,
    lease::Leases,
    open::open,
    record,
    wire::{Get, KeyValue, RangeAnswer, Txn},
};
use crate::{
    Change, Claim, Claimed, Entry, Extended, FencedStore, Granted, Holding, IdempotencyStore,
    LeaseRequest, LeaseStore, Outcome, Resource, Revoked, Settled, Settlement, StoreError, Ticket,
    Ttl,
    fenced_store::check_key,
    stream::{self, Connector, boxed},
};

/// Leases, fenced values and executions in etcd.
///
/// See the [module](super) for what it guarantees, and what it costs.
#[derive(Debug)]
pub struct EtcdStore {
    client: Client,
    keys: Keys,
}

impl EtcdStore {
    /// Connects to a cluster without TLS, and makes what is needed under the prefix if nothing is there.
    ///
    /// It is to be called within a Tokio runtime, which the connections then live in.
    ///
    /// # Errors
    ///
    /// If no member can be reached, the user is not allowed, the configuration is not usable, or there are
    /// keys of something else or of another version under the prefix.
    pub async fn connect(config: EtcdConfig) -> Result<Self, StoreError> {
        let name = name(&config);
        let endpoints = parse(&name, &config)?;
        if endpoints.iter().any(|endpoint| endpoint.is_tls) {
            return Err(StoreError::Unusable {
                store: name,
                problem: "a member wants TLS, which this crate does not have".to_owned(),
                remedy: "use `EtcdStore::connect_with`, and a TLS library",
            });
        }
        Self::open(name, config, endpoints, boxed(stream::plain)).await
    }

    /// Connects to a cluster by a function that is given the host and port of a member and returns a connection to it,
    /// such as one with TLS.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_with<C, F, S>(config: EtcdConfig, connect: C) -> Result<Self, StoreError>
    where
        C: Fn(String) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let name = name(&config);
        let endpoints = parse(&name, &config)?;
        Self::open(name, config, endpoints, boxed(connect)).await
    }

    async fn open(
        name: String,
        config: EtcdConfig,
        endpoints: Vec<Endpoint>,
        connector: Connector,
    ) -> Result<Self, StoreError> {
        let keys = Keys::new(&name, &config.prefix)?;
        let members = endpoints.into_iter().map(Member::new).collect();
        let client = Client::new(name, config, connector, members);
        open(&client, &keys).await?;
        Ok(Self { client, keys })
    }

    const fn leases(&self) -> Leases<'_> {
        Leases { client: &self.client, keys: &self.keys }
    }

    const fn executions(&self) -> Executions<'_> {
        Executions { client: &self.client, keys: &self.keys }
    }

    /// Runs a transaction of a fence. `value_key` says whose values may stand in the way, besides the floor.
    async fn fenced(&self, txn: Txn, floor_key: &[u8], pass: Pass) -> Result<Outcome, StoreError> {
        let answer = match self.client.once("/v3/kv/txn", &txn).await {
            Ok(answer) => answer,
            Err(failed) => {
                let lost = failed.telling(self.client.name())?;
                return Ok(Outcome::Indeterminate(self.client.lost(lost)));
            }
        };
        match fence::written(answer) {
            Written::Done => Ok(Outcome::Applied),
            Written::Refused(found) => match fence::refusal(pass, floor_key, &found) {
                Some(refusal) => Ok(refusal.into()),
                None => {
                    let key = found.kvs.first().map_or(floor_key, |found| &found.key);
                    Err(self.client.corrupt(key, "a floor, or a value with its pass"))
                }
            },
            Written::Unknown => {
                let what = "its answer has not what the transaction asks for";
                Ok(Outcome::Indeterminate(self.client.lost(what)))
            }
        }
    }

    async fn get(&self, key: &[u8]) -> Result<Option<KeyValue>, StoreError> {
        let mut answer: RangeAnswer = self.client.anyone("/v3/kv/range", &Get { key }).await?;
        Ok(answer.kvs.pop())
    }
}

impl LeaseStore for EtcdStore {
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        self.leases().grant(request).await
    }

    async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        self.leases().extend(resource, token, ttl).await
    }

    async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        self.leases().revoke(resource, token).await
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        self.leases().holding(resource).await
    }

    async fn advance_epoch(&self) -> Result<u64, StoreError> {
        self.leases().advance_epoch().await
    }
}

impl FencedStore for EtcdStore {
    async fn apply(&self, change: Change<'_>) -> Result<Outcome, StoreError> {
        let floor_key = self.keys.floor(change.resource());
        let value_key = self.keys.value(change.resource(), change.key());
        let txn = fence::write(&floor_key, &value_key, change);
        self.fenced(txn, &floor_key, change.pass()).await
    }

    async fn raise_floor(&self, resource: Resource<'_>, pass: Pass) -> Result<Outcome, StoreError> {
        let floor_key = self.keys.floor(resource);
        self.fenced(fence::raise(&floor_key, pass), &floor_key, pass).await
    }

    async fn floor(&self, resource: Resource<'_>) -> Result<Option<Pass>, StoreError> {
        let key = self.keys.floor(resource);
        let Some(found) = self.get(&key).await? else { return Ok(None) };
        let floor = record::floor_from_bytes(&found.value);
        floor.map(Some).ok_or_else(|| self.client.corrupt(&key, "a floor"))
    }

    async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let resource = Resource::new(resource)?;
        check_key(key)?;
        let key = self.keys.value(resource, key);
        let Some(found) = self.get(&key).await? else { return Ok(None) };
        let entry = record::entry_from_bytes(&found.value);
        entry.map(Some).ok_or_else(|| self.client.corrupt(&key, "a value with its pass"))
    }
}

impl IdempotencyStore for EtcdStore {
    async fn claim(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        self.executions().claim(claim).await
    }

    async fn settle(
        &self,
        ticket: &Ticket,
        settlement: Settlement<'_>,
    ) -> Result<Settled, StoreError> {
        ticket.terms().checked()?;
        self.executions().settle(ticket, settlement).await
    }
}

fn name(config: &EtcdConfig) -> String {
    format!("etcd at {}", config.endpoints.join(","))
}

fn parse(name: &str, config: &EtcdConfig) -> Result<Vec<Endpoint>, StoreError> {
    if config.endpoints.is_empty() {
        return Err(StoreError::Unusable {
            store: name.to_owned(),
            problem: "there are no `endpoints`".to_owned(),
            remedy: "give the client URL of each member",
        });
    }
    config.endpoints.iter().map(|url| Endpoint::parse(name, url)).collect()
}
