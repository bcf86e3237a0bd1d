//! Stores that remember what was executed.
#![cfg(feature = "conformance")]

#[cfg(any(feature = "etcd", feature = "redb", feature = "redis"))]
mod support {
    #[cfg(all(feature = "etcd", target_os = "linux"))]
    pub(crate) mod etcd;
    #[cfg(feature = "redis")]
    pub(crate) mod redis;
    #[cfg(any(all(feature = "etcd", target_os = "linux"), feature = "redis"))]
    pub(crate) mod servers;
    pub(crate) mod soak;
}

use surmise_store::{
    conformance::idempotency,
    memory::{MemoryConfig, MemoryStore},
};
use surmise_time::ManualClock;

#[tokio::test]
async fn memory_conforms() {
    let clock = ManualClock::default();
    let store = MemoryStore::new(MemoryConfig::default(), &clock).unwrap();
    idempotency::run(&store, &clock).await.unwrap_or_else(|violations| panic!("{violations}"));
    idempotency::run(&store, &clock).await.unwrap_or_else(|violations| panic!("{violations}"));
}

#[cfg(feature = "redb")]
#[expect(clippy::unwrap_used, reason = "what fails here fails the test")]
mod redb {
    use surmise_store::redb::{RedbConfig, RedbStore};

    use super::{idempotency, support::soak::RealTime};

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_file_conforms() {
        conforms(RedbConfig::default()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn so_it_does_where_callers_write() {
        conforms(RedbConfig { write_in_caller: true, ..RedbConfig::default() }).await;
    }

    async fn conforms(config: RedbConfig) {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path().join("store"), config).unwrap();
        idempotency::run(&store, &RealTime)
            .await
            .unwrap_or_else(|violations| panic!("{violations}"));
    }
}

#[cfg(all(feature = "redis", target_os = "linux"))]
mod redis {
    use super::{
        idempotency,
        support::{redis::patient, servers::Redis, soak::RealTime},
    };

    #[tokio::test]
    async fn a_server_conforms() {
        let Some(redis) = Redis::find() else { return };
        let server = redis.start();
        let store = patient(&server).await;
        idempotency::run(&store, &RealTime)
            .await
            .unwrap_or_else(|violations| panic!("{violations}"));
    }
}

#[cfg(all(feature = "etcd", target_os = "linux"))]
mod etcd {
    use core::slice;

    use surmise_store::etcd::EtcdStore;

    use super::{
        idempotency,
        support::{etcd::patient, servers::Etcd, soak::RealTime},
    };

    #[tokio::test]
    async fn one_member_conforms() {
        let Some(etcd) = Etcd::find() else { return };
        let server = etcd.start();
        conforms(&patient(slice::from_ref(&server)).await).await;
    }

    #[tokio::test]
    async fn three_members_conform() {
        let Some(etcd) = Etcd::find() else { return };
        let cluster = etcd.start_cluster();
        conforms(&patient(&cluster).await).await;
    }

    async fn conforms(store: &EtcdStore) {
        idempotency::run(store, &RealTime)
            .await
            .unwrap_or_else(|violations| panic!("{violations}"));
    }
}
