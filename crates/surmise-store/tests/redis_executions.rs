//! Executions in Redis: what is asked how often, what is told of a server that cannot, and what is left when it ends.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what is not as expected is a failure of the test")]

mod support {
    pub(crate) mod redis;
    pub(crate) mod servers;
    pub(crate) mod watched;
}

use core::time::Duration;

use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{
    Claim, Claimed, FencedStore as _, IdempotencyStore as _, LeaseStore as _, Settled, Settlement,
    StoreError, Terms, Ticket,
    redis::{RedisConfig, RedisStore, Weakness},
};

use self::support::{
    redis::{Bare, config, patient},
    servers::{Redis, wait_until},
    watched::Wire,
};

const HOUR: Duration = Duration::from_secs(3600);
const LONG: Terms = Terms {
    lease: HOUR,
    retention: Duration::from_secs(24 * 3600),
    brief_retention: Duration::from_millis(10),
};
const SHORT: Terms = Terms { lease: Duration::from_millis(10), ..LONG };

fn key(name: &str) -> Key {
    Key::new("tenant", "charge", name).unwrap()
}

async fn claim(store: &RedisStore, name: &str, nonce: u64) -> Result<Claimed, StoreError> {
    store.claim(Claim::new(&key(name), Fingerprint::NONE, nonce, LONG).unwrap()).await
}

async fn execute(store: &RedisStore, name: &str, terms: Terms) -> Ticket {
    match store.begin(&key(name), Fingerprint::NONE, terms).await {
        Ok(Claimed::Execute(ticket)) => ticket,
        other => panic!("{other:?}"),
    }
}

/// Waits until the lease of another is over.
async fn recover(store: &RedisStore, name: &str, nonce: u64) -> Ticket {
    loop {
        match claim(store, name, nonce).await.unwrap() {
            Claimed::Recover(ticket) => return ticket,
            Claimed::InFlight { retry_after } => tokio::time::sleep(retry_after).await,
            other => panic!("{other:?}"),
        }
    }
}

fn done(settled: Result<Settled, StoreError>) {
    assert!(matches!(settled, Ok(Settled::Done)), "{settled:?}");
}

fn lost(settled: Result<Settled, StoreError>) {
    assert!(matches!(settled, Ok(Settled::Indeterminate(_))), "{settled:?}");
}

async fn replays(store: &RedisStore, name: &str, result: &[u8]) {
    let claimed = claim(store, name, 99).await.unwrap();
    let Claimed::Replay(replayed) = claimed else { panic!("{claimed:?}") };
    assert_eq!(replayed, result);
}

async fn watched(wire: &Wire, config: RedisConfig) -> RedisStore {
    let wire = wire.clone();
    let open = move |address| wire.clone().open(address);
    RedisStore::connect_with(config, open).await.unwrap().durable().unwrap()
}

#[tokio::test]
async fn what_was_done_without_a_reply_is_done_once() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let wire = Wire::default();
    let store = watched(&wire, config(&server)).await;
    // The server is to know the scripts.
    done(store.save(&execute(&store, "first", LONG).await, b"half").await);

    wire.lose(1);
    let claimed = claim(&store, "key", 1).await.unwrap();
    assert!(matches!(claimed, Claimed::Indeterminate(_)), "{claimed:?}");
    let Claimed::InFlight { .. } = claim(&store, "key", 2).await.unwrap() else { panic!() };
    let Claimed::Execute(ticket) = claim(&store, "key", 1).await.unwrap() else { panic!() };
    // The first reply of a settlement is to a look, which is asked once more; the second counts.
    for settlement in [Settlement::save(b"half").unwrap(), Settlement::renew()] {
        wire.lose(1);
        done(store.settle(&ticket, settlement).await);
        wire.lose(2);
        lost(store.settle(&ticket, settlement).await);
        done(store.settle(&ticket, settlement).await);
    }
    wire.lose(2);
    lost(store.complete(&ticket, b"done").await);
    replays(&store, "key", b"done").await;
    wire.lose(1);
    let other = store.complete(&ticket, b"other").await;
    assert!(matches!(other, Ok(Settled::AlreadyCompleted)), "{other:?}");
    replays(&store, "key", b"done").await;

    let released = execute(&store, "released", Terms { brief_retention: HOUR, ..LONG }).await;
    wire.lose(2);
    lost(store.release(&released).await);
    done(store.release(&released).await);
    let again = execute(&store, "released", LONG).await;
    assert!(again.token() > released.token());

    // A retry tells a recovery as such.
    let gone = execute(&store, "gone", SHORT).await;
    done(store.save(&gone, b"charged").await);
    tokio::time::sleep(2 * SHORT.lease).await;
    wire.lose(2);
    let claimed = claim(&store, "gone", 7).await.unwrap();
    assert!(matches!(claimed, Claimed::Indeterminate(_)), "{claimed:?}");
    let Claimed::Recover(ticket) = claim(&store, "gone", 7).await.unwrap() else { panic!() };
    assert_eq!(ticket.checkpoint(), Some(&b"charged"[..]));
    // Who begins asks once more by itself.
    wire.lose(1);
    execute(&store, "begun", LONG).await;
}

#[tokio::test]
async fn what_is_answered_at_once_is_asked_once() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let wire = Wire::default();
    let store = watched(&wire, config(&server)).await;
    done(store.release(&execute(&store, "first", LONG).await).await);
    let before = || wire.count();
    let start = before();
    let ticket = execute(&store, "key", LONG).await;
    assert_eq!(before() - start, 1);
    let Claimed::InFlight { .. } = claim(&store, "key", 2).await.unwrap() else { panic!() };
    assert_eq!(before() - start, 2);
    done(store.complete(&ticket, b"done").await);
    assert_eq!(before() - start, 4);
    replays(&store, "key", b"done").await;
    assert_eq!(before() - start, 5);
    // What changes nothing is looked at only.
    done(store.complete(&ticket, b"done").await);
    assert_eq!(before() - start, 6);
}

#[tokio::test]
async fn a_full_memory_takes_no_new_keys() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let store = patient(&server).await;
    let mut bare = Bare::new(&server);
    let completed = execute(&store, "completed", LONG).await;
    done(store.complete(&completed, b"done").await);
    let ticket = execute(&store, "in flight", LONG).await;
    bare.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    let before = bare.ask(&["GET", "{surmise/1}executions"]);
    let claimed = claim(&store, "new", 1).await.unwrap();
    assert!(matches!(claimed, Claimed::Full), "{claimed:?}");
    // What is there is answered, and nothing of it evicted.
    replays(&store, "completed", b"done").await;
    let claimed = claim(&store, "in flight", 1).await.unwrap();
    assert!(matches!(claimed, Claimed::InFlight { .. }), "{claimed:?}");
    for settled in [store.complete(&ticket, b"done").await, store.renew(&ticket).await] {
        let error = settled.unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains("maxmemory"), "{error}");
    }
    assert_eq!(bare.ask(&["GET", "{surmise/1}executions"]), before);
    bare.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    done(store.complete(&ticket, b"done").await);
    execute(&store, "new", LONG).await;
}

#[tokio::test]
async fn nothing_grows_without_bound() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start_with(&[]);
    let connected = RedisStore::connect(config(&server)).await.unwrap();
    let store = connected.accept(&[Weakness::NoLog]).unwrap();
    let mut bare = Bare::new(&server);
    let mut last = None;
    for number in 0..500 {
        let ticket = execute(&store, &number.to_string(), LONG).await;
        done(store.complete_briefly(&ticket, &[7; 1000]).await);
        assert!(Some(ticket.token()) > last);
        last = Some(ticket.token());
    }
    // The format, the epoch, the process and the number of the last change.
    assert!(wait_until(|| bare.ask(&["DBSIZE"]) == "4"), "{}", bare.ask(&["KEYS", "*"]));
    assert!(Some(execute(&store, "0", LONG).await.token()) > last);
}

#[tokio::test]
async fn what_is_not_ours_is_told_and_left_alone() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let store = patient(&server).await;
    let mut bare = Bare::new(&server);
    let ticket = execute(&store, "key", LONG).await;
    let keys = bare.ask(&["KEYS", "{surmise/1}execution/*"]);
    let ours = keys.as_str();
    let corrupt = |error: StoreError| {
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains("key"), "{error}");
    };
    let long = "9".repeat(200);
    for foreign in ["foreign", &long] {
        bare.ask(&["SET", ours, foreign]);
        corrupt(claim(&store, "key", 1).await.unwrap_err());
        corrupt(store.complete(&ticket, b"done").await.unwrap_err());
        assert_eq!(bare.ask(&["GET", ours]), foreign);
    }
    bare.ask(&["DEL", ours]);
    bare.ask(&["RPUSH", ours, "foreign"]);
    corrupt(claim(&store, "key", 1).await.unwrap_err());
    corrupt(store.complete(&ticket, b"done").await.unwrap_err());
    bare.ask(&["DEL", ours]);
    // Who was forgotten settles nothing.
    let settled = store.complete(&ticket, b"done").await;
    assert!(matches!(settled, Ok(Settled::Fenced)), "{settled:?}");
    for number in ["foreign", "", "1", &"9".repeat(41)] {
        bare.ask(&["SET", "{surmise/1}executions", number]);
        corrupt(claim(&store, "key", 1).await.unwrap_err());
        assert_eq!(bare.ask(&["GET", "{surmise/1}executions"]), number);
    }
    let epoch = bare.ask(&["GET", "{surmise/1}epoch"]);
    let last = format!("{epoch}{}", u64::MAX);
    bare.ask(&["SET", "{surmise/1}executions", &last]);
    let error = claim(&store, "key", 1).await.unwrap_err();
    assert!(matches!(error, StoreError::TokensExhausted { .. }), "{error}");
    store.advance_epoch().await.unwrap();
    execute(&store, "key", LONG).await;
}

#[tokio::test]
async fn a_server_that_begins_anew_goes_on() {
    let Some(redis) = Redis::find() else { return };
    let mut server = redis.start();
    let store = patient(&server).await;
    let completed = execute(&store, "completed", LONG).await;
    done(store.complete(&completed, b"done").await);
    let mut ticket = execute(&store, "in flight", LONG).await;
    let zombie = execute(&store, "zombie", SHORT).await;
    let mut next = recover(&store, "zombie", 1).await;
    for _ in 0..3 {
        server.restart();
        // The connection ended, and what is asked next may be lost with it.
        _ = store.read("ledger", b"k").await;
        replays(&store, "completed", b"done").await;
        let claimed = claim(&store, "in flight", 2).await.unwrap();
        assert!(matches!(claimed, Claimed::InFlight { .. }), "{claimed:?}");
        let settled = store.complete(&zombie, b"late").await;
        assert!(matches!(settled, Ok(Settled::Fenced)), "{settled:?}");
        // What it was to recover from is still to be recovered from.
        done(store.release(&next).await);
        let later = recover(&store, "zombie", 1).await;
        assert!(later.token() > next.token() && later.token().epoch() > next.token().epoch());
        next = later;
        done(store.complete(&ticket, b"after").await);
        replays(&store, "in flight", b"after").await;
        Bare::new(&server).ask(&["DEL", &in_flight(&server)]);
        ticket = execute(&store, "in flight", LONG).await;
    }
}

fn in_flight(server: &support::servers::Server) -> String {
    Bare::new(server).ask(&["KEYS", "{surmise/1}execution/*in flight"])
}

/// What such a server has, another may have changed.
#[tokio::test]
async fn a_server_that_was_made_a_replica_executes_nothing() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let store = patient(&server).await;
    let ticket = execute(&store, "key", LONG).await;
    let mut bare = Bare::new(&server);
    assert_eq!(bare.ask(&["REPLICAOF", "127.0.0.1", "1"]), "OK");
    for error in [
        claim(&store, "key", 1).await.unwrap_err(),
        claim(&store, "other", 1).await.unwrap_err(),
        store.complete(&ticket, b"done").await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("replica"), "{error}");
    }
}

/// All of it, or the epoch alone.
#[tokio::test]
async fn a_store_that_was_lost_is_missed() {
    let Some(redis) = Redis::find() else { return };
    for (lose, left) in [(&["DEL", "{surmise/1}epoch"][..], "4"), (&["FLUSHALL"], "0")] {
        let server = redis.start();
        let store = patient(&server).await;
        let ticket = execute(&store, "key", LONG).await;
        let mut bare = Bare::new(&server);
        bare.ask(lose);
        for error in [
            claim(&store, "other", 1).await.unwrap_err(),
            store.complete(&ticket, b"done").await.unwrap_err(),
        ] {
            assert!(error.to_string().contains("loss of data"), "{error}");
        }
        assert_eq!(bare.ask(&["DBSIZE"]), left);
    }
}
