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

use core::time::Duration;

use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{
    Claim, Claimed, IdempotencyStore, LimitExceeded, Settled, Settlement, StoreError, Terms,
    Ticket, Ttl,
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

#[test]
fn terms_beyond_their_limits_are_named() {
    let named = |terms: Terms| terms.checked().err().map(|limit| limit.to_string());
    let terms = Terms::default();
    for (terms, named_as) in [
        (terms, None),
        (Terms { brief_retention: Ttl::MIN, ..terms }, None),
        (
            Terms { lease: Duration::ZERO, ..terms },
            Some("a lease lasts for 10ms to 86400s, not 0ns"),
        ),
        (
            Terms { retention: Duration::from_millis(999), ..terms },
            Some("a retention is 1s to 31622400s, not 999ms"),
        ),
        (
            Terms { brief_retention: Duration::from_millis(9), ..terms },
            Some("a result is kept for 10ms to 31622400s, not 9ms"),
        ),
    ] {
        assert_eq!(named(terms).as_deref(), named_as);
    }
    for retention in [Duration::ZERO, Terms::MAX_RETENTION + Duration::from_nanos(1), Duration::MAX]
    {
        let refused = Settlement::complete(b"", retention);
        assert_eq!(refused, Err(LimitExceeded::BriefRetention { retention }));
    }
}

/// A ticket can be made of any terms.
#[expect(clippy::unwrap_used, reason = "what fails here fails the test")]
async fn must_refuse_tickets_beyond_limits<S: IdempotencyStore>(store: &S) {
    let key = Key::new("", "", "beyond").unwrap();
    let claim = Claim::new(&key, Fingerprint::NONE, 1, Terms::default()).unwrap();
    let Claimed::Execute(ticket) = store.claim(claim).await.unwrap() else { panic!() };
    for terms in [
        Terms { lease: Duration::MAX, ..Terms::default() },
        Terms { retention: Duration::ZERO, ..Terms::default() },
        Terms { brief_retention: Duration::MAX, ..Terms::default() },
    ] {
        let other = Ticket::new(key.clone(), ticket.token(), terms, None);
        for refused in [store.renew(&other).await, store.release(&other).await] {
            assert!(matches!(refused, Err(StoreError::Limit(_))), "{refused:?}");
        }
    }
    assert!(matches!(store.renew(&ticket).await, Ok(Settled::Done)));
}

#[tokio::test]
async fn memory_takes_no_ticket_beyond_limits() {
    let store = MemoryStore::new(MemoryConfig::default(), ManualClock::default()).unwrap();
    must_refuse_tickets_beyond_limits(&store).await;
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

    #[tokio::test]
    async fn a_file_takes_no_ticket_beyond_limits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = RedbStore::open(path, RedbConfig::default()).unwrap();
        super::must_refuse_tickets_beyond_limits(&store).await;
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
