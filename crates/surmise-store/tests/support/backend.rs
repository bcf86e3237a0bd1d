//! The stores that faults are tried on, each with the servers that it needs.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::unwrap_used, reason = "without a server there is no test")]
#![allow(clippy::allow_attributes, reason = "there is no telling which")]

use core::time::Duration;

use surmise_store::{FencedStore, LeaseStore, StoreError};

use super::{
    remote::Remote,
    servers::{Ourselves, Server},
};

/// A store that several processes can use, and its servers.
pub(crate) trait Backend {
    type Store: LeaseStore + FencedStore;
    /// What a process that is to use it is told.
    const NAME: &'static str;
    /// How long a lease is that is soon over.
    const TTL: Duration = Duration::from_millis(100);

    /// Starts the servers of a new store, unless their programs are missing.
    fn start() -> Option<Vec<Server>>;

    /// Connects to servers that are there. No request takes much longer than [`LIMIT`].
    async fn connect(urls: &str) -> Result<Self::Store, StoreError>;

    /// Returns which of the servers is the one to be killed.
    fn leader(_servers: &[Server]) -> usize {
        0
    }
}

/// For how long an answer is waited for.
pub(crate) const LIMIT: Duration = Duration::from_secs(1);

/// Returns where a store is found.
pub(crate) fn urls(servers: &[Server]) -> String {
    let urls: Vec<&str> = servers.iter().map(Server::url).collect();
    urls.join(",")
}

/// The store in memory, in a process that others ask.
#[derive(Debug)]
pub(crate) struct Memory;

impl Backend for Memory {
    type Store = Remote;
    const NAME: &'static str = "memory";

    fn start() -> Option<Vec<Server>> {
        Some(vec![Ourselves::start(Self::NAME)])
    }

    async fn connect(urls: &str) -> Result<Remote, StoreError> {
        Ok(Remote::new(urls))
    }
}

/// The store in a file, in a process that others ask.
#[cfg(feature = "redb")]
#[derive(Debug)]
pub(crate) struct Redb;

#[cfg(feature = "redb")]
impl Backend for Redb {
    type Store = Remote;
    const NAME: &'static str = "redb";

    fn start() -> Option<Vec<Server>> {
        Some(vec![Ourselves::start(Self::NAME)])
    }

    async fn connect(urls: &str) -> Result<Remote, StoreError> {
        Ok(Remote::new(urls))
    }
}

#[cfg(feature = "postgres")]
pub(crate) use super::servers::Postgres;

#[cfg(feature = "postgres")]
impl Backend for Postgres {
    type Store = surmise_store::postgres::PostgresStore;
    const NAME: &'static str = "postgres";

    fn start() -> Option<Vec<Server>> {
        Some(vec![Self::find()?.start()])
    }

    async fn connect(urls: &str) -> Result<Self::Store, StoreError> {
        let config = surmise_store::postgres::PostgresConfig {
            max_connections: 8.try_into().unwrap(),
            connect_timeout: LIMIT,
            request_timeout: LIMIT,
            migrate: true,
        };
        let (store, _) = Self::Store::connect(urls.parse().unwrap(), config).await?;
        Ok(store)
    }
}

#[cfg(feature = "redis")]
pub(crate) use super::servers::Redis;

#[cfg(feature = "redis")]
impl Backend for Redis {
    type Store = surmise_store::redis::RedisStore;
    const NAME: &'static str = "redis";

    fn start() -> Option<Vec<Server>> {
        Some(vec![Self::find()?.start()])
    }

    async fn connect(urls: &str) -> Result<Self::Store, StoreError> {
        let config = surmise_store::redis::RedisConfig {
            connect_timeout: LIMIT,
            request_timeout: LIMIT,
            ..surmise_store::redis::RedisConfig::from_url(urls)?
        };
        Ok(Self::Store::connect(config).await?.durable()?)
    }
}

#[cfg(feature = "etcd")]
pub(crate) use super::servers::Etcd;

#[cfg(feature = "etcd")]
impl Backend for Etcd {
    type Store = surmise_store::etcd::EtcdStore;
    const NAME: &'static str = "etcd";
    const TTL: Duration = Duration::from_secs(1);

    fn start() -> Option<Vec<Server>> {
        Some(vec![Self::find()?.start_with(QUICK)])
    }

    async fn connect(urls: &str) -> Result<Self::Store, StoreError> {
        let config = surmise_store::etcd::EtcdConfig {
            endpoints: urls.split(',').map(str::to_owned).collect(),
            request_timeout: LIMIT,
            ..surmise_store::etcd::EtcdConfig::default()
        };
        Self::Store::connect(config).await
    }
}

/// Three members of etcd.
#[cfg(feature = "etcd")]
#[derive(Debug)]
pub(crate) struct EtcdCluster;

#[cfg(feature = "etcd")]
impl Backend for EtcdCluster {
    type Store = surmise_store::etcd::EtcdStore;
    const NAME: &'static str = "etcd-cluster";
    const TTL: Duration = Etcd::TTL;

    fn start() -> Option<Vec<Server>> {
        Some(Etcd::find()?.start_cluster_with(QUICK).into())
    }

    async fn connect(urls: &str) -> Result<Self::Store, StoreError> {
        Etcd::connect(urls).await
    }

    fn leader(servers: &[Server]) -> usize {
        super::etcd::leader(servers)
    }
}

/// Leaders that are missed sooner than etcd would: in the same number of heartbeats.
#[cfg(feature = "etcd")]
const QUICK: &[&str] = &["--heartbeat-interval=40", "--election-timeout=400"];
