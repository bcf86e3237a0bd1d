//! Stores that remember what was executed.
#![cfg(feature = "conformance")]

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
