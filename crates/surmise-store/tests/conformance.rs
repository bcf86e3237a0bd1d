//! The conformance suite: stores that do what they have to pass it, and any that does not fails.

#![cfg(feature = "conformance")]

use core::time::Duration;

use surmise_store::{
    conformance,
    memory::{MemoryConfig, MemoryStore},
};
use surmise_time::ManualClock;

#[tokio::test]
async fn memory_conforms() {
    let clock = ManualClock::default();
    let store = MemoryStore::new(MemoryConfig::default(), &clock).unwrap();
    conformance::run(&store, &clock).await.unwrap_or_else(|violations| panic!("{violations}"));
    // The suite can be run again on a store that has seen it.
    conformance::run(&store, &clock).await.unwrap_or_else(|violations| panic!("{violations}"));
}

#[tokio::test]
async fn so_it_does_with_a_lock_delay() {
    let clock = ManualClock::default();
    let config = MemoryConfig { lock_delay: Duration::from_secs(5), ..MemoryConfig::default() };
    let store = MemoryStore::new(config, &clock).unwrap();
    conformance::run(&store, &clock).await.unwrap_or_else(|violations| panic!("{violations}"));
}
