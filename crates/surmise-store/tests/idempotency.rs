//! Stores that remember what was executed.
#![cfg(feature = "conformance")]

#[cfg(feature = "redb")]
mod support {
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
