use std::path::Path;

use surmise_fence::{FencingToken, LeaseTableError, Pass};
#[cfg(feature = "etcd")]
use surmise_store::etcd::{EtcdConfig, EtcdCredentials, EtcdStore};
#[cfg(feature = "postgres")]
use surmise_store::postgres::{PostgresConfig, PostgresStore};
#[cfg(feature = "redis")]
use surmise_store::redis::{RedisConfig, RedisStore};
use surmise_store::{
    Change, Entry, Extended, FencedStore, Granted, Holding, LeaseRequest, LeaseStore, Outcome,
    Resource, Revoked, StoreError, Ttl,
    memory::{MemoryConfig, MemoryStore},
    redb::{RedbConfig, RedbStore},
};
use surmise_time::BootClock;

use super::{
    choice::{Server, StoreChoice},
    error::OpenError,
    hosted::Hosted,
};

/// Any of the stores.
#[derive(Debug)]
pub(crate) enum Store {
    Hosted(Hosted),
    Memory(Box<MemoryStore<BootClock>>),
    Redb(RedbStore),
    #[cfg(feature = "etcd")]
    Etcd(Box<EtcdStore>),
    #[cfg(feature = "postgres")]
    Postgres(PostgresStore),
    #[cfg(feature = "redis")]
    Redis(Box<RedisStore>),
}

impl Store {
    pub(crate) fn memory() -> Result<Self, LeaseTableError> {
        let store = MemoryStore::new(MemoryConfig::default(), BootClock)?;
        Ok(Self::Memory(Box::new(store)))
    }

    pub(crate) fn redb(path: &Path) -> Result<Self, StoreError> {
        RedbStore::open(path, RedbConfig::default()).map(Self::Redb)
    }

    /// Connects to the server of `choice`. Also returns what there is to be said of it.
    pub(crate) async fn connect(server: Server, choice: &StoreChoice) -> Connected {
        match server {
            Server::Etcd => etcd(choice).await,
            Server::Postgres => postgres(choice).await,
            Server::Redis => redis(choice).await,
        }
    }
}

impl LeaseStore for Store {
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        match self {
            Self::Hosted(store) => store.grant(request).await,
            Self::Memory(store) => store.grant(request).await,
            Self::Redb(store) => store.grant(request).await,
            #[cfg(feature = "etcd")]
            Self::Etcd(store) => store.grant(request).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.grant(request).await,
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.grant(request).await,
        }
    }

    async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        match self {
            Self::Hosted(store) => store.extend(resource, token, ttl).await,
            Self::Memory(store) => store.extend(resource, token, ttl).await,
            Self::Redb(store) => store.extend(resource, token, ttl).await,
            #[cfg(feature = "etcd")]
            Self::Etcd(store) => store.extend(resource, token, ttl).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.extend(resource, token, ttl).await,
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.extend(resource, token, ttl).await,
        }
    }

    async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        match self {
            Self::Hosted(store) => store.revoke(resource, token).await,
            Self::Memory(store) => store.revoke(resource, token).await,
            Self::Redb(store) => store.revoke(resource, token).await,
            #[cfg(feature = "etcd")]
            Self::Etcd(store) => store.revoke(resource, token).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.revoke(resource, token).await,
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.revoke(resource, token).await,
        }
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        match self {
            Self::Hosted(store) => store.holding(resource).await,
            Self::Memory(store) => store.holding(resource).await,
            Self::Redb(store) => store.holding(resource).await,
            #[cfg(feature = "etcd")]
            Self::Etcd(store) => store.holding(resource).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.holding(resource).await,
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.holding(resource).await,
        }
    }

    async fn advance_epoch(&self) -> Result<u64, StoreError> {
        match self {
            Self::Hosted(store) => store.advance_epoch().await,
            Self::Memory(store) => store.advance_epoch().await,
            Self::Redb(store) => store.advance_epoch().await,
            #[cfg(feature = "etcd")]
            Self::Etcd(store) => store.advance_epoch().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.advance_epoch().await,
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.advance_epoch().await,
        }
    }
}

impl FencedStore for Store {
    async fn apply(&self, change: Change<'_>) -> Result<Outcome, StoreError> {
        match self {
            Self::Hosted(store) => store.apply(change).await,
            Self::Memory(store) => store.apply(change).await,
            Self::Redb(store) => store.apply(change).await,
            #[cfg(feature = "etcd")]
            Self::Etcd(store) => store.apply(change).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.apply(change).await,
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.apply(change).await,
        }
    }

    async fn raise_floor(&self, resource: Resource<'_>, pass: Pass) -> Result<Outcome, StoreError> {
        match self {
            Self::Hosted(store) => store.raise_floor(resource, pass).await,
            Self::Memory(store) => store.raise_floor(resource, pass).await,
            Self::Redb(store) => store.raise_floor(resource, pass).await,
            #[cfg(feature = "etcd")]
            Self::Etcd(store) => store.raise_floor(resource, pass).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.raise_floor(resource, pass).await,
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.raise_floor(resource, pass).await,
        }
    }

    async fn floor(&self, resource: Resource<'_>) -> Result<Option<Pass>, StoreError> {
        match self {
            Self::Hosted(store) => store.floor(resource).await,
            Self::Memory(store) => store.floor(resource).await,
            Self::Redb(store) => store.floor(resource).await,
            #[cfg(feature = "etcd")]
            Self::Etcd(store) => store.floor(resource).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.floor(resource).await,
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.floor(resource).await,
        }
    }

    async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        match self {
            Self::Hosted(store) => store.read(resource, key).await,
            Self::Memory(store) => store.read(resource, key).await,
            Self::Redb(store) => store.read(resource, key).await,
            #[cfg(feature = "etcd")]
            Self::Etcd(store) => store.read(resource, key).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.read(resource, key).await,
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.read(resource, key).await,
        }
    }
}

type Connected = Result<(Store, Option<String>), OpenError>;

#[cfg(feature = "etcd")]
async fn etcd(choice: &StoreChoice) -> Connected {
    let store = EtcdStore::connect(etcd_config(choice)?).await?;
    Ok((Store::Etcd(Box::new(store)), None))
}

/// Reads `etcd://[USER:PASSWORD@]HOST:PORT,…`.
#[cfg(feature = "etcd")]
fn etcd_config(choice: &StoreChoice) -> Result<EtcdConfig, OpenError> {
    let place = choice.text().strip_prefix("etcd://").unwrap_or_default();
    let (credentials, members) = match place.rsplit_once('@') {
        None => (None, place),
        Some((login, members)) => {
            let no_password = || bad_address(choice)("a user has a password, as in USER:PASSWORD@");
            let (user, password) = login.split_once(':').ok_or_else(no_password)?;
            let [user, password] = [user, password].map(str::to_owned);
            (Some(EtcdCredentials { user, password }), members)
        }
    };
    let endpoints = members.split(',').map(|member| format!("http://{member}")).collect();
    Ok(EtcdConfig { endpoints, credentials, ..EtcdConfig::default() })
}

#[cfg(not(feature = "etcd"))]
async fn etcd(_: &StoreChoice) -> Connected {
    Err(OpenError::NotBuiltIn { feature: "etcd" })
}

#[cfg(feature = "postgres")]
async fn postgres(choice: &StoreChoice) -> Connected {
    let address = choice.text().parse().map_err(bad_address(choice))?;
    let (store, durability) = PostgresStore::connect(address, PostgresConfig::default()).await?;
    let note = (!durability.is_full()).then(|| durability.to_string());
    Ok((Store::Postgres(store), note))
}

#[cfg(not(feature = "postgres"))]
async fn postgres(_: &StoreChoice) -> Connected {
    Err(OpenError::NotBuiltIn { feature: "postgres" })
}

/// Accepts what the server can lose, for an experiment, and says so.
#[cfg(feature = "redis")]
async fn redis(choice: &StoreChoice) -> Connected {
    let connected = RedisStore::connect(RedisConfig::from_url(choice.text())?).await?;
    let weaknesses = connected.weaknesses().to_vec();
    let said: Vec<String> = weaknesses.iter().map(ToString::to_string).collect();
    let note =
        (!said.is_empty()).then(|| format!("accepted for this experiment: {}", said.join("; ")));
    let store = connected.accept(&weaknesses).map_err(StoreError::from)?;
    Ok((Store::Redis(Box::new(store)), note))
}

#[cfg(not(feature = "redis"))]
async fn redis(_: &StoreChoice) -> Connected {
    Err(OpenError::NotBuiltIn { feature: "redis" })
}

#[cfg(any(feature = "etcd", feature = "postgres"))]
fn bad_address<E: core::fmt::Display>(choice: &StoreChoice) -> impl FnOnce(E) -> OpenError {
    let store = choice.to_string();
    move |error| OpenError::Address { store, why: error.to_string() }
}

#[cfg(all(test, feature = "etcd"))]
mod tests {
    use super::*;

    #[test]
    fn members_of_etcd_may_have_a_user_before_them() {
        let config = |text: &str| etcd_config(&text.parse().unwrap());
        let plain = config("etcd://a:1,b:2").unwrap();
        assert_eq!(plain.endpoints, ["http://a:1", "http://b:2"]);
        assert_eq!(plain.credentials, None);
        let known = config("etcd://me:p:@ss@a:1").unwrap();
        assert_eq!(known.endpoints, ["http://a:1"]);
        let (user, password) = ("me".to_owned(), "p:@ss".to_owned());
        assert_eq!(known.credentials, Some(EtcdCredentials { user, password }));
        let error = config("etcd://secret@a:1").unwrap_err().to_string();
        assert!(error.contains("USER:PASSWORD@") && !error.contains("secret"), "{error}");
    }
}
