//! The store in memory, where it differs from others: its bounds, its clock, and many threads.

#![cfg(feature = "conformance")]
#![expect(clippy::unwrap_used, reason = "a store in memory answers")]

#[path = "support/soak.rs"]
mod soak;

use core::time::Duration;

use surmise_fence::{FencingToken, LeaseTableError};
use surmise_store::{
    FencedStore, Granted, LeaseRequest, LeaseStore, Outcome, StoreError,
    conformance::{faults::Workload, history::Answer},
    memory::{MemoryConfig, MemoryStore},
};
use surmise_time::{BootClock, ManualClock};

use self::soak::{count, soak};

fn request(resource: &str, nonce: u64) -> LeaseRequest<'_> {
    LeaseRequest::new(resource, "somebody", nonce, Duration::from_secs(10)).unwrap()
}

#[tokio::test]
async fn a_full_store_says_so_and_keeps_what_it_has() {
    let clock = ManualClock::default();
    let config = MemoryConfig { max_leases: 1, max_entries: 1, ..MemoryConfig::default() };
    let store = MemoryStore::new(config, &clock).unwrap();
    let token = FencingToken::first(1);

    assert!(matches!(store.grant(request("a", 1)).await, Ok(Granted::Granted(_))));
    let full = store.grant(request("b", 2)).await.unwrap_err();
    assert!(matches!(full, StoreError::Unusable { .. }), "{full:?}");
    clock.advance(Duration::from_secs(10));
    assert!(matches!(store.grant(request("b", 2)).await, Ok(Granted::Granted(_))));

    assert!(matches!(store.write("a", b"1", b"", token).await, Ok(Outcome::Applied)));
    let full = store.write("a", b"2", b"", token).await.unwrap_err();
    assert!(matches!(full, StoreError::Unusable { .. }), "{full:?}");
    assert_eq!(store.read("a", b"2").await.unwrap(), None);
    assert!(matches!(store.remove("a", b"1", token).await, Ok(Outcome::Applied)));

    assert!(matches!(store.raise("a", token).await, Ok(Outcome::Applied)));
    assert!(matches!(store.raise("b", token).await, Err(StoreError::Unusable { .. })));
    assert!(matches!(store.raise("a", FencingToken::MAX).await, Ok(Outcome::Applied)));
}

#[tokio::test]
async fn a_retry_in_another_name_changes_nothing() {
    let store = MemoryStore::new(MemoryConfig::default(), ManualClock::default()).unwrap();
    for holder in ["first", "second"] {
        let request = LeaseRequest::new("a", holder, 1, Duration::from_secs(10)).unwrap();
        assert!(matches!(store.grant(request).await, Ok(Granted::Granted(_))));
    }
    let holding = store.holding(request("a", 1).resource()).await.unwrap().unwrap();
    assert_eq!(holding.holder, "first");
}

#[test]
fn a_store_without_room_for_a_lease_is_none() {
    let config = MemoryConfig { max_leases: 0, ..MemoryConfig::default() };
    let error = MemoryStore::new(config, BootClock).unwrap_err();
    assert_eq!(error, LeaseTableError::ZeroMaxLeases);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_threads_is_granted() {
    for round in 0..200 {
        let store = MemoryStore::new(MemoryConfig::default(), BootClock).unwrap();
        let store = &*Box::leak(Box::new(store));
        let ask = |nonce| tokio::spawn(async move { store.grant(request("a", nonce)).await });
        let asked: Vec<_> = (1..=4).map(ask).collect();
        let mut granted = 0;
        for asked in asked {
            granted += u32::from(matches!(asked.await.unwrap(), Ok(Granted::Granted(_))));
        }
        assert_eq!(granted, 1, "round {round}");
    }
}

#[tokio::test]
async fn it_holds_in_real_time() {
    let store = MemoryStore::new(MemoryConfig::default(), BootClock).unwrap();
    let ttl = Duration::from_millis(50);
    let workload = Workload { ttl, ..Workload::new(1) };
    let histories = soak(&store, &workload, 4, async |_| {}).await;
    assert!(count(&histories, |answer| matches!(answer, Answer::Done)) > 100);
}
