//! `RedisStore` while its server is stopped, and while replies get lost.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what is not as expected is a failure of the test")]
#![expect(clippy::std_instead_of_alloc, reason = "a test has the standard library")]

mod support {
    pub(crate) mod redis;
    pub(crate) mod servers;
    pub(crate) mod watched;
}

use core::time::Duration;
use std::sync::Arc;

use surmise_fence::FencingToken;
use surmise_store::{
    Extended, FencedStore as _, LeaseStore as _, Outcome, Resource, Revoked, StoreError, Ttl,
    redis::{RedisConfig, RedisStore},
};
use surmise_time::{BootClock, MonotonicClock as _};
use tokio::time::sleep;

use self::support::{
    redis::{config, patient},
    servers::Redis,
    watched::Wire,
};

fn ledger() -> Resource<'static> {
    Resource::new("ledger").unwrap()
}

/// Waits until the store answers again.
async fn answers(store: &RedisStore) {
    let start = BootClock.now();
    while store.read("any", b"key").await.is_err() {
        assert!(BootClock.now() - start < Duration::from_secs(60), "the server does not come back");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A stopped server neither answers nor refuses: what it was asked may be done once it goes on, and by the rule.
#[tokio::test]
async fn a_stopped_server_is_waited_for_and_then_left() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let config = RedisConfig {
        connect_timeout: Duration::from_secs(1),
        request_timeout: Duration::from_secs(2),
        ..config(&server)
    };
    let store = RedisStore::connect(config).await.unwrap().durable().unwrap();
    let [old, new] = [1, 2].map(FencingToken::first);
    server.pause();
    let lost = store.write("ledger", b"k", b"old", old).await;
    assert!(matches!(lost, Ok(Outcome::Indeterminate(_))), "{lost:?}");
    // It still takes connections, and says nothing on them: nothing more is asked.
    let error = store.write("ledger", b"k", b"old", old).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("connect_timeout"), "{error}");
    server.resume();
    answers(&store).await;
    assert!(matches!(store.raise("ledger", new).await, Ok(Outcome::Applied)));
    assert!(matches!(store.write("ledger", b"k", b"new", new).await, Ok(Outcome::Applied)));
    assert_eq!(store.read("ledger", b"k").await.unwrap().unwrap().pass, new.into());
    server.pause();
    let error = store.advance_epoch().await.unwrap_err();
    assert!(matches!(error, StoreError::Unanswered { .. }), "{error}");
    assert!(error.to_string().contains("may have begun"), "{error}");
    server.resume();
}

async fn watched(wire: &Wire, config: RedisConfig) -> RedisStore {
    let wire = wire.clone();
    let open = move |address| wire.clone().open(address);
    RedisStore::connect_with(config, open).await.unwrap().durable().unwrap()
}

#[tokio::test]
async fn what_was_done_without_a_reply_is_found_out() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let wire = Wire::default();
    let store = watched(&wire, config(&server)).await;
    // The server is to know the scripts.
    let lease = store.acquire("other", "me", Duration::from_secs(60)).await.unwrap();
    lease.renew(&store).await.unwrap();
    store.raise("other", lease.pass().unwrap()).await.unwrap().applied().unwrap();
    store.write("other", b"k", b"v", lease.pass().unwrap()).await.unwrap().applied().unwrap();
    lease.release(&store).await.unwrap();
    store.advance_epoch().await.unwrap();

    // What does no harm is asked again.
    wire.lose(1);
    assert_eq!(store.read("ledger", b"k").await.unwrap(), None);
    wire.lose(1);
    let lease = store.acquire("ledger", "me", Duration::from_secs(60)).await.unwrap();
    let holding = store.holding(ledger()).await.unwrap().unwrap();
    assert_eq!((holding.token, holding.nonce), (lease.token_unchecked(), lease.nonce()));
    wire.lose(1);
    assert!(lease.renew(&store).await.unwrap_err().to_string().contains("did not say"));
    lease.renew(&store).await.unwrap();

    let pass = lease.pass().unwrap().with_sequence(1);
    wire.lose(1);
    let write = store.write("ledger", b"k", b"v", pass).await;
    assert!(matches!(write, Ok(Outcome::Indeterminate(_))), "{write:?}");
    let again = store.write("ledger", b"k", b"v", pass).await;
    assert!(matches!(again, Ok(Outcome::Duplicate { sequence: 1 })), "{again:?}");
    wire.lose(1);
    let raise = store.raise("ledger", pass).await;
    assert!(matches!(raise, Ok(Outcome::Indeterminate(_))), "{raise:?}");
    assert_eq!(store.floor(ledger()).await.unwrap(), Some(pass.with_sequence(0)));
    wire.lose(1);
    assert!(lease.release(&store).await.is_err());
    assert_eq!(store.holding(ledger()).await.unwrap(), None);
    // The epoch may be advanced twice.
    wire.lose(1);
    assert!(store.advance_epoch().await.is_ok());
}

/// Neither by two commands, between which another could come, nor twice.
#[tokio::test]
async fn each_operation_is_sent_once() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let wire = Wire::default();
    let store = watched(&wire, config(&server)).await;
    // The server is to know the scripts.
    for _ in 0..2 {
        let before = wire.count();
        let lease = store.acquire("ledger", "me", Duration::from_secs(60)).await.unwrap();
        let pass = lease.pass().unwrap();
        let ttl = Ttl::new(Duration::from_secs(60)).unwrap();
        assert!(matches!(store.extend(ledger(), pass.token, ttl).await, Ok(Extended::Extended(_))));
        store.raise("ledger", pass).await.unwrap().applied().unwrap();
        store.write("ledger", b"key", b"value", pass).await.unwrap().applied().unwrap();
        store.remove("ledger", b"key", pass).await.unwrap().applied().unwrap();
        store.read("ledger", b"key").await.unwrap();
        store.floor(ledger()).await.unwrap();
        store.holding(ledger()).await.unwrap();
        store.advance_epoch().await.unwrap();
        assert!(matches!(store.revoke(ledger(), pass.token).await, Ok(Revoked::Revoked)));
        let sent = wire.count() - before;
        assert!(sent >= 10, "{sent}");
        if sent == 10 {
            return;
        }
    }
    panic!("ten operations take more than ten requests");
}

/// One connection for all, on which one that hangs has the others wait no longer than they would.
#[tokio::test]
async fn many_requests_at_a_time_share_a_connection() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let store = Arc::new(patient(&server).await);
    let pass = FencingToken::first(1);
    let writers: Vec<_> = (0..64_u8)
        .map(|key| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for round in 0..20_u8 {
                    let write = store.write("ledger", &[key], &vec![round; 10_000], pass).await;
                    assert!(matches!(write, Ok(Outcome::Applied)), "{write:?}");
                }
                store.read("ledger", &[key]).await.unwrap().unwrap()
            })
        })
        .collect();
    for writer in writers {
        assert_eq!(writer.await.unwrap().value, Some(vec![19; 10_000]));
    }
    let clients = support::redis::Bare::new(&server).ask(&["INFO", "clients"]);
    assert!(clients.contains("connected_clients:2\r\n"), "{clients}");
}
